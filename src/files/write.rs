//! Writes a file completely or not at all: under a temporary name in the same folder, synced, renamed.
//!
//! A temporary file is locked while it is written. One without a lock was left by a run that was killed, and can be
//! removed.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};

use tempfile::NamedTempFile;

use crate::error::{Error, Result};

/// Prefix of temporary files, before random characters.
const PREFIX: &str = ".tuwen-";
/// Longest chain of links that is followed, as on Linux (`MAXSYMLINKS`).
const MAX_LINKS: usize = 40;

/// Where the bytes of an output go.
enum Target {
    /// A regular file, which is replaced, or one that does not exist yet.
    Regular(PathBuf),
    /// A pipe, a device or an open file of this process, which is written into.
    Other(File),
}

/// Writes a regular file completely or not at all, following links; writes into a pipe or device.
///
/// # Errors
/// [`Error::Io`] from the system.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = |cause| Error::io("write", path)(cause);
    match target(path).map_err(failed)? {
        Target::Regular(path) => replace(&path, bytes),
        Target::Other(mut file) => file
            .write_all(bytes)
            .and_then(|()| file.flush())
            .map_err(failed),
    }
}

/// Checks whether [`write()`] would succeed, before the work whose result is to be written; writes nothing.
///
/// # Errors
/// [`Error::Io`] with the reason for which `write` would fail.
pub fn check_writable(path: &Path) -> Result<()> {
    let failed = |cause| Error::io("write", path)(cause);
    let Target::Regular(path) = target(path).map_err(failed)? else {
        return Ok(());
    };
    // Folders that are missing will be created in the nearest one that is there.
    let mut dir = folder_of(&path);
    while !dir.exists() {
        dir = folder_of(dir);
    }
    temporary_in(dir).map(drop).map_err(failed)
}

fn target(path: &Path) -> io::Result<Target> {
    let into = |path: &Path| OpenOptions::new().write(true).open(path).map(Target::Other);
    // `/dev/stdout` leads to a file that the shell has open: replaced, it would be lost to the shell. `/dev/shm` is a
    // folder as others are, in memory.
    let in_memory = path.starts_with("/dev/shm");
    if (path.starts_with("/dev") && !in_memory) || path.starts_with("/proc") {
        return into(path);
    }
    match fs::metadata(path) {
        Ok(m) if m.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Ok(m) if !m.is_file() => into(path),
        Ok(_) => Ok(Target::Regular(fs::canonicalize(path)?)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Target::Regular(end_of_links(path)?)),
        Err(e) => Err(e),
    }
}

/// The end of a chain of links that does not exist yet.
fn end_of_links(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        match fs::read_link(&path) {
            Ok(to) => path = folder_of(&path).join(to),
            Err(_) => return Ok(path),
        }
    }
    Err(io::Error::other("too many links"))
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        Some(_) => Path::new("."),
        None => path,
    }
}

fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let dir = folder_of(path);
    fs::create_dir_all(dir).map_err(Error::io("create", dir))?;
    sweep_once(dir);
    let mut file = temporary_in(dir).map_err(Error::io("write in", dir))?;
    let written = file
        .write_all(bytes)
        .and_then(|()| keep_mode(path, &file))
        .and_then(|()| file.as_file().sync_all());
    written.map_err(Error::io("write", path))?;
    let persisted = file.persist(path);
    persisted.map_err(|e| Error::io("write", path)(e.error))?;
    Ok(())
}

/// Keeps the permissions of the old file, so that whoever could read it can read the new one.
fn keep_mode(path: &Path, new: &NamedTempFile) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(m) => new.as_file().set_permissions(m.permissions()),
        Err(_) => Ok(()), // there is no file yet
    }
}

/// Creates a locked temporary file.
fn temporary_in(dir: &Path) -> io::Result<NamedTempFile> {
    loop {
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX);
        // The usual mode less the umask, where a temporary file would be for its owner alone.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let file = builder.tempfile_in(dir)?;
        // Some network file systems have no locks; there, leftovers are not told from files in work.
        if file.as_file().try_lock().is_err() || file.path().exists() {
            return Ok(file);
        }
        // Another process swept it away between its creation and its lock.
    }
}

/// Removes temporary files below a folder that are no longer being written: a killed run left them.
pub fn sweep(dir: &Path) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|t| t.is_dir()) {
            sweep(&entry.path());
        }
    }
    sweep_once(dir);
}

/// Sweeps a folder once in the life of a process.
fn sweep_once(dir: &Path) {
    static SWEPT: LazyLock<Mutex<BTreeSet<PathBuf>>> = LazyLock::new(Mutex::default);
    let mut swept = SWEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if !swept.insert(dir.to_owned()) {
        return;
    }
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let ours = name.as_encoded_bytes().starts_with(PREFIX.as_bytes());
        if !ours || !entry.file_type().is_ok_and(|t| t.is_file()) {
            continue;
        }
        let path = entry.path();
        let abandoned = File::open(&path).is_ok_and(|file| file.try_lock().is_ok());
        if abandoned && fs::remove_file(&path).is_ok() {
            tracing::debug!("{}: left by a run that was killed; removed", path.display());
        }
    }
}

/// Locks a folder for this process, creates it if needed, and waits while another process has the lock. Dropping
/// the handle releases the lock.
///
/// # Errors
/// [`Error::Io`] if the folder cannot be created or opened.
pub fn lock_folder(dir: &Path) -> Result<File> {
    fs::create_dir_all(dir).map_err(Error::io("create", dir))?;
    let folder = File::open(dir).map_err(Error::io("read", dir))?;
    if let Err(TryLockError::WouldBlock) = folder.try_lock() {
        tracing::info!("another run writes to {}; waiting for it", dir.display());
        let _ = folder.lock(); // where folders have no locks, runs are on their own
    }
    Ok(folder)
}
