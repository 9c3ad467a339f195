//! Where a table or a page goes: a file, a pipe or device, or `-`, the standard output.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context, Result};
use tuwen::files;

/// Whether the path stands for the standard output; what a verb says beside its table then goes to the log.
pub fn is_stdout(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Finds out whether an output can be written, before the work is done that it is for.
pub fn check(path: &Path) -> Result<()> {
    match is_stdout(path) {
        true => Ok(()),
        false => Ok(files::check_writable(path)?),
    }
}

/// Writes the whole output.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    match is_stdout(path) {
        true => {
            let mut out = std::io::stdout().lock();
            let written = out.write_all(bytes).and_then(|()| out.flush());
            written.context("cannot write to the standard output")
        }
        false => Ok(files::write(path, bytes)?),
    }
}

/// Says in a line what came out: on the standard output, or in the log where the output itself is there.
pub fn summary(out: &Path, text: &str) -> Result<()> {
    match is_stdout(out) {
        true => tracing::info!("{text}"),
        false => say!("{text}"),
    }
    Ok(())
}
