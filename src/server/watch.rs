//! Keeping a gallery in step with its folder: events are hints that come early, and a scan finds what they miss.

use std::path::Path;
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

/// Calls `changed` on a thread of its own whenever something below a folder may have changed, until it says that it is no
/// longer needed.
pub fn watch(folder: &Path, changed: impl Fn() -> bool + Send + 'static) -> Result<()> {
    let (hint, hints) = channel();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // Reading a file changes nothing.
        if !matches!(
            event,
            Ok(notify::Event {
                kind: EventKind::Access(_),
                ..
            })
        ) {
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
