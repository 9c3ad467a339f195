//! Reads whole files, although a path may also be a pipe, a device or a folder, or the file too large.

use std::fs::{File, OpenOptions};
use std::io::Read as _;
use std::path::Path;

use crate::error::{Error, Result};

/// Limit for files of any size: only memory limits them.
pub const ANY_SIZE: u64 = u64::MAX - 1;

/// Reads a regular file of at most `most` bytes; links are followed.
///
/// # Errors
/// [`Error::File`] for a path that is not a regular file or a file that is larger, [`Error::Io`] from the system.
pub fn read(path: &Path, most: u64) -> Result<Vec<u8>> {
    let refused = |reason: String| Error::File {
        path: path.to_owned(),
        reason,
    };
    let file = open(path).map_err(Error::io("read", path))?;
    let metadata = file.metadata().map_err(Error::io("read", path))?;
    if !metadata.is_file() {
        return Err(refused("not a regular file".into()));
    }
    let too_large = |bytes: u64| refused(format!("{bytes} bytes, more than {most}"));
    if metadata.len() > most {
        return Err(too_large(metadata.len()));
    }
    let mut bytes = Vec::with_capacity(metadata.len() as usize);
    // The file may grow while it is read.
    let read = file.take(most + 1).read_to_end(&mut bytes);
    read.map_err(Error::io("read", path))?;
    if bytes.len() as u64 > most {
        return Err(too_large(bytes.len() as u64));
    }
    Ok(bytes)
}

/// Reads at most the first `n` bytes of a regular file.
///
/// # Errors
/// Those of [`read`], except for the size.
pub fn head(path: &Path, n: u64) -> Result<Vec<u8>> {
    let file = open(path).map_err(Error::io("read", path))?;
    let metadata = file.metadata().map_err(Error::io("read", path))?;
    if !metadata.is_file() {
        return Err(Error::File {
            path: path.to_owned(),
            reason: "not a regular file".into(),
        });
    }
    let mut bytes = Vec::new();
    let read = file.take(n).read_to_end(&mut bytes);
    read.map_err(Error::io("read", path))?;
    Ok(bytes)
}

/// Opens a file, without waiting for a writer if it is a pipe.
fn open(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK);
    options.open(path)
}
