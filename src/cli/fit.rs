use std::process::ExitCode;

use anyhow::Result;
use tuwen::training::Training;

use super::bars::Bars;
use super::common::Common;

/// Learn the fusion (and compute the views it needs), and print the score of each setting
#[derive(clap::Args)]
#[command(after_help = "\
Settings are chosen on the validation split, or on a tenth of the training pictures, 5,000 at most.

Example:
  tuwen fit --data data/demo")]
pub struct Args {
    #[command(flatten)]
    common: Common,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let (recipe, dataset, bars) = (
        args.common.recipe()?,
        args.common.dataset()?,
        Bars::default(),
    );
    let training = Training::new(&recipe, &dataset, &args.common.data.work, &bars);
    let fitted = training.fit(&training.features()?)?;
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
    Ok(ExitCode::SUCCESS)
}

fn chosen(is: bool) -> &'static str {
    if is { " <- chosen" } else { "" }
}
