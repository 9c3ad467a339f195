//! Sums over upright rectangles in four look-ups (Crow, SIGGRAPH 1984; Viola & Jones, CVPR 2001).

use image::GrayImage;

/// The sums over all rectangles that begin in the upper left corner.
pub(super) struct Integral {
    width: i64,
    height: i64,
    /// (height + 1)×(width + 1)
    sums: Vec<i64>,
}

impl Integral {
    pub fn of(image: &GrayImage) -> Self {
        let (width, height) = (image.width() as usize, image.height() as usize);
        let mut sums = vec![0; (width + 1) * (height + 1)];
        for (y, pixels) in image.as_raw().chunks_exact(width.max(1)).enumerate() {
            let (above, row) = sums[y * (width + 1)..].split_at_mut(width + 1);
            let mut sum = 0;
            for ((s, a), &p) in row[1..].iter_mut().zip(&above[1..]).zip(pixels) {
                sum += i64::from(p);
                *s = a + sum;
            }
        }
        Self {
            width: width as i64,
            height: height as i64,
            sums,
        }
    }

    pub fn width(&self) -> i64 {
        self.width
    }

    pub fn height(&self) -> i64 {
        self.height
    }

    /// The sum of a rectangle's pixels, as far as it lies in the picture.
    pub fn sum(&self, x: i64, y: i64, width: i64, height: i64) -> i64 {
        let at = |x: i64, y: i64| {
            let (x, y) = (x.clamp(0, self.width), y.clamp(0, self.height));
            self.sums[(y * (self.width + 1) + x) as usize]
        };
        let (right, below) = (x + width, y + height);
        at(right, below) - at(x, below) - at(right, y) + at(x, y)
    }

    /// The same for a rectangle with (x, y) in its middle.
    pub fn around(&self, x: i64, y: i64, width: i64, height: i64) -> i64 {
        self.sum(x - width / 2, y - height / 2, width, height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_that_of_the_pixels() {
        let image = GrayImage::from_fn(7, 5, |x, y| image::Luma([(31 * x + 17 * y * y) as u8]));
        let integral = Integral::of(&image);
        for (x, y, w, h) in [
            (0, 0, 7, 5),
            (2, 1, 3, 2),
            (-3, 2, 6, 9),
            (6, 4, 1, 1),
            (9, 9, 2, 2),
        ] {
            let inside = |(px, py, _): &(u32, u32, &image::Luma<u8>)| {
                let (px, py) = (i64::from(*px), i64::from(*py));
                (x..x + w).contains(&px) && (y..y + h).contains(&py)
            };
            let pixels = image.enumerate_pixels().filter(inside);
            let wanted: i64 = pixels.map(|(.., p)| i64::from(p.0[0])).sum();
            assert_eq!(integral.sum(x, y, w, h), wanted, "{x} {y} {w} {h}");
        }
    }
}
