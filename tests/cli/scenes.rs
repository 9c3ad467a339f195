//! Made-up pictures.

use image::{Rgb, RgbImage};

/// A picture with something to see everywhere, another for each seed.
pub fn scene(seed: u32) -> RgbImage {
    let mut picture = RgbImage::from_pixel(240, 180, Rgb([200, 210, 220]));
    let mut state = seed.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
    let mut draw = |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % below
    };
    for _ in 0..120 {
        let (x, y) = (draw(230), draw(170));
        let (w, h) = (4 + draw(30), 4 + draw(30));
        let colour = Rgb([draw(256) as u8, draw(256) as u8, draw(256) as u8]);
        for j in y..(y + h).min(180) {
            for i in x..(x + w).min(240) {
                picture.put_pixel(i, j, colour);
            }
        }
    }
    picture
}
