//! Errors as clients get them: problem details (RFC 9457), with a code that programs can tell apart.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tuwen::Error;
use utoipa::ToSchema;

/// What went wrong with a request.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Problem {
    /// The HTTP status.
    #[serde(serialize_with = "number")]
    #[schema(value_type = u16)]
    pub status: StatusCode,
    /// What kind of problem it is.
    pub title: &'static str,
    /// The same for programs.
    pub code: &'static str,
    /// What is wrong with this request, and what to do.
    pub detail: String,
    #[serde(skip)]
    retry_after_s: Option<u32>,
}

fn number<S: serde::Serializer>(status: &StatusCode, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_u16(status.as_u16())
}

/// What a handler returns.
pub type Reply<T> = Result<T, Problem>;

impl Problem {
    fn new(status: StatusCode, code: &'static str, title: &'static str, detail: String) -> Self {
        Self {
            status,
            title,
            code,
            detail,
            retry_after_s: None,
        }
    }

    /// A request that does not say what it must, or not in the form that it must.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        let title = "The request cannot be understood";
        Self::new(StatusCode::BAD_REQUEST, "bad-request", title, detail.into())
    }

    pub fn not_found(detail: impl Into<String>) -> Self {
        let title = "There is no such thing";
        Self::new(StatusCode::NOT_FOUND, "not-found", title, detail.into())
    }

    pub fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method-not-allowed",
            "The method does not fit the path",
            "/openapi.json lists the methods of each path".into(),
        )
    }

    pub fn too_large(limit: usize) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too-large",
            "The request is too large",
            format!("a request has at most {} MiB", limit >> 20),
        )
    }

    pub fn unauthorised() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "key-required",
            "A key is required",
            "send a key that this server knows, as `Authorization: Bearer KEY` or `X-API-Key: KEY`"
                .into(),
        )
    }

    pub fn forbidden(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            code,
            "This is not allowed",
            detail.into(),
        )
    }

    /// A name that this server does not answer to.
    pub fn misdirected() -> Self {
        Self::new(
            StatusCode::MISDIRECTED_REQUEST,
            "unknown-host",
            "The server has another name",
            "without keys the server answers to localhost alone, so that no web page can reach it by a name of its own".into(),
        )
    }

    /// More requests than the server can take.
    pub fn busy() -> Self {
        Self {
            retry_after_s: Some(1),
            ..Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "busy",
                "The server is busy",
                "too many requests are waiting; try again a little later".into(),
            )
        }
    }

    pub fn timed_out(seconds: u64) -> Self {
        Self {
            retry_after_s: Some(5),
            ..Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "timed-out",
                "The answer took too long",
                format!("it was not there after {seconds} s"),
            )
        }
    }

    /// Something that a client cannot mend; the log says what.
    pub fn internal(reason: impl std::fmt::Display) -> Self {
        tracing::error!("{reason}");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "The server failed",
            "the server's log says why".into(),
        )
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        match error {
            Error::Query { .. } => Self::bad_request(detail),
            Error::Filter { .. } => Self {
                code: "bad-filter",
                ..Self::bad_request(detail)
            },
            Error::Picture { .. } | Error::OpenCv { .. } => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "unusable-picture",
                "The picture cannot be used",
                detail,
            ),
            _ => Self::internal(detail),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        let kind = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, kind);
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            headers.insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}
