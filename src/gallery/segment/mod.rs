//! A segment: an immutable file with all that a search touches of some pictures and texts, memory-mapped.
//!
//! It is a [safetensors](https://huggingface.co/docs/safetensors) file. Opening it checks that the shapes agree, which
//! takes no time whatever its size, and from then on no damage of the content can lead out of bounds. Whether the
//! content is as it was written is found out by its digest, which is asked for apart.

mod build;
mod file;
mod merge;
mod views;

use std::fs::File;
use std::path::{Path, PathBuf};

use bytemuck::Pod;
use half::f16;
use memmap2::Mmap;
use safetensors::tensor::{Dtype, Metadata, SafeTensors};
use serde::{Deserialize, Serialize};

use crate::artifact::Fingerprint;
use crate::error::{Error, Result};
use crate::gallery::postings::Postings;
use crate::gallery::scan::Points;
use crate::gallery::types::Stamp;
pub(super) use build::Rows;
pub(super) use file::sync_folder;
pub(super) use merge::{Part, write};
pub use views::{Labels, NO_CODE, Pictures, Texts};

/// Raised when the layout changes.
const SCHEMA: u32 = 1;
const KEY: &str = "tuwen";

/// The metadata of a segment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Header {
    schema: u32,
    point: usize,
    look: usize,
    /// Sorted, as the others.
    folders: Vec<String>,
    cameras: Vec<String>,
    formats: Vec<String>,
}

/// A segment file that is open.
#[derive(Debug)]
pub struct Segment {
    path: PathBuf,
    map: Mmap,
    header: Header,
    tensors: Metadata,
    /// Where the tensors begin.
    data: usize,
}

/// Types that tensors of a segment have; on a machine with the least significant byte first they are what lies in
/// the file.
trait Element: Pod {
    const DTYPE: Dtype;
}

macro_rules! element {
    ($($t:ty => $d:ident),*) => {$( impl Element for $t { const DTYPE: Dtype = Dtype::$d; } )*};
}
element!(u8 => U8, u32 => U32, u64 => U64, i64 => I64, f16 => F16, f32 => F32);

impl Segment {
    /// Maps a file and checks that its parts fit together.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot be read, [`Error::Artifact`] where it is not a whole segment of that stamp.
    pub(super) fn open(path: &Path, stamp: &Stamp) -> Result<Self> {
        let bad = |reason: String| Error::artifact(path, reason);
        if cfg!(target_endian = "big") {
            return Err(bad(
                "it can only be used where the least significant byte comes first".into(),
            ));
        }
        let file = File::open(path).map_err(Error::io("read", path))?;
        // SAFETY: a segment never changes once it has its name, and a merge unlinks it, which leaves maps alone. Whoever
        // shortens it by hand while it is open ends the process, which is said in the documentation of a gallery.
        let map = unsafe { Mmap::map(&file) }.map_err(Error::io("map", path))?;
        let (header_bytes, tensors) = SafeTensors::read_metadata(&map)
            .map_err(|e| bad(format!("it is not a whole safetensors file ({e})")))?;
        let json = tensors.metadata().as_ref().and_then(|m| m.get(KEY));
        let json = json.ok_or_else(|| bad("it was not made by this program".into()))?;
        let header: Header = serde_json::from_str(json).map_err(|e| bad(e.to_string()))?;
        if header.schema != SCHEMA {
            return Err(bad(format!(
                "it has schema {}, this program {SCHEMA}",
                header.schema
            )));
        }
        if (header.point, header.look) != (stamp.point, stamp.look) {
            return Err(bad("its dimensions are not those of the gallery".into()));
        }
        let segment = Self {
            path: path.to_owned(),
            data: 8 + header_bytes,
            map,
            header,
            tensors,
        };
        segment
            .read_pictures()
            .and_then(|p| p.require_sizes())
            .map_err(bad)?;
        segment
            .read_texts()
            .and_then(|t| t.require_sizes())
            .map_err(bad)?;
        Ok(segment)
    }

    /// Its pictures.
    pub fn pictures(&self) -> Pictures<'_> {
        self.read_pictures()
            .expect("all tensors were read once when it was opened, and it does not change")
    }

    /// Its texts.
    pub fn texts(&self) -> Texts<'_> {
        self.read_texts()
            .expect("all tensors were read once when it was opened, and it does not change")
    }

    /// The file, which may be gone from its folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the whole file.
    pub(super) fn digest(&self) -> Fingerprint {
        Fingerprint::of_hash(blake3::hash(&self.map))
    }

    /// An error that says where.
    pub(super) fn damaged(&self, reason: impl Into<String>) -> Error {
        Error::artifact(&self.path, reason)
    }

    fn get<T: Element>(&self, name: &str) -> Result<&[T], String> {
        let info = self
            .tensors
            .info(name)
            .ok_or_else(|| format!("it has no tensor `{name}`"))?;
        if info.dtype != T::DTYPE {
            return Err(format!(
                "tensor `{name}` is {:?}, not {:?}",
                info.dtype,
                T::DTYPE
            ));
        }
        let (start, end) = info.data_offsets;
        let bytes = self.map.get(self.data + start..self.data + end);
        let bytes = bytes.ok_or_else(|| format!("tensor `{name}` reaches out of the file"))?;
        bytemuck::try_cast_slice(bytes).map_err(|_| format!("tensor `{name}` is not aligned"))
    }

    fn read_pictures(&self) -> Result<Pictures<'_>, String> {
        let labels = |name: &str, names| {
            Ok::<_, String>(Labels {
                codes: self.get(name)?,
                names,
            })
        };
        Ok(Pictures {
            rows: self.read_points("pictures")?,
            looks: self.get("pictures.looks")?,
            look: self.header.look,
            blobs: self.get("pictures.copies")?,
            ends: self.get("pictures.copies-ends")?,
            widths: self.get("pictures.width")?,
            heights: self.get("pictures.height")?,
            bytes: self.get("pictures.bytes")?,
            taken: self.get("pictures.taken")?,
            folders: labels("pictures.folder", self.header.folders.as_slice())?,
            cameras: labels("pictures.camera", self.header.cameras.as_slice())?,
            formats: labels("pictures.format", self.header.formats.as_slice())?,
            read: self.read_postings("read")?,
            tags: self.read_postings("tags")?,
        })
    }

    fn read_texts(&self) -> Result<Texts<'_>, String> {
        Ok(Texts {
            rows: self.read_points("texts")?,
            items: self.get("texts.items")?,
            captions: self.read_postings("captions")?,
        })
    }

    fn read_points(&self, kind: &str) -> Result<Points<'_>, String> {
        Ok(Points {
            keys: self.get(&format!("{kind}.keys"))?,
            values: self.get(&format!("{kind}.points"))?,
            dim: self.header.point,
            charges: self.get(&format!("{kind}.charges"))?,
        })
    }

    fn read_postings(&self, name: &str) -> Result<Postings<'_>, String> {
        Ok(Postings {
            terms: self.get(&format!("{name}.terms"))?,
            starts: self.get(&format!("{name}.starts"))?,
            rows: self.get(&format!("{name}.rows"))?,
            counts: self.get(&format!("{name}.counts"))?,
            lengths: self.get(&format!("{name}.lengths"))?,
            norms: self.get(&format!("{name}.norms"))?,
        })
    }
}

impl Points<'_> {
    /// Whether there is a point and a charge for every key, and no more rows than inverted lists can number.
    fn have_fitting_sizes(&self) -> bool {
        let n = self.len();
        Some(self.values.len()) == n.checked_mul(self.dim)
            && self.charges.len() == n
            && u32::try_from(n).is_ok()
    }
}

impl Pictures<'_> {
    fn require_sizes(&self) -> Result<(), String> {
        let n = self.keys.len();
        let fits = self.rows.have_fitting_sizes()
            && Some(self.looks.len()) == n.checked_mul(self.look)
            && [self.ends.len(), self.bytes.len(), self.taken.len()] == [n; 3]
            && [self.widths.len(), self.heights.len()] == [n; 2]
            && [self.folders, self.cameras, self.formats]
                .iter()
                .all(|l| l.codes.len() == n)
            && self.ends.last().copied().unwrap_or(0) == self.blobs.len() as u64;
        if !fits {
            return Err("its columns of pictures do not fit together".into());
        }
        Ok(self
            .read
            .require_sizes(n)
            .and_then(|()| self.tags.require_sizes(n))?)
    }

    /// Looks at everything.
    pub(super) fn require_sound(&self) -> Result<(), &'static str> {
        let coded = |l: &Labels| {
            l.codes
                .iter()
                .all(|&c| c == NO_CODE || (c as usize) < l.names.len())
        };
        if !self.keys.is_sorted_by(|a, b| a < b) {
            return Err("the keys of its pictures do not rise");
        }
        if !self.ends.is_sorted() || ![self.folders, self.cameras, self.formats].iter().all(coded) {
            return Err("its columns of pictures are out of bounds");
        }
        self.read
            .require_sound()
            .and_then(|()| self.tags.require_sound())
    }
}

impl Texts<'_> {
    fn require_sizes(&self) -> Result<(), String> {
        let m = self.keys.len();
        if !self.rows.have_fitting_sizes() || self.items.len() != m {
            return Err("its columns of texts do not fit together".into());
        }
        Ok(self.captions.require_sizes(m)?)
    }

    /// Looks at everything.
    pub(super) fn require_sound(&self) -> Result<(), &'static str> {
        match self.keys.is_sorted_by(|a, b| a < b) {
            true => self.captions.require_sound(),
            false => Err("the keys of its texts do not rise"),
        }
    }
}
