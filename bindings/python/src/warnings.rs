//! Warnings of the library as Python's. They are kept while the work runs on other threads, and told when it has ended: a
//! thread that waited for Python in the midst of its work could be waited for itself.

use std::ffi::CString;
use std::fmt;
use std::sync::{Mutex, Once, PoisonError};

use pyo3::exceptions::PyUserWarning;
use pyo3::prelude::*;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

static KEPT: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Keeps;

impl<S: Subscriber> Layer<S> for Keeps {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if *event.metadata().level() == Level::WARN {
            let mut message = Message(String::new());
            event.record(&mut message);
            KEPT.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(message.0);
        }
    }
}

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = tuwen::files::visible(&format!("{value:?}")).to_string();
        }
    }
}

/// Listens from now on. Where something else listens already, warnings are its own.
pub fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let all = tracing_subscriber::registry().with(Keeps.with_filter(LevelFilter::WARN));
        let _ = tracing::subscriber::set_global_default(all);
    });
}

/// What came of some work, after what it warned of was told: an error before warnings that the user has made errors.
pub fn after<T>(py: Python, outcome: PyResult<T>) -> PyResult<T> {
    let told = tell(py);
    let value = outcome?;
    told.map(|()| value)
}

fn tell(py: Python) -> PyResult<()> {
    let kept = std::mem::take(&mut *KEPT.lock().unwrap_or_else(PoisonError::into_inner));
    for message in kept {
        let message = CString::new(message.replace('\0', "\\0"))?;
        PyErr::warn(py, &py.get_type::<PyUserWarning>(), &message, 1)?;
    }
    Ok(())
}
