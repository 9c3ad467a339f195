//! `serve`: what the engine answers comes through HTTP, pictures come and go, and clients of clip-retrieval are served.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use super::server::Server;
use super::shelf::{PICTURES, Shelf, ids, tables};

#[test]
fn answers_are_those_of_the_engine() {
    let shelf = Shelf::indexed();
    let server = Server::start(&shelf.gallery(), &[]);
    let printed = shelf.ids(&["红色的圆", "--top", "20"]);
    let found = server
        .post("/v1/search", &json!({"text": "红色的圆", "explain": true}))
        .ok();
    assert_eq!(ids(&found), printed);
    assert_eq!(found["searched"], PICTURES);
    assert_eq!(found["gallery"], "g");
    for hit in found["hits"].as_array().unwrap() {
        assert!(hit["score"].as_f64().unwrap() >= 0.0);
        assert!(!hit["why"]["parts"].as_array().unwrap().is_empty());
        let path = hit["thumbnail"].as_str().unwrap();
        let small = server.get(&format!("{path}?size=100"));
        assert_eq!(small.status, 200);
        assert_eq!(small.body[..2], [0xff, 0xd8], "a JPEG");
    }
    // the same by parts of a form, and in a batch
    let form = server.form("/v1/search", &[("query", "{\"text\": \"红色的圆\"}")], &[]);
    assert_eq!(ids(&form.ok()), printed);
    let batch = json!({"queries": [{"text": "红色的圆"}, {}, {"text": "红色的圆", "limit": 3}]});
    let batch = server.post("/v1/search/batch", &batch).ok();
    assert_eq!(ids(&batch["answers"][0]), printed);
    assert_eq!(batch["answers"][1]["code"], "bad-request");
    assert_eq!(ids(&batch["answers"][2]), printed[..3]);
}

#[test]
fn pages_make_up_the_whole() {
    let shelf = Shelf::indexed();
    let server = Server::start(&shelf.gallery(), &[]);
    let mut question = json!({"text": "红色的圆", "limit": 100});
    let whole = ids(&server.post("/v1/search", &question).ok());
    assert_eq!(whole.len(), PICTURES);
    question["limit"] = 7.into();
    let mut pages = Vec::new();
    loop {
        let page = server.post("/v1/search", &question).ok();
        pages.extend(ids(&page));
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        question["cursor"] = cursor.into();
    }
    assert_eq!(pages, whole);
    question["cursor"] = "7-0123456789abcdef".into();
    server
        .post("/v1/search", &question)
        .is_problem(400, "bad-request");

    let mut all = Vec::new();
    let mut path = "/v1/galleries/g/items?limit=5".to_owned();
    loop {
        let page = server.get(&path).ok();
        all.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|i| i["key"].as_u64().unwrap()),
        );
        let Some(cursor) = page["next_cursor"].as_u64() else {
            break;
        };
        path = format!("/v1/galleries/g/items?limit=5&cursor={cursor}");
    }
    assert_eq!(all.len(), PICTURES);
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), PICTURES);
}

#[test]
fn a_picture_asks_for_its_like_its_copies_its_captions_and_words() {
    let shelf = Shelf::new();
    shelf.create(&["--captions", &tables(&shelf)[0]]).ok();
    let server = Server::start(&shelf.gallery(), &[]);
    let bytes = fs::read(shelf.photo("shape-0097.png")).unwrap();
    let alike = server
        .form(
            "/v1/similar",
            &[("query", "{\"limit\": 5}")],
            &[("a.png", &bytes)],
        )
        .ok();
    assert_eq!(ids(&alike)[0], "shape-0097.png");
    let key = &alike["hits"][0]["key"];
    // by its key, it is not among the hits
    let held = server
        .post("/v1/similar", &json!({"like": [key], "limit": 4}))
        .ok();
    assert_eq!(ids(&held), ids(&alike)[1..]);
    let copies = server.form("/v1/copies", &[], &[("a.png", &bytes)]).ok();
    assert_eq!(copies["hits"][0]["why"]["copy"]["same_bytes"], true);
    let copies = server.post("/v1/copies", &json!({"like": [key]})).ok();
    assert!(
        !ids(&copies).contains(&"shape-0097.png".to_owned()),
        "{copies}"
    );
    let captions = server
        .post("/v1/captions", &json!({"like": [key], "limit": 2}))
        .ok();
    assert!(captions["hits"][0]["text"].is_string(), "{captions}");
    let words = server
        .post("/v1/keywords", &json!({"like": [key], "limit": 3}))
        .ok();
    assert_eq!(words["keywords"].as_array().unwrap().len(), 3);
    let same = server
        .form(
            "/v1/keywords",
            &[("query", "{\"limit\": 3}")],
            &[("a.png", &bytes)],
        )
        .ok();
    assert_eq!(words, same);
    server
        .post("/v1/similar", &json!({"like": [999_999]}))
        .is_problem(400, "bad-request");
    server
        .post("/v1/keywords", &json!({}))
        .is_problem(400, "bad-request");
}

#[test]
fn pictures_come_change_and_go() {
    let shelf = Shelf::indexed();
    let server = Server::start(&shelf.gallery(), &[]);
    let items = "/v1/galleries/g/items";
    let count = || {
        server.get("/v1/galleries/g").ok()["pictures"]
            .as_u64()
            .unwrap()
    };
    let bytes = fs::read("tests/fixtures/pictures/photo.png").unwrap();
    let added = server.form(
        items,
        &[("caption", "一只鹦鹉"), ("tag", "鸟")],
        &[("../../p.png", &bytes)],
    );
    let task = server.task(&added);
    assert_eq!(
        (task["status"].as_str(), count()),
        (Some("done"), PICTURES as u64 + 1),
        "{task}"
    );
    let key = task["keys"][0].as_u64().unwrap();
    let item = server.get(&format!("{items}/{key}")).ok();
    assert_eq!(
        (&item["captions"], &item["tags"]),
        (&json!(["一只鹦鹉"]), &json!(["鸟"]))
    );
    let file = server.get(&format!("{items}/{key}/file"));
    assert_eq!(file.body, bytes);
    let tagged = |tag: &str| {
        let asked = json!({"text": "红色", "filter": format!("tag = \"{tag}\"")});
        ids(&server.post("/v1/search", &asked).ok())
    };
    assert_eq!(tagged("鸟").len(), 1);
    // the same file again is the same picture
    assert_eq!(
        server.task(&server.form(items, &[], &[("q.png", &bytes)]))["status"],
        "done"
    );

    let patch = json!({"tags": ["鹦鹉"], "captions": ["绿色的鹦鹉", "鸟"]}).to_string();
    let patched = server.request("PATCH", &format!("{items}/{key}"), &[], patch.as_bytes());
    let key = server.task(&patched)["keys"][0].as_u64().unwrap();
    assert_eq!((tagged("鸟").len(), tagged("鹦鹉").len()), (0, 1));
    let item = server.get(&format!("{items}/{key}")).ok();
    assert_eq!(item["captions"].as_array().unwrap().len(), 2);

    // a folder that is looked at again leaves it alone
    let synced = server.task(&server.request("POST", "/v1/galleries/g/sync", &[], b""));
    assert_eq!(synced["detail"], "0 added, 0 changed, 0 removed");
    let removed = server.request("DELETE", &format!("{items}/{key}"), &[], b"");
    assert_eq!(server.task(&removed)["detail"], "1 removed");
    server
        .get(&format!("{items}/{key}"))
        .is_problem(404, "not-found");
    assert_eq!(
        fs::read_dir(shelf.gallery().join("uploads"))
            .unwrap()
            .count(),
        0
    );
    assert!(
        server
            .get("/metrics")
            .text()
            .contains("tuwen_requests_total")
    );
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn paths_are_added_below_allowed_folders_alone() {
    let shelf = Shelf::indexed();
    let (other, secret) = (shelf.path("other"), shelf.path("secret"));
    for folder in [&other, &secret] {
        fs::create_dir(folder).unwrap();
        fs::copy("tests/fixtures/pictures/photo.png", folder.join("p.png")).unwrap();
    }
    let server = Server::start(&shelf.gallery(), &["--allow", other.to_str().unwrap()]);
    let add = |path: &str| server.post("/v1/galleries/g/items", &json!({"path": path}));
    let task = server.task(&add(other.join("p.png").to_str().unwrap()));
    assert_eq!(task["keys"].as_array().unwrap().len(), 1, "{task}");
    let winding = other.join("../secret/p.png");
    for path in [
        secret.join("p.png"),
        winding,
        shelf.gallery().join("model.tuwen"),
        "/etc/passwd".into(),
    ] {
        add(path.to_str().unwrap()).is_problem(403, "path-not-allowed");
    }
    add("").is_problem(403, "path-not-allowed");
    // a file of the gallery's folder has the id that `index` would give it
    fs::copy(
        "tests/fixtures/pictures/photo.png",
        shelf.photo("sub/new.png"),
    )
    .unwrap();
    let task = server.task(&add(shelf.photo("sub/new.png").to_str().unwrap()));
    assert_eq!(task["pictures"], json!(["sub/new.png"]));
    shelf.index(&[]).ok().prints("nothing new: 33 files");
}

#[test]
fn a_watched_folder_is_followed() {
    let shelf = Shelf::indexed();
    let server = Server::start(
        &shelf.gallery(),
        &["--watch", shelf.photos().to_str().unwrap()],
    );
    let until = |wanted: usize| {
        let start = std::time::Instant::now();
        while server.get("/v1/galleries/g").ok()["pictures"] != wanted {
            assert!(
                start.elapsed().as_secs() < 50,
                "{}",
                server.get("/v1/tasks").text()
            );
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    };
    until(PICTURES);
    fs::copy("tests/fixtures/pictures/photo.png", shelf.photo("new.png")).unwrap();
    until(PICTURES + 1);
    fs::remove_file(shelf.photo("new.png")).unwrap();
    until(PICTURES);
}

#[test]
fn clients_of_clip_retrieval_are_served() {
    let shelf = Shelf::new();
    shelf.create(&["--captions", &tables(&shelf)[0]]).ok();
    let server = Server::start(&shelf.gallery(), &[]);
    assert_eq!(server.get("/indices-list").ok(), json!(["g"]));
    // as its client sends it: without a content type, all fields there
    let knn = |more: Value| {
        let mut asked = json!({
            "text": null, "image": null, "image_url": null, "embedding_input": null, "deduplicate": true,
            "use_safety_model": true, "use_violence_detector": true, "indice_name": "g", "use_mclip": false,
            "aesthetic_score": 9, "aesthetic_weight": 0.5, "modality": "image", "num_images": 2, "num_result_ids": 5,
        });
        asked
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        server.request("POST", "/knn-service", &[], asked.to_string().as_bytes())
    };
    let hits = knn(json!({"text": "红色的圆"})).ok();
    let hits = hits.as_array().unwrap();
    assert_eq!(hits.len(), 5);
    let described = |hit: &Value| hit["url"].is_string() && hit["caption"].is_string();
    assert!(
        hits[..2].iter().all(described) && !hits[2..].iter().any(described),
        "{hits:?}"
    );
    let similarities: Vec<f64> = hits
        .iter()
        .map(|h| h["similarity"].as_f64().unwrap())
        .collect();
    assert!(similarities.is_sorted_by(|a, b| a >= b), "{similarities:?}");
    let url = hits[0]["url"].as_str().unwrap();
    let path = url
        .strip_prefix(&format!("http://{}", server.address))
        .unwrap();
    assert_eq!(server.get(path).status, 200);
    let asked = json!({"ids": [hits[0]["id"], hits[1]["id"].to_string()], "indice_name": "g"});
    let told = server
        .request("POST", "/metadata", &[], asked.to_string().as_bytes())
        .ok();
    assert_eq!(told[0]["metadata"]["url"], hits[0]["url"]);
    assert_eq!(told[1]["id"], hits[1]["id"]);
    let texts = knn(json!({"text": "红色", "modality": "text"})).ok();
    assert!(texts[0]["caption"].is_string(), "{texts}");
    use base64::Engine as _;
    let bytes = fs::read(shelf.photo("shape-0097.png")).unwrap();
    let image = base64::engine::general_purpose::STANDARD.encode(bytes);
    assert_eq!(
        knn(json!({"image": image})).ok().as_array().unwrap().len(),
        5
    );
    knn(json!({"image_url": "http://example.com/a.jpg"})).is_problem(400, "bad-request");
    assert!(
        server
            .get("/indices-list")
            .headers
            .to_lowercase()
            .contains("access-control-allow-origin: *")
    );
}

#[test]
fn the_description_of_the_api_is_whole() {
    let shelf = Shelf::indexed();
    let server = Server::start(&shelf.gallery(), &[]);
    let api = server.get("/openapi.json").ok();
    let text = api.to_string();
    let named = text
        .split("\"#/components/schemas/")
        .skip(1)
        .map(|t| t.split('"').next().unwrap());
    for name in named.collect::<BTreeSet<_>>() {
        assert!(api["components"]["schemas"][name].is_object(), "{name}");
    }
    let paths = api["paths"].as_object().unwrap();
    for path in paths.keys() {
        let path = path
            .replace("{gallery}", "g")
            .replace("{key}", "1")
            .replace("{id}", "1");
        let answer = server.request("TRACE", &path, &[], b"");
        assert_ne!(answer.status, 404, "{path} is described, and not there");
    }
    for page in ["/", "/docs", "/page/app.js", "/page/style.css"] {
        let answer = server.get(page);
        assert_eq!(answer.status, 200, "{page}");
        assert!(
            !answer.text().contains("https://"),
            "{page} names another host"
        );
        assert!(
            answer.headers.contains("default-src 'none'"),
            "{}",
            answer.headers
        );
    }
}
