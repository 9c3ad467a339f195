//! Products and decompositions by their definitions; what is not finite is refused.

use ndarray::{Array2, ArrayBase, ArrayView1, ArrayView2, Axis, Data, Dimension, concatenate, s};
use proptest::prelude::*;
use tuwen::Error;
use tuwen::linalg::{
    Csr, Gram, Operator, PcaParams, affine, gram, l2_normalize_rows, matmul, orthonormal,
    power_normalize, symmetric_eigen, thin_svd,
};
use tuwen::text::Lsa;

use super::cases::config;
use super::made_up::{cca, sparse_rows, uniform, whole_numbers};

fn naive_product(a: ArrayView2<f32>, b: ArrayView2<f32>) -> Array2<f32> {
    Array2::from_shape_fn((a.nrows(), b.ncols()), |(i, j)| {
        (0..a.ncols()).map(|l| a[[i, l]] * b[[l, j]]).sum()
    })
}

fn near<D: Dimension, T: Copy + Into<f64>>(
    a: &ArrayBase<impl Data<Elem = T>, D>,
    b: &ArrayBase<impl Data<Elem = T>, D>,
    tolerance: f64,
) -> bool {
    a.shape() == b.shape()
        && a.iter()
            .zip(b)
            .all(|(&a, &b)| (a.into() - b.into()).abs() <= tolerance)
}

proptest! {
    #![proptest_config(config(48))]

    #[test]
    fn a_product_is_its_definition(n in 0..600usize, d in 0..20usize, m in 0..20usize, seed in any::<u64>()) {
        let (a, b) = (whole_numbers(n, d, seed), whole_numbers(d, m, !seed));
        prop_assert_eq!(matmul(a.view(), b.view()), naive_product(a.view(), b.view()));
        let (a_t, b_t) = (whole_numbers(d, n, seed), whole_numbers(m, d, !seed));
        prop_assert_eq!(matmul(a_t.t(), b_t.t()), naive_product(a_t.t(), b_t.t()));
        let every_other = a.slice(s![..;-2, ..]);
        prop_assert_eq!(matmul(every_other, b.view()), naive_product(every_other, b.view()));
        let offset = whole_numbers(1, m, seed).remove_axis(Axis(0));
        prop_assert_eq!(affine(a.view(), b.view(), &offset), naive_product(a.view(), b.view()) + &offset);
    }

    /// Of any number of tiles, in one block of rows or in several; whole numbers leave nothing to rounding.
    #[test]
    fn a_gram_matrix_is_its_definition(n in 0..30usize, d in 0..600usize, cut in 0..30usize, seed in any::<u64>()) {
        let x = whole_numbers(n, d, seed);
        let expected = matmul(x.t(), x.view()).mapv(f64::from);
        prop_assert_eq!(&gram(x.view()), &expected);
        prop_assert_eq!(&gram(x.mapv(f64::from).view()), &expected);
        let mut sum = Gram::new(d);
        let (first, second) = x.view().split_at(Axis(0), cut.min(n));
        sum.add(first);
        sum.add(second);
        prop_assert_eq!(&sum.finish(), &expected);
    }

    #[test]
    fn a_sparse_matrix_multiplies_as_the_dense_one(n in 1..700usize, d in 1..40usize, l in 0..150usize, seed in any::<u64>()) {
        let x = whole_numbers(n, d, seed).mapv(|v| v.max(0.0));
        let b = whole_numbers(d, l, !seed);
        let row = |r: ArrayView1<f32>| r.iter().zip(0..).filter(|(v, _)| **v != 0.0).map(|(&v, j)| (j, v)).collect();
        let sparse = Csr::new(x.outer_iter().map(row).collect(), d);
        prop_assert_eq!(sparse.shape(), (n, d));
        let rows = n / 3..n;
        prop_assert_eq!(sparse.rows_times(rows.clone(), b.view()), x.view().rows_times(rows, b.view()));
        prop_assert_eq!(sparse.square_times(b.view()), x.view().square_times(b.view()));
    }

    #[test]
    fn decompositions_put_the_matrix_together_again(n in 1..40usize, d in 1..40usize, seed in any::<u64>()) {
        let x = uniform(n, d, seed).mapv(f64::from);
        let svd = thin_svd(x.view()).unwrap();
        let again = (&svd.u * &svd.s).dot(&svd.v.t());
        prop_assert!(near(&again, &x, 1e-10));
        prop_assert!(svd.s.windows(2).into_iter().all(|w| w[0] >= w[1]));
        let k = n.min(d);
        for basis in [&svd.u, &svd.v] {
            prop_assert!(near(&basis.t().dot(basis), &Array2::eye(k), 1e-10));
        }
        let square = x.t().dot(&x);
        let (values, vectors) = symmetric_eigen(square.view()).unwrap();
        prop_assert!(near(&(&vectors * &values).dot(&vectors.t()), &square, 1e-9));
        prop_assert!(values.windows(2).into_iter().all(|w| w[0] >= w[1]));
        let tall = if n < d { x.t() } else { x.view() };
        let q = orthonormal(tall).unwrap();
        prop_assert!(near(&q.t().dot(&q), &Array2::eye(k), 1e-10));
        prop_assert!(near(&q.dot(&q.t().dot(&tall)), &tall, 1e-10), "it spans the columns");
    }

    #[test]
    fn normalisation_gives_unit_rows_and_powers_keep_the_sign(n in 1..20usize, d in 1..20usize, seed in any::<u64>()) {
        let mut x = concatenate![Axis(0), uniform(n, d, seed), Array2::<f32>::zeros((1, d))];
        l2_normalize_rows(&mut x);
        let lengths = x.map_axis(Axis(1), |r| r.dot(&r).sqrt());
        prop_assert!(lengths.slice(s![..n]).iter().all(|l| (l - 1.0).abs() < 1e-5));
        prop_assert_eq!(lengths[n], 0.0);
        for p in [0.5, 0.3, 1.0] {
            let v = x.row(0).to_owned();
            let mut raised = v.clone();
            power_normalize(&mut raised, p);
            let expected = v.mapv(|v| v.signum() * v.abs().powf(p));
            prop_assert!(near(&raised, &expected, 1e-6));
        }
    }
}

#[test]
fn a_value_that_is_not_finite_is_an_error() {
    for bad in [f32::NAN, f32::INFINITY] {
        for width in [40, 600] {
            let mut x = uniform(50, width, 1);
            x[[7, 3]] = bad;
            let pca = PcaParams::default().fit(x.view(), 0);
            assert!(
                matches!(pca, Err(Error::Numeric { .. })),
                "PCA, {width} wide: {pca:?}"
            );
        }
        let (mut x, y) = (uniform(50, 20, 1), uniform(50, 20, 2));
        x[[7, 3]] = bad;
        for fusion in [cca(&x, &y), cca(&y, &x)] {
            assert!(matches!(fusion, Err(Error::Numeric { .. })), "{fusion:?}");
        }
        let mut rows = sparse_rows(50, 30, 1);
        rows[9] = vec![(2, bad)];
        let lsa = Lsa::fit(rows, 30, 5, 0);
        assert!(matches!(lsa, Err(Error::Numeric { .. })), "{lsa:?}");
    }
}
