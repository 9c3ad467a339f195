//! The protocol of clip-retrieval's back (<https://github.com/rom1504/clip-retrieval>), so that its client and its page work
//! with galleries. Fields that are about CLIP have no effect.

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tower_http::cors::CorsLayer;

use super::Shared;
use super::api::{Found, answer_of, bytes, json as parsed};
use super::galleries::Gallery;
use super::problem::{Problem, Reply};

/// Its page may be at another address.
pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/indices-list", get(indices))
        .route("/knn-service", post(knn))
        .route("/metadata", post(metadata))
        .route("/config.json", get(config))
        .layer(CorsLayer::permissive())
}

async fn indices(State(app): State<Shared>) -> Json<Vec<String>> {
    Json(app.galleries.iter().map(|g| g.name.clone()).collect())
}

async fn config(State(app): State<Shared>, headers: HeaderMap) -> Json<Value> {
    let first = app.galleries.first().map(|g| g.name.clone());
    Json(json!({ "defaultBackend": origin(&headers), "defaultIndex": first }))
}

/// How the client calls this server.
fn origin(headers: &HeaderMap) -> String {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    let scheme = text("x-forwarded-proto")
        .filter(|s| *s == "https")
        .unwrap_or("http");
    format!(
        "{scheme}://{}",
        text(header::HOST.as_str()).unwrap_or("localhost")
    )
}

/// What its client sends; the page sends other types in the fields that are left out.
#[derive(Deserialize)]
struct Knn {
    text: Option<String>,
    image: Option<String>,
    image_url: Option<String>,
    embedding_input: Option<Value>,
    modality: Option<String>,
    num_images: Option<usize>,
    num_result_ids: Option<usize>,
    #[serde(alias = "index_name")]
    indice_name: Option<String>,
    deduplicate: Option<bool>,
}

/// What of a hit its client reads.
#[derive(Serialize)]
struct Hit {
    id: u64,
    similarity: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    caption: Option<String>,
}

/// As its back has them.
const IMAGES: usize = 100;

fn is_given(text: &Option<String>) -> bool {
    text.as_ref().is_some_and(|t| !t.trim().is_empty())
}

async fn knn(State(app): State<Shared>, request: Request) -> Reply<Json<Vec<Hit>>> {
    let origin = origin(request.headers());
    let asked: Knn = parsed(&bytes(&app, request).await?)?;
    if is_given(&asked.image_url) || asked.embedding_input.as_ref().is_some_and(|e| !e.is_null()) {
        return Err(Problem::bad_request(
            "send `text` or `image`: this server fetches no addresses and takes no vectors",
        ));
    }
    let texts = match asked.modality.as_deref() {
        None | Some("image") => false,
        Some("text") => true,
        Some(_) => return Err(Problem::bad_request("`modality` is `image` or `text`")),
    };
    let named = asked.indice_name.as_deref().filter(|n| !n.is_empty());
    let gallery = app.gallery(named)?;
    let images = asked.num_images.unwrap_or(IMAGES);
    let limit = asked.num_result_ids.unwrap_or(images).clamp(1, 1000);
    let question = json!({
        "text": asked.text.unwrap_or_default(),
        "pictures": asked.image.iter().filter(|i| !i.is_empty()).collect::<Vec<_>>(),
        "find": if texts { "texts" } else { "pictures" },
        "limit": limit,
        "dedupe": asked.deduplicate.unwrap_or(false),
    });
    let question = parsed(question.to_string().as_bytes())?;
    let answer = move || {
        let found = answer_of(&gallery, &question, &[])?;
        hits(&gallery, found, images, &origin)
    };
    Ok(Json(app.workers.run(answer).await?))
}

/// The first `described` hits with what is known of them; of the others the ids.
fn hits(gallery: &Arc<Gallery>, found: Found, described: usize, origin: &str) -> Reply<Vec<Hit>> {
    let mut hits = Vec::new();
    for (place, hit) in found.hits.into_iter().enumerate() {
        // A caption that the model learned from has no key.
        let id = hit.key.unwrap_or(place as u64);
        let mut answer = Hit {
            id,
            similarity: hit.probability.unwrap_or(hit.score),
            url: None,
            caption: None,
        };
        if place < described {
            match (hit.text, hit.thumbnail) {
                (Some(text), _) => answer.caption = Some(text),
                (None, path) => {
                    answer.caption = Some(caption(gallery, id, hit.id)?);
                    answer.url = path.map(|path| format!("{origin}{path}?size=512"));
                }
            }
        }
        hits.push(answer);
    }
    Ok(hits)
}

/// The first caption of a picture, or its name.
fn caption(gallery: &Gallery, key: u64, name: String) -> Reply<String> {
    let texts = gallery.engine.view()?.snapshot.texts_of(key)?;
    Ok(texts.into_iter().next().map_or(name, |text| text.caption))
}

#[derive(Deserialize)]
struct Metadata {
    /// The page sends large ids as texts.
    ids: Vec<Value>,
    #[serde(alias = "index_name")]
    indice_name: Option<String>,
}

async fn metadata(State(app): State<Shared>, request: Request) -> Reply<Json<Vec<Value>>> {
    let origin = origin(request.headers());
    let asked: Metadata = parsed(&bytes(&app, request).await?)?;
    let gallery = app.gallery(asked.indice_name.as_deref().filter(|n| !n.is_empty()))?;
    let read = move || {
        let snapshot = &gallery.engine.view()?.snapshot;
        let mut found = Vec::new();
        for id in asked.ids.iter().take(1000) {
            let key = id.as_u64().or_else(|| id.as_str()?.parse().ok());
            let Some(key) = key else {
                continue;
            };
            let Some(item) = snapshot.item(key)? else {
                continue;
            };
            let name = super::api::path_of(&gallery.name);
            found.push(json!({
                "id": key,
                "metadata": {
                    "url": format!("{origin}/v1/galleries/{name}/items/{key}/thumbnail?size=512"),
                    "caption": caption(&gallery, key, item.facts.id)?,
                },
            }));
        }
        Ok(found)
    };
    Ok(Json(app.painters.run(read).await?))
}
