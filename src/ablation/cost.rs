//! What an item costs a user of a recipe.

use std::time::Instant;

use serde::{Deserialize, Serialize};
use tuwen::dataset::{Direction, Split};
use tuwen::error::{Error, Result};
use tuwen::ocr::joined;
use tuwen::picture::Picture;
use tuwen::sampling::sample_places;
use tuwen::training::{Features, Fitted, Training};
use tuwen::views::Shown;

/// Number of pictures described to measure the time per picture.
const TIMED_PICTURES: usize = 24;
/// Number of captions described to measure the time per caption.
const TIMED_CAPTIONS: usize = 96;

/// The cost of one item to a user of the recipe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Median milliseconds from the bytes of a picture file to the shared space, on one core.
    pub ms_per_picture: Option<f64>,
    /// Median milliseconds from a caption to the shared space, on one core.
    pub ms_per_caption: Option<f64>,
    /// Bytes of a vector of the shared space, not compressed.
    pub bytes_per_item: usize,
}

impl Cost {
    /// Describes some of the evaluated pictures and captions, one after the other on one core.
    pub fn measure(
        split: Split,
        training: &Training,
        features: &[Features],
        fitted: &Fitted,
        bytes_per_item: usize,
    ) -> Result<Self> {
        let place = |d| training.place(split, d);
        let pictures = place(Direction::ImageToText).or(place(Direction::TextToImage));
        let Some(place) = pictures else {
            return Ok(Self {
                ms_per_picture: None,
                ms_per_caption: None,
                bytes_per_item,
            });
        };
        let collection = &training.dataset.collections[place];
        let reader = if fitted.share_of_words() > 0.0 || training.recipe.reads_text() {
            training.reader()?
        } else {
            None
        };
        let (pictures, texts) = training.sides(features, fitted)?;
        let picture = |i: usize| {
            let image = &collection.images[i];
            let bytes = image.source.read().ok()?;
            timed(|| {
                let lines = reader.as_ref().map(|r| r.read(&bytes)).transpose()?;
                let picture = Picture::decode(&bytes, &training.recipe.picture)?;
                pictures.embed(&pictures.features(&[Shown {
                    name: &image.id.0,
                    picture: &picture,
                    text: &joined(&lines.unwrap_or_default()),
                }])?)
            })
        };
        let caption = |i: usize| timed(|| texts.embed(&[&collection.texts[i].caption]));
        let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build();
        let alone = alone.map_err(|e| Error::Io {
            action: "start a thread in",
            path: "tuwen".into(),
            cause: std::io::Error::other(e),
        })?;
        Ok(alone.install(|| Self {
            ms_per_picture: median(collection.images.len(), TIMED_PICTURES, picture),
            ms_per_caption: median(collection.texts.len(), TIMED_CAPTIONS, caption),
            bytes_per_item,
        }))
    }
}

/// Milliseconds that `work` takes; `None` if it fails.
fn timed<T>(work: impl FnOnce() -> Result<T>) -> Option<f64> {
    let start = Instant::now();
    work().ok()?;
    let ms = 1e3 * start.elapsed().as_secs_f64();
    Some((ms * 1e3).round() / 1e3) // to the microsecond
}

/// The median time of at most `most` of `n` items, evenly spread. One item is processed beforehand, so that memory
/// and dictionaries are loaded.
fn median(n: usize, most: usize, time: impl Fn(usize) -> Option<f64>) -> Option<f64> {
    if n > 0 {
        time(n / 2);
    }
    let mut times: Vec<f64> = sample_places(n, most).filter_map(time).collect();
    times.sort_by(f64::total_cmp);
    let middle = times.len() / 2;
    match times.len() {
        0 => None,
        n if n % 2 == 1 => Some(times[middle]),
        _ => Some((times[middle - 1] + times[middle]) / 2.0),
    }
}
