//! Deep CCA (Andrew et al., ICML 2013): the loss is the correlation of the two outputs after the best linear maps of each, which
//! a batch much larger than their width tells well enough.

use ndarray::{Array1, Array2, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

use super::loss::Loss;
use super::real::Real;
use crate::error::Result;
use crate::linalg::{matmul, symmetric_eigen, thin_svd};

/// Settings of Deep CCA.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeepCcaParams {
    /// Added to the variances of the outputs, as a share of their mean (the paper's r₁ and r₂).
    pub regularization: f64,
}

impl Default for DeepCcaParams {
    fn default() -> Self {
        Self {
            regularization: 0.1,
        }
    }
}

/// Less the mean of the canonical correlations of B×o and B×o, and its gradient; a loss that is no number where they cannot be told.
pub fn deep_cca<T: Real>(
    images: ArrayView2<T>,
    texts: ArrayView2<T>,
    params: &DeepCcaParams,
) -> Loss<T> {
    let wide = |x: ArrayView2<T>| x.mapv(Real::wide);
    match correlations(wide(images), wide(texts), params.regularization) {
        Ok((value, images, texts)) => Loss {
            value,
            d_images: images.mapv(T::of),
            d_texts: texts.mapv(T::of),
        },
        Err(_) => Loss {
            value: f64::NAN,
            d_images: Array2::from_elem(images.dim(), T::nan()),
            d_texts: Array2::from_elem(texts.dim(), T::nan()),
        },
    }
}

/// The paper's §3: with T = Σ₁₁^(−½)·Σ₁₂·Σ₂₂^(−½) = U·D·Vᵀ, the correlation is the trace of D.
fn correlations(
    x: Array2<f64>,
    y: Array2<f64>,
    share: f64,
) -> Result<(f64, Array2<f64>, Array2<f64>)> {
    let (n, o) = x.dim();
    let scale = 1.0 / (n.max(2) - 1) as f64;
    let (x, y) = (centred(x), centred(y));
    let (own_x, own_y) = (
        inverse_root(&x, scale, share)?,
        inverse_root(&y, scale, share)?,
    );
    let cross = matmul(x.t(), y.view()) * scale;
    let t = matmul(matmul(own_x.view(), cross.view()).view(), own_y.view());
    let svd = thin_svd(t.view())?;
    let value = -svd.s.sum() / o as f64;
    // equations 11 to 13
    let across = matmul(
        matmul(own_x.view(), svd.u.view()).view(),
        matmul(own_y.view(), svd.v.view()).t(),
    );
    let within = |own: &Array2<f64>, vectors: &Array2<f64>| {
        let v = matmul(own.view(), vectors.view());
        matmul((&v * &svd.s).view(), v.t()) * -0.5
    };
    let (within_x, within_y) = (within(&own_x, &svd.u), within(&own_y, &svd.v));
    let gradient =
        |a: &Array2<f64>, within: &Array2<f64>, across: ArrayView2<f64>, b: &Array2<f64>| {
            // what is added moves with the variances
            let moved = a * (2.0 * share * within.diag().sum() / o as f64);
            (matmul(a.view(), (within * 2.0).view()) + moved + matmul(b.view(), across))
                * (-scale / o as f64)
        };
    let d_x = gradient(&x, &within_x, across.t(), &y);
    let d_y = gradient(&y, &within_y, across.view(), &x);
    Ok((value, d_x, d_y))
}

fn centred(x: Array2<f64>) -> Array2<f64> {
    let mean: Array1<f64> = x.mean_axis(Axis(0)).unwrap_or_default();
    x - mean
}

/// The inverse square root of the covariance, with a share of its mean variance added.
fn inverse_root(x: &Array2<f64>, scale: f64, share: f64) -> Result<Array2<f64>> {
    let mut covariance = matmul(x.t(), x.view()) * scale;
    let added = share * covariance.diag().mean().unwrap_or(0.0);
    covariance.diag_mut().mapv_inplace(|v| v + added);
    let (values, vectors) = symmetric_eigen(covariance.view())?;
    let scaled = &vectors * &values.mapv(|v| v.max(f64::MIN_POSITIVE).sqrt().recip());
    Ok(matmul(scaled.view(), vectors.t()))
}
