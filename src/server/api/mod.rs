//! The API under `/v1`.

mod body;
mod galleries;
mod health;
mod items;
mod pictures;
mod search;
mod similar;
mod tasks;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Content, Ref, ResponseBuilder};

pub use body::{bytes, json};
pub use health::health;
pub use search::{Found, answer_of, path_of};

use super::Shared;

/// What a key may read.
pub fn reading() -> Router<Shared> {
    Router::new()
        .route("/v1/search", post(search::search))
        .route("/v1/search/batch", post(search::batch))
        .route("/v1/similar", post(similar::similar))
        .route("/v1/copies", post(similar::copies))
        .route("/v1/captions", post(similar::captions))
        .route("/v1/keywords", post(similar::keywords))
        .route("/v1/galleries", get(galleries::all))
        .route("/v1/galleries/{gallery}", get(galleries::one))
        .route("/v1/galleries/{gallery}/items/{key}", get(items::one))
        .route(
            "/v1/galleries/{gallery}/items/{key}/thumbnail",
            get(pictures::thumbnail),
        )
        .route(
            "/v1/galleries/{gallery}/items/{key}/file",
            get(pictures::file),
        )
        .route("/v1/galleries/{gallery}/items", get(items::all))
        .route("/v1/tasks", get(tasks::all))
        .route("/v1/tasks/{id}", get(tasks::one))
        .route("/metrics", get(health::metrics))
        .layer(DefaultBodyLimit::disable()) // `body` limits what it reads
}

/// What a key may write.
pub fn writing() -> Router<Shared> {
    Router::new()
        .route("/v1/galleries/{gallery}/items", post(items::add))
        .route(
            "/v1/galleries/{gallery}/items/{key}",
            axum::routing::patch(items::patch).delete(items::delete),
        )
        .route("/v1/galleries/{gallery}/sync", post(galleries::sync))
        .layer(DefaultBodyLimit::disable())
}

struct Schemes;

impl utoipa::Modify for Schemes {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let components = api.components.get_or_insert_default();
        components.add_security_scheme(
            "bearer",
            SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)),
        );
        let key = ApiKey::Header(ApiKeyValue::new("X-API-Key"));
        components.add_security_scheme("key", SecurityScheme::ApiKey(key));
    }
}

/// Every path may answer with a problem.
struct Problems;

impl utoipa::Modify for Problems {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let problem = ResponseBuilder::new()
            .description("What went wrong")
            .content(
                "application/problem+json",
                Content::new(Some(Ref::from_schema_name("Problem"))),
            )
            .build();
        for path in api.paths.paths.values_mut() {
            let methods = [
                &mut path.get,
                &mut path.post,
                &mut path.patch,
                &mut path.delete,
            ];
            for operation in methods.into_iter().flatten() {
                for status in ["4XX", "5XX"] {
                    let answers = &mut operation.responses.responses;
                    answers.insert(status.to_owned(), problem.clone().into());
                }
            }
        }
    }
}

/// The description of the API that programs read.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "tuwen",
        description = "Search pictures with sentences, and sentences, look-alikes and copies with pictures.",
    ),
    paths(
        search::search,
        search::batch,
        similar::similar,
        similar::copies,
        similar::captions,
        similar::keywords,
        galleries::all,
        galleries::one,
        galleries::sync,
        items::all,
        items::one,
        items::add,
        items::patch,
        items::delete,
        pictures::thumbnail,
        pictures::file,
        tasks::all,
        tasks::one,
        health::healthz,
        health::readyz,
    ),
    modifiers(&Schemes, &Problems),
    security((), ("bearer" = []), ("key" = [])),
)]
pub struct Description;
