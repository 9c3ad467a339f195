//! The pictures themselves.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tuwen::gallery::Facts;
use tuwen::picture::format_name;
use utoipa::IntoParams;

use super::items;
use crate::server::Shared;
use crate::server::extract::{In, With};
use crate::server::problem::{Problem, Reply};
use crate::server::thumbnails::Thumbnails;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct Size {
    /// The longer side in pixels; the next of 256, 512 and 1024 is made.
    #[param(minimum = 1, maximum = 1024)]
    size: Option<u32>,
}

/// The file of a picture.
pub fn original(facts: &Facts) -> Reply<Bytes> {
    let bytes = tuwen::picture::read(facts.path.as_ref());
    let gone = |_| Problem::not_found(format!("the file of {} is gone", facts.id));
    Ok(bytes.map_err(gone)?.into())
}

/// The same bytes for as long as the tag is the same.
fn with_tag(kind: &'static str, tag: &str, bytes: Bytes) -> Response {
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, max-age=86400"),
    );
    if let Ok(tag) = HeaderValue::from_str(tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}

fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|known| known.as_bytes() == tag.as_bytes())
}

/// A small picture
#[utoipa::path(
    get,
    path = "/v1/galleries/{gallery}/items/{key}/thumbnail",
    tag = "items",
    params(("gallery" = String, Path), ("key" = u64, Path), Size),
    responses(
        (status = 200, content_type = "image/jpeg", body = [u8]),
        (status = 304, description = "The one that you have is right"),
    ),
)]
pub async fn thumbnail(
    State(app): State<Shared>,
    In((name, key)): In<(String, u64)>,
    With(Size { size }): With<Size>,
    headers: HeaderMap,
) -> Reply<Response> {
    let gallery = app.gallery(Some(&name))?;
    let side = Thumbnails::side(size.unwrap_or(256));
    let facts = items::item(&gallery, key)?.facts;
    let tag = format!("\"{}-{side}\"", facts.digest);
    if is_known(&headers, &tag) {
        return Ok(StatusCode::NOT_MODIFIED.into_response());
    }
    if let Some(small) = app.thumbnails.get(&facts.digest, side) {
        return Ok(with_tag("image/jpeg", &tag, small));
    }
    let all = app.clone();
    let make = move || {
        let bytes = original(&facts)?;
        Ok(all.thumbnails.make(&facts.digest, side, &bytes)?)
    };
    let small = app.painters.run(make).await?;
    Ok(with_tag("image/jpeg", &tag, small))
}

/// A picture file
///
/// As it is, where browsers show its format; else as a JPEG of 1,024 pixels.
#[utoipa::path(
    get,
    path = "/v1/galleries/{gallery}/items/{key}/file",
    tag = "items",
    params(("gallery" = String, Path), ("key" = u64, Path)),
    responses(
        (status = 200, content_type = "image/*", body = [u8]),
        (status = 304, description = "The one that you have is right"),
    ),
)]
pub async fn file(
    State(app): State<Shared>,
    In((name, key)): In<(String, u64)>,
    headers: HeaderMap,
) -> Reply<Response> {
    let gallery = app.gallery(Some(&name))?;
    let facts = items::item(&gallery, key)?.facts;
    let tag = format!("\"{}\"", facts.digest);
    if is_known(&headers, &tag) {
        return Ok(StatusCode::NOT_MODIFIED.into_response());
    }
    let all = app.clone();
    let read = move || {
        let bytes = original(&facts)?;
        Ok(match shown(&bytes) {
            Some(kind) => (kind, bytes),
            None => (
                "image/jpeg",
                all.thumbnails.make(&facts.digest, 1024, &bytes)?,
            ),
        })
    };
    let (kind, bytes) = app.painters.run(read).await?;
    Ok(with_tag(kind, &tag, bytes))
}

/// The type of a file that browsers show. What it is says the file itself, not its name.
fn shown(bytes: &[u8]) -> Option<&'static str> {
    match format_name(bytes) {
        "jpeg" => Some("image/jpeg"),
        "png" => Some("image/png"),
        "gif" => Some("image/gif"),
        "webp" => Some("image/webp"),
        "bmp" => Some("image/bmp"),
        _ => None,
    }
}
