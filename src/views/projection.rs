//! What the raw vectors of an image view go through before the fusion: a kernel's map of each entry, PCA, a
//! kernel's map of the rows.

use ndarray::{Array2, array};

use super::{ImageViewParams, Rows};
use crate::artifact::Artifact;
use crate::error::Result;
use crate::linalg::{KernelMap, Nystroem, Pca};

/// A fitted projection of the raw vectors of an image view.
pub struct Projection {
    map: KernelMap,
    /// None where rows stay as they are.
    pca: Option<Pca>,
    /// Length of the rows after the map.
    dim: usize,
    nystroem: Option<Nystroem>,
}

impl Projection {
    /// Learns from raw training vectors, n×d.
    pub fn fit(params: &ImageViewParams, raw: Array2<f32>, seed: u64) -> Result<Self> {
        let x = params.map.additive(raw);
        let pca = match params.pca.dim {
            0 => None,
            _ => Some(params.pca.fit(x.view(), seed)?),
        };
        let dim = pca.as_ref().map_or(x.ncols(), Pca::dim);
        let nystroem = match &params.map {
            KernelMap::Nystroem(p) => Some(p.fit(rotated(pca.as_ref(), x)?.view(), seed)?),
            _ => None,
        };
        Ok(Self {
            map: params.map.clone(),
            pca,
            dim,
            nystroem,
        })
    }

    /// Length of the rows that come out.
    pub fn dim(&self) -> usize {
        self.nystroem.as_ref().map_or(self.dim, Nystroem::dim)
    }

    /// What was not usable stays zero.
    pub fn apply(&self, rows: Rows) -> Result<Rows> {
        let x = rotated(self.pca.as_ref(), self.map.additive(rows.x))?;
        let x = match &self.nystroem {
            Some(nystroem) => nystroem.transform(x.view())?,
            None => x,
        };
        let mut projected = Rows { x, ..rows };
        projected.blank_unusable();
        Ok(projected)
    }

    /// Adds what was learned to an artifact.
    pub fn store(&self, artifact: Artifact) -> Artifact {
        let artifact = match &self.pca {
            Some(pca) => pca.store(artifact),
            None => artifact.with_vector("width", array![self.dim as u64].view()),
        };
        match &self.nystroem {
            Some(nystroem) => nystroem.store(artifact),
            None => artifact,
        }
    }

    /// A projection of an artifact that [`Self::store`] filled.
    ///
    /// # Errors
    /// [`Error::Artifact`](crate::Error::Artifact) for one that holds no projection.
    pub fn load(params: &ImageViewParams, artifact: &Artifact) -> Result<Self> {
        let nystroem = match &params.map {
            KernelMap::Nystroem(_) => Some(Nystroem::load(artifact)?),
            _ => None,
        };
        // a projection of an earlier version is a matrix, even where rows stay as they are
        let (pca, dim) = match artifact.number::<u64>("width") {
            Ok(width) => (None, width as usize),
            Err(_) => {
                let pca = Pca::load(artifact)?;
                let dim = pca.dim();
                (Some(pca), dim)
            }
        };
        Ok(Self {
            map: params.map.clone(),
            pca,
            dim,
            nystroem,
        })
    }
}

fn rotated(pca: Option<&Pca>, x: Array2<f32>) -> Result<Array2<f32>> {
    match pca {
        Some(pca) => pca.transform(x.view()),
        None => Ok(x),
    }
}
