//! Galleries behind HTTP: the API under `/v1`, the page, and the protocol of clip-retrieval. All retrieval is the engine's.

mod api;
mod assets;
mod changes;
mod clip;
mod docs;
mod extract;
mod galleries;
mod journal;
mod keys;
mod layers;
mod metrics;
mod problem;
mod tasks;
mod thumbnails;
mod workers;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tower_http::catch_panic::CatchPanicLayer;
use tuwen::files::printable;

use changes::Change;
use galleries::Gallery;
use keys::Keys;
use problem::{Problem, Reply};
use workers::Workers;

use crate::watch::watch;

/// How a server is started.
pub struct Options {
    pub galleries: Vec<PathBuf>,
    pub address: SocketAddr,
    pub key_file: Option<PathBuf>,
    /// Listens beyond this machine without keys.
    pub open_to_all: bool,
    pub read_only: bool,
    /// Folders whose pictures may be added by their paths, beside those of the galleries.
    pub roots: Vec<PathBuf>,
    /// Folders that galleries are kept in step with.
    pub watched: Vec<PathBuf>,
    /// Searches that may wait.
    pub queue: usize,
    /// The largest request.
    pub max_body: usize,
}

/// Searches that may wait, where nothing else is said.
pub const QUEUE: usize = 64;
/// MiB of the largest request, where nothing else is said.
pub const MAX_BODY: u32 = 64;

impl Options {
    /// One gallery, for this machine.
    pub fn local(gallery: PathBuf, address: SocketAddr) -> Self {
        Self {
            galleries: vec![gallery],
            address,
            key_file: None,
            open_to_all: false,
            read_only: false,
            roots: vec![],
            watched: vec![],
            queue: QUEUE,
            max_body: (MAX_BODY as usize) << 20,
        }
    }
}

/// What all requests share.
pub struct App {
    galleries: Vec<Arc<Gallery>>,
    keys: Keys,
    read_only: bool,
    /// It listens on this machine alone.
    is_local: bool,
    roots: Vec<PathBuf>,
    max_body: usize,
    /// For searches.
    workers: Workers,
    /// For pictures that are shown: a page wants many at a time, and must not keep others from searching.
    painters: Workers,
    tasks: Arc<tasks::Tasks>,
    thumbnails: thumbnails::Thumbnails,
    metrics: metrics::Metrics,
}

type Shared = Arc<App>;

/// How long a client waits for a search.
const PATIENCE: Duration = Duration::from_secs(30);
/// Pictures that may wait to be made small.
const PAINTINGS: usize = 4096;
/// How long a stopping server waits for changes that have begun.
const FAREWELL: Duration = Duration::from_secs(10);

impl App {
    fn new(options: &Options) -> Result<Self> {
        let is_local = options.address.ip().is_loopback();
        let keys = options.key_file.as_deref().map(Keys::read).transpose()?;
        ensure!(
            is_local || keys.is_some() || options.open_to_all,
            "{} can be reached from other machines: give keys with --api-key-file, or say --open-to-all",
            options.address
        );
        let tasks = Arc::new(tasks::Tasks::default());
        let open = |path: &PathBuf| Gallery::open(path, &tasks);
        let galleries: Vec<_> = options.galleries.iter().map(open).collect::<Result<_>>()?;
        for (i, gallery) in galleries.iter().enumerate() {
            let other = galleries[..i].iter().find(|g| g.name == gallery.name);
            ensure!(
                other.is_none(),
                "two galleries have the name {}: a gallery is named as its folder is",
                printable(&gallery.name)
            );
        }
        let root = |path: &PathBuf| {
            let full = path.canonicalize();
            full.with_context(|| format!("cannot read {}", printable(path)))
        };
        Ok(Self {
            galleries,
            keys: keys.unwrap_or_default(),
            read_only: options.read_only,
            is_local,
            roots: options.roots.iter().map(root).collect::<Result<_>>()?,
            max_body: options.max_body,
            workers: Workers::new(options.queue, PATIENCE),
            painters: Workers::new(PAINTINGS, PATIENCE),
            tasks,
            thumbnails: thumbnails::Thumbnails::default(),
            metrics: metrics::Metrics::default(),
        })
    }

    /// A gallery by its name, or the first.
    fn gallery(&self, name: Option<&str>) -> Reply<Arc<Gallery>> {
        let found = match name {
            None => self.galleries.first(),
            Some(name) => self.galleries.iter().find(|g| g.name == name),
        };
        let names = || {
            self.galleries
                .iter()
                .map(|g| g.name.as_str())
                .collect::<Vec<_>>()
                .join(", ")
        };
        found.cloned().ok_or_else(|| {
            Problem::not_found(format!(
                "there is no gallery {}; there are: {}",
                name.unwrap_or_default(),
                names()
            ))
        })
    }

    /// Starts what goes on beside the requests.
    fn begin(self: &Arc<Self>, watched: &[PathBuf]) -> Result<()> {
        std::thread::spawn(tuwen::text::load_dictionary);
        if self.read_only {
            return Ok(());
        }
        for gallery in &self.galleries {
            gallery.take_up()?;
        }
        for folder in watched {
            let full = folder
                .canonicalize()
                .with_context(|| format!("cannot read {}", printable(folder)))?;
            let gallery = self
                .galleries
                .iter()
                .find(|g| g.folder.as_deref() == Some(&full));
            let gallery = gallery.or(match &self.galleries[..] {
                [only] if only.folder.is_none() => Some(only),
                _ => None,
            });
            let gallery = gallery
                .with_context(|| format!("no gallery is of the folder {}", printable(&full)))?;
            let weak = Arc::downgrade(gallery);
            watch(&full.clone(), &gallery.path, move || {
                let Some(gallery) = weak.upgrade() else {
                    return false;
                };
                // One that waits already will look at everything.
                if !gallery.tasks.has_waiting_sync(&gallery.name) {
                    let sync = Change::Sync {
                        folder: full.clone(),
                    };
                    if let Err(e) = gallery.change(sync) {
                        tracing::warn!("{}: {}", printable(&full), e.detail);
                    }
                }
                true
            })?;
        }
        Ok(())
    }
}

fn router(app: &Shared) -> Router {
    let reading = api::reading()
        .merge(clip::routes())
        .layer(from_fn_with_state(app.clone(), keys::reading));
    let writing = api::writing().layer(from_fn_with_state(app.clone(), keys::writing));
    Router::new()
        .merge(reading)
        .merge(writing)
        .merge(api::health())
        .merge(assets::routes())
        .merge(docs::routes())
        .fallback(|| async { Problem::not_found("/openapi.json lists what there is") })
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
        .layer(CatchPanicLayer::custom(layers::panicked))
        .layer(from_fn_with_state(app.clone(), layers::counted))
        .layer(from_fn(layers::with_headers))
        .with_state(app.clone())
}

/// Serves until the process is told to stop. `ready` gets the address, as soon as requests are answered.
///
/// # Errors
/// Those of opening galleries and of listening.
pub fn serve(options: &Options, ready: impl FnOnce(SocketAddr) -> Result<()>) -> Result<()> {
    let app = Arc::new(App::new(options)?);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(options.address)
            .await
            .with_context(|| format!("cannot listen on {}", options.address))?;
        let address = listener.local_addr()?;
        app.begin(&options.watched)?;
        ready(address)?;
        let listener = listener.tap_io(|stream| {
            let _ = stream.set_nodelay(true); // it only saves time
        });
        axum::serve(listener, router(&app))
            .with_graceful_shutdown(stop())
            .await?;
        anyhow::Ok(())
    })?;
    let start = std::time::Instant::now();
    while app.tasks.is_running() && start.elapsed() < FAREWELL {
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Until Ctrl+C, or until the system asks the process to end.
async fn stop() {
    let interrupted = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminate) = signal(SignalKind::terminate()) else {
            return interrupted.await;
        };
        tokio::select! {
            () = interrupted => {}
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    interrupted.await;
    tracing::info!("stopping: requests that have begun are answered");
}
