//! The galleries of the server.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::tasks::{Accepted, accept};
use crate::server::Shared;
use crate::server::changes::Change;
use crate::server::extract::In;
use crate::server::galleries::Gallery;
use crate::server::problem::{Problem, Reply};
use crate::server::tasks::Task;

#[derive(Debug, Serialize, ToSchema)]
pub struct Galleries {
    pub galleries: Vec<About>,
    /// Whether galleries can be changed.
    pub read_only: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct About {
    pub name: String,
    pub pictures: usize,
    /// Captions, and texts that belong to no picture.
    pub texts: usize,
    /// Pictures that cannot be used.
    pub bad: usize,
    /// The fingerprint of the model.
    pub model: String,
    /// Name of the recipe that the model was made by.
    pub recipe: String,
    /// A number that every change raises.
    pub generation: u64,
}

fn about(gallery: &Gallery) -> tuwen::Result<About> {
    let view = gallery.engine.view()?;
    let counts = view.snapshot.counts();
    let model = gallery.engine.model();
    Ok(About {
        name: gallery.name.clone(),
        pictures: counts.pictures,
        texts: counts.texts,
        bad: counts.bad,
        model: model.fingerprint().to_string(),
        recipe: model.recipe().name.clone(),
        generation: view.snapshot.generation(),
    })
}

/// List galleries
#[utoipa::path(
    get,
    path = "/v1/galleries",
    tag = "galleries",
    responses(
        (status = 200, body = Galleries),
    ),
)]
pub async fn all(State(app): State<Shared>) -> Reply<Json<Galleries>> {
    let galleries: tuwen::Result<_> = app.galleries.iter().map(|g| about(g)).collect();
    Ok(Json(Galleries {
        galleries: galleries?,
        read_only: app.read_only,
    }))
}

/// A gallery
#[utoipa::path(
    get,
    path = "/v1/galleries/{gallery}",
    tag = "galleries",
    params(("gallery" = String, Path)),
    responses(
        (status = 200, body = About),
    ),
)]
pub async fn one(State(app): State<Shared>, In(name): In<String>) -> Reply<Json<About>> {
    let gallery = app.gallery(Some(&name))?;
    Ok(Json(about(&gallery)?))
}

/// Bring a gallery in step with its folder
///
/// What is new is added, what changed is described again, and what is gone is removed.
#[utoipa::path(
    post,
    path = "/v1/galleries/{gallery}/sync",
    tag = "galleries",
    params(("gallery" = String, Path)),
    responses(
        (status = 202, body = Task),
    ),
)]
pub async fn sync(State(app): State<Shared>, In(name): In<String>) -> Reply<Accepted> {
    let gallery = app.gallery(Some(&name))?;
    let folder = gallery.folder.clone();
    let folder =
        folder.ok_or_else(|| Problem::bad_request(format!("{name} is not of a folder")))?;
    accept(move || gallery.change(Change::Sync { folder })).await
}
