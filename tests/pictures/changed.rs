//! Pictures that change while copies are looked for: nothing is kept of one under the digest of another.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::{ImageFormat, RgbImage};
use tuwen::copies::{Index, WordsParams};
use tuwen::progress::{Progress, Silent};

use super::scenes::scene;

/// Puts other bytes into a file when a stage begins: after its digest was taken, before it is decoded.
struct Swapping {
    stage: &'static str,
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Progress for Swapping {
    fn start(&self, stage: &str, _: u64) {
        if stage == self.stage {
            fs::write(&self.path, &self.bytes).unwrap();
        }
    }
    fn step(&self, _: u64) {}
    fn finish(&self) {}
}

fn encoded(picture: &RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn index(dir: &Path, n: u32, progress: &dyn Progress) -> (tuwen::Result<Index>, Vec<String>) {
    let files: Vec<PathBuf> = (0..n).map(|i| dir.join(format!("{i}.png"))).collect();
    let method = WordsParams {
        words: 16,
        ..WordsParams::default()
    };
    let mut bad = Vec::new();
    let work = dir.join("work");
    let index = Index::build(&method, &files, &[], &work, progress, &mut bad);
    (index, bad)
}

#[test]
fn a_picture_that_changes_is_said_and_not_kept() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let png = |seed| encoded(&scene(seed), ImageFormat::Png);
    for seed in 0..13 {
        fs::write(dir.join(format!("{seed}.png")), png(seed)).unwrap();
    }
    let swap = |stage, seed: u32| Swapping {
        stage,
        path: dir.join(format!("{seed}.png")),
        bytes: png(99),
    };
    // what is learned stays, so that nothing is learned from a change
    let (index_, _) = index(dir, 12, &swap("learning from pictures", 0));
    let error = index_.err().expect("refused").to_string();
    assert!(
        error.contains("0.png") && error.contains("changed"),
        "{error}"
    );
    fs::write(dir.join("0.png"), png(0)).unwrap();
    let (learned, bad) = index(dir, 12, &Silent);
    assert_eq!((learned.unwrap().len(), bad.len()), (12, 0));
    // what was seen stays, too
    let (seen, bad) = index(dir, 13, &swap("looking at pictures", 12));
    assert!(seen.is_ok() && bad.len() == 1, "{bad:?}");
    assert!(
        bad[0].contains("12.png") && bad[0].contains("changed"),
        "{bad:?}"
    );
    fs::write(dir.join("12.png"), png(12)).unwrap();
    let (whole, bad) = index(dir, 13, &Silent);
    assert_eq!(bad, [""; 0]);
    let whole = whole.unwrap();
    let found = whole
        .search(&encoded(&scene(12), ImageFormat::Bmp))
        .unwrap();
    assert_eq!(whole.files(found[0].picture), [dir.join("12.png")]);
}
