//! Views that can be compared as they are.

use ndarray::{Array2, array, s};
use tuwen::Error;
use tuwen::artifact::Spec;
use tuwen::dataset::Pair;
use tuwen::fusion::{Columns, Fusion, FusionParams, JointParams, Pairs, Side};

fn params(image_views: &[&str]) -> FusionParams {
    FusionParams::Joint(JointParams {
        image_views: image_views.iter().map(|&name| name.into()).collect(),
        text_view: "sentence".into(),
    })
}

/// Two pictures in views of two, two and three numbers, and two texts in views of one and two.
fn fit(image_views: &[&str]) -> tuwen::Result<(Fusion, Array2<f32>, Array2<f32>)> {
    let x = array![
        [0.6, 0.8, 1.0, 0.0, 9.0, 9.0, 9.0],
        [0.6, 0.8, 0.0, 0.0, 9.0, 9.0, 9.0],
    ];
    let y = array![[5.0, 1.0, 0.0], [5.0, 0.0, 2.0]];
    let images = Columns::side_by_side([("names", 2), ("read", 2), ("other", 3)]);
    let texts = Columns::side_by_side([("words", 1), ("sentence", 2)]);
    let pairs = [Pair { image: 0, text: 0 }, Pair { image: 1, text: 1 }];
    let fusion = params(image_views).fit(Pairs {
        image_views: &images,
        text_views: &texts,
        ..Pairs::new(x.view(), y.view(), &pairs)
    })?;
    Ok((fusion, x, y))
}

#[test]
fn a_picture_is_placed_by_the_views_that_find_something() {
    let (fusion, x, y) = fit(&["names", "read"]).unwrap();
    let images = fusion.project(Side::Image, x.view()).unwrap();
    let root = 3.2_f32.sqrt(); // of 1.6² + 0.8²
    let expected = array![[1.6 / root, 0.8 / root], [0.6, 0.8]];
    assert!(
        (&images - &expected).iter().all(|d| d.abs() < 1e-6),
        "{images}"
    );
    let texts = fusion.project(Side::Text, y.view()).unwrap();
    assert_eq!(texts, array![[1.0, 0.0], [0.0, 1.0]]);
    let artifact = fusion.store(Spec::new(fusion.stage(), &(), 0));
    assert_eq!(Fusion::load(&artifact).unwrap(), fusion);
    let narrow = x.slice(s![.., ..4]);
    let error = fusion.project(Side::Image, narrow).unwrap_err();
    assert!(matches!(error, Error::Mismatch { .. }), "{error}");
}

#[test]
fn views_of_other_lengths_are_refused() {
    let error = fit(&["names", "other"]).unwrap_err().to_string();
    assert!(
        error.contains("other") && error.contains("sentence"),
        "{error}"
    );
    let error = fit(&["nowhere"]).unwrap_err().to_string();
    assert!(error.contains("nowhere"), "{error}");
}
