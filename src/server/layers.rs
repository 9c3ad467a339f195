//! What all requests go through.

use std::any::Any;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Shared;
use super::problem::Problem;

/// A request that has not been read or answered by then is given up.
const MOST: Duration = Duration::from_secs(120);

const HEADERS: [(HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        header::HeaderName::from_static("cross-origin-resource-policy"),
        "cross-origin",
    ),
];

/// What keeps a browser from doing more with an answer than it should.
pub async fn with_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        let headers = response.headers_mut();
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    response
}

/// Counts requests and their time by route.
pub async fn counted(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map(|p| p.as_str().to_owned());
    let method = request.method().clone();
    let start = Instant::now();
    let response = match tokio::time::timeout(MOST, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::timed_out(MOST.as_secs()).into_response(),
    };
    let route = route.unwrap_or_else(|| "none".into());
    let (took, status) = (start.elapsed(), response.status().as_u16());
    tracing::debug!(
        "{method} {route}: {status} in {:.1} ms",
        1e3 * took.as_secs_f64()
    );
    app.metrics.answered(&route, status, took);
    response
}

/// No panic reaches a client.
pub fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    Problem::internal(format!("a handler panicked: {}", text.unwrap_or("?"))).into_response()
}
