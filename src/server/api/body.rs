//! Bodies of requests, read within limits.

use axum::body::Bytes;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::header;
use serde::de::DeserializeOwned;

use crate::server::App;
use crate::server::problem::{Problem, Reply};

/// A form's JSON part, and its files with their names.
pub struct Form {
    pub query: Bytes,
    pub files: Vec<(String, Bytes)>,
    /// Other fields, in their order.
    pub fields: Vec<(String, String)>,
}

/// The name of the part that has the JSON.
const QUERY: &str = "query";
/// The name of parts that are pictures.
const PICTURE: &str = "picture";
/// Parts of a form, at most.
const PARTS: usize = 256;

/// A body as it is.
///
/// # Errors
/// 413 for one that is too large.
pub async fn bytes(app: &App, request: Request) -> Reply<Bytes> {
    let limit = app.max_body;
    let stated = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|v| v.to_str().ok()?.parse::<usize>().ok());
    if stated.is_some_and(|n| n > limit) {
        return Err(Problem::too_large(limit));
    }
    let read = axum::body::to_bytes(request.into_body(), limit).await;
    read.map_err(|e| {
        use std::error::Error as _;
        let is_limit = e
            .source()
            .is_some_and(|s| s.to_string().contains("length limit"));
        match is_limit {
            true => Problem::too_large(limit),
            false => Problem::bad_request(format!("the body breaks off: {e}")),
        }
    })
}

/// What a JSON text says. The message names the place of what does not fit.
pub fn json<T: DeserializeOwned>(bytes: &[u8]) -> Reply<T> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|e| {
        let (path, reason) = (e.path().to_string(), e.inner().to_string());
        Problem::bad_request(match path.as_str() {
            "." => format!("the JSON cannot be read: {reason}"),
            path => format!("`{path}`: {reason}"),
        })
    })?;
    reader
        .end()
        .map_err(|e| Problem::bad_request(format!("after the JSON: {e}")))?;
    Ok(value)
}

/// Whether a request is a form with files.
pub fn is_form(request: &Request) -> bool {
    let kind = request.headers().get(header::CONTENT_TYPE);
    kind.and_then(|v| v.to_str().ok()).is_some_and(|v| {
        v.trim_start()
            .to_ascii_lowercase()
            .starts_with("multipart/")
    })
}

/// The parts of a form.
pub async fn form(app: &App, request: Request) -> Reply<Form> {
    let wrong = |e: axum::extract::multipart::MultipartError| {
        Problem::bad_request(format!("the form cannot be read: {}", e.body_text()))
    };
    let read = Multipart::from_request(request, &()).await;
    let mut parts = read
        .map_err(|e| Problem::bad_request(format!("the form cannot be read: {}", e.body_text())))?;
    let mut form = Form {
        query: Bytes::from_static(b"{}"),
        files: vec![],
        fields: vec![],
    };
    let mut read = 0;
    for _ in 0..PARTS {
        let Some(mut part) = parts.next_field().await.map_err(wrong)? else {
            return Ok(form);
        };
        let name = part.name().unwrap_or_default().to_owned();
        let file = part.file_name().map(str::to_owned);
        let mut bytes = Vec::new();
        while let Some(chunk) = part.chunk().await.map_err(wrong)? {
            read += chunk.len();
            if read > app.max_body {
                return Err(Problem::too_large(app.max_body));
            }
            bytes.extend_from_slice(&chunk);
        }
        let bytes = Bytes::from(bytes);
        match name.as_str() {
            QUERY => form.query = bytes,
            PICTURE => form.files.push((file.unwrap_or_default(), bytes)),
            _ => {
                let text = String::from_utf8(bytes.into()).map_err(|_| {
                    Problem::bad_request(format!(
                        "the field `{}` is not UTF-8",
                        name.escape_debug()
                    ))
                })?;
                form.fields.push((name, text));
            }
        }
    }
    Err(Problem::bad_request(format!(
        "a form has at most {PARTS} parts"
    )))
}
