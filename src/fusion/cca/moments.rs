//! The moments of pairs, and the canonical directions that follow from them.

use ndarray::{Array1, Array2, ArrayView2, Zip, s};
use rayon::prelude::*;

use super::third::{self, Third};
use super::{Cca, Map, Scaled};
use crate::error::{Error, Result};
use crate::fusion::Pairs;
use crate::linalg::{Gram, add_matmul, matmul, symmetric_eigen, thin_svd};

/// The moments of the pairs, from which the solution for any r is cheap.
pub(super) struct Moments {
    mean_x: Array1<f64>,
    mean_y: Array1<f64>,
    xx: Eigen,
    yy: Eigen,
    xy: Array2<f64>,
    third: Option<Third>,
}

/// Eigenvalues, falling, and eigenvectors of a covariance.
pub(super) type Eigen = (Array1<f64>, Array2<f64>);

/// Number of rows that are centred and multiplied at once.
const CHUNK: usize = 2048;

/// Weighted column means of rows.
fn mean(x: ArrayView2<f32>, weights: &[f64]) -> Array1<f64> {
    let mut sum = Array1::<f64>::zeros(x.ncols());
    for (row, &w) in x.outer_iter().zip(weights) {
        sum.zip_mut_with(&row, |s, &v| *s += w * f64::from(v));
    }
    sum / weights.iter().sum::<f64>()
}

/// Rows from an index on, minus the mean.
fn centred(x: ArrayView2<f32>, from: usize, mean: &Array1<f64>) -> Array2<f64> {
    let rows = x.slice(s![from..(from + CHUNK).min(x.nrows()), ..]);
    let mut out = Array2::zeros(rows.dim());
    let pairs = out.outer_iter_mut().into_par_iter().zip(rows.outer_iter());
    pairs.for_each(|(mut out, row)| {
        Zip::from(&mut out)
            .and(row)
            .and(mean)
            .for_each(|o, &v, m| *o = f64::from(v) - m);
    });
    out
}

/// Adds centred rows with their weights.
fn add_weighted(sum: &mut Gram, mut rows: Array2<f64>, weights: &[f64]) {
    for (mut row, w) in rows.outer_iter_mut().zip(weights) {
        row *= w.sqrt();
    }
    sum.add(rows.view());
}

impl Moments {
    pub fn of(data: Pairs, clusters: usize) -> Result<Self> {
        let n = data.pairs.len();
        if n < 2 {
            return Err(Error::TooFew {
                what: "pairs to learn the fusion from".into(),
                needed: 2,
                found: n,
            });
        }
        let Pairs { x, y, pairs, .. } = data;
        let (mut count_x, mut count_y) = (vec![0.0; x.nrows()], vec![0.0; y.nrows()]);
        let mut texts = vec![Vec::new(); x.nrows()]; // of each image
        for p in pairs {
            count_x[p.image] += 1.0;
            count_y[p.text] += 1.0;
            texts[p.image].push(p.text);
        }
        let (mean_x, mean_y) = (mean(x, &count_x), mean(y, &count_y));
        let (mut xx, mut yy) = (Gram::new(x.ncols()), Gram::new(y.ncols()));
        let mut xy = Array2::<f64>::zeros((x.ncols(), y.ncols()));
        for from in (0..x.nrows()).step_by(CHUNK) {
            let rows = centred(x, from, &mean_x);
            let mut partners = Array2::<f64>::zeros((rows.nrows(), y.ncols())); // Σ of an image's captions
            let of = partners.outer_iter_mut().into_par_iter();
            of.zip(&texts[from..rows.nrows() + from])
                .for_each(|(mut partners, texts)| {
                    for &text in texts {
                        Zip::from(&mut partners)
                            .and(y.row(text))
                            .and(&mean_y)
                            .for_each(|p, &v, m| *p += f64::from(v) - m);
                    }
                });
            add_matmul(&mut xy, rows.t(), partners.view());
            add_weighted(&mut xx, rows, &count_x[from..]);
        }
        for from in (0..y.nrows()).step_by(CHUNK) {
            add_weighted(&mut yy, centred(y, from, &mean_y), &count_y[from..]);
        }
        let n = n as f64;
        let third = if clusters == 0 {
            None
        } else {
            let cluster = third::clusters(y, clusters)?;
            let x = &x.mapv(f64::from) - &mean_x;
            let y = &y.mapv(f64::from) - &mean_y;
            Some(Third::of(&x, &y, pairs, &cluster, clusters)?)
        };
        let eigen = |sum: Gram| symmetric_eigen((sum.finish() / n).view());
        let (xx, yy) = rayon::join(|| eigen(xx), || eigen(yy));
        Ok(Self {
            third,
            mean_x,
            mean_y,
            xx: xx?,
            yy: yy?,
            xy: xy / n,
        })
    }

    /// All canonical directions for one r.
    pub fn solve(&self, r: f64) -> Result<Cca> {
        let (wx, wy) = (whitener(&self.xx, r)?, whitener(&self.yy, r)?);
        let t = matmul(matmul(wx.t(), self.xy.view()).view(), wy.view());
        let (u, v, correlations) = match &self.third {
            None => {
                let svd = thin_svd(t.view())?;
                (svd.u, svd.v, svd.s)
            }
            Some(third) => {
                let wc = whitener(&third.cc, r)?;
                let xc = matmul(matmul(wx.t(), third.xc.view()).view(), wc.view());
                let yc = matmul(matmul(wy.t(), third.yc.view()).view(), wc.view());
                third::directions(&t, &xc, &yc)?
            }
        };
        let map = |mean: &Array1<f64>, w: &Array2<f64>, u: &Array2<f64>| Map {
            mean: mean.clone(),
            weights: matmul(w.view(), u.view()),
        };
        Ok(Cca {
            image: map(&self.mean_x, &wx, &u),
            text: map(&self.mean_y, &wy, &v),
            correlations,
            power: 0.0,
            scaled: Scaled::default(),
        })
    }
}

/// A whitening w: d×d' with wᵀ(c + r·mean(diag c)·1)w = 1. Directions without variance are left out.
fn whitener(eigen: &Eigen, r: f64) -> Result<Array2<f64>> {
    let (values, vectors) = eigen;
    let ridge = r * values.mean().unwrap_or(0.0); // the trace is the sum of the eigenvalues
    let floor = 1e-10 * values.first().copied().unwrap_or(0.0);
    let k = values.iter().take_while(|&&v| v > floor).count();
    if k == 0 {
        return Err(Error::Numeric {
            what: "CCA",
            reason: "one modality is constant over all pairs".into(),
        });
    }
    let scale = values.slice(s![..k]).mapv(|v| (v + ridge).sqrt().recip());
    Ok(&vectors.slice(s![.., ..k]) * &scale)
}
