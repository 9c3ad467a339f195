//! The page: its files are in the program.

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;

use super::Shared;

const HTML: &str = include_str!("page/index.html");
const STYLE: &str = include_str!("page/style.css");
const ICON: &str = include_str!("page/icon.svg");
/// In the order in which they need each other; a browser loads them as modules.
const SCRIPTS: [(&str, &str); 7] = [
    ("/page/app.js", include_str!("page/app.js")),
    ("/page/query.js", include_str!("page/query.js")),
    ("/page/api.js", include_str!("page/api.js")),
    ("/page/words.js", include_str!("page/words.js")),
    ("/page/results.js", include_str!("page/results.js")),
    ("/page/viewer.js", include_str!("page/viewer.js")),
    ("/page/pair.js", include_str!("page/pair.js")),
];

fn file(kind: &'static str, text: &'static str) -> impl IntoResponse {
    // A new version of the program has other files under the same names.
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, text)
}

/// Everybody may load the page; what it shows takes a key where the server has keys.
pub fn routes() -> Router<Shared> {
    let mut router = Router::new()
        .route(
            "/",
            get(|| async { file("text/html; charset=utf-8", HTML) }),
        )
        .route("/page/style.css", get(|| async { file("text/css", STYLE) }))
        .route(
            "/page/icon.svg",
            get(|| async { file("image/svg+xml", ICON) }),
        );
    for (path, script) in SCRIPTS {
        router = router.route(
            path,
            get(move || async move { file("text/javascript", script) }),
        );
    }
    router
}
