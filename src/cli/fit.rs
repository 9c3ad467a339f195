use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};
use tuwen::files;
use tuwen::recipe::Recipe;
use tuwen::training::{Keep, Training, untaught};

use super::bars::Bars;
use super::common::{DataOptions, Settings};

/// Learn from pairs of pictures and captions, print the score of each setting, and write the model
#[derive(clap::Args)]
#[command(after_help = "\
Settings are chosen on the validation split, or on a tenth of the training pictures, 5,000 at most. The model is one
file: `tuwen index` and `tuwen search` need nothing else of the data. It keeps the training captions, so that a picture
can be answered with sentences; --no-captions leaves them out.

Examples:
  tuwen fit --data data/demo --model demo.tuwen
  tuwen fit --recipe everyday.toml --model everyday.tuwen
  tuwen fit --data data/flickr8k-cn --recipe hand-crafted.toml --model flickr.tuwen --no-captions")]
pub struct Args {
    /// Folder of the dataset, as for `tuwen evaluate`; a recipe that learns nothing from pairs needs none
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    #[command(flatten)]
    options: DataOptions,
    #[command(flatten)]
    settings: Settings,
    /// File to write the model to
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// Leave the training captions out of the model
    #[arg(long, requires = "model")]
    no_captions: bool,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let recipe = args.settings.recipe()?;
    args.model
        .as_deref()
        .map_or(Ok(()), files::check_writable)?;
    match (&args.data, &args.model) {
        (Some(data), _) => learn(args, &recipe, data),
        (None, Some(model)) => {
            untaught(&recipe, &Bars::default())?.save(model)?;
            say!("{}", model.display());
            Ok(ExitCode::SUCCESS)
        }
        (None, None) => {
            bail!("say what to learn from (--data), or where to write a model (--model)")
        }
    }
}

fn learn(args: &Args, recipe: &Recipe, data: &Path) -> Result<ExitCode> {
    let (dataset, bars) = (args.options.dataset(data)?, Bars::default());
    let training = Training::new(recipe, &dataset, &args.options.work, &bars);
    let features = training.features()?;
    let fitted = training.fit(&features)?;
    let outcome = &fitted.outcome;
    say!("mR on {} of each setting:", outcome.validation);
    for trial in &outcome.trials {
        let chosen = chosen(trial.setting == outcome.setting);
        say!(
            "{:7.2}  {}{chosen}",
            trial.score,
            serde_json::to_string(&trial.setting)?
        );
    }
    if let Some(scene_text) = &fitted.scene_text {
        say!("mR with the words in the pictures:");
        for (setting, score) in &scene_text.choice.trials {
            let chosen = chosen(*setting == scene_text.choice.setting);
            say!("{score:7.2}  {}{chosen}", serde_json::to_string(setting)?);
        }
    }
    say!(
        "{} pairs learned from, {} dimensions",
        outcome.training_pairs,
        fitted.fusion.dim()
    );
    if let Some(path) = &args.model {
        let keep = Keep {
            captions: !args.no_captions,
        };
        training.model(&features, &fitted, keep)?.save(path)?;
        say!("{}", path.display());
    }
    Ok(ExitCode::SUCCESS)
}

fn chosen(is: bool) -> &'static str {
    if is { " <- chosen" } else { "" }
}
