//! Questions about one picture.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Request, State};
use serde::Serialize;
use utoipa::ToSchema;

use super::search::{Found, SearchForm, SearchRequest, Wanted, asked, run};
use crate::server::Shared;
use crate::server::problem::{Problem, Reply};

async fn about(app: Shared, request: Request, find: Wanted) -> Reply<Json<Found>> {
    let (mut asked, files) = asked(&app, request).await?;
    asked.find = find;
    asked.text.clear();
    run(&app, asked, files).await
}

/// Find pictures that look alike
///
/// A picture comes as in `/v1/search`: in a form, in base64, or by its key in `like`.
#[utoipa::path(
    post,
    path = "/v1/similar",
    tag = "pictures",
    request_body(content((SearchRequest = "application/json"), (SearchForm = "multipart/form-data"))),
    responses(
        (status = 200, body = Found),
    ),
)]
pub async fn similar(State(app): State<Shared>, request: Request) -> Reply<Json<Found>> {
    about(app, request, Wanted::Pictures).await
}

/// Find copies of a picture
///
/// Cropped, scaled, rotated, mirrored ones, and such with text laid over them.
#[utoipa::path(
    post,
    path = "/v1/copies",
    tag = "pictures",
    request_body(content((SearchRequest = "application/json"), (SearchForm = "multipart/form-data"))),
    responses(
        (status = 200, body = Found),
    ),
)]
pub async fn copies(State(app): State<Shared>, request: Request) -> Reply<Json<Found>> {
    about(app, request, Wanted::Copies).await
}

/// Find captions for a picture
///
/// Those of the gallery; of a gallery without captions, those that its model learned from.
#[utoipa::path(
    post,
    path = "/v1/captions",
    tag = "pictures",
    request_body(content((SearchRequest = "application/json"), (SearchForm = "multipart/form-data"))),
    responses(
        (status = 200, body = Found),
    ),
)]
pub async fn captions(State(app): State<Shared>, request: Request) -> Reply<Json<Found>> {
    about(app, request, Wanted::Texts).await
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Keywords {
    /// Best first.
    pub keywords: Vec<Keyword>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Keyword {
    pub word: String,
    /// The probability that a caption of the picture would have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probability: Option<f32>,
}

/// Name the words that fit a picture best
#[utoipa::path(
    post,
    path = "/v1/keywords",
    tag = "pictures",
    request_body(content((SearchRequest = "application/json"), (SearchForm = "multipart/form-data"))),
    responses(
        (status = 200, body = Keywords),
    ),
)]
pub async fn keywords(State(app): State<Shared>, request: Request) -> Reply<Json<Keywords>> {
    let (asked, files) = asked(&app, request).await?;
    let gallery = app.gallery(asked.gallery.as_deref())?;
    let named = move || {
        let query = asked.query(&files)?;
        let bytes = match (query.pictures.first(), query.like.first()) {
            (Some(bytes), _) => Bytes::from(bytes.clone()),
            (None, Some(&key)) => {
                super::pictures::original(&super::items::item(&gallery, key)?.facts)?
            }
            (None, None) => {
                return Err(Problem::bad_request("keywords are of a picture: give one"));
            }
        };
        let found = gallery.engine.model().keywords(&bytes, query.top)?;
        let keywords = found.into_iter().map(|k| Keyword {
            word: k.word,
            probability: k.probability,
        });
        Ok(Keywords {
            keywords: keywords.collect(),
        })
    };
    Ok(Json(app.workers.run(named).await?))
}
