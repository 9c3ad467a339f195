//! The log, on stderr. A message may hold names from outside: they stay in its lines and move no cursor.

use std::fmt;
use std::io::IsTerminal as _;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;
use tuwen::files::printable;

use super::bars::Stderr;

/// Starts the log: stdout is for results.
pub fn start(verbose: u8, quiet: bool) {
    let level = match (quiet, verbose) {
        (true, _) => "warn",
        (_, 0) => "info",
        (_, 1) => "debug",
        _ => "trace",
    };
    let filter = EnvFilter::try_from_env("TUWEN_LOG")
        .unwrap_or_else(|_| EnvFilter::new(format!("warn,tuwen={level}")));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Stderr::default)
        .with_ansi(std::io::stderr().is_terminal())
        .event_format(Lines)
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
        let lines: Vec<String> = message.0.lines().map(printable).collect();
        let text = lines.join(INDENT);
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
