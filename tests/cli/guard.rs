//! `serve`: who is let in, what is too much, and what no request may do.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Mutex;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::program::{Outcome, program};
use super::server::Server;
use super::shelf::{PICTURES, Shelf, ids};

const READ: &str = "reader-0123456789abcdef";
const WRITE: &str = "writer-0123456789abcdef";

#[test]
fn keys_open_what_they_are_for() {
    let shelf = Shelf::indexed();
    let keys = shelf.path("keys.txt");
    fs::write(&keys, format!("# who\nread {READ}\n\nwrite {WRITE}\n")).unwrap();
    let server = Server::start(
        &shelf.gallery(),
        &["--api-key-file", keys.to_str().unwrap()],
    );
    let list = |headers: &[&str]| server.request("GET", "/v1/galleries", headers, b"");
    list(&[]).is_problem(401, "key-required");
    assert!(
        list(&[])
            .headers
            .to_lowercase()
            .contains("www-authenticate: bearer")
    );
    list(&["Authorization: Bearer wrong-0123456789abcdef"]).is_problem(401, "key-required");
    for name in ["Authorization: Bearer ", "X-API-Key: "] {
        for key in [READ, WRITE] {
            list(&[&format!("{name}{key}")]).ok();
        }
    }
    list(&[&format!("Cookie: a=b; tuwen-key={READ}")]).ok();
    let search = |header: &str| {
        let body = json!({"text": "红色"}).to_string();
        server.request("POST", "/v1/search", &[header], body.as_bytes())
    };
    search(&format!("X-API-Key: {READ}")).ok();
    // a browser sends cookies for any site
    search(&format!("Cookie: tuwen-key={READ}")).is_problem(401, "key-required");
    let sync = |header: &str| server.request("POST", "/v1/galleries/g/sync", &[header], b"");
    sync(&format!("X-API-Key: {READ}")).is_problem(403, "key-reads-only");
    assert_eq!(sync(&format!("X-API-Key: {WRITE}")).status, 202);
    for open in ["/healthz", "/readyz", "/", "/openapi.json"] {
        assert_eq!(server.get(open).status, 200, "{open}");
    }
    server.get("/metrics").is_problem(401, "key-required");
}

#[test]
fn a_server_is_closed_to_others_unless_it_is_told_otherwise() {
    let shelf = Shelf::indexed();
    let start = |more: &[&str]| {
        let mut command = program();
        command.arg("serve").arg("--gallery").arg(shelf.gallery());
        Outcome::of(
            command
                .args(["--host", "0.0.0.0", "--port", "0"])
                .args(more),
        )
    };
    start(&[]).fails().says(&["--api-key-file"]);
    let keys = shelf.path("keys.txt");
    for (text, said) in [
        ("", "has no key"),
        ("read short\n", "line 1"),
        ("admin 0123456789abcdef\n", "line 1"),
    ] {
        fs::write(&keys, text).unwrap();
        start(&["--api-key-file", keys.to_str().unwrap()])
            .fails()
            .says(&[said]);
    }
    let server = Server::start(&shelf.gallery(), &[]);
    // a page whose name was made to point here
    let rebound = server
        .raw(b"GET /v1/galleries HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
    assert!(
        rebound.starts_with(b"HTTP/1.1 421"),
        "{}",
        String::from_utf8_lossy(&rebound)
    );
    // a page of another site
    let foreign = server.request(
        "POST",
        "/v1/galleries/g/sync",
        &["Origin: https://evil.example"],
        b"",
    );
    foreign.is_problem(403, "cross-origin");
    let own = format!("Origin: http://{}", server.address);
    assert_eq!(
        server
            .request("POST", "/v1/galleries/g/sync", &[&own], b"")
            .status,
        202
    );
    let frozen = Server::start(&shelf.gallery(), &["--read-only"]);
    frozen
        .request("POST", "/v1/galleries/g/sync", &[], b"")
        .is_problem(403, "read-only");
    assert_eq!(frozen.get("/v1/galleries").ok()["read_only"], true);
}

#[test]
fn what_does_not_fit_is_a_problem_that_says_so() {
    let shelf = Shelf::indexed();
    let server = Server::start(&shelf.gallery(), &["--max-body", "1"]);
    let ask = |body: &Value| server.post("/v1/search", body);
    ask(&json!({})).is_problem(400, "bad-request");
    ask(&json!([])).is_problem(400, "bad-request");
    ask(&json!({"txt": "红"})).is_problem(400, "bad-request");
    ask(&json!({"text": "红", "limit": 0})).is_problem(400, "bad-request");
    ask(&json!({"text": "红", "limit": 1001})).is_problem(400, "bad-request");
    ask(&json!({"text": "红", "filter": "width >"})).is_problem(400, "bad-filter");
    ask(&json!({"text": "红", "gallery": "x"})).is_problem(404, "not-found");
    ask(&json!({"text": "红", "weights": {"text": -1}})).is_problem(400, "bad-request");
    ask(&json!({"pictures": ["@@"]})).is_problem(400, "bad-request");
    ask(&json!({"pictures": ["QUJD"]})).is_problem(422, "unusable-picture");
    ask(&json!({"text": "红".repeat(10_001)})).is_problem(400, "bad-request");
    let named = ask(&json!({"text": "红", "weights": {"text": "much"}}));
    assert!(
        named.json()["detail"]
            .as_str()
            .unwrap()
            .contains("weights.text"),
        "{}",
        named.text()
    );
    server
        .request("POST", "/v1/search", &[], &vec![b' '; 2 << 20])
        .is_problem(413, "too-large");
    server
        .form("/v1/search", &[], &[("a.png", &vec![0; 2 << 20])])
        .is_problem(413, "too-large");
    server
        .form("/v1/search", &[], &[("a.png", b"not one")])
        .is_problem(422, "unusable-picture");
    server
        .form("/v1/galleries/g/items", &[], &[("a.png", b"not one")])
        .is_problem(400, "bad-request");
    server
        .form("/v1/galleries/g/items", &[], &[])
        .is_problem(400, "bad-request");
    server.get("/v1/nothing").is_problem(404, "not-found");
    server
        .get("/v1/search")
        .is_problem(405, "method-not-allowed");
    server
        .get("/v1/galleries/g/items/x")
        .is_problem(404, "not-found");
    server
        .get("/v1/galleries/g/items/18446744073709551615")
        .is_problem(404, "not-found");
    for path in ["/v1/search", "/v1/copies", "/v1/captions", "/v1/keywords"] {
        let answer = server.post(path, &json!({"like": [1u64 << 63]}));
        assert!(
            [400, 404].contains(&answer.status),
            "{path}: {}",
            answer.text()
        );
    }
    server
        .get("/v1/galleries/g/items?limit=x")
        .is_problem(400, "bad-request");
    server
        .get("/v1/galleries/%ff/items")
        .is_problem(404, "not-found");
}

/// A picture that cannot be decoded is accepted, and the task says what is wrong with it.
#[test]
fn an_unusable_upload_is_told_of() {
    let shelf = Shelf::indexed();
    let server = Server::start(&shelf.gallery(), &[]);
    let whole = fs::read(shelf.photo("shape-0097.png")).unwrap();
    let task =
        server.task(&server.form("/v1/galleries/g/items", &[], &[("half.png", &whole[..40])]));
    assert!(
        task["detail"].as_str().unwrap().contains("cannot be used"),
        "{task}"
    );
    assert_eq!(server.get("/v1/galleries/g").ok()["pictures"], PICTURES);
}

#[test]
fn too_many_at_once_are_told_to_come_back() {
    let shelf = Shelf::indexed();
    let server = Server::start(&shelf.gallery(), &["--queue", "0", "--threads", "1"]);
    let bytes = fs::read(shelf.photo("shape-0097.png")).unwrap();
    let statuses = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for _ in 0..8 {
                    let answer = server.form("/v1/similar", &[], &[("a.png", &bytes)]);
                    if answer.status == 429 {
                        answer.is_problem(429, "busy");
                        assert!(answer.headers.to_lowercase().contains("retry-after: 1"));
                    }
                    statuses.lock().unwrap().push(answer.status);
                }
            });
        }
    });
    let statuses = statuses.into_inner().unwrap();
    let seen: BTreeSet<u16> = statuses.iter().copied().collect();
    assert_eq!(seen, BTreeSet::from([200, 429]), "{statuses:?}");
    assert_eq!(server.get("/healthz").status, 200);
}

/// What was accepted is there in the end, however often the server is killed.
#[test]
fn accepted_changes_outlast_a_kill() {
    let shelf = Shelf::indexed();
    let items = "/v1/galleries/g/items";
    let listed = |server: &Server| {
        let listed = server.get(&format!("{items}?limit=1000")).ok();
        listed["items"].as_array().unwrap().clone()
    };
    let id = |item: &Value| item["id"].as_str().unwrap().to_owned();
    let (mut accepted, mut removed, mut told) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut tasks = BTreeSet::new();
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    for turn in 0..4u8 {
        let mut server = Server::start(&shelf.gallery(), &[]);
        let photos = listed(&server);
        let photos = photos.iter().filter(|item| {
            !id(item).starts_with('/')
                && ![&removed, &told]
                    .iter()
                    .any(|done| done.contains(&id(item)))
        });
        let [first, second] = photos.take(2).collect::<Vec<_>>()[..] else {
            panic!("the shelf has more pictures")
        };
        let path = |item: &Value| format!("{items}/{}", item["key"]);
        let words = json!({"captions": ["一只鹦鹉"], "tags": ["鸟"]}).to_string();
        for (method, item, body) in [("DELETE", first, ""), ("PATCH", second, &words)] {
            let answer = server.request(method, &path(item), &[], body.as_bytes());
            assert_eq!(answer.status, 202, "{}", answer.text());
            assert!(
                tasks.insert(answer.json()["id"].as_u64()),
                "a number comes twice"
            );
        }
        removed.insert(id(first));
        told.insert(id(second));
        for n in 0..4u8 {
            let pixels = image::RgbImage::from_fn(64, 64, |x, y| {
                image::Rgb([(x * 3) as u8 ^ turn, (y * 3) as u8 ^ n, turn * 40 + n])
            });
            let mut png = std::io::Cursor::new(Vec::new());
            pixels.write_to(&mut png, image::ImageFormat::Png).unwrap();
            let answer = server.form(
                items,
                &[("caption", "条纹")],
                &[("k.png", &png.into_inner())],
            );
            assert_eq!(answer.status, 202, "{}", answer.text());
            accepted.insert(answer.json()["pictures"][0].as_str().unwrap().to_owned());
        }
        std::thread::sleep(std::time::Duration::from_millis(rng.gen_range(0..200)));
        server.kill();
    }
    assert_eq!(accepted.len(), 16);
    let server = Server::start(&shelf.gallery(), &[]);
    let start = std::time::Instant::now();
    loop {
        let items = listed(&server);
        let with = |captions: &Value| -> BTreeSet<String> {
            let those = items.iter().filter(|item| item["captions"] == *captions);
            those.map(id).collect()
        };
        let all: BTreeSet<String> = items.iter().map(id).collect();
        let striped = with(&json!(["条纹"]));
        let parrots = with(&json!(["一只鹦鹉"]));
        if striped == accepted && parrots == told && all.is_disjoint(&removed) {
            break;
        }
        assert!(
            start.elapsed().as_secs() < 50,
            "{striped:?} {parrots:?} {all:?}"
        );
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    shelf.show(&["--check"]).ok();
}

/// Answers stay right while pictures come and go.
#[test]
fn searches_go_on_while_pictures_come_and_go() {
    let shelf = Shelf::indexed();
    let server = Server::start(&shelf.gallery(), &[]);
    let question = json!({"text": "红色的圆", "filter": "folder = sub"});
    let right = server.post("/v1/search", &question).ok();
    let bytes = fs::read("tests/fixtures/pictures/photo.png").unwrap();
    std::thread::scope(|scope| {
        let askers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..25 {
                        let found = server.post("/v1/search", &question).ok();
                        assert_eq!(ids(&found), ids(&right));
                    }
                })
            })
            .collect();
        for _ in 0..3 {
            let task =
                server.task(&server.form("/v1/galleries/g/items", &[], &[("p.png", &bytes)]));
            let path = format!("/v1/galleries/g/items/{}", task["keys"][0]);
            server.task(&server.request("DELETE", &path, &[], b""));
        }
        askers.into_iter().for_each(|a| a.join().unwrap());
    });
}

/// Bodies that almost fit, and such that do not: the server goes on, and nothing is its fault. `TUWEN_BODIES` says how many.
#[test]
fn no_body_brings_the_server_down() {
    let shelf = Shelf::indexed();
    let server = Server::start(&shelf.gallery(), &[]);
    let bodies: usize =
        std::env::var("TUWEN_BODIES").map_or(2000, |n| n.parse().expect("a number"));
    let seeds = [
        json!({"text": "红色的圆", "must": ["红"], "not": ["蓝"], "filter": "width > 1 and (folder = sub or has text)", "limit": 5, "explain": true}),
        json!({"like": [1, 2], "find": "copies", "weights": {"text": 0.3, "image": 0.7}, "cursor": "5-0123456789abcdef"}),
        json!({"pictures": ["iVBORw0KGgo="], "find": "texts", "min_probability": 0.5, "dedupe": true}),
        json!({"queries": [{"text": "圆"}, {"text": "方", "limit": 1}]}),
        json!({"text": null, "image": null, "indice_name": "g", "num_images": 3, "modality": "image", "ids": [1, "2", -1]}),
        json!({"captions": ["圆"], "tags": ["形"], "path": "/etc/passwd"}),
    ];
    let paths = [
        ("POST", "/v1/search"),
        ("POST", "/v1/search/batch"),
        ("POST", "/v1/similar"),
        ("POST", "/v1/copies"),
        ("POST", "/v1/captions"),
        ("POST", "/v1/keywords"),
        ("POST", "/knn-service"),
        ("POST", "/metadata"),
        ("POST", "/v1/galleries/g/items"),
        ("PATCH", "/v1/galleries/g/items/0"),
    ];
    let words: [&[u8]; 10] = [
        b"null",
        b"-1",
        b"1e999",
        b"\"",
        b"[",
        b"{",
        b"\\ud800",
        b"\xff",
        "圆".as_bytes(),
        b"18446744073709551616",
    ];
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    for _ in 0..bodies {
        let mut body = seeds[rng.gen_range(0..seeds.len())]
            .to_string()
            .into_bytes();
        for _ in 0..rng.gen_range(0..4) {
            let at = rng.gen_range(0..=body.len());
            match rng.gen_range(0..4) {
                0 => body.truncate(at),
                1 if at < body.len() => body[at] = rng.r#gen(),
                2 if at < body.len() => drop(body.remove(at)),
                _ => {
                    drop(body.splice(at..at, words[rng.gen_range(0..words.len())].iter().copied()))
                }
            }
        }
        let (method, path) = paths[rng.gen_range(0..paths.len())];
        let kind = match rng.gen_range(0..6) {
            0 => "Content-Type: multipart/form-data; boundary=x",
            1 => "Content-Type: text/plain",
            _ => "Content-Type: application/json",
        };
        let answer = server.request(method, path, &[kind], &body);
        let body = String::from_utf8_lossy(&body);
        assert!(
            (200..500).contains(&answer.status),
            "{method} {path} {kind} {body}: {}",
            answer.text()
        );
    }
    assert_eq!(server.get("/readyz").status, 200);
}
