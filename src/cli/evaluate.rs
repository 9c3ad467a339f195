use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use tuwen::dataset::{Dataset, Direction, Split, folds};
use tuwen::evaluation::{self, Ranking};
use tuwen::pipeline::Pipeline;
use tuwen::recipe::Recipe;

use super::bars::Bars;
use super::common::Common;

/// Measure a recipe: R@1/5/10 and median rank both ways, chance, 95 % intervals
#[derive(clap::Args)]
#[command(after_help = "\
Ties count at mid-rank. Choose settings on val; read test once.

Examples:
  tuwen evaluate --data data/flickr8k-cn --recipe experiments/card.toml --split val
  tuwen evaluate --data data/taidi --folds 5 --json")]
pub struct Args {
    #[command(flatten)]
    common: Common,
    /// The split whose pairs are ranked
    #[arg(long, value_name = "SPLIT", value_parser = ["val", "test"], default_value = "test")]
    split: String,
    /// Divide the training pairs into N folds by a hash of the image's id, each tested on in turn
    #[arg(long, value_name = "N", conflicts_with = "split", value_parser = clap::value_parser!(u64).range(2..=100))]
    folds: Option<u64>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

const BOTH: [Direction; 2] = [Direction::TextToImage, Direction::ImageToText];

pub fn run(args: &Args) -> Result<ExitCode> {
    let (recipe, dataset) = (args.common.recipe()?, args.common.dataset()?);
    let (split, rankings) = match args.folds {
        Some(n) => (
            format!("{n} folds"),
            by_folds(args, &recipe, dataset.clone(), n)?,
        ),
        None => {
            let split = if args.split == "val" {
                Split::Val
            } else {
                Split::Test
            };
            (args.split.clone(), rank(args, &recipe, &dataset, split)?)
        }
    };
    ensure!(
        rankings.iter().flatten().any(|r| !r.ranks.is_empty()),
        "{} has no {split} pairs; attachments without truth.csv can be measured with --folds 5",
        dataset.name
    );
    let [t2i, i2t] = rankings.each_ref().map(Option::as_ref);
    let report = evaluation::report((&dataset.name, &recipe.name, &split), t2i, i2t, recipe.seed);
    if args.json {
        say!("{}", serde_json::to_string(&report)?);
    } else {
        say!("{report}");
    }
    Ok(ExitCode::SUCCESS)
}

fn rank(
    args: &Args,
    recipe: &Recipe,
    dataset: &Dataset,
    split: Split,
) -> Result<[Option<Ranking>; 2]> {
    let bars = Bars::default();
    let pipeline = Pipeline::new(recipe, dataset, &args.common.work, &bars);
    let features = pipeline.features()?;
    let fusion = pipeline.fit(&features)?.fusion;
    let mut rankings = [None, None];
    for (ranking, direction) in rankings.iter_mut().zip(BOTH) {
        *ranking = pipeline.rank(split, direction, &features, &fusion)?;
    }
    Ok(rankings)
}

/// Every fold learns everything anew from the others: nothing of it reaches a fit.
fn by_folds(
    args: &Args,
    recipe: &Recipe,
    mut dataset: Dataset,
    n: u64,
) -> Result<[Option<Ranking>; 2]> {
    let train = dataset.train()?.clone();
    dataset.collections = vec![train];
    let bars = Bars::default();
    let contents = Pipeline::new(recipe, &dataset, &args.common.work, &bars)
        .train_contents()?
        .to_vec();
    let mut all = [const { None }, const { None }];
    for (k, (train, test)) in folds(&dataset.collections[0], &contents, n)
        .into_iter()
        .enumerate()
    {
        tracing::info!(
            "fold {} of {n}: {} to learn from, {} to test on",
            k + 1,
            train.images.len(),
            test.images.len()
        );
        ensure!(
            !test.images.is_empty(),
            "fold {} is empty: use fewer folds",
            k + 1
        );
        let fold = Dataset {
            collections: vec![train, test],
            ..dataset.clone()
        };
        let rankings =
            rank(args, recipe, &fold, Split::Test).with_context(|| format!("fold {}", k + 1))?;
        for (all, ranking) in all.iter_mut().zip(rankings) {
            if let Some(ranking) = ranking {
                all.get_or_insert_with(Ranking::default).extend(&ranking);
            }
        }
    }
    Ok(all)
}
