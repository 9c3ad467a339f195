//! Listens to the stages: how long each thread was in which.

use std::cell::RefCell;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use tracing::field::{Field, Visit};
use tracing::span::Id;
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;
use tuwen::timing::ALL;

/// A layer that sums up the time in every stage, over all threads.
pub struct Clock;

/// Sums of a stage.
struct Sums {
    nanoseconds: AtomicU64,
    calls: AtomicU64,
    work: AtomicU64,
}

/// More stages than there are.
const MOST: usize = 64;

static SUMS: [Sums; MOST] = [const {
    Sums {
        nanoseconds: AtomicU64::new(0),
        calls: AtomicU64::new(0),
        work: AtomicU64::new(0),
    }
}; MOST];

thread_local! {
    /// The stages that this thread is in, the innermost last, and since when it is there.
    static INSIDE: RefCell<(Vec<usize>, Option<Instant>)> = const { RefCell::new((Vec::new(), None)) };
}

/// A stage and its sums.
pub struct Told {
    pub name: &'static str,
    pub unit: Option<&'static str>,
    pub seconds: f64,
    pub calls: u64,
    pub work: u64,
}

/// All stages, in the order of a run.
pub fn stages() -> impl Iterator<Item = Told> {
    ALL.iter().zip(&SUMS).map(|(stage, sums)| Told {
        name: stage.name,
        unit: stage.unit,
        seconds: sums.nanoseconds.load(Ordering::Relaxed) as f64 / 1e9,
        calls: sums.calls.load(Ordering::Relaxed),
        work: sums.work.load(Ordering::Relaxed),
    })
}

fn place(name: &str) -> Option<usize> {
    ALL.iter().position(|stage| stage.name == name)
}

/// Counts the time since the last change for the stage that the thread was in, then changes.
fn change(to: impl FnOnce(&mut Vec<usize>)) {
    INSIDE.with_borrow_mut(|(inside, since)| {
        let now = Instant::now();
        if let (Some(&stage), Some(since)) = (inside.last(), *since) {
            let spent = now.duration_since(since).as_nanos() as u64;
            SUMS[stage].nanoseconds.fetch_add(spent, Ordering::Relaxed);
        }
        to(inside);
        *since = Some(now);
    });
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Clock {
    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        let name = context.metadata(id).map(|m| m.name());
        if let Some(stage) = name.and_then(place) {
            SUMS[stage].calls.fetch_add(1, Ordering::Relaxed);
            change(|inside| inside.push(stage));
        }
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        let name = context.metadata(id).map(|m| m.name());
        if name.and_then(place).is_some() {
            change(|inside| {
                inside.pop();
            });
        }
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut done = Done::default();
        event.record(&mut done);
        if let Some(stage) = done.stage {
            SUMS[stage].work.fetch_add(done.work, Ordering::Relaxed);
        }
    }
}

/// What an event says of work.
#[derive(Default)]
struct Done {
    stage: Option<usize>,
    work: u64,
}

impl Visit for Done {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "stage" {
            self.stage = place(value);
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "work" {
            self.work = value;
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}
