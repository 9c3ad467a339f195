//! `search --gallery`, `keywords`, `export`: a model that goes to another machine, and a gallery of pictures that it never
//! saw.

use std::fs;

use image::imageops::{crop_imm, flip_horizontal};

use super::case::{Case, columns, odd_picture};
use super::program::{Outcome, program, tuwen};
use super::scenes::scene;
use super::shelf::{PICTURES, Shelf, fitted, ids, model, tables, text};

const SENTENCE: &str = "五乘五红色棋盘格构成的图案";

#[test]
fn a_model_needs_nothing_of_the_data_that_it_learned_from() {
    let case = Case::new().copied();
    let model = fitted(&case, &[]);
    drop(case);
    let shelf = Shelf::with_model(&model);
    fs::remove_dir_all(shelf.photo("sub")).unwrap();
    shelf.create(&[]).ok().prints("16 added");
    fs::remove_file(shelf.path("m.tuwen")).unwrap();

    let found = shelf.ids(&[SENTENCE]);
    let expected = Case::computed().answer(1, "Word-1000001627");
    assert_eq!(found, expected, "as the data set itself is searched");
}

#[test]
fn a_sentence_finds_pictures_with_their_paths_and_probabilities() {
    let shelf = Shelf::indexed();
    let answer = shelf.ask(&["红色的五角星", "--top", "20"]);
    let hits = answer["hits"].as_array().unwrap();
    assert_eq!((hits.len(), &answer["searched"]), (20, &PICTURES.into()));
    let good = answer["good"].as_u64().unwrap() as usize;
    assert!((1..20).contains(&good), "{answer}");
    let number = |hit: &serde_json::Value, key: &str| hit[key].as_f64().unwrap();
    for pair in hits.windows(2) {
        assert!(number(&pair[0], "score") >= number(&pair[1], "score"));
        assert!(number(&pair[0], "probability") >= number(&pair[1], "probability"));
    }
    for hit in hits {
        assert!((0.0..=1.0).contains(&number(hit, "probability")));
        let id = hit["id"].as_str().unwrap();
        assert!(hit["path"].as_str().unwrap().ends_with(id), "{hit}");
    }

    let outcome = shelf.run("search", &["红色的五角星", "--top", "20"]).ok();
    let outcome = outcome.says(&[&format!("the first {good};"), "less likely right"]);
    let printed = &outcome.stdout;
    let lines: Vec<&str> = printed.lines().collect();
    let first: Vec<&str> = lines[0].split('\t').collect();
    let probability = format!("{:.4}", number(&hits[0], "probability"));
    assert_eq!(
        first,
        ["1", &probability, hits[0]["path"].as_str().unwrap()],
        "{printed}"
    );
    let next = shelf.ids(&["红色的五角星", "--top", "7", "--offset", "5"]);
    assert_eq!(next, ids(&answer)[5..12]);
}

#[test]
fn a_picture_finds_itself_first_among_what_looks_alike() {
    let shelf = Shelf::indexed();
    for id in ["shape-0100.png", "sub/shape-0115.png"] {
        let answer = shelf.ask(&["--image", text(&shelf.photo(id))]);
        assert_eq!(ids(&answer)[0], id);
        let score = answer["hits"][0]["score"].as_f64().unwrap();
        assert!((score - 1.0).abs() < 2e-3, "{answer}");
        let second = answer["hits"][1]["score"].as_f64().unwrap();
        assert!(second < 0.99, "{answer}");
    }
}

#[test]
fn a_picture_finds_captions_of_the_model_where_the_gallery_has_none() {
    let shelf = Shelf::indexed();
    let image = shelf.photo("shape-0100.png");
    let find = ["--image", text(&image), "--find", "texts", "--top", "9"];
    let answer = shelf.ask(&find);
    let case = Case::new();
    let known: Vec<String> = columns::<2>(&case.table(1, "ImageWordData.csv"))
        .into_iter()
        .map(|[_, caption]| caption)
        .collect();
    let hits = answer["hits"].as_array().unwrap();
    assert_eq!((hits.len(), &answer["searched"]), (9, &96.into()));
    for hit in hits {
        let caption = hit["text"].as_str().unwrap();
        assert!(known.iter().any(|k| k == caption), "{caption}");
        assert!(hit["key"].is_null() && hit["probability"].is_number());
    }

    let table = [["shape-0100.png", "红色的五角星"]];
    let captions = shelf.table("captions.csv", ["image", "caption"], &table);
    shelf.index(&["--captions", &captions]).ok();
    let own = shelf.ask(&find);
    assert_eq!(ids(&own), ["shape-0100.png#0"], "the gallery's own");
    assert_eq!(own["hits"][0]["text"], "红色的五角星");
}

#[test]
fn without_any_captions_it_is_said_that_there_are_none() {
    let shelf = Shelf::with_model(model(false));
    shelf.create(&[]).ok();
    let image = shelf.photo("shape-0100.png");
    let find = ["--image", text(&image), "--find", "texts"];
    let outcome = shelf.run("search", &find).fails();
    outcome.says(&["no texts", "without captions", "tuwen index --captions"]);
}

#[test]
fn copies_are_found_and_it_is_said_how_they_were_told() {
    let shelf = Shelf::new();
    let original = scene(7);
    original.save(shelf.photo("original.png")).unwrap();
    scene(8).save(shelf.photo("another.png")).unwrap();
    shelf.create(&[]).ok();
    let cropped = crop_imm(&original, 20, 10, 200, 160).to_image();
    cropped.save(shelf.path("cropped.png")).unwrap();
    flip_horizontal(&cropped)
        .save(shelf.path("mirrored.png"))
        .unwrap();
    scene(9).save(shelf.path("stranger.png")).unwrap();

    let copies = |path: &std::path::Path, more: &[&str]| {
        let find = ["--image", text(path), "--find", "copies"];
        shelf.run("search", &[&find, more].concat()).ok()
    };
    for (name, how) in [
        ("photos/original.png", "the same file byte for byte"),
        ("cropped.png", "keypoints agree"),
        ("mirrored.png", "keypoints agree, mirrored"),
    ] {
        let path = shelf.path(name);
        let found = copies(&path, &["--json"]).json();
        assert_eq!(ids(&found), ["original.png"], "{name}: {found}");
        assert!(found["hits"][0]["score"].as_f64().unwrap() > 3.0);
        let printed = copies(&path, &[]);
        assert!(
            printed.stdout.lines().nth(1).unwrap().ends_with(how),
            "{printed:#?}"
        );
    }
    let stranger = shelf.path("stranger.png");
    copies(&stranger, &[]).says(&["nothing found among 34 items"]);
    shelf
        .run("search", &["红色", "--find", "copies"])
        .fails()
        .says(&["copies are found of a picture"]);
}

#[test]
fn words_must_or_must_not_be_in_captions_and_tags() {
    let shelf = Shelf::new();
    let [captions, tags] = tables(&shelf);
    shelf
        .create(&["--captions", &captions, "--tags", &tags])
        .ok();
    let found = |more: &[&str]| {
        let all = ["红色的五角星", "--top", "99"];
        let mut ids = shelf.ids(&[&all, more].concat());
        ids.sort();
        ids
    };
    let with_text = [
        "shape-0097.png",
        "shape-0098.png",
        "shape-0099.png",
        "sub/shape-0113.png",
        "sub/shape-0114.png",
    ];
    let all = found(&[]);
    assert_eq!(all.len(), PICTURES);
    let known = |ids: Vec<String>| -> Vec<String> {
        let (known, unknown): (Vec<String>, _) = ids
            .into_iter()
            .partition(|id| with_text.contains(&id.as_str()));
        assert_eq!(
            unknown.len(),
            PICTURES - with_text.len(),
            "judged by their looks"
        );
        known
    };
    let dogs = ["shape-0097.png", "shape-0099.png", "sub/shape-0113.png"];
    assert_eq!(known(found(&["--must", "狗"])), dogs);
    assert_eq!(known(found(&["--must", "狗,白色"])), ["sub/shape-0113.png"]);
    assert_eq!(
        known(found(&["--not", "狗"])),
        ["shape-0098.png", "sub/shape-0114.png"]
    );
    assert_eq!(
        known(found(&["--must", "红色", "--not", "猫"])),
        ["shape-0097.png"]
    );
    // 红 and 色 are there, and not beside each other
    assert_eq!(known(found(&["--must", "色五"])), ["shape-0097.png"]);

    let texts = found(&["--where", "has captions or has tags"]);
    assert_eq!(texts, with_text);
    assert_eq!(found(&["--where", "tag = 户外"]), ["shape-0099.png"]);
    let answer = shelf.ask(&["红色", "--where", "tag = 室内", "--must", "猫", "--explain"]);
    let words = &answer["hits"][0]["why"]["words"][0];
    assert_eq!(
        (&words["word"], &words["in_caption"]),
        (&"猫".into(), &true.into())
    );
}

#[test]
fn conditions_choose_pictures() {
    let shelf = Shelf::new();
    shelf.add_odd("photo.png");
    shelf.add_odd("grey.jpg");
    shelf.create(&[]).ok();
    let count = |filter: &str| {
        let answer = shelf.ask(&["红色", "--top", "99", "--where", filter]);
        answer["searched"].as_u64().unwrap()
    };
    assert_eq!(count("folder = sub"), 16);
    assert_eq!(count("not folder = sub"), 18);
    assert_eq!(count("width = 128 and height = 128"), 32);
    assert_eq!(count("format = jpeg"), 3);
    assert_eq!(count("id = \"sub/shape-0113.png\""), 1);
    assert_eq!(count("id ~ 011 and folder = sub"), 7);
    assert_eq!(count("width > 10k"), 0);
    assert_eq!(count("date >= 1900"), 0, "none has a date");
    shelf
        .run("search", &["红色", "--where", "width > 10k"])
        .ok()
        .says(&["nothing found among 0 items"]);
    let image = shelf.photo("shape-0100.png");
    let alike = ["--image", text(&image), "--where", "folder = sub"];
    assert!(shelf.ids(&alike).iter().all(|id| id.starts_with("sub/")));
    let copies = [&alike[..], &["--find", "copies"]].concat();
    assert_eq!(shelf.ids(&copies), Vec::<String>::new());
    let wrong = shelf.run("search", &["红色", "--where", "widht > 3"]);
    wrong
        .bad_usage()
        .says(&["character 1", "widht", "the fields are: width"]);
}

/// Puts the answers of one and of two threads side by side; the galleries are made with as many.
#[test]
fn answers_do_not_depend_on_the_number_of_threads() {
    let shelf = Shelf::new();
    let photos = shelf.photos();
    let image = shelf.photo("shape-0100.png");
    let answers = ["1", "2"].map(|threads| {
        let gallery = shelf.path(&format!("g{threads}"));
        let run = |args: &[&str]| {
            let mut command = program();
            command.args(["--threads", threads]).args(args);
            Outcome::of(command.arg("--gallery").arg(&gallery))
                .ok()
                .stdout
        };
        run(&[
            "index",
            text(&photos),
            "--model",
            text(&shelf.path("m.tuwen")),
        ]);
        [
            run(&["search", SENTENCE, "--json", "--top", "99", "--explain"]),
            run(&["search", "--image", text(&image), "--json", "--top", "99"]),
            run(&[
                "search",
                "--image",
                text(&image),
                "--find",
                "texts",
                "--json",
            ]),
            run(&[
                "search",
                "--image",
                text(&image),
                "--find",
                "copies",
                "--json",
            ]),
        ]
    });
    assert_eq!(answers[0], answers[1]);
}

#[test]
fn keywords_say_what_a_picture_shows() {
    let shelf = Shelf::indexed();
    let red = shelf.ids(&["红色的五角星", "--top", "1"]).remove(0);
    let path = shelf.photo(&red);
    let words = shelf.run("keywords", &[text(&path), "--top", "8", "--json"]);
    let words = words.ok().json();
    let words = words.as_array().unwrap();
    assert_eq!(words.len(), 8);
    let probability = |w: &serde_json::Value| w["probability"].as_f64().unwrap();
    assert!(words.is_sorted_by(|a, b| probability(a) >= probability(b)));
    assert!(words.iter().any(|w| w["word"] == "五角星"), "{words:?}");
    let printed = shelf.run("keywords", &[text(&path)]).ok().stdout;
    assert_eq!(printed.lines().count(), 10);
    let model = shelf.path("m.tuwen");
    let by_model = ["keywords", text(&path), "--model", text(&model)];
    assert_eq!(tuwen(by_model).ok().stdout, printed);
    let flat = odd_picture("flat.png");
    shelf
        .run("keywords", &[text(&flat)])
        .fails()
        .says(&["flat.png", "no features were found"]);
}

#[test]
fn exported_vectors_and_items_belong_together() {
    let shelf = Shelf::new();
    let [captions, tags] = tables(&shelf);
    shelf.add_odd("truncated.jpg");
    shelf
        .create(&["--captions", &captions, "--tags", &tags])
        .ok();
    shelf.run("remove", &["shape-0100.png"]).ok();
    let (vectors, items) = (shelf.path("v.npy"), shelf.path("items.jsonl"));
    let gallery = shelf.gallery();
    let export = ["export", text(&gallery), "--vectors", text(&vectors)];
    tuwen(export.iter().copied().chain(["--items", text(&items)]))
        .ok()
        .prints("31 pictures");
    let bytes = fs::read(&vectors).unwrap();
    let header = String::from_utf8_lossy(&bytes[..128]).into_owned();
    assert!(
        header.contains("(31, 8)") && header.contains("<f4"),
        "{header}"
    );
    let values: Vec<f32> = bytes[bytes.len() - 31 * 8 * 4..]
        .chunks(4)
        .map(|b| f32::from_le_bytes(b.try_into().unwrap()))
        .collect();
    let lines = fs::read_to_string(&items).unwrap();
    let lines: Vec<serde_json::Value> = lines
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(lines.len(), 31);
    let first = lines.iter().find(|l| l["id"] == "shape-0097.png").unwrap();
    assert_eq!(first["captions"][1], "我的狗");
    assert_eq!(
        (&first["width"], &first["format"]),
        (&128.into(), &"png".into())
    );
    let tagged = lines.iter().find(|l| l["id"] == "shape-0099.png").unwrap();
    assert_eq!(tagged["tags"], serde_json::json!(["狗", "户外"]));

    // the best answers to a sentence lie nearest to the best
    let answer = shelf.ids(&["红色的五角星", "--top", "31"]);
    let row = |id: &str| {
        let place = lines.iter().position(|l| l["id"] == id).unwrap();
        &values[place * 8..place * 8 + 8]
    };
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let (best, second, last) = (row(&answer[0]), row(&answer[1]), row(&answer[30]));
    assert!((dot(best, best) - 1.0).abs() < 0.01);
    assert!(dot(best, second) > dot(best, last));

    let table = shelf.path("items.csv");
    tuwen(["export", text(&gallery), "--items", text(&table)]).ok();
    let rows = columns::<11>(&table);
    let ids: Vec<&str> = rows.iter().map(|r| r[0].as_str()).collect();
    let expected: Vec<&str> = lines.iter().map(|l| l["id"].as_str().unwrap()).collect();
    assert_eq!(ids, expected);
    tuwen(["export", text(&gallery), "--items", "items.xlsx"])
        .fails()
        .says(&["items.xlsx", ".csv or .jsonl"]);
}

#[test]
fn the_page_shows_what_was_found() {
    let shelf = Shelf::indexed();
    let page = shelf.path("page.html");
    shelf
        .run("search", &["<红色>的五角星", "--html", text(&page)])
        .ok();
    let html = fs::read_to_string(&page).unwrap();
    assert!(html.contains("&#60;红色&#62;的五角星"));
    assert_eq!(html.matches("src=\"data:image/").count(), 5);
}

#[test]
fn a_question_that_cannot_be_answered_says_why() {
    let shelf = Shelf::indexed();
    shelf.run("search", &[]).bad_usage();
    for words in ["zyzzyva", "的和是"] {
        let outcome = shelf.run("search", &[words]).fails();
        outcome.says(&["none of these words", "training captions"]);
    }
    let flat = odd_picture("flat.png");
    shelf
        .run("search", &["--image", text(&flat)])
        .fails()
        .says(&["flat.png", "no features were found"]);
    let empty = odd_picture("empty.jpg");
    shelf
        .run("search", &["--image", text(&empty)])
        .fails()
        .says(&["empty.jpg", "the file is empty"]);
}

#[test]
fn pictures_that_are_nearly_the_same_make_one_hit() {
    let shelf = Shelf::new();
    let twins = ["shape-0097.png", "twin.png"];
    fs::copy(shelf.photo(twins[0]), shelf.photo(twins[1])).unwrap();
    shelf.create(&[]).ok();
    let all = shelf.ask(&["红色的圆", "--top", "99"]);
    assert_eq!(ids(&all).len(), PICTURES + 1);
    let fewer = shelf.ask(&["红色的圆", "--top", "99", "--dedupe"]);
    let there = ids(&fewer);
    assert_eq!(
        twins
            .iter()
            .filter(|t| there.contains(&(**t).into()))
            .count(),
        1,
        "{there:?}"
    );
    let hits = fewer["hits"].as_array().unwrap();
    let stands_for = |hit: &serde_json::Value| hit["copies"].as_array().map_or(0, Vec::len);
    let in_all: usize = hits.iter().map(|hit| 1 + stands_for(hit)).sum();
    assert_eq!(in_all, PICTURES + 1);
    // pages are of what is left
    let rest = shelf.ids(&["红色的圆", "--dedupe", "--top", "5", "--offset", "3"]);
    assert_eq!(rest[..], there[3..8]);
}
