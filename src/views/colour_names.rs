//! The colours of a picture by their names, as a point of the space of sentences: how much of it is nearest to each of the
//! eleven basic colours (Berlin & Kay 1969). Nothing is learned.

use image::imageops::{self, FilterType};
use ndarray::{Array1, Array2, Axis};
use serde::{Deserialize, Serialize};

use super::{Feature, ImageView, Shown};
use crate::artifact::{Artifact, Fingerprint, Matrix, Spec};
use crate::error::Result;
use crate::linalg::l2_normalize;
use crate::picture::Picture;
use crate::sentence::{self, DIM, SentenceEncoder};

/// Names of colours, without settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ColourNamesParams {}

/// Chinese and English name, and the colour that most people mean by it, as sRGB.
const COLOURS: [(&str, &str, [u8; 3]); 11] = [
    ("黑色", "black", [0, 0, 0]),
    ("白色", "white", [255, 255, 255]),
    ("灰色", "grey", [128, 128, 128]),
    ("红色", "red", [200, 20, 30]),
    ("橙色", "orange", [240, 130, 20]),
    ("黄色", "yellow", [245, 220, 40]),
    ("绿色", "green", [40, 140, 60]),
    ("蓝色", "blue", [40, 90, 190]),
    ("紫色", "purple", [120, 50, 140]),
    ("粉色", "pink", [240, 150, 180]),
    ("棕色", "brown", [120, 75, 40]),
];
/// Side in pixels that pictures are scaled to: colours of areas, not of details.
const SIDE: u32 = 48;

struct ColourNames {
    /// 11×512, less their mean.
    names: Matrix<f32>,
    /// In CIELAB.
    colours: [[f32; 3]; COLOURS.len()],
}

impl Feature for ColourNamesParams {
    fn files(&self) -> Result<Vec<(&'static str, Fingerprint)>> {
        let encoder = sentence::stamp(Spec::new("networks", &(), 0))?;
        Ok(vec![
            ("networks", encoder.fingerprint()),
            ("colours", Fingerprint::of(&COLOURS)),
        ])
    }

    fn fit(&self, artifact: Artifact, _: &[Picture], _: u64) -> Result<Artifact> {
        let encoder = sentence::read(Spec::new("sentence-encoder", &(), 0))?;
        let encoder = SentenceEncoder::load(&encoder)?;
        let chinese = encoder.encode(&COLOURS.map(|(chinese, ..)| chinese));
        let english = encoder.encode(&COLOURS.map(|(_, english, _)| english));
        let mut names: Array2<f32> = (chinese + english) / 2.0;
        names -= &names.mean_axis(Axis(0)).expect("there are colours");
        Ok(artifact.with_matrix("names", names.view()))
    }

    fn load(&self, artifact: &Artifact) -> Result<Box<dyn ImageView>> {
        let names: Matrix<f32> = artifact.kept_matrix("names")?;
        artifact.require(names.dim() == (COLOURS.len(), DIM))?;
        Ok(Box::new(ColourNames {
            names,
            colours: COLOURS.map(|(.., rgb)| lab(rgb)),
        }))
    }
}

impl ImageView for ColourNames {
    fn dim(&self) -> usize {
        DIM
    }

    fn describe(&self, Shown { picture, .. }: Shown) -> Result<Array1<f32>> {
        let small = imageops::resize(&picture.rgb, SIDE, SIDE, FilterType::Triangle);
        let mut shares = Array1::<f32>::zeros(COLOURS.len());
        for pixel in small.pixels() {
            shares[nearest(&self.colours, lab(pixel.0))] += 1.0;
        }
        shares.mapv_inplace(f32::sqrt); // small areas count too
        let mut point = shares.dot(&self.names.view());
        l2_normalize(point.view_mut());
        Ok(point)
    }
}

fn nearest(colours: &[[f32; 3]], colour: [f32; 3]) -> usize {
    let far = |of: &[f32; 3]| -> f32 { (0..3).map(|i| (of[i] - colour[i]).powi(2)).sum() };
    let all = colours.iter().map(far).enumerate();
    let best = all.min_by(|a, b| a.1.total_cmp(&b.1));
    best.expect("there are colours").0
}

/// sRGB (IEC 61966-2-1) to CIELAB under D65 (CIE 15).
fn lab(rgb: [u8; 3]) -> [f32; 3] {
    let linear = rgb.map(|v| {
        let v = f32::from(v) / 255.0;
        if v <= 0.04045 {
            v / 12.92
        } else {
            ((v + 0.055) / 1.055).powf(2.4)
        }
    });
    let xyz = [
        [0.4124, 0.3576, 0.1805],
        [0.2126, 0.7152, 0.0722],
        [0.0193, 0.1192, 0.9505],
    ];
    let white = [0.9505, 1.0, 1.089];
    let f = [0, 1, 2].map(|i| {
        let t: f32 = (0..3).map(|c| xyz[i][c] * linear[c]).sum::<f32>() / white[i];
        if t > 0.008856 {
            t.cbrt()
        } else {
            7.787 * t + 16.0 / 116.0
        }
    });
    [
        116.0 * f[1] - 16.0,
        500.0 * (f[0] - f[1]),
        200.0 * (f[1] - f[2]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_have_the_coordinates_of_the_standard() {
        // values of the usual converters, to one decimal
        for (rgb, expected) in [
            ([255, 0, 0], [53.2, 80.1, 67.2]),
            ([0, 0, 255], [32.3, 79.2, -107.9]),
            ([119, 119, 119], [50.0, 0.0, 0.0]),
        ] {
            for (ours, expected) in lab(rgb).into_iter().zip(expected) {
                assert!((ours - expected).abs() < 0.2, "{rgb:?}: {ours} {expected}");
            }
        }
    }

    #[test]
    fn colours_are_called_by_their_names() {
        let colours = COLOURS.map(|(.., rgb)| lab(rgb));
        let name = |rgb| COLOURS[nearest(&colours, lab(rgb))].1;
        for (rgb, expected) in [
            ([20, 20, 25], "black"),
            ([250, 248, 245], "white"),
            ([220, 30, 45], "red"),
            ([60, 120, 220], "blue"),
            ([90, 170, 80], "green"),
            ([100, 65, 45], "brown"),
        ] {
            assert_eq!(name(rgb), expected, "{rgb:?}");
        }
    }
}
