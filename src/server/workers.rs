//! Work that takes a core, on the threads that are there for it: a bounded number at a time, a bounded number waiting.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

use super::problem::{Problem, Reply};

/// Where searches are computed.
pub struct Workers {
    /// As many as there are threads.
    running: Arc<Semaphore>,
    /// Those that run, and those that wait.
    places: Semaphore,
    /// How long a client waits at most.
    patience: Duration,
    waiting: AtomicUsize,
}

/// Counts while it lives.
struct Counted<'a>(&'a AtomicUsize);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Workers {
    pub fn new(waiting: usize, patience: Duration) -> Self {
        let threads = rayon::current_num_threads();
        Self {
            running: Arc::new(Semaphore::new(threads)),
            places: Semaphore::new(threads + waiting),
            patience,
            waiting: AtomicUsize::new(0),
        }
    }

    /// How many requests are computed or wait.
    pub fn depth(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Runs work when a thread is free. A client that gives up takes its place with it; work that has begun ends.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Reply<T> + Send + 'static,
    ) -> Reply<T> {
        let _place = self.places.try_acquire().map_err(|_| Problem::busy())?;
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let _counted = Counted(&self.waiting);
        let done = async {
            let running = self.running.clone().acquire_owned().await;
            let running = running.map_err(Problem::internal)?;
            let (send, receive) = oneshot::channel();
            rayon::spawn(move || {
                let _running = running;
                let result = catch_unwind(AssertUnwindSafe(work));
                // Nobody may wait for it any more.
                let _ = send.send(result);
            });
            match receive.await {
                Ok(Ok(result)) => result,
                Ok(Err(_)) => Err(Problem::internal("a search panicked")),
                Err(e) => Err(Problem::internal(e)),
            }
        };
        let late = |_| Problem::timed_out(self.patience.as_secs());
        timeout(self.patience, done).await.map_err(late)?
    }
}
