//! Pictures of nothing that look like photographs to whatever counts edges: dead leaves, discs that cover each other and whose
//! sizes follow a power law (Lee, Mumford & Huang, IJCV 2001: "Occlusion models for natural images"). What must see pictures
//! to begin with, such as visual words, can be learned from them where there are none.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use image::{Rgb, RgbImage};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::files;

/// Side of a picture in pixels.
const SIDE: u32 = 320;
/// Pictures of a set: enough descriptors for 1,024 visual words.
const PICTURES: u64 = 160;
/// Discs of a picture, from the one behind to the one in front; their radii in pixels.
const DISCS: usize = 3000;
const RADII: [f32; 2] = [2.0, 120.0];

/// A picture; another for each seed.
pub fn picture(seed: u64) -> RgbImage {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut picture = RgbImage::new(SIDE, SIDE);
    let side = SIDE as f32;
    for _ in 0..DISCS {
        // The density of radii falls with their third power, so that all scales cover as much.
        let [least, most] = RADII.map(|r| r.powi(-2));
        let radius = (least - rng.r#gen::<f32>() * (least - most)).powf(-0.5);
        let [x, y] = [(); 2].map(|()| rng.r#gen::<f32>() * (side + 2.0 * radius) - radius);
        let colour: [f32; 3] = [(); 3].map(|()| rng.r#gen::<f32>() * 255.0);
        // Light falls from one side.
        let slope: [f32; 2] = [(); 2].map(|()| rng.r#gen::<f32>() * 80.0 - 40.0);
        let bounds = |at: f32| {
            let [from, to] = [at - radius, at + radius].map(|v| v.clamp(0.0, side) as u32);
            from..to
        };
        for row in bounds(y) {
            for column in bounds(x) {
                let [dx, dy] = [column as f32 + 0.5 - x, row as f32 + 0.5 - y].map(|d| d / radius);
                if dx * dx + dy * dy <= 1.0 {
                    let light = slope[0] * dx + slope[1] * dy;
                    let colour = colour.map(|c| (c + light).clamp(0.0, 255.0) as u8);
                    picture.put_pixel(column, row, Rgb(colour));
                }
            }
        }
    }
    picture
}

/// Writes a set of such pictures in the layout of the contest's attachment 1, with some of the words each.
///
/// # Errors
/// [`Error::Io`] from the system.
pub fn write(folder: &Path, words: &[&str]) -> Result<()> {
    let attachment = folder.join("attachment1");
    let pictures = attachment.join("ImageData");
    fs::create_dir_all(&pictures).map_err(Error::io("create", &pictures))?;
    (0..PICTURES).into_par_iter().try_for_each(|n| {
        let mut png = std::io::Cursor::new(Vec::new());
        let drawn = picture(n).write_to(&mut png, image::ImageFormat::Png);
        drawn.map_err(Error::picture)?;
        files::write(&pictures.join(format!("{n}.png")), &png.into_inner())
    })?;
    let mut table = "image_id,caption\n".to_owned();
    let place = |n: u64| words.len() * n as usize / PICTURES as usize;
    for n in 0..PICTURES {
        let some = words[place(n)..place(n + 1)].join(" ").replace(',', " ");
        let _ = writeln!(table, "{n}.png,{some}"); // writing to memory does not fail
    }
    files::write(&attachment.join("ImageWordData.csv"), table.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_the_same_each_time_and_differ_from_each_other() {
        assert_eq!(picture(1), picture(1));
        assert_ne!(picture(1), picture(2));
    }
}
