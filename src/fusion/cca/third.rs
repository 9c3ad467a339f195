//! A third view for CCA: the cluster of captions that a pair belongs to, which draws pairs of one subject together
//! (Gong, Ke, Isard & Lazebnik, IJCV 2014, §3.1 and §4.2). New items need no cluster, because the directions of
//! pictures and texts are used alone.

use ndarray::{Array1, Array2, ArrayView2, s};

use super::moments::Eigen;
use crate::codebook::KMeansParams;
use crate::dataset::Pair;
use crate::descriptor::DescriptorKind;
use crate::error::Result;
use crate::linalg::{matmul, symmetric_eigen};

/// The moments of the third view, one column per cluster.
pub(super) struct Third {
    pub cc: Eigen,
    /// Covariance of pictures with clusters, d×k.
    pub xc: Array2<f64>,
    /// Covariance of texts with clusters, e×k.
    pub yc: Array2<f64>,
}

/// Seed of k-means; not in the recipe, because where k-means starts is not a setting of CCA.
const SEED: u64 = 0;

/// The k-means cluster of each text, y: texts×e.
pub(super) fn clusters(y: ArrayView2<f32>, count: usize) -> Result<Vec<usize>> {
    let params = KMeansParams {
        size: count,
        ..KMeansParams::default()
    };
    let kind = DescriptorKind {
        name: "captions".into(),
        dim: y.ncols(),
    };
    params.fit(kind, y, SEED)?.assign(y)
}

impl Third {
    /// The moments of centred pictures, x: images×d, and texts, y: texts×e, with the cluster of each text.
    pub fn of(
        x: &Array2<f64>,
        y: &Array2<f64>,
        pairs: &[Pair],
        cluster: &[usize],
        count: usize,
    ) -> Result<Self> {
        let n = pairs.len() as f64;
        let mut share = Array1::<f64>::zeros(count);
        let mut images = Array2::<f64>::zeros((x.nrows(), count));
        let mut texts = Array2::<f64>::zeros((y.nrows(), count));
        for p in pairs {
            let c = cluster[p.text];
            share[c] += 1.0 / n;
            images[[p.image, c]] += 1.0 / n;
            texts[[p.text, c]] += 1.0 / n;
        }
        // the covariance of indicators: diag(p) − ppᵀ
        let mut cc = Array2::from_diag(&share);
        let column = share.view().insert_axis(ndarray::Axis(1));
        cc -= &matmul(column, column.t());
        Ok(Self {
            cc: symmetric_eigen(cc.view())?,
            xc: matmul(x.t(), images.view()),
            yc: matmul(y.t(), texts.view()),
        })
    }
}

/// Directions of three whitened views whose cross-covariances are xy, xc and yc: the leading eigenvectors of
/// \[1 xy xc; xyᵀ 1 yc; xcᵀ ycᵀ 1\], cut to those with an eigenvalue above 1. Returns the parts of the first two
/// views, and (eigenvalue − 1)/2, which is 1 where all three agree.
pub(super) fn directions(
    xy: &Array2<f64>,
    xc: &Array2<f64>,
    yc: &Array2<f64>,
) -> Result<(Array2<f64>, Array2<f64>, Array1<f64>)> {
    let (d, e, k) = (xy.nrows(), xy.ncols(), xc.ncols());
    let mut all = Array2::<f64>::eye(d + e + k);
    let (x, y, c) = (0..d, d..d + e, d + e..d + e + k);
    for (rows, columns, block) in [(&x, &y, xy), (&x, &c, xc), (&y, &c, yc)] {
        all.slice_mut(s![rows.clone(), columns.clone()])
            .assign(block);
        all.slice_mut(s![columns.clone(), rows.clone()])
            .assign(&block.t());
    }
    let (values, vectors) = symmetric_eigen(all.view())?;
    let kept = values
        .iter()
        .take_while(|&&v| v > 1.0 + 1e-9)
        .count()
        .max(1);
    Ok((
        vectors.slice(s![x, ..kept]).to_owned(),
        vectors.slice(s![y, ..kept]).to_owned(),
        values
            .slice(s![..kept])
            .mapv(|v| ((v - 1.0) / 2.0).max(0.0)),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::thin_svd;

    #[test]
    fn without_a_third_view_the_directions_are_those_of_two() {
        let xy = Array2::from_shape_fn((5, 4), |(i, j)| ((i * 7 + j * 3) % 5) as f64 / 20.0);
        let (u, v, values) =
            directions(&xy, &Array2::zeros((5, 2)), &Array2::zeros((4, 2))).unwrap();
        let svd = thin_svd(xy.view()).unwrap();
        for i in 0..2 {
            assert!((2.0 * values[i] - svd.s[i]).abs() < 1e-12);
            // each part has half of the unit length
            let sum: f64 =
                (&u.column(i) * &svd.u.column(i)).sum() + (&v.column(i) * &svd.v.column(i)).sum();
            assert!((sum.abs() - std::f64::consts::SQRT_2).abs() < 1e-9, "{sum}");
        }
    }

    #[test]
    fn moments_are_those_of_indicator_columns() {
        let x = ndarray::array![[1.0, -2.0], [-1.0, 2.0]];
        let y = ndarray::array![[0.5], [1.5], [-2.0]];
        let pair = |image, text| Pair { image, text };
        let pairs = [pair(0, 0), pair(0, 1), pair(1, 2)];
        let third = Third::of(&x, &y, &pairs, &[1, 0, 0], 2).unwrap();
        // pairs as rows: x (1,-2), (1,-2), (-1,2); clusters 1, 0, 0
        let expected = ndarray::array![[0.0, 1.0 / 3.0], [0.0, -2.0 / 3.0]];
        assert!(
            (&third.xc - &expected)
                .iter()
                .all(|d: &f64| d.abs() < 1e-12),
            "{:?}",
            third.xc
        );
        let expected = ndarray::array![[(1.5 - 2.0) / 3.0, 0.5 / 3.0]];
        assert!(
            (&third.yc - &expected)
                .iter()
                .all(|d: &f64| d.abs() < 1e-12),
            "{:?}",
            third.yc
        );
        // variance of an indicator that is 1 for a third: 2/9, in two columns that mirror each other
        assert!((third.cc.0.sum() - 4.0 / 9.0).abs() < 1e-12);
    }
}
