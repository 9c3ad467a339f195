//! What the raw vectors of an image view go through before the fusion: a kernel's map of each entry, PCA, a
//! kernel's map of the rows.

use ndarray::Array2;

use super::{ImageViewParams, Rows};
use crate::artifact::Artifact;
use crate::error::Result;
use crate::linalg::{KernelMap, Nystroem, Pca};

/// A fitted projection of the raw vectors of an image view.
pub struct Projection {
    map: KernelMap,
    pca: Pca,
    nystroem: Option<Nystroem>,
}

impl Projection {
    /// Learns from raw training vectors, n×d.
    pub fn fit(params: &ImageViewParams, raw: Array2<f32>, seed: u64) -> Result<Self> {
        let x = params.map.additive(raw);
        let pca = params.pca.fit(x.view(), seed)?;
        let nystroem = match &params.map {
            KernelMap::Nystroem(p) => Some(p.fit(pca.transform(x.view())?.view(), seed)?),
            _ => None,
        };
        Ok(Self {
            map: params.map.clone(),
            pca,
            nystroem,
        })
    }

    /// Length of the rows that come out.
    pub fn dim(&self) -> usize {
        self.nystroem.as_ref().map_or(self.pca.dim(), Nystroem::dim)
    }

    /// What was not usable stays zero.
    pub fn apply(&self, rows: Rows) -> Result<Rows> {
        let x = self.pca.transform(self.map.additive(rows.x).view())?;
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
        let artifact = self.pca.store(artifact);
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
        Ok(Self {
            map: params.map.clone(),
            pca: Pca::load(artifact)?,
            nystroem,
        })
    }
}
