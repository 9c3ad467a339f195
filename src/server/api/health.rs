//! For those who look after the server.

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;

use crate::server::Shared;
use crate::server::problem::Reply;

/// Asked without a key.
pub fn health() -> Router<Shared> {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
}

/// Whether the server runs
#[utoipa::path(get, path = "/healthz", tag = "health", responses((status = 200, content_type = "text/plain", body = String)))]
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// Whether the server can answer
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "health",
    responses(
        (status = 200, content_type = "text/plain", body = String),
    ),
)]
pub async fn readyz(State(app): State<Shared>) -> Reply<&'static str> {
    for gallery in &app.galleries {
        gallery.engine.view()?;
    }
    Ok("ready\n")
}

pub async fn metrics(State(app): State<Shared>) -> Reply<impl IntoResponse> {
    app.metrics.set_queue(app.workers.depth());
    for gallery in &app.galleries {
        let counts = gallery.engine.view()?.snapshot.counts();
        app.metrics
            .set_gallery(&gallery.name, counts.pictures, counts.texts);
    }
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], app.metrics.text()))
}
