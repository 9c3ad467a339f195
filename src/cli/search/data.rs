//! Searching the gallery of a data set.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use tuwen::dataset::{Dataset, Direction, Split};
use tuwen::engine::Find;
use tuwen::training::Training;

use super::super::bars::Bars;
use super::{Args, gallery};

/// The collection to search: a test gallery if there is one for the direction.
fn gallery_of(dataset: &Dataset, direction: Direction) -> usize {
    let all = || dataset.collections.iter().enumerate();
    let test = all().find(|(_, c)| c.split == Split::Test && c.directions.contains(&direction));
    test.or_else(|| all().find(|(_, c)| c.split == Split::Train))
        .map_or(0, |(i, _)| i)
}

pub fn run(args: &Args, data: &Path) -> Result<ExitCode> {
    // A picture alone finds its texts: a data set is for that.
    let find = match args.find {
        None if args.text().is_empty() && args.must.is_empty() => Find::Texts,
        find => find.map_or(Find::Pictures, Find::from),
    };
    let query = args.query(find)?;
    let (recipe, dataset, bars) = (
        args.settings.recipe()?,
        args.options.dataset(data)?,
        Bars::default(),
    );
    let training = Training::new(&recipe, &dataset, &args.options.work, &bars);
    let features = training.features()?;
    let fitted = training.fit(&features)?;
    let direction = match find {
        Find::Texts => Direction::ImageToText,
        Find::Pictures | Find::Copies => Direction::TextToImage,
    };
    let place = gallery_of(&dataset, direction);
    let engine = training.engine(place, &features, &fitted)?;
    gallery::ask(args, &query, &engine)
}
