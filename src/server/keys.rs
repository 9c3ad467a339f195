//! Who may ask, and who may change a gallery.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use blake3::Hash;

use super::Shared;
use super::problem::{Problem, Reply};

/// What a request needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Read,
    Write,
}

/// The keys of a server, as digests: comparing two of them takes the same time wherever they differ.
#[derive(Default)]
pub struct Keys(Vec<(Access, Hash)>);

/// Shorter keys can be guessed.
const SHORTEST: usize = 16;
/// Where the page keeps its key, so that pictures are shown; it counts for reading alone.
const COOKIE: &str = "tuwen-key=";

impl Keys {
    /// Reads a file with one key in each line: `read KEY` or `write KEY`; `#` begins a comment.
    pub fn read(path: &Path) -> Result<Self> {
        let context = || format!("cannot read {}", path.display());
        let text = std::fs::read_to_string(path).with_context(context)?;
        let mut keys = Vec::new();
        for (number, line) in (1..).zip(text.lines().map(str::trim)) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (access, key) = match line.split_once(char::is_whitespace) {
                Some(("read", key)) => (Access::Read, key.trim()),
                Some(("write", key)) => (Access::Write, key.trim()),
                _ => bail!(
                    "{}, line {number}: write `read KEY` or `write KEY`",
                    path.display()
                ),
            };
            ensure!(
                key.len() >= SHORTEST && key.bytes().all(|b| b.is_ascii_graphic()),
                "{}, line {number}: a key has {SHORTEST} or more letters, digits or signs, and no space",
                path.display()
            );
            keys.push((access, blake3::hash(key.as_bytes())));
        }
        ensure!(!keys.is_empty(), "{} has no key", path.display());
        Ok(Self(keys))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What a key allows; who may write may read.
    fn access(&self, key: &str) -> Option<Access> {
        let digest = blake3::hash(key.as_bytes());
        let mut found = None;
        for (access, known) in &self.0 {
            if *known == digest && found != Some(Access::Write) {
                found = Some(*access);
            }
        }
        found
    }
}

/// The key of a request.
fn key<'a>(method: &Method, headers: &'a HeaderMap) -> Option<&'a str> {
    let text = |name: header::HeaderName| headers.get(name)?.to_str().ok();
    if let Some(value) = text(header::AUTHORIZATION) {
        return value.strip_prefix("Bearer ").map(str::trim);
    }
    if let Some(value) = text(header::HeaderName::from_static("x-api-key")) {
        return Some(value.trim());
    }
    if *method != Method::GET {
        return None;
    }
    let mut cookies = text(header::COOKIE)?.split(';');
    cookies.find_map(|c| c.trim().strip_prefix(COOKIE))
}

fn check(app: &Shared, request: &Request, needed: Access) -> Reply<()> {
    let headers = request.headers();
    if needed == Access::Write {
        if app.read_only {
            return Err(Problem::forbidden(
                "read-only",
                "this server changes nothing",
            ));
        }
        if !is_same_origin(headers) {
            return Err(Problem::forbidden(
                "cross-origin",
                "another site's page may not change a gallery",
            ));
        }
    }
    if app.keys.is_empty() {
        return match app.is_local && !is_local_name(headers) {
            true => Err(Problem::misdirected()),
            false => Ok(()),
        };
    }
    let allowed = key(request.method(), headers).and_then(|key| app.keys.access(key));
    match (allowed, needed) {
        (None, _) => Err(Problem::unauthorised()),
        (Some(Access::Read), Access::Write) => Err(Problem::forbidden(
            "key-reads-only",
            "this key may search, and not change a gallery",
        )),
        _ => Ok(()),
    }
}

/// Whether a request is not one that a browser sends for a page of another site.
fn is_same_origin(headers: &HeaderMap) -> bool {
    let text = |name| {
        headers
            .get(name)
            .and_then(|v: &axum::http::HeaderValue| v.to_str().ok())
    };
    let (Some(origin), host) = (text(header::ORIGIN), text(header::HOST)) else {
        return true;
    };
    origin.split_once("://").map(|(_, origin)| origin) == host
}

/// Whether the server is called by a name that no foreign page can give it.
fn is_local_name(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(header::HOST).and_then(|v| v.to_str().ok()) else {
        return true; // HTTP/1.0, which no browser speaks
    };
    let name = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let address = name.parse::<std::net::IpAddr>();
    name == "localhost" || name.ends_with(".localhost") || address.is_ok_and(|ip| ip.is_loopback())
}

/// Lets requests through that may read.
pub async fn reading(State(app): State<Shared>, request: Request, next: Next) -> Reply<Response> {
    check(&app, &request, Access::Read)?;
    Ok(next.run(request).await)
}

/// Lets requests through that may write.
pub async fn writing(State(app): State<Shared>, request: Request, next: Next) -> Reply<Response> {
    check(&app, &request, Access::Write)?;
    Ok(next.run(request).await)
}
