//! Canonical correlations, their directions and their projections.

use ndarray::{Array2, Axis, s};
use tuwen::artifact::Spec;
use tuwen::dataset::Pair;
use tuwen::fusion::{Cca, CcaParams, Fusion, Pairs, Projector as _, Side};

use super::figures::{Golden, artifact, as_row, assert_near, centred, signs, wide};

fn cca(
    x: &Array2<f32>,
    y: &Array2<f32>,
    pairs: &[Pair],
    regularization: f64,
    dims: usize,
    power: f64,
) -> Cca {
    let params = CcaParams {
        dims: vec![dims],
        regularization: vec![regularization],
        power: vec![power],
        ..CcaParams::default()
    };
    params.fit(Pairs::new(x.view(), y.view(), pairs)).unwrap()
}

fn one_to_one(n: usize) -> Vec<Pair> {
    (0..n).map(|i| Pair { image: i, text: i }).collect()
}

const RIDGES: [(&str, f64); 2] = [("r0", 0.0), ("r01", 0.1)];

#[test]
fn cca_solves_the_generalised_eigenproblem() {
    let golden = Golden::open("cca");
    let (x, y) = (golden.f32("x"), golden.f32("y"));
    for (label, ridge) in RIDGES {
        let cca = cca(&x, &y, &one_to_one(300), ridge, 8, 0.0);
        let rho = golden.f64(&format!("correlations_{label}"));
        assert_near(as_row(cca.correlations().view()).view(), rho.view(), 1e-5);
        let (a, b) = (
            golden.f64(&format!("a_{label}")),
            golden.f64(&format!("b_{label}")),
        );
        let signs = signs(cca.weights(Side::Image), a.view()); // of both sides: they turn together
        for (side, theirs) in [(Side::Image, a), (Side::Text, b)] {
            let largest = theirs.iter().fold(0.0f64, |m, v| m.max(v.abs()));
            assert_near(
                (&cca.weights(side) * &signs).view(),
                theirs.view(),
                1e-3 * largest,
            );
        }
    }
}

#[test]
fn cca_correlations_are_scikit_learns() {
    let golden = Golden::open("cca");
    let cca = cca(
        &golden.f32("x"),
        &golden.f32("y"),
        &one_to_one(300),
        0.0,
        4,
        0.0,
    );
    assert_near(
        as_row(cca.correlations().view()).view(),
        golden.f64("correlations_sklearn").view(),
        1e-5,
    );
}

#[test]
fn canonical_directions_are_white() {
    let golden = Golden::open("cca");
    let (x, y) = (golden.f32("x"), golden.f32("y"));
    for (_, ridge) in RIDGES {
        let cca = cca(&x, &y, &one_to_one(300), ridge, 15, 0.0);
        for (side, x) in [(Side::Image, &x), (Side::Text, &y)] {
            let (a, x) = (cca.weights(side), centred(x));
            let mut c = x.t().dot(&x) / 300.0;
            let added = ridge * c.diag().mean().unwrap();
            c.diag_mut().mapv_inplace(|v| v + added);
            assert_near(a.t().dot(&c).dot(&a).view(), Array2::eye(15).view(), 1e-9);
        }
        let across = centred(&x).t().dot(&centred(&y)) / 300.0;
        let rho = cca
            .weights(Side::Image)
            .t()
            .dot(&across)
            .dot(&cca.weights(Side::Text));
        assert_near(
            rho.view(),
            Array2::from_diag(cca.correlations()).view(),
            1e-9,
        );
    }
}

#[test]
fn a_view_and_its_linear_image_correlate_at_one() {
    let x = Golden::open("cca").f32("y");
    let turned = x.dot(&Array2::from_shape_fn((15, 15), |(i, j)| {
        if i == j {
            2.0
        } else {
            ((i * 5 + j * 3) % 7) as f32 / 30.0
        }
    }));
    for other in [&x, &turned] {
        let cca = cca(&x, other, &one_to_one(300), 0.0, 15, 1.0);
        assert_near(
            as_row(cca.correlations().view()).view(),
            Array2::ones((1, 15)).view(),
            1e-6,
        );
        let (a, b) = (
            cca.project(Side::Image, x.view()).unwrap(),
            cca.project(Side::Text, other.view()).unwrap(),
        );
        assert_near(wide(&a).view(), wide(&b).view(), 1e-4);
    }
}

#[test]
fn an_image_with_two_captions_counts_twice() {
    let golden = Golden::open("cca");
    let (x, y) = (golden.f32("x"), golden.f32("y"));
    let images = x.slice(s![..150, ..]).to_owned();
    let pairs: Vec<Pair> = (0..300)
        .map(|i| Pair {
            image: i / 2,
            text: i,
        })
        .collect();
    let places: Vec<usize> = (0..300).map(|i| i / 2).collect();
    let repeated = images.select(Axis(0), &places);
    let (shared, copied) = (
        cca(&images, &y, &pairs, 0.1, 8, 0.0),
        cca(&repeated, &y, &one_to_one(300), 0.1, 8, 0.0),
    );
    for side in [Side::Image, Side::Text] {
        assert_near(shared.weights(side), copied.weights(side), 1e-8);
    }
}

#[test]
fn projections_are_scaled_by_the_correlations_and_unit() {
    let golden = Golden::open("cca");
    let (x, y) = (golden.f32("x"), golden.f32("y"));
    for power in [0.0, 1.0, 4.0] {
        let cca = cca(&x, &y, &one_to_one(300), 0.1, 8, power);
        let z =
            centred(&x).dot(&cca.weights(Side::Image)) * cca.correlations().mapv(|c| c.powf(power));
        let lengths = z
            .map_axis(Axis(1), |r| r.dot(&r).sqrt())
            .insert_axis(Axis(1));
        let ours = cca.project(Side::Image, x.view()).unwrap();
        assert_near(wide(&ours).view(), (z / lengths).view(), 1e-5);
    }
}

#[test]
fn a_stored_fusion_is_the_same_fusion() {
    let golden = Golden::open("cca");
    let fusion = Fusion::new(cca(
        &golden.f32("x"),
        &golden.f32("y"),
        &one_to_one(300),
        0.1,
        8,
        4.0,
    ));
    let stored = fusion.store(Spec::new("cca", &(), 0));
    assert_eq!(Fusion::load(&stored).unwrap(), fusion);
    let refused = Fusion::load(&artifact("codebook")).unwrap_err().to_string();
    assert!(
        refused.contains("fusion") && refused.contains("codebook"),
        "{refused}"
    );
}
