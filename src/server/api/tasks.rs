//! What was asked to be changed.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::server::Shared;
use crate::server::extract::{In, With};
use crate::server::problem::{Problem, Reply};
use crate::server::tasks::Task;

/// The answer to a change that is accepted.
pub type Accepted = (StatusCode, Json<Task>);

/// Accepts a change. To note it takes as long as the disk, which no other request waits for.
pub async fn accept(change: impl FnOnce() -> Reply<Task> + Send + 'static) -> Reply<Accepted> {
    let accepted = tokio::task::spawn_blocking(change).await;
    Ok((
        StatusCode::ACCEPTED,
        Json(accepted.map_err(Problem::internal)??),
    ))
}

/// Tasks of an answer, at most.
const MOST: usize = 1000;

#[derive(Debug, Serialize, ToSchema)]
pub struct TaskList {
    /// The newest first.
    pub tasks: Vec<Task>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

/// List changes
#[utoipa::path(
    get,
    path = "/v1/tasks",
    tag = "tasks",
    params(Limit),
    responses(
        (status = 200, body = TaskList),
    ),
)]
pub async fn all(
    State(app): State<Shared>,
    With(Limit { limit }): With<Limit>,
) -> Reply<Json<TaskList>> {
    let limit = limit.unwrap_or(100);
    if !(1..=MOST).contains(&limit) {
        return Err(Problem::bad_request(format!(
            "`limit` is {limit}; from 1 to {MOST}"
        )));
    }
    Ok(Json(TaskList {
        tasks: app.tasks.newest(limit),
    }))
}

/// What became of a change
#[utoipa::path(
    get,
    path = "/v1/tasks/{id}",
    tag = "tasks",
    params(("id" = u64, Path)),
    responses(
        (status = 200, body = Task),
    ),
)]
pub async fn one(State(app): State<Shared>, In(id): In<u64>) -> Reply<Json<Task>> {
    let task = app.tasks.get(id);
    let gone = || Problem::not_found(format!("there is no task {id}, or it is long over"));
    task.map(Json).ok_or_else(gone)
}
