//! The user's files: read within a limit, found below folders, written without harm to what is there.

mod read;
mod write;

pub use read::read;
pub use write::{check_writable, lock_folder, sweep, write};
