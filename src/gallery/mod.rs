//! A gallery: a folder that holds what a search needs of pictures and texts, and that grows and changes. It knows no model:
//! [`indexing`](crate::indexing) describes pictures and fills it, [`engine`](crate::engine) searches it.
//!
//! ```text
//! gallery.sqlite              the truth: pictures, texts, which segments there are, which of their rows are removed
//! segments/NAME.safetensors   immutable, mapped: what a search touches
//! writer.lock                 held by the one process that changes the gallery
//! ```
//! A [`Writer`] commits: it writes the rows of a change as a new segment, then lists the segment in one transaction of
//! the database, together with all else. A process that is killed at any instant leaves the state of the last commit,
//! and perhaps a file that is not listed, which the next writer removes. Removed rows stay in their segments until
//! these are merged: small segments into larger ones, so that every row is written again only about as often as the
//! gallery grows eightfold.
//!
//! A [`Snapshot`] reads. What it sees never changes, whatever is committed, and nobody waits for it. A file that
//! somebody shortens by hand while it is mapped ends the process that reads it, as with any mapped file.

mod bitmap;
mod columns;
mod database;
pub mod filter;
mod nearest;
mod part;
mod postings;
mod queries;
mod scan;
mod segment;
mod snapshot;
mod types;
mod verify;
mod writer;

pub use bitmap::Bitmap;
pub use columns::PartColumns;
pub use nearest::{Nearest, index as index_parts, nearest_of};
pub use part::Part;
pub use postings::{List, Postings};
pub use scan::Points;
pub use segment::{Labels, NO_CODE, Pictures, Segment, Texts};
pub use snapshot::{Ids, Snapshot};
pub use types::{
    Bad, Bag, Change, Committed, Counts, Facts, Item, Known, NewCaption, NewItem, NewText,
    PictureRow, Seen, Stamp, Text, TextRow, Touch, UNDATED, UNUSABLE, sortable,
};
pub use writer::{Merging, Writer};

/// The model of a gallery, in its folder.
pub const MODEL: &str = "model.tuwen";

/// Tells galleries from other folders, so that the error for those is about the folder and not about a file in it.
///
/// # Errors
/// [`Error::File`](crate::Error::File) that says what makes galleries.
pub fn require(folder: &std::path::Path) -> crate::Result<()> {
    database::Place(folder.to_owned()).require()
}
