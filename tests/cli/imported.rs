//! Image views of vectors that another program made.

use std::fs;
use std::path::Path;

use super::case::{Case, columns};

/// Grey values of a picture, eight by eight: another program's idea of a feature.
fn vector(path: &Path) -> Vec<u8> {
    let picture = image::open(path).expect("a picture").into_luma8();
    image::imageops::thumbnail(&picture, 8, 8).into_raw()
}

/// Id and vector of every picture there is.
fn vectors(case: &Case) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for n in [1, 2, 3] {
        let folder = fs::read_dir(case.attachment(n).join("ImageData")).unwrap();
        for file in folder {
            let path = file.unwrap().path();
            let id = path.file_name().unwrap().to_str().unwrap().to_owned();
            all.push((id, vector(&path)));
        }
    }
    all.sort();
    all.dedup();
    all
}

fn write_lines(path: &Path, vectors: &[(String, Vec<u8>)]) {
    let line = |(id, v): &(String, Vec<u8>)| format!("{{\"id\": \"{id}\", \"vector\": {v:?}}}\n");
    fs::write(path, vectors.iter().map(line).collect::<String>()).unwrap();
}

/// The small recipe with its image view imported.
fn importing(file: &str) -> Case {
    let case = Case::new();
    let path = case.path(file).display().to_string();
    let local = "[image_views.local]\ndescriptor.sift = { features = 100 }\n\
                 codebook = { size = 8, sample = 20000 }\nencoding.vlad = { power = 0.5 }\n";
    let imported = format!("[image_views.imported]\npath = \"{path}\"\n");
    case.with(local, &imported)
}

#[test]
fn results_come_from_the_imported_vectors() {
    let case = importing("vectors.jsonl");
    let mut all = vectors(&case);
    write_lines(&case.path("vectors.jsonl"), &all);
    case.results(&[]).ok();
    case.assert_valid();
    let before = case.result_bytes();
    case.results(&[]).ok().says(&["up to date"]);
    assert!(case.result_bytes() == before);

    all.iter_mut().step_by(2).for_each(|(_, v)| v.sort());
    write_lines(&case.path("vectors.jsonl"), &all);
    case.results(&[]).ok();
    assert!(
        case.result_bytes() != before,
        "other vectors, the same answers"
    );
}

#[test]
fn pictures_without_a_vector_are_named_and_never_an_answer() {
    let case = importing("vectors.jsonl");
    let mut all = vectors(&case);
    let gallery: Vec<[String; 1]> = columns(&case.table(2, "image_data.csv"));
    let missing = &gallery[3][0];
    all.retain(|(id, _)| id != missing);
    write_lines(&case.path("vectors.jsonl"), &all);
    case.results(&["-v"])
        .ok()
        .says(&["WARN", missing, "vectors.jsonl has no vector for"]);
    case.assert_valid();
    let answers = case.answers(1);
    assert!(
        answers
            .iter()
            .all(|(_, results)| !results.contains(missing))
    );

    all.clear();
    write_lines(&case.path("vectors.jsonl"), &[("other".into(), vec![1, 2])]);
    case.run("features", &[])
        .fails()
        .says(&["WARN", "vectors.jsonl has no vector for"])
        .says(&["WARN", "picture that cannot be used", "96 in all"])
        .says(&["ERROR", "principal components", "0 found"]);
}

#[test]
fn a_file_of_vectors_that_is_not_there_is_named() {
    importing("vectors.npy")
        .run("features", &[])
        .fails()
        .says(&["cannot read", "vectors.npy"]);
}
