//! Pictures side by side, with lines between what matches.

use anyhow::Result;
use image::imageops;
use image::{Rgb, RgbImage};
use tuwen::matching::{Comparison, Correspondence, Frame};
use tuwen::picture::Picture;

const BACKGROUND: Rgb<u8> = Rgb([255, 255, 255]);
const GAP: u32 = 8;
/// Lines that are drawn; more would hide the pictures.
const LINES: usize = 80;

/// The first picture, turned over where its mirror image matches, and the second, with lines for matches that agree.
pub fn side_by_side(a: Picture, b: &Picture, found: &Comparison) -> Result<RgbImage> {
    let a = if found.mirrored { a.mirrored() } else { a };
    let (a, b) = (&a.rgb, &b.rgb);
    let left = a.width() + GAP;
    let mut canvas = RgbImage::from_pixel(left + b.width(), a.height().max(b.height()), BACKGROUND);
    imageops::replace(&mut canvas, a, 0, 0);
    imageops::replace(&mut canvas, b, i64::from(left), 0);
    let inliers = found.consensus.iter().flat_map(|c| &c.inliers);
    let inliers: Vec<usize> = inliers.copied().collect();
    for (n, place) in tuwen::sampling::sample_places(inliers.len(), LINES).enumerate() {
        let Correspondence { a, b } = found.matches[inliers[place]];
        let b = Frame {
            x: b.x + left as f32,
            ..b
        };
        line(&mut canvas, a, b, colour(n));
    }
    Ok(canvas)
}

/// Neighbouring lines differ.
fn colour(n: usize) -> Rgb<u8> {
    const COLOURS: [[u8; 3]; 6] = [
        [230, 60, 60],
        [40, 170, 80],
        [60, 110, 240],
        [240, 170, 20],
        [170, 70, 210],
        [20, 180, 200],
    ];
    Rgb(COLOURS[n % COLOURS.len()])
}

fn line(canvas: &mut RgbImage, from: Frame, to: Frame, colour: Rgb<u8>) {
    let (dx, dy) = (to.x - from.x, to.y - from.y);
    let steps = dx.abs().max(dy.abs()).ceil().max(1.0) as usize;
    for i in 0..=steps {
        let t = i as f32 / steps as f32;
        let (x, y) = ((from.x + t * dx).round(), (from.y + t * dy).round());
        if x >= 0.0 && y >= 0.0 && (x as u32) < canvas.width() && (y as u32) < canvas.height() {
            canvas.put_pixel(x as u32, y as u32, colour);
        }
    }
}
