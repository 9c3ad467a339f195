//! Explicit maps of kernels: χ² against scikit-learn's, the others against the kernels themselves.

use ndarray::{Array2, ArrayView2, Axis};
use tuwen::linalg::{KernelMap, NystroemParams};

use super::figures::{Golden, artifact, assert_near, wide};

fn products(x: ArrayView2<f32>) -> Array2<f64> {
    let x = wide(&x.to_owned());
    x.dot(&x.t())
}

/// The golden rows, and these with a sum of 1.
fn rows() -> (Array2<f32>, Array2<f64>) {
    let rows = Golden::open("kernel_maps").f32("rows");
    let shares = wide(&rows);
    let sums = shares.sum_axis(Axis(1)).insert_axis(Axis(1));
    (rows, shares / sums)
}

/// A kernel that is a sum over entries, of all pairs of rows.
fn additive(x: &Array2<f64>, of: impl Fn(f64, f64) -> f64) -> Array2<f64> {
    Array2::from_shape_fn((x.nrows(), x.nrows()), |(i, j)| {
        let entries = x.row(i).into_iter().zip(x.row(j));
        entries.map(|(&a, &b)| of(a, b)).sum()
    })
}

#[test]
fn the_chi_square_map_is_scikit_learns() {
    let ours = KernelMap::Chi2.additive(rows().0);
    let theirs = Golden::open("kernel_maps").f64("chi2");
    assert_near(wide(&ours).view(), theirs.view(), 1e-6);
}

#[test]
fn the_chi_square_map_is_near_its_kernel_and_odd() {
    let (rows, shares) = rows();
    let mapped = KernelMap::Chi2.additive(rows.clone());
    let chi2 = additive(&shares, |a, b| {
        if a + b > 0.0 {
            2.0 * a * b / (a + b)
        } else {
            0.0
        }
    });
    assert_near(products(mapped.view()).view(), chi2.view(), 0.06);
    assert_eq!(KernelMap::Chi2.additive(-rows), -mapped);
}

#[test]
fn products_of_the_hellinger_map_are_its_kernel() {
    let (rows, shares) = rows();
    let mapped = KernelMap::Hellinger.additive(rows.clone());
    let hellinger = additive(&shares, |a, b| (a * b).sqrt());
    assert_near(products(mapped.view()).view(), hellinger.view(), 1e-6);
    assert_eq!(KernelMap::Hellinger.additive(-rows), -mapped);
}

#[test]
fn zero_rows_stay_zero_and_other_kernels_leave_rows_alone() {
    for map in [KernelMap::Hellinger, KernelMap::Chi2] {
        let mapped = map.additive(Array2::zeros((2, 5)));
        assert!(mapped.iter().all(|&v| v == 0.0), "{map:?}: {mapped}");
    }
    let (rows, _) = rows();
    for map in [
        KernelMap::Linear,
        KernelMap::Nystroem(NystroemParams::default()),
    ] {
        assert_eq!(map.additive(rows.clone()), rows);
    }
}

fn nystroem(landmarks: usize, width: f64) -> NystroemParams {
    NystroemParams { landmarks, width }
}

/// exp(−|x−y|²/(width·m)) with m the mean over all pairs.
fn gaussian(x: &Array2<f32>, width: f64) -> Array2<f64> {
    let squares = additive(&wide(x), |a, b| (a - b).powi(2));
    let n = x.nrows() as f64;
    let mean = squares.sum() / (n * (n - 1.0));
    squares.mapv(|s| (-s / (width * mean)).exp())
}

#[test]
fn with_all_rows_as_landmarks_products_are_the_gaussian_kernel() {
    let (rows, _) = rows();
    for width in [0.3, 1.0] {
        let map = nystroem(100, width).fit(rows.view(), 1).unwrap();
        let mapped = map.transform(rows.view()).unwrap();
        assert_eq!(mapped.ncols(), map.dim());
        assert_near(
            products(mapped.view()).view(),
            gaussian(&rows, width).view(),
            1e-4,
        );
    }
}

#[test]
fn fewer_landmarks_never_give_a_row_more_than_its_length() {
    let (rows, _) = rows();
    let map = nystroem(8, 1.0).fit(rows.view(), 1).unwrap();
    assert_eq!(map.dim(), 8);
    let lengths = products(map.transform(rows.view()).unwrap().view());
    // The kernel of a row with itself is 1, and the map is a projection; it is whole at the landmarks.
    assert!(lengths.diag().iter().all(|&l| l < 1.0 + 1e-4), "{lengths}");
    let whole = lengths.diag().iter().filter(|&&l| l > 1.0 - 1e-4).count();
    assert_eq!(whole, 8, "{lengths}");
}

#[test]
fn a_nystroem_map_survives_a_round_trip_and_minds_its_input() {
    let (rows, _) = rows();
    let map = nystroem(8, 1.0).fit(rows.view(), 1).unwrap();
    assert_eq!(map, nystroem(8, 1.0).fit(rows.view(), 1).unwrap());
    assert_ne!(map, nystroem(8, 1.0).fit(rows.view(), 2).unwrap());
    let stored = map.store(artifact("pca"));
    assert_eq!(tuwen::linalg::Nystroem::load(&stored).unwrap(), map);
    let error = map.transform(Array2::zeros((3, 11)).view()).unwrap_err();
    let error = error.to_string();
    assert!(error.contains("10") && error.contains("11"), "{error}");
    for (params, rows) in [
        (nystroem(1, 1.0), rows.clone()),
        (nystroem(8, 0.0), rows.clone()),
        (nystroem(8, f64::NAN), rows),
        (nystroem(8, 1.0), Array2::ones((9, 3))),
    ] {
        let error = params.fit(rows.view(), 1).unwrap_err().to_string();
        assert!(error.contains("Nyström"), "{error}");
    }
}
