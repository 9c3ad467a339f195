//! Principal components, singular values and latent semantic analysis.

use ndarray::{Array1, Array2, ArrayView1, Axis, s};
use tuwen::linalg::{Csr, PcaParams, SparseRow, randomized_svd, thin_svd};
use tuwen::text::Lsa;

use super::figures::{Golden, artifact, as_row, assert_near, centred, signs, wide};

#[test]
fn pca_is_scikit_learns() {
    let golden = Golden::open("pca");
    let params = PcaParams {
        dim: 12,
        whiten: 1.0,
        ..PcaParams::default()
    };
    let pca = params.fit(golden.f32("train").view(), 0).unwrap();
    let stored = pca.store(artifact("pca"));
    let mean = stored.vector::<f32>("mean").unwrap().mapv(f64::from);
    assert_near(as_row(mean.view()).view(), golden.f64("mean").view(), 1e-5);

    let theirs = golden.f64("explained_variance");
    let ratio = as_row(pca.variance().view()) / &theirs;
    assert_near(ratio.view(), Array2::ones((1, 12)).view(), 1e-4);

    let components = wide(&stored.matrix("projection").unwrap()) * pca.variance().mapv(f64::sqrt);
    let expected = golden.f64("components").reversed_axes();
    let signs = signs(components.view(), expected.view());
    assert_near((components * &signs).view(), expected.view(), 1e-4);

    let ours = wide(&pca.transform(golden.f32("other").view()).unwrap());
    assert_near(
        (ours * &signs).view(),
        golden.f64("transformed").view(),
        1e-4,
    );
}

#[test]
fn whitening_raises_the_variance_to_a_power() {
    let train = Golden::open("pca").f32("train");
    for whiten in [0.0, 0.5, 1.0] {
        let pca = PcaParams {
            dim: 12,
            whiten,
            ..PcaParams::default()
        }
        .fit(train.view(), 0)
        .unwrap();
        let z = wide(&pca.transform(train.view()).unwrap());
        let variance = z.var_axis(Axis(0), 1.0) / pca.variance().mapv(|v| v.powf(1.0 - whiten));
        assert_near(
            as_row(variance.view()).view(),
            Array2::ones((1, 12)).view(),
            1e-4,
        );
    }
}

/// Rows of unlike variances, wider than what is decomposed whole.
fn wide_rows(n: usize, d: usize) -> Array2<f32> {
    let mix =
        |i: usize, j: usize| ((i * 7919 + j * 104_729 + i * j * 31) % 1009) as f64 / 1009.0 - 0.5;
    let (left, right) = (
        Array2::from_shape_fn((n, 60), |(i, j)| mix(i, j + 17)),
        Array2::from_shape_fn((60, d), |(i, j)| mix(i + 5, j)),
    );
    let scale = Array1::from_shape_fn(60, |j| 0.85f64.powi(j as i32));
    (left * &scale).dot(&right).mapv(|v| (v + 0.25) as f32)
}

#[test]
fn a_wide_pca_equals_the_exact_one() {
    let x = wide_rows(300, 700);
    let pca = PcaParams {
        dim: 20,
        whiten: 0.0,
        ..PcaParams::default()
    }
    .fit(x.view(), 7)
    .unwrap();
    let exact = thin_svd(centred(&x).view()).unwrap();
    let variance = exact.s.slice(s![..20]).mapv(|s| s * s / 299.0);
    let ratio = as_row((pca.variance() / &variance).view());
    assert_near(ratio.view(), Array2::ones((1, 20)).view(), 1e-4);
    let components = wide(&pca.store(artifact("pca")).matrix("projection").unwrap());
    let expected = exact.v.slice(s![.., ..20]);
    let signs = signs(components.view(), expected);
    assert_near((components * &signs).view(), expected, 1e-3);
}

fn sparse(x: &Array2<f32>) -> Vec<SparseRow> {
    let row = |r: ArrayView1<f32>| {
        r.iter()
            .enumerate()
            .filter(|&(_, &v)| v != 0.0)
            .map(|(j, &v)| (j as u32, v))
            .collect()
    };
    x.outer_iter().map(row).collect()
}

#[test]
fn latent_semantic_analysis_is_the_truncated_svd() {
    let golden = Golden::open("lsa");
    let rows = sparse(&golden.f32("matrix"));
    let lsa = Lsa::fit(rows.clone(), 120, 10, 0).unwrap();
    let expected = golden.f64("components").reversed_axes();
    let directions = lsa.directions().mapv(f64::from);
    let signs = signs(directions.view(), expected.view());
    assert_near((directions * &signs).view(), expected.view(), 1e-4);
    let projections = wide(&lsa.transform(&rows)) * &signs;
    assert_near(projections.view(), golden.f64("projections").view(), 1e-3);
}

#[test]
fn randomised_singular_values_are_exact_enough() {
    let golden = Golden::open("lsa");
    let x = Csr::new(sparse(&golden.f32("matrix")), 120);
    let (values, v) = randomized_svd(&x, 10, 3).unwrap();
    let ratio = as_row(values.view()) / golden.f64("singular_values");
    assert_near(ratio.view(), Array2::ones((1, 10)).view(), 1e-5);
    assert_near(v.t().dot(&v).view(), Array2::eye(10).view(), 1e-5);
}
