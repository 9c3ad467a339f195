//! The log, on stderr. A message may hold names from outside: they stay in its lines and move no cursor.

use std::fmt;
use std::io::IsTerminal as _;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tuwen::files::visible;
use tuwen::timing::TARGET;

use super::bars::Stderr;
use super::timings::Clock;

/// Starts the log: stdout is for results. With `timings`, a clock listens to the stages.
pub fn start(verbose: u8, quiet: bool, timings: bool) {
    let level = match (quiet, verbose) {
        (true, _) => "warn",
        (_, 0) => "info",
        (_, 1) => "debug",
        _ => "trace",
    };
    let filter = EnvFilter::try_from_env("TUWEN_LOG")
        .unwrap_or_else(|_| EnvFilter::new(format!("warn,tuwen={level}")));
    let is_stage = |metadata: &Metadata<'_>| metadata.target() == TARGET;
    let messages = tracing_subscriber::fmt::layer()
        .with_writer(Stderr::default)
        .with_ansi(std::io::stderr().is_terminal())
        .event_format(Lines)
        .with_filter(filter_fn(move |metadata| !is_stage(metadata)))
        .with_filter(filter);
    let clock = timings.then(|| Clock.with_filter(filter_fn(is_stage)));
    tracing_subscriber::registry()
        .with(messages)
        .with(clock)
        .init();
}

/// A level and a message; further lines of a message are indented, so that none looks like a message of its own.
struct Lines;

const INDENT: &str = "\n      ";

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let level = *event.metadata().level();
        let mut message = Message::default();
        event.record(&mut message);
        let text = visible(message.0.trim_end()).replace('\n', INDENT);
        if writer.has_ansi_escapes() {
            writeln!(writer, "\x1b[{}m{level:>5}\x1b[0m {text}", colour(level))
        } else {
            writeln!(writer, "{level:>5} {text}")
        }
    }
}

/// Of a level on a terminal (ECMA-48, SGR).
fn colour(level: Level) -> u8 {
    match level {
        Level::ERROR => 31,
        Level::WARN => 33,
        Level::INFO => 32,
        Level::DEBUG => 34,
        Level::TRACE => 35,
    }
}

/// What an event says.
#[derive(Default)]
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}{}", self.0);
        } else {
            self.0 += &format!(" {field}={value:?}");
        }
    }
}
