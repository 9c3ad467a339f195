//! Whole-picture features of the smallest pictures, of narrow ones, and of what has no structure.

use image::{Rgb, RgbImage};
use tuwen::appearance::{
    AppearanceParams, CentristParams, ColourSpace, GistParams, HistogramParams, HogParams,
    LbpParams, PhashParams,
};
use tuwen::picture::Picture;

fn all() -> Vec<AppearanceParams> {
    let lab = HistogramParams {
        space: ColourSpace::Lab,
        grid: [3, 2],
        ..HistogramParams::default()
    };
    let patterns = LbpParams {
        points: 10,
        radius: 2.3,
        uniform: false,
        ..LbpParams::default()
    };
    vec![
        AppearanceParams::Histogram(HistogramParams::default()),
        AppearanceParams::Histogram(lab),
        AppearanceParams::Hog(HogParams::default()),
        AppearanceParams::Gist(GistParams::default()),
        AppearanceParams::Lbp(LbpParams::default()),
        AppearanceParams::Lbp(patterns),
        AppearanceParams::Centrist(CentristParams::default()),
        AppearanceParams::Phash(PhashParams::default()),
        AppearanceParams::Histogram(HistogramParams {
            space: ColourSpace::Grey,
            bins: [1, 1, 64],
            ..HistogramParams::default()
        }),
    ]
}

fn flat(width: u32, height: u32, colour: [u8; 3]) -> Picture {
    Picture::from_rgb(RgbImage::from_pixel(width, height, Rgb(colour)))
}

fn noise(width: u32, height: u32) -> Picture {
    let mut state = 7u32;
    Picture::from_rgb(RgbImage::from_fn(width, height, |_, _| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [r, g, b, _] = state.to_be_bytes();
        Rgb([r, g, b])
    }))
}

#[test]
fn every_picture_has_a_unit_vector_or_the_zero_vector() {
    const SIDES: [u32; 8] = [1, 2, 3, 4, 5, 6, 17, 150];
    for params in all() {
        let feature = params.appearance().unwrap();
        let mut found = 0;
        for (width, height) in SIDES.iter().flat_map(|&w| SIDES.map(|h| (w, h))) {
            for picture in [noise(width, height), flat(width, height, [9, 200, 255])] {
                let v = feature.describe(&picture);
                assert_eq!(v.len(), feature.dim());
                let length = v.dot(&v);
                let whole = length == 0.0 || (length - 1.0).abs() < 1e-4;
                assert!(whole, "{width}x{height}, {params:?}: {length}");
                found += usize::from(length > 0.0);
            }
        }
        assert!(found >= 8, "{params:?}");
    }
}

#[test]
fn a_flat_picture_has_colour_alone() {
    for grey in [0, 77, 255] {
        for params in all() {
            let v = params
                .appearance()
                .unwrap()
                .describe(&flat(60, 40, [grey; 3]));
            let used = v.iter().filter(|&&x| x != 0.0).count();
            match params {
                // One colour, or one pattern, in each region.
                AppearanceParams::Histogram(p) => assert_eq!(used, p.grid[0] * p.grid[1]),
                AppearanceParams::Lbp(p) => assert_eq!(used, p.grid[0] * p.grid[1]),
                _ => assert_eq!(used, 0, "{params:?}"),
            }
        }
    }
}

#[test]
fn known_colours_have_known_bins() {
    // 8 hues, 4 saturations, 4 values; the value varies fastest.
    for (colour, hue, saturation, value) in [
        ([255, 0, 0], 0, 3, 3),
        ([0, 255, 0], 2, 3, 3),   // 120° of 45° each
        ([0, 0, 255], 5, 3, 3),   // 240°
        ([255, 0, 255], 6, 3, 3), // 300°
        ([0, 0, 0], 0, 0, 0),
        ([255, 255, 255], 0, 0, 3),
        ([100, 50, 50], 0, 2, 1), // half saturated
    ] {
        let params = AppearanceParams::Histogram(HistogramParams::default());
        let v = params.appearance().unwrap().describe(&flat(3, 3, colour));
        assert_eq!(v[(hue * 4 + saturation) * 4 + value], 1.0, "{colour:?}");
    }
}

#[test]
fn settings_that_give_no_vector_are_refused_by_name() {
    let histogram = HistogramParams {
        bins: [8, 0, 4],
        ..HistogramParams::default()
    };
    let hog = HogParams {
        side: 31, // one cell, no block
        ..HogParams::default()
    };
    let gist = GistParams {
        blocks: 200,
        ..GistParams::default()
    };
    let lbp = LbpParams {
        points: 13,
        uniform: false,
        ..LbpParams::default()
    };
    let radius = LbpParams {
        radius: f32::NAN,
        ..LbpParams::default()
    };
    let centrist = CentristParams {
        regions: vec![[0, 1]],
        ..CentristParams::default()
    };
    for (params, key) in [
        (AppearanceParams::Histogram(histogram), "`bins`"),
        (AppearanceParams::Hog(hog), "`side`"),
        (AppearanceParams::Gist(gist), "`blocks`"),
        (AppearanceParams::Lbp(lbp), "`points`"),
        (AppearanceParams::Lbp(radius), "`radius`"),
        (AppearanceParams::Centrist(centrist), "`regions`"),
    ] {
        let error = params.appearance().err().expect("refused").to_string();
        assert!(error.contains(key), "{error}");
    }
}
