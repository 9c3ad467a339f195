//! Reading text, beside RapidOCR with the same networks.

use std::collections::BTreeMap;
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use tuwen::Error;
use tuwen::ocr::{Line, Quad, Reader, ReaderParams};

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn reader() -> Reader {
    let models = path("data/models/ocr");
    let params = ReaderParams {
        models,
        ..ReaderParams::default()
    };
    params.load().unwrap_or_else(|e| panic!("{e}"))
}

fn expected() -> BTreeMap<String, Vec<Line>> {
    let text = fs::read_to_string(path("tests/golden/ocr/lines.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn picture(name: &str) -> Vec<u8> {
    fs::read(path("tests/golden/ocr").join(name)).unwrap()
}

#[test]
fn lines_are_those_of_rapidocr() {
    let reader = reader();
    for (name, expected) in expected() {
        let found = reader.read(&picture(&name)).unwrap();
        let texts = |lines: &[Line]| lines.iter().map(|l| l.text.clone()).collect::<Vec<_>>();
        assert_eq!(texts(&found), texts(&expected), "{name}");
        for (found, expected) in found.iter().zip(&expected) {
            let Line {
                text, confidence, ..
            } = found;
            assert!(
                (confidence - expected.confidence).abs() < 0.02,
                "{text}: {confidence}"
            );
            let (Quad(a), Quad(b)) = (found.quad, expected.quad);
            let far = |(a, b): (&f32, &f32)| (a - b).abs() > 3.0;
            assert!(
                !a.as_flattened().iter().zip(b.as_flattened()).any(far),
                "{text}: {a:?} {b:?}"
            );
        }
    }
}

#[test]
fn any_thread_reads_the_same() {
    let reader = reader();
    let bytes = picture("poster.png");
    let alone = reader.read(&bytes).unwrap();
    let together: Vec<_> = std::thread::scope(|scope| {
        let read = || scope.spawn(|| reader.read(&bytes).unwrap());
        let threads = [read(), read(), read()];
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert!(together.iter().all(|lines| *lines == alone));
}

#[test]
fn a_large_picture_is_read_small_and_placed_large() {
    let params = ReaderParams {
        models: path("data/models/ocr"),
        max_side: 240,
        ..ReaderParams::default()
    };
    let found = params.load().unwrap().read(&picture("poster.png")).unwrap();
    let expected = &expected()["poster.png"];
    assert_eq!(found[0].text, expected[0].text);
    let (Quad(a), Quad(b)) = (found[0].quad, expected[0].quad);
    assert!((a[2][0] - b[2][0]).abs() < 15.0, "{a:?} {b:?}");
}

#[test]
fn slivers_are_looked_at_too() {
    let reader = reader();
    for (w, h) in [(1, 1), (3, 1500), (1500, 3)] {
        let mut bytes = Vec::new();
        let picture = image::RgbImage::from_pixel(w, h, image::Rgb([200, 180, 90]));
        picture
            .write_to(&mut Cursor::new(&mut bytes), image::ImageFormat::Png)
            .unwrap();
        assert_eq!(reader.read(&bytes).unwrap(), [], "{w}x{h}");
    }
}

#[test]
fn missing_networks_are_an_absence() {
    let params = ReaderParams {
        models: "nowhere".into(),
        ..ReaderParams::default()
    };
    let Err(error) = params.load() else {
        panic!("nothing was loaded")
    };
    assert!(error.is_absence(), "{error}");
    assert!(error.to_string().contains("make ocr-models"), "{error}");
    assert!(matches!(error, Error::Weights { .. }));
    let refused = reader().read(b"no picture").unwrap_err();
    assert!(matches!(refused, Error::Picture { .. }), "{refused}");
}
