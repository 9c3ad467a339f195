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

    let first = Items::new(source, 0, size);
    let second = Items::new(source, size, size);
    let third = Items::new(source, 2 * size, size);
    let dir = out.join("attachment1");
    first.pictures(&dir, size)?;
    table(
        &dir.join("ImageWordData.csv"),
        "image_id,caption",
        first.rows(size, |i| [picture(i), first.caption(i)]),
    )?;

    let dir = out.join("attachment2");
    second.pictures(&dir, size)?;
    table(
        &dir.join("image_data.csv"),
        "image_id",
        second.rows(size, |i| [picture(i)]),
    )?;
    table(
        &dir.join("word_test.csv"),
        "text_id,caption",
        second.rows(queries, |i| [text(i), second.caption(i)]),
    )?;
    table(
        &dir.join("truth.csv"),
        "text_id,image_id",
        second.rows(queries, |i| [text(i), picture(i)]),
    )?;

    let dir = out.join("attachment3");
    third.pictures(&dir, queries)?;
    table(
        &dir.join("image_test.csv"),
        "image_id",
        third.rows(queries, |i| [picture(i)]),
    )?;
    table(
        &dir.join("word_data.csv"),
        "text_id,caption",
        third.rows(size, |i| [text(i), third.caption(i)]),
    )?;
    table(
        &dir.join("truth.csv"),
        "text_id,image_id",
        third.rows(queries, |i| [text(i), picture(i)]),
    )
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
    first: usize,
    size: usize,
}

impl<'a> Items<'a> {
    fn new(source: &'a Collection, first: usize, size: usize) -> Self {
        let texts_of_images = source.texts_of_images();
        let images = (0..source.images.len())
            .filter(|&i| !texts_of_images[i].is_empty() && !source.images[i].source.is_missing())
            .collect();
        Self {
            source,
            texts_of_images,
            images,
            first,
            size,
        }
    }

    fn rows<const N: usize>(
        &self,
        n: usize,
        row: impl Fn(usize) -> [String; N],
    ) -> Vec<[String; N]> {
        (self.first..self.first + n.min(self.size))
            .map(row)
            .collect()
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

    /// Writes the first n pictures.
    fn pictures(&self, dir: &Path, n: usize) -> Result<()> {
        let dir = dir.join("ImageData");
        fs::create_dir_all(&dir)?;
        (self.first..self.first + n)
            .into_par_iter()
            .try_for_each(|i| {
                fs::write(dir.join(picture(i)), self.crop(i)?)?;
                Ok(())
            })
    }
}

fn table<const N: usize>(path: &Path, header: &str, rows: Vec<[String; N]>) -> Result<()> {
    let mut table = csv::Writer::from_path(path)?;
    table.write_record(header.split(','))?;
    for row in rows {
        table.write_record(row)?;
    }
    Ok(table.flush()?)
}
