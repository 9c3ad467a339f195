//! Makes the three attachments of the contest at any size from a data set of your own, to try how long a run takes and how
//! much memory it needs. Pictures are crops, captions are put together from halves: what is found in them means nothing.
//!
//! ```sh
//! cargo run --release --example made_contest -- path/to/flickr8k-cn made 50000
//! tuwen results --data made --out made/out --timings
//! ```
//! With 50,000: as many pairs in attachment 1, 5,000 texts for 50,000 pictures in attachment 2, and 5,000 pictures for
//! 50,000 texts in attachment 3. The same data set gives the same files.

use std::fs;
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result};
use image::codecs::jpeg::JpegEncoder;
use image::imageops;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use tuwen::dataset::{Collection, Dataset, ReadOptions};

/// Quality of the pictures that are written.
const QUALITY: u8 = 85;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [data, out, size] = args.as_slice() else {
        anyhow::bail!("usage: made_contest DATA OUT SIZE");
    };
    let size: usize = size.parse().context("SIZE is the number of pairs")?;
    let dataset = Dataset::open(Path::new(data), &ReadOptions::default())?;
    let source = dataset
        .collections
        .iter()
        .max_by_key(|c| c.pairs.len())
        .filter(|c| !c.pairs.is_empty())
        .with_context(|| format!("{data} has no pairs"))?;
    let queries = size.div_ceil(10);
    let out = Path::new(out);

    let items = Items::new(source);
    anyhow::ensure!(
        !items.images.is_empty(),
        "{data} has no picture with a caption"
    );
    let picture_and_text = |i| [text(i), picture(i)];
    let text_of = |i| [text(i), items.caption(i)];

    let (dir, all) = (out.join("attachment1"), 0..size);
    items.pictures(&dir, all.clone())?;
    let pairs = all.map(|i| [picture(i), items.caption(i)]);
    table(&dir.join("ImageWordData.csv"), "image_id,caption", pairs)?;

    for (name, first, pictures, texts, tables) in [
        (
            "attachment2",
            size,
            size,
            queries,
            ["image_data.csv", "word_test.csv"],
        ),
        (
            "attachment3",
            2 * size,
            queries,
            size,
            ["image_test.csv", "word_data.csv"],
        ),
    ] {
        let (dir, first_n) = (out.join(name), |n| first..first + n);
        items.pictures(&dir, first_n(pictures))?;
        let [of_pictures, of_texts] = tables.map(|name| dir.join(name));
        table(
            &of_pictures,
            "image_id",
            first_n(pictures).map(|i| [picture(i)]),
        )?;
        table(&of_texts, "text_id,caption", first_n(texts).map(text_of))?;
        let truth = first_n(queries).map(picture_and_text);
        table(&dir.join("truth.csv"), "text_id,image_id", truth)?;
    }
    Ok(())
}

fn picture(i: usize) -> String {
    format!("ImgZ{i:06}.jpg")
}

fn text(i: usize) -> String {
    format!("Word-{i:06}")
}

/// Items that are made from the pairs of a collection; each from its number alone.
struct Items<'a> {
    source: &'a Collection,
    texts_of_images: Vec<Vec<usize>>,
    /// Images that have captions.
    images: Vec<usize>,
}

impl<'a> Items<'a> {
    fn new(source: &'a Collection) -> Self {
        let texts_of_images = source.texts_of_images();
        let images = (0..source.images.len())
            .filter(|&i| !texts_of_images[i].is_empty() && !source.images[i].source.is_missing())
            .collect();
        Self {
            source,
            texts_of_images,
            images,
        }
    }

    fn random(i: usize, what: u64) -> ChaCha8Rng {
        let mut random = ChaCha8Rng::seed_from_u64(i as u64);
        random.set_stream(what);
        random
    }

    /// The first half of one caption of the picture and the second half of another.
    fn caption(&self, i: usize) -> String {
        let texts = &self.texts_of_images[self.images[i % self.images.len()]];
        let mut random = Self::random(i, 1);
        let mut half = || -> (Vec<char>, usize) {
            let text = texts[random.gen_range(0..texts.len())];
            let caption: Vec<char> = self.source.texts[text].caption.chars().collect();
            let middle = caption.len() / 2;
            (caption, middle)
        };
        let ((a, end), (b, start)) = (half(), half());
        a[..end].iter().chain(&b[start..]).collect()
    }

    /// A part of the picture, half to nine tenths of it along each side, mirrored or not.
    fn crop(&self, i: usize) -> Result<Vec<u8>> {
        let source = &self.source.images[self.images[i % self.images.len()]].source;
        let picture = image::load_from_memory(&source.read()?)
            .with_context(|| source.describe())?
            .into_rgb8();
        let mut random = Self::random(i, 0);
        let mut part = |side: u32| {
            let length = (side as f64 * random.gen_range(0.5..0.9)).ceil() as u32;
            (random.gen_range(0..=side - length), length)
        };
        let ((x, w), (y, h)) = (part(picture.width()), part(picture.height()));
        let mut crop = imageops::crop_imm(&picture, x, y, w, h).to_image();
        if random.r#gen() {
            imageops::flip_horizontal_in_place(&mut crop);
        }
        let mut bytes = Vec::new();
        JpegEncoder::new_with_quality(&mut bytes, QUALITY).encode_image(&crop)?;
        Ok(bytes)
    }

    fn pictures(&self, dir: &Path, places: Range<usize>) -> Result<()> {
        let dir = dir.join("ImageData");
        fs::create_dir_all(&dir)?;
        places
            .into_par_iter()
            .try_for_each(|i| Ok(fs::write(dir.join(picture(i)), self.crop(i)?)?))
    }
}

fn table<const N: usize>(
    path: &Path,
    header: &str,
    rows: impl Iterator<Item = [String; N]>,
) -> Result<()> {
    let mut table = csv::Writer::from_path(path)?;
    table.write_record(header.split(','))?;
    for row in rows {
        table.write_record(row)?;
    }
    Ok(table.flush()?)
}
