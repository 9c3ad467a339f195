//! Noticing that a folder changes: events are hints that come early, and a scan finds what they miss.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use notify::{EventKind, RecursiveMode, Watcher};
use tuwen::files::printable;

/// A scan comes at the latest after this time: a queue of events may overflow, and network folders send none.
const SCAN: Duration = Duration::from_secs(60);
/// Files that are being written send many events; a scan waits until there is none for so long...
const QUIET: Duration = Duration::from_millis(500);
/// ...but not for ever.
const MOST: u32 = 20;

/// Calls `changed` on a thread of its own, at once and whenever something below a folder may have changed, until it says that
/// it is no longer needed. What happens in `gallery`, which may be below the folder, is not a change.
pub fn watch(
    folder: &Path,
    gallery: &Path,
    changed: impl Fn() -> bool + Send + 'static,
) -> Result<()> {
    let (hint, hints) = channel();
    // Events name files as the folder is named.
    let full = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let (folder, gallery) = (&full(folder), full(gallery));
    let is_change = move |event: &notify::Event| {
        let elsewhere = |path: &PathBuf| !path.starts_with(&gallery);
        // Reading a file changes nothing.
        let is_other = !matches!(event.kind, EventKind::Access(_));
        event.need_rescan() || is_other && event.paths.iter().any(elsewhere)
    };
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // An error may hide a change.
        if event.as_ref().map_or(true, &is_change) {
            let _ = hint.send(());
        }
    })
    .with_context(|| format!("cannot watch {}", printable(folder)))?;
    if let Err(e) = watcher.watch(folder, RecursiveMode::Recursive) {
        tracing::warn!(
            "{}: no events ({e}); it is looked at every {} s",
            printable(folder),
            SCAN.as_secs()
        );
    }
    let watcher = Arc::new(watcher);
    thread::Builder::new().name("watch".into()).spawn(move || {
        let _watcher = watcher;
        while changed() {
            if hints.recv_timeout(SCAN) == Err(RecvTimeoutError::Disconnected) {
                thread::sleep(SCAN);
            }
            for _ in 0..MOST {
                if hints.recv_timeout(QUIET).is_err() {
                    break;
                }
                while hints.try_recv().is_ok() {}
            }
        }
    })?;
    Ok(())
}
