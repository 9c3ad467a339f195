//! The API for people: a page made from the description that programs read, without anything from elsewhere.

use askama::Template;
use axum::Json;
use axum::Router;
use axum::response::Html;
use axum::routing::get;
use serde_json::Value;
use utoipa::OpenApi;

use super::Shared;
use super::api::Description;
use super::problem::{Problem, Reply};

pub fn routes() -> Router<Shared> {
    Router::new()
        .route(
            "/openapi.json",
            get(|| async { Json(Description::openapi()) }),
        )
        .route("/docs", get(page))
}

#[derive(Template)]
#[template(path = "docs.html")]
struct Page {
    title: String,
    description: String,
    operations: Vec<Operation>,
    schemas: Vec<(String, String)>,
}

struct Operation {
    method: String,
    path: String,
    summary: String,
    description: String,
    /// Name, and what it is.
    parameters: Vec<(String, String)>,
    /// Content type, and what is in it.
    bodies: Vec<(String, String)>,
    answers: Vec<(String, String)>,
}

async fn page() -> Reply<Html<String>> {
    let api = serde_json::to_value(Description::openapi()).map_err(Problem::internal)?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut operations = Vec::new();
    for (path, methods) in api["paths"].as_object().into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            operations.push(Operation {
                method: method.to_uppercase(),
                path: path.clone(),
                summary: text(&operation["summary"]),
                description: text(&operation["description"]),
                parameters: parameters(&operation["parameters"]),
                bodies: contents(&operation["requestBody"]["content"]),
                answers: answers(&operation["responses"]),
            });
        }
    }
    let schemas = api["components"]["schemas"]
        .as_object()
        .into_iter()
        .flatten();
    let page = Page {
        title: text(&api["info"]["title"]),
        description: text(&api["info"]["description"]),
        operations,
        schemas: schemas
            .map(|(name, schema)| {
                (
                    name.clone(),
                    serde_json::to_string_pretty(schema).unwrap_or_default(),
                )
            })
            .collect(),
    };
    page.render().map(Html).map_err(Problem::internal)
}

fn parameters(list: &Value) -> Vec<(String, String)> {
    let list = list.as_array().into_iter().flatten();
    let told = |p: &Value| {
        let name = p["name"].as_str().unwrap_or_default().to_owned();
        let place = p["in"].as_str().unwrap_or_default();
        let about = p["description"].as_str().unwrap_or_default();
        (name, format!("{place}. {about}"))
    };
    list.map(told).collect()
}

fn contents(content: &Value) -> Vec<(String, String)> {
    let content = content.as_object().into_iter().flatten();
    content
        .map(|(kind, body)| (kind.clone(), schema(&body["schema"])))
        .collect()
}

fn answers(responses: &Value) -> Vec<(String, String)> {
    let responses = responses.as_object().into_iter().flatten();
    let told = |(status, answer): (&String, &Value)| {
        let bodies = contents(&answer["content"]);
        let kinds: Vec<String> = bodies
            .into_iter()
            .map(|(kind, schema)| format!("{schema} ({kind})"))
            .collect();
        (status.clone(), kinds.join(", "))
    };
    responses.map(told).collect()
}

/// The name of a schema, or its type.
fn schema(value: &Value) -> String {
    let named = value["$ref"].as_str().and_then(|r| r.rsplit('/').next());
    let typed = value["type"].as_str();
    named.or(typed).unwrap_or_default().to_owned()
}
