//! The pictures of a gallery: listed, added, changed, removed.

use std::path::Path;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use tuwen::artifact::Fingerprint;
use tuwen::files::written;
use tuwen::gallery::Item;
use tuwen::picture::format_name;
use utoipa::{IntoParams, ToSchema};

use super::body::{self, Form};
use super::search::path_of;
use super::tasks::{Accepted, accept};
use crate::server::changes::{Change, Texts};
use crate::server::extract::{In, With};
use crate::server::galleries::Gallery;
use crate::server::journal;
use crate::server::problem::{Problem, Reply};
use crate::server::tasks::Task;
use crate::server::{App, Shared};

/// Items of a page, at most.
const MOST: usize = 1000;
/// Captions and tags of a picture, at most, and their characters.
const MOST_TEXTS: usize = 100;
const LONGEST: usize = 10_000;

/// A picture of a gallery.
#[derive(Debug, Serialize, ToSchema)]
pub struct ItemFound {
    pub key: u64,
    /// Its path below the gallery's folder; one that begins with `/` is elsewhere.
    pub id: String,
    /// Size of the file.
    pub bytes: u64,
    pub width: u32,
    pub height: u32,
    pub format: String,
    /// Local date and time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub camera: Option<String>,
    pub folder: String,
    pub tags: Vec<String>,
    pub captions: Vec<String>,
    /// Why it cannot be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bad: Option<String>,
    pub thumbnail: String,
    pub file: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Items {
    pub items: Vec<ItemFound>,
    /// Asks for the next page; absent after the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<u64>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// Items of a page.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<u64>,
}

fn found(gallery: &Gallery, item: Item) -> tuwen::Result<ItemFound> {
    let path = format!(
        "/v1/galleries/{}/items/{}",
        path_of(&gallery.name),
        item.key
    );
    let texts = gallery.engine.view()?.snapshot.texts_of(item.key)?;
    let facts = item.facts;
    Ok(ItemFound {
        key: item.key,
        id: facts.id,
        bytes: facts.bytes,
        width: facts.width,
        height: facts.height,
        format: facts.format,
        taken: facts.taken,
        camera: facts.camera,
        folder: facts.folder,
        tags: facts.tags,
        captions: texts.into_iter().map(|t| t.caption).collect(),
        bad: item.bad,
        thumbnail: format!("{path}/thumbnail"),
        file: format!("{path}/file"),
    })
}

/// A picture, usable or not.
pub fn item(gallery: &Gallery, key: u64) -> Reply<Item> {
    let found = gallery.engine.view()?.snapshot.item(key)?;
    found.ok_or_else(|| {
        Problem::not_found(format!(
            "{} has no picture with the key {key}",
            gallery.name
        ))
    })
}

/// List pictures
#[utoipa::path(
    get,
    path = "/v1/galleries/{gallery}/items",
    tag = "items",
    params(("gallery" = String, Path), Page),
    responses(
        (status = 200, body = Items),
    ),
)]
pub async fn all(
    State(app): State<Shared>,
    In(name): In<String>,
    With(page): With<Page>,
) -> Reply<Json<Items>> {
    let limit = page.limit.unwrap_or(100);
    if !(1..=MOST).contains(&limit) {
        return Err(Problem::bad_request(format!(
            "`limit` is {limit}; from 1 to {MOST}"
        )));
    }
    let after = page.cursor.unwrap_or(0);
    let gallery = app.gallery(Some(&name))?;
    let read = move || {
        let view = gallery.engine.view()?;
        let keys: tuwen::Result<Vec<_>> = view.snapshot.ids_after(after).take(limit + 1).collect();
        let mut keys: Vec<u64> = keys?.into_iter().map(|(key, _)| key).collect();
        let more = keys.len() > limit;
        keys.truncate(limit);
        let read = view.snapshot.items(&keys)?.into_iter().flatten();
        let items: tuwen::Result<Vec<_>> = read.map(|item| found(&gallery, item)).collect();
        Ok(Items {
            items: items?,
            next_cursor: keys.last().copied().filter(|_| more),
        })
    };
    Ok(Json(app.painters.run(read).await?))
}

/// A picture
#[utoipa::path(
    get,
    path = "/v1/galleries/{gallery}/items/{key}",
    tag = "items",
    params(("gallery" = String, Path), ("key" = u64, Path)),
    responses(
        (status = 200, body = ItemFound),
    ),
)]
pub async fn one(
    State(app): State<Shared>,
    In((name, key)): In<(String, u64)>,
) -> Reply<Json<ItemFound>> {
    let gallery = app.gallery(Some(&name))?;
    let item = item(&gallery, key)?;
    Ok(Json(found(&gallery, item)?))
}

/// A picture to be added by its path.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddRequest {
    /// A file on the server, below the gallery's folder or a folder that the server allows.
    pub path: String,
    pub captions: Option<Vec<String>>,
    pub tags: Option<Vec<String>>,
}

/// Pictures to be uploaded.
#[derive(ToSchema)]
#[allow(dead_code, reason = "it describes what a form may have")]
pub struct UploadForm {
    #[schema(format = Binary, content_media_type = "image/*")]
    picture: Vec<u8>,
    /// A caption; may come several times.
    caption: Option<String>,
    /// A tag; may come several times.
    tag: Option<String>,
}

/// What is said of pictures, within the limits.
fn texts(captions: Option<Vec<String>>, tags: Option<Vec<String>>) -> Reply<Texts> {
    let fits = |text: &String| text.chars().count() <= LONGEST && !text.trim().is_empty();
    for (what, texts) in [("captions", &captions), ("tags", &tags)] {
        let texts = texts.as_deref().unwrap_or_default();
        if texts.len() > MOST_TEXTS || !texts.iter().all(fits) {
            return Err(Problem::bad_request(format!(
                "`{what}`: at most {MOST_TEXTS} texts, none empty or of more than {LONGEST} characters"
            )));
        }
    }
    Ok(Texts { captions, tags })
}

/// Add pictures
///
/// By upload, in a form with files in parts named `picture`, or by the path of a file on the server. The answer names a
/// task; what it accepted is not lost when the server stops.
#[utoipa::path(
    post,
    path = "/v1/galleries/{gallery}/items",
    tag = "items",
    params(("gallery" = String, Path)),
    request_body(content((AddRequest = "application/json"), (UploadForm = "multipart/form-data"))),
    responses(
        (status = 202, body = Task),
    ),
)]
pub async fn add(
    State(app): State<Shared>,
    In(name): In<String>,
    request: Request,
) -> Reply<Accepted> {
    let gallery = app.gallery(Some(&name))?;
    if body::is_form(&request) {
        let form = body::form(&app, request).await?;
        let keep = move || upload(&gallery, form);
        return Ok((StatusCode::ACCEPTED, Json(app.painters.run(keep).await?)));
    }
    let asked: AddRequest = body::json(&body::bytes(&app, request).await?)?;
    let ids = vec![allowed(&app, &gallery, Path::new(&asked.path))?];
    let texts = texts(asked.captions, asked.tags)?;
    accept(move || gallery.change(Change::Put { ids, texts })).await
}

/// The id of a file that may be added by its path.
fn allowed(app: &App, gallery: &Gallery, path: &Path) -> Reply<String> {
    let refused = || {
        Problem::forbidden(
            "path-not-allowed",
            "there is no such file below the gallery's folder or a folder that the server allows (--allow)",
        )
    };
    let full = path.canonicalize().map_err(|_| refused())?;
    if full.starts_with(&gallery.path) || !full.is_file() {
        return Err(refused());
    }
    if let Some(below) = gallery
        .folder
        .as_ref()
        .and_then(|folder| full.strip_prefix(folder).ok())
    {
        return Ok(written(below));
    }
    match app.roots.iter().any(|root| full.starts_with(root)) {
        true => Ok(written(&full)),
        false => Err(refused()),
    }
}

/// Keeps the files of a form, and has them added.
fn upload(gallery: &Gallery, form: Form) -> Reply<Task> {
    if form.files.is_empty() {
        return Err(Problem::bad_request("there is no part named `picture`"));
    }
    let (mut captions, mut tags) = (vec![], vec![]);
    for (name, text) in form.fields {
        match name.as_str() {
            "caption" => captions.push(text),
            "tag" => tags.push(text),
            other => {
                let other = other.escape_debug();
                return Err(Problem::bad_request(format!(
                    "`{other}` is no part of an upload"
                )));
            }
        }
    }
    let some = |texts: Vec<String>| Some(texts).filter(|t| !t.is_empty());
    let texts = texts(some(captions), some(tags))?;
    let kept = form
        .files
        .iter()
        .map(|(name, bytes)| keep(gallery, name, bytes));
    let ids: Vec<String> = kept.collect::<Reply<_>>()?;
    gallery.change(Change::Put { ids, texts })
}

/// Writes an uploaded file to where it stays. It is named by its digest: nothing is written over, and the same file is kept
/// once.
fn keep(gallery: &Gallery, name: &str, bytes: &Bytes) -> Reply<String> {
    let format = format_name(bytes);
    if format.is_empty() {
        let name = name.escape_debug();
        return Err(Problem::bad_request(format!("`{name}` is not a picture")));
    }
    let digest = Fingerprint::of_bytes(bytes).to_string();
    let name = format!("{digest}.{format}");
    let path = gallery.uploads().join(&name);
    if !path.exists() {
        journal::keep(&path, bytes)?;
    }
    Ok(Gallery::upload_id(&name))
}

/// What of a picture is to be changed; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PatchRequest {
    pub captions: Option<Vec<String>>,
    pub tags: Option<Vec<String>>,
}

/// Change captions or tags of a picture
#[utoipa::path(
    patch,
    path = "/v1/galleries/{gallery}/items/{key}",
    tag = "items",
    params(("gallery" = String, Path), ("key" = u64, Path)),
    request_body = PatchRequest,
    responses(
        (status = 202, body = Task),
    ),
)]
pub async fn patch(
    State(app): State<Shared>,
    In((name, key)): In<(String, u64)>,
    request: Request,
) -> Reply<Accepted> {
    let PatchRequest { captions, tags } = body::json(&body::bytes(&app, request).await?)?;
    let texts = texts(captions, tags)?;
    let gallery = app.gallery(Some(&name))?;
    let id = item(&gallery, key)?.facts.id;
    accept(move || gallery.change(Change::Patch { id, texts })).await
}

/// Remove a picture
///
/// An uploaded file is removed, too. A file of the gallery's folder stays, and comes back when the gallery is next brought in
/// step with its folder.
#[utoipa::path(
    delete,
    path = "/v1/galleries/{gallery}/items/{key}",
    tag = "items",
    params(("gallery" = String, Path), ("key" = u64, Path)),
    responses(
        (status = 202, body = Task),
    ),
)]
pub async fn delete(
    State(app): State<Shared>,
    In((name, key)): In<(String, u64)>,
) -> Reply<Accepted> {
    let gallery = app.gallery(Some(&name))?;
    let id = item(&gallery, key)?.facts.id;
    accept(move || gallery.change(Change::Remove { ids: vec![id] })).await
}
