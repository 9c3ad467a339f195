//! The user's files: read within a limit, found below folders, written without harm to what is there.

mod read;

pub use read::read;
