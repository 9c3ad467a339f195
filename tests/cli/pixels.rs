//! Pictures compared by their pixels, and the first task of a course on image search: for each query the nearest picture by the
//! cosine of grey histograms.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::program::{Outcome, program};

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Unrelated pictures, from which it is told how alike pictures are by chance.
const BACKGROUND: &str = "tests/fixtures/attachments/attachment1/ImageData";

#[derive(Deserialize)]
struct Figures {
    nearest: BTreeMap<String, (String, f64)>,
}

#[test]
fn grey_histograms_find_what_opencv_finds() {
    let out = tempfile::tempdir().unwrap();
    let [gallery, queries] = [2, 3].map(|n| {
        path(&format!(
            "tests/fixtures/attachments/attachment{n}/ImageData"
        ))
    });
    let submit = out.path().join("submit.csv");
    let mut command = program();
    command
        .args([
            "copies",
            "--method",
            "histogram",
            "--histogram",
            "grey-cosine",
            "--threshold=-100",
        ])
        .arg("--background")
        .arg(path(BACKGROUND))
        .arg("--gallery")
        .arg(gallery)
        .arg("--queries")
        .arg(queries)
        .arg("--out")
        .arg(&submit)
        .arg("--work")
        .arg(out.path());
    Outcome::of(&mut command).ok();
    let mut table = csv::Reader::from_path(&submit).unwrap();
    assert_eq!(table.headers().unwrap(), vec!["source", "query"]);
    let rows = table.records().map(|r| {
        let r = r.unwrap();
        (r[1].to_owned(), r[0].to_owned())
    });
    let ours: BTreeMap<String, String> = rows.collect();
    let golden = std::fs::read(path("tests/golden/pixels.json")).unwrap();
    let golden: Figures = serde_json::from_slice(&golden).unwrap();
    let theirs = golden
        .nearest
        .into_iter()
        .map(|(query, (source, _))| (query, source));
    assert_eq!(ours, theirs.collect());
}

#[test]
fn pixels_say_whether_pictures_match() {
    let photo = path("tests/fixtures/pictures/photo.png");
    let compare = |other: &Path, method: &str| {
        let mut command = program();
        let pair = [&photo, other];
        command.arg("match").args(pair).args(["--method", method]);
        let outcome = Outcome::of(&mut command);
        (outcome.code, outcome.stdout)
    };
    let [brighter, mirrored] =
        ["brighter", "mirrored"].map(|name| path(&format!("tests/golden/pixels/{name}.png")));
    for (other, method, code, part) in [
        (&brighter, "ssim", 0, "SSIM 0.959"),
        (&brighter, "pixels", 1, "PSNR 22.1 dB"),
        (&mirrored, "ssim", 1, "SSIM 0.196"),
        (&photo, "pixels", 0, "PSNR infinite"),
    ] {
        let (found, said) = compare(other, method);
        assert_eq!(found, Some(code), "{method}: {said}");
        assert!(said.contains(part), "{part} is not in: {said}");
    }
    let mut draw = program();
    let args = ["--method", "ssim", "--draw", "m.png"];
    draw.arg("match").args([&photo, &photo]).args(args);
    Outcome::of(&mut draw).troubles().says(&["--draw"]);
}

#[test]
fn copies_are_found_by_pixels() {
    let home = tempfile::tempdir().unwrap();
    for method in ["pixels", "ssim"] {
        let mut command = program();
        let golden = path("tests/golden/pixels");
        command
            .args([
                "copies",
                "--method",
                method,
                "--threshold=-100",
                "--out",
                "-",
                "--gallery",
            ])
            .arg(path("tests/fixtures/pictures"))
            .arg("--queries")
            .arg(golden)
            .arg("--background")
            .arg(path(BACKGROUND))
            .current_dir(home.path());
        let found = Outcome::of(&mut command).ok().stdout;
        assert!(
            found.contains("photo.png,brighter.png"),
            "{method}: {found}"
        );
        assert!(found.contains("photo.png,blurred.png"), "{method}: {found}");
        assert!(
            found.contains("photo.png,mirrored.png"),
            "{method}: {found}"
        );
    }
}
