//! Colour histograms (Swain & Ballard, IJCV 1991) in HSV or CIE L*a*b*, or of luma, over the whole picture or over
//! the regions of a grid.

use ndarray::Array1;
use serde::{Deserialize, Serialize};

use super::{Appearance, Regions, normalized, wrong};
use crate::error::Result;
use crate::picture::Picture;

/// Settings of the colour histogram.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HistogramParams {
    /// Colour space of the bins.
    pub space: ColourSpace,
    /// Number of bins of each channel; a bin of the histogram is a combination of all three.
    pub bins: [usize; 3],
    /// Grid of regions, [columns, rows]; each region has its own histogram.
    pub grid: [usize; 2],
    /// Power applied to each share of pixels: 0.5 turns the Hellinger kernel into an inner product.
    pub power: f32,
}

impl Default for HistogramParams {
    fn default() -> Self {
        Self {
            space: ColourSpace::Hsv,
            bins: [8, 4, 4],
            grid: [1, 1],
            power: 0.5,
        }
    }
}

/// The colour space, which defines the three numbers of a colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ColourSpace {
    /// Hue, saturation, value (Smith, SIGGRAPH 1978). Grey has hue 0.
    Hsv,
    /// CIE 1976 L*a*b* of sRGB, under the white of D65.
    Lab,
    /// Luma as the third number; the other two are 0.
    Grey,
}

impl HistogramParams {
    pub(super) fn checked(&self) -> Result<Self> {
        if self.bins.contains(&0) || self.grid.contains(&0) {
            return Err(wrong(
                "histogram",
                "`bins` and `grid` need positive numbers",
            ));
        }
        Ok(self.clone())
    }

    fn bins(&self) -> usize {
        self.bins.iter().product()
    }
}

impl Appearance for HistogramParams {
    fn dim(&self) -> usize {
        self.bins() * self.grid[0] * self.grid[1]
    }

    fn describe(&self, picture: &Picture) -> Array1<f32> {
        let mut regions = Regions::new(self.grid, self.bins());
        let size = [picture.rgb.width(), picture.rgb.height()].map(|s| s as usize);
        let linear = linear();
        for (x, y, p) in picture.rgb.enumerate_pixels() {
            let colour = match self.space {
                ColourSpace::Hsv => hsv(p.0),
                ColourSpace::Lab => lab(p.0.map(|v| linear[usize::from(v)])),
                ColourSpace::Grey => {
                    let luma = picture.gray.get_pixel(x, y).0[0];
                    [0.0, 0.0, f64::from(luma) / 255.0]
                }
            };
            let bin = colour.iter().zip(self.bins).fold(0, |bin, (&c, bins)| {
                let at = ((c * bins as f64) as usize).min(bins - 1); // below 0 is 0
                bin * bins + at
            });
            regions.add([x as usize, y as usize], size, Some(bin));
        }
        normalized(regions.shares(), self.power)
    }
}

/// Hue, saturation and value, each from 0 to 1.
fn hsv(p: [u8; 3]) -> [f64; 3] {
    let [r, g, b] = p.map(f64::from);
    let value = r.max(g).max(b);
    let range = value - r.min(g).min(b);
    if range == 0.0 {
        return [0.0, 0.0, value / 255.0];
    }
    let sixths = if value == r {
        (g - b) / range
    } else if value == g {
        2.0 + (b - r) / range
    } else {
        4.0 + (r - g) / range
    };
    [(sixths / 6.0).rem_euclid(1.0), range / value, value / 255.0]
}

/// Linear light of the 256 levels of sRGB (IEC 61966-2-1).
fn linear() -> [f64; 256] {
    std::array::from_fn(|v| {
        let v = v as f64 / 255.0;
        if v > 0.04045 {
            ((v + 0.055) / 1.055).powf(2.4)
        } else {
            v / 12.92
        }
    })
}

/// XYZ of the primaries of sRGB, by rows (ITU-R BT.709), and of its white, D65.
const XYZ: [[f64; 3]; 3] = [
    [0.412453, 0.357580, 0.180423],
    [0.212671, 0.715160, 0.072169],
    [0.019334, 0.119193, 0.950227],
];
const WHITE: [f64; 3] = [0.95047, 1.0, 1.08883];
/// Least and greatest L*, a* and b* of sRGB, rounded outwards.
const RANGE: [[f64; 2]; 3] = [[0.0, 100.0], [-87.0, 99.0], [-108.0, 95.0]];

/// L*, a* and b*, each scaled so that 0 to 1 covers the gamut of sRGB.
fn lab(linear: [f64; 3]) -> [f64; 3] {
    let [x, y, z] = std::array::from_fn(|i| {
        let products = XYZ[i].iter().zip(linear).map(|(m, v)| m * v);
        let t = products.sum::<f64>() / WHITE[i];
        // CIE 15, with the rounded constants in common use
        if t > 0.008856 {
            t.cbrt()
        } else {
            7.787 * t + 16.0 / 116.0
        }
    });
    let lab = [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)];
    std::array::from_fn(|i| (lab[i] - RANGE[i][0]) / (RANGE[i][1] - RANGE[i][0]))
}
