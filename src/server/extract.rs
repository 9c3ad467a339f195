//! What a path and its query say. What does not fit is a problem as any other.

use axum::RequestPartsExt;
use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::problem::Problem;

/// The variable parts of a path.
pub struct In<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send + 'static> FromRequestParts<S> for In<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let read = parts.extract::<Path<T>>().await;
        // A number that is none names nothing.
        read.map(|Path(value)| Self(value))
            .map_err(|e| Problem::not_found(e.body_text()))
    }
}

/// What stands after the `?`.
pub struct With<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send + 'static> FromRequestParts<S> for With<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let read = parts.extract::<Query<T>>().await;
        read.map(|Query(value)| Self(value))
            .map_err(|e| Problem::bad_request(e.body_text()))
    }
}
