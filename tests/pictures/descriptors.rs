//! Descriptors of what has nothing to describe, of the smallest pictures and of narrow ones.

use image::{Rgb, RgbImage};
use tuwen::descriptor::{
    AkazeParams, Channels, ColourParams, DenseSiftParams, DescriptorParams, Extractor, OrbParams,
    SiftParams, SurfParams,
};
use tuwen::picture::{Picture, PictureParams};

use super::files::bytes;

/// Those that describe keypoints.
fn sparse() -> Vec<Box<dyn Extractor>> {
    let all = [
        DescriptorParams::Sift(SiftParams::default()),
        DescriptorParams::Sift(SiftParams {
            root: false,
            ..SiftParams::default()
        }),
        DescriptorParams::Orb(OrbParams::default()),
        DescriptorParams::Surf(SurfParams::default()),
        DescriptorParams::Akaze(AkazeParams::default()),
    ];
    all.iter().map(DescriptorParams::extractor).collect()
}

/// Those that describe a grid, structure or not.
fn dense() -> Vec<Box<dyn Extractor>> {
    let [luma, opponent, plain] = [
        (Channels::Luma, true),
        (Channels::Opponent, true),
        (Channels::Luma, false),
    ]
    .map(|(channels, root)| {
        DescriptorParams::DenseSift(DenseSiftParams {
            channels,
            root,
            ..DenseSiftParams::default()
        })
    });
    let colour = DescriptorParams::Colour(ColourParams::default());
    let all = [luma, opponent, plain, colour];
    all.iter().map(DescriptorParams::extractor).collect()
}

fn extractors() -> Vec<Box<dyn Extractor>> {
    sparse().into_iter().chain(dense()).collect()
}

#[test]
fn a_picture_without_structure_has_no_descriptor() {
    for file in ["one_pixel.png", "flat.png"] {
        let picture = Picture::decode(&bytes(file), &PictureParams::default()).unwrap();
        for extractor in sparse() {
            let kind = extractor.kind();
            assert_eq!(
                extractor.extract(&picture).unwrap().values.dim(),
                (0, kind.dim),
                "{file}: {}",
                kind.name
            );
        }
    }
}

#[test]
fn a_flat_picture_has_zero_dense_sift_and_colours_without_deviation() {
    let picture = Picture::decode(&bytes("flat.png"), &PictureParams::default()).unwrap();
    let one_pixel = Picture::decode(&bytes("one_pixel.png"), &PictureParams::default()).unwrap();
    for extractor in dense() {
        let kind = extractor.kind();
        let x = extractor.extract(&picture).unwrap().values;
        assert!(x.nrows() > 0, "{}", kind.name);
        match kind.name.as_str() {
            "colour-statistics" => {
                // Means and deviations by turns, three of each.
                let flat = |(i, &v): (usize, &f32)| i / 3 % 2 == 0 || v < 1e-3;
                assert!(x.rows().into_iter().all(|r| r.iter().enumerate().all(flat)));
            }
            name => assert!(x.iter().all(|&v| v == 0.0), "{name}: {x}"),
        }
        assert_eq!(extractor.extract(&one_pixel).unwrap().values.nrows(), 0);
    }
}

/// Blobs and corners at every scale.
fn noise(width: u32, height: u32) -> Picture {
    let mut state = 1u32;
    let image = RgbImage::from_fn(width, height, |_, _| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Rgb([if state >> 31 == 0 { 20 } else { 230 }; 3])
    });
    Picture::from_rgb(image)
}

fn describe(extractor: &dyn Extractor, width: u32, height: u32) -> usize {
    let kind = extractor.kind();
    let x = extractor
        .extract(&noise(width, height))
        .unwrap_or_else(|e| panic!("{width}x{height}, {}: {e}", kind.name))
        .values;
    assert_eq!(x.ncols(), kind.dim);
    for row in x.outer_iter() {
        let good = match kind.name.as_str() {
            "orb" | "akaze" => row.iter().all(|&v| v == 0.0 || v == 1.0),
            "root-sift" | "surf" => (row.dot(&row) - 1.0).abs() < 1e-4,
            // a unit vector of each channel; noise has no grey patch, but no colour either
            "dense-root-sift" | "dense-sift" => (row.dot(&row) - 1.0).abs() < 1e-4,
            "dense-opponent-root-sift" => {
                let part = |c: usize| row.slice(ndarray::s![c * 128..(c + 1) * 128]);
                let lengths = [0, 1, 2].map(|c| part(c).dot(&part(c)));
                lengths[..2] == [0.0, 0.0] && (lengths[2] - 1.0).abs() < 1e-4
            }
            "colour-statistics" => row.iter().all(|v| (0.0..=1.0).contains(v)),
            _ => row.iter().all(|&v| (0.0..=255.0).contains(&v)),
        };
        assert!(good, "{width}x{height}, {}: {row}", kind.name);
    }
    x.nrows()
}

#[test]
fn the_smallest_pictures_have_whole_descriptors_or_none() {
    for extractor in extractors() {
        let mut found = 0;
        for width in 1..=40 {
            for height in [1, 2, 3, 7, 15, 16, 17, 23, 31, 32, 33, 40, width] {
                found += describe(&*extractor, width, height);
            }
        }
        // these two keep away from the border, and have nothing in 40 pixels
        assert!(found > 0 || ["orb", "akaze"].contains(&&*extractor.kind().name));
    }
}

#[test]
fn narrow_pictures_have_whole_descriptors_or_none() {
    for extractor in extractors() {
        for narrow in [1, 2, 15, 16, 17, 40] {
            describe(&*extractor, narrow, 1500);
            describe(&*extractor, 1500, narrow);
        }
        assert!(
            describe(&*extractor, 200, 200) > 0,
            "{}",
            extractor.kind().name
        );
    }
}

#[test]
fn extraction_does_not_depend_on_what_came_before() {
    for extractor in extractors() {
        let first = extractor.extract(&noise(90, 70)).unwrap();
        describe(&*extractor, 120, 130);
        assert_eq!(extractor.extract(&noise(90, 70)).unwrap(), first);
    }
}
