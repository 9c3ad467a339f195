//! The user's files: read within a size limit, found below folders, written without damage to existing ones.

mod printable;
mod read;
mod walk;
mod write;

pub use printable::{printable, visible, written};
pub use read::{ANY_SIZE, head, read};
pub use walk::{Walk, is_left_out, walk};
pub use write::{check_writable, lock_folder, sweep, write};
