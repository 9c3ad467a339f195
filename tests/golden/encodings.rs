//! Codebooks, VLAD and bags of words.

use std::collections::BTreeMap;

use ndarray::{Array1, Array2, s};
use serde::Deserialize;
use tuwen::codebook::{Codebook, KMeansParams};
use tuwen::descriptor::DescriptorKind;
use tuwen::encoding::{BowParams, Encoder, EncodingParams, VladParams};

use super::figures::{Golden, artifact, as_row, assert_near, json, wide};

fn kind(dim: usize) -> DescriptorKind {
    DescriptorKind {
        name: "golden".into(),
        dim,
    }
}

fn codebook(centroids: &Array2<f32>) -> Codebook {
    Codebook::load(
        &artifact("codebook")
            .with_notes(&kind(centroids.ncols()))
            .with_matrix("centroids", centroids.view()),
    )
    .unwrap()
}

/// The encoder over given centroids, by way of what a view stores.
fn encoder(params: &EncodingParams, centroids: &Array2<f32>) -> Box<dyn Encoder> {
    let stored = codebook(centroids).store(artifact("image-view"));
    params.load(&kind(centroids.ncols()), &stored).unwrap()
}

/// The vector of the golden descriptors, as a row.
fn encode(params: EncodingParams) -> Array2<f64> {
    let golden = Golden::open("vlad");
    let vector = encoder(&params, &golden.f32("centroids"))
        .encode(golden.f32("descriptors").view())
        .unwrap();
    as_row(vector.mapv(f64::from).view())
}

#[test]
fn descriptors_go_to_the_nearest_word() {
    let golden = Golden::open("vlad");
    let words = codebook(&golden.f32("centroids"))
        .assign(golden.f32("descriptors").view())
        .unwrap();
    assert!(words.iter().map(|&w| w as i64).eq(golden.i64("nearest")));
}

#[test]
fn vlad_agrees_in_all_normalisations() {
    let golden = Golden::open("vlad");
    for (name, power, intra) in [
        ("plain", 1.0, false),
        ("power", 0.5, false),
        ("intra", 1.0, true),
    ] {
        let params = VladParams {
            power,
            intra,
            residual: false,
        };
        let ours = encode(EncodingParams::Vlad(params));
        assert_near(ours.view(), golden.f64(name).view(), 1e-5);
        let unused = ours.slice(s![.., 5 * 16..6 * 16]);
        assert!(
            unused.iter().all(|&v| v == 0.0),
            "{name}: word 5 has no descriptor"
        );
    }
}

#[test]
fn vlad_of_unit_residuals_is_their_sum() {
    let golden = Golden::open("vlad");
    let (x, c) = (
        wide(&golden.f32("descriptors")),
        wide(&golden.f32("centroids")),
    );
    let mut sums = Array2::<f64>::zeros(c.dim());
    for (x, &w) in x.outer_iter().zip(&golden.i64("nearest")) {
        let r = &x - &c.row(w as usize);
        sums.row_mut(w as usize)
            .scaled_add(r.dot(&r).sqrt().recip(), &r);
    }
    let expected = as_row(sums.flatten().view()) / sums.iter().map(|v| v * v).sum::<f64>().sqrt();
    let params = VladParams {
        power: 1.0,
        intra: false,
        residual: true,
    };
    let ours = encode(EncodingParams::Vlad(params));
    assert_near(ours.view(), expected.view(), 1e-5);
}

#[test]
fn bag_of_words_counts() {
    let mut counts = Array1::<f64>::zeros(8);
    Golden::open("vlad")
        .i64("nearest")
        .iter()
        .for_each(|&w| counts[w as usize] += 1.0);
    for power in [1.0f32, 0.5] {
        let raised = counts.mapv(|c| c.powf(f64::from(power)));
        let expected = &raised / raised.dot(&raised).sqrt();
        let ours = encode(EncodingParams::Bow(BowParams { power }));
        assert_near(ours.view(), as_row(expected.view()).view(), 1e-6);
    }
}

#[test]
fn no_descriptor_gives_the_zero_vector() {
    let centroids = Golden::open("vlad").f32("centroids");
    let vlad = VladParams {
        power: 0.5,
        intra: true,
        residual: true,
    };
    for (params, dim) in [
        (EncodingParams::Vlad(vlad), 128),
        (EncodingParams::Bow(BowParams::default()), 8),
    ] {
        let encoder = encoder(&params, &centroids);
        assert_eq!(encoder.dim(), dim);
        assert_eq!(
            encoder.encode(Array2::zeros((0, 16)).view()).unwrap(),
            Array1::<f32>::zeros(dim)
        );
        let error = encoder
            .encode(Array2::zeros((3, 17)).view())
            .unwrap_err()
            .to_string();
        assert!(error.contains("16") && error.contains("17"), "{error}");
    }
}

#[test]
fn k_means_is_as_tight_as_scikit_learns() {
    #[derive(Deserialize)]
    struct Versions {
        figures: BTreeMap<String, f64>,
    }
    let golden = Golden::open("kmeans");
    let points = golden.f32("points");
    let n = points.nrows() as f64;
    let theirs = json::<Versions>("versions").figures["kmeans_inertia"];
    let centroids = golden.f64("centroids").mapv(|v| v as f32);
    let of_theirs = codebook(&centroids).inertia(points.view()).unwrap() * n;
    assert!(
        (of_theirs / theirs - 1.0).abs() < 1e-5,
        "inertia of their centroids: {of_theirs}, {theirs}"
    );

    let params = KMeansParams {
        size: 16,
        ..KMeansParams::default()
    };
    // Four starts, as theirs had.
    let fits = (0..4).map(|seed| params.fit(kind(16), points.view(), seed).unwrap());
    let ours = fits
        .map(|c| c.inertia(points.view()).unwrap() * n)
        .fold(f64::INFINITY, f64::min);
    assert!(
        ours <= 1.02 * theirs,
        "inertia {ours}, scikit-learn's {theirs}"
    );
}
