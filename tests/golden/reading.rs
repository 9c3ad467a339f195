//! Reading text, beside RapidOCR with the same networks.

use std::collections::BTreeMap;
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::imageops::{crop_imm, replace, rotate90, rotate180, rotate270};
use image::{ImageFormat, Rgb, RgbImage};
use tuwen::Error;
use tuwen::ocr::{Line, Models, Quad, Reader, ReaderParams};

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn models() -> Models {
    Models::in_folder(path("data/models"))
}

fn reader() -> Reader {
    let reader = ReaderParams::default().load(&models());
    reader.unwrap_or_else(|e| panic!("{e}"))
}

fn expected() -> BTreeMap<String, Vec<Line>> {
    let text = fs::read_to_string(path("tests/golden/ocr/lines.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn texts(lines: &[Line]) -> Vec<&str> {
    lines.iter().map(|l| l.text.as_str()).collect()
}

fn picture(name: &str) -> Vec<u8> {
    fs::read(path("tests/golden/ocr").join(name)).unwrap()
}

#[test]
fn lines_are_those_of_rapidocr() {
    let reader = reader();
    for (name, expected) in expected() {
        let found = reader.read(&picture(&name)).unwrap();
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
        max_side: 240,
        ..ReaderParams::default()
    };
    let found = params
        .load(&models())
        .unwrap()
        .read(&picture("poster.png"))
        .unwrap();
    let expected = &expected()["poster.png"];
    assert_eq!(found[0].text, expected[0].text);
    let (Quad(a), Quad(b)) = (found[0].quad, expected[0].quad);
    assert!((a[2][0] - b[2][0]).abs() < 15.0, "{a:?} {b:?}");
}

#[test]
fn of_many_lines_the_tallest_are_read() {
    let most = |lines| ReaderParams {
        lines,
        ..ReaderParams::default()
    };
    let read = |lines| {
        let reader = most(lines).load(&models()).unwrap();
        reader.read(&picture("poster.png")).unwrap()
    };
    let all = read(0);
    assert_eq!(all.len(), 3);
    assert_eq!(texts(&read(1)), ["秋季校园招聘"]);
    assert_eq!(read(3), all);
    // in reading order, whichever is taller
    assert_eq!(texts(&read(2))[0], "秋季校园招聘");
}

#[test]
fn slivers_are_looked_at_too() {
    let reader = reader();
    for (w, h) in [(1, 1), (3, 1500), (1500, 3), (2, 4500), (4500, 2)] {
        let picture = RgbImage::from_pixel(w, h, Rgb([200, 180, 90]));
        assert_eq!(reader.read(&png(&picture)).unwrap(), [], "{w}x{h}");
    }
}

#[test]
fn missing_networks_are_an_absence() {
    let nowhere = Models::in_folder("nowhere");
    let Err(error) = ReaderParams::default().load(&nowhere) else {
        panic!("nothing was loaded")
    };
    assert!(error.is_absence(), "{error}");
    assert!(error.to_string().contains("tuwen models"), "{error}");
    assert!(matches!(error, Error::Weights { .. }));
    let error = reader().read(b"no picture").unwrap_err();
    assert!(matches!(error, Error::Picture { .. }), "{error}");
}

fn png(picture: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    let out = &mut Cursor::new(&mut bytes);
    picture.write_to(out, ImageFormat::Png).unwrap();
    bytes
}

fn pixels(name: &str) -> RgbImage {
    image::load_from_memory(&picture(name)).unwrap().into_rgb8()
}

/// Pictures of one size beside each other, or below.
fn row(pictures: &[RgbImage], below: bool) -> RgbImage {
    let (w, h) = pictures[0].dimensions();
    let n = pictures.len() as u32;
    let mut all = RgbImage::new(if below { w } else { n * w }, if below { n * h } else { h });
    for (i, picture) in (0..).zip(pictures) {
        let at = if below { (0, i * h) } else { (i * w, 0) };
        replace(&mut all, picture, at.0.into(), at.1.into());
    }
    all
}

#[test]
fn a_page_that_is_turned_is_read_as_if_it_was_not() {
    let reader = reader();
    let upright = &expected()["poster.png"];
    let poster = pixels("poster.png");
    for (how, turned) in [
        ("on its head", rotate180(&poster)),
        ("to the right", rotate90(&poster)),
        ("to the left", rotate270(&poster)),
    ] {
        let found = reader.read(&png(&turned)).unwrap();
        assert_eq!(texts(&found), texts(upright), "{how}");
    }
    // where a line is does not depend on which way it runs
    let found = reader.read(&png(&rotate180(&poster))).unwrap();
    let (w, h) = (poster.width() as f32, poster.height() as f32);
    let (Quad(a), Quad(b)) = (found[0].quad, upright[0].quad);
    assert!((w - a[2][0] - b[0][0]).abs() < 5.0 && (h - a[2][1] - b[0][1]).abs() < 5.0);
}

/// The six letters of the poster's heading at places of a page, in pixels.
fn letters_at(place: impl Fn(u32) -> (u32, u32), size: (u32, u32)) -> RgbImage {
    let poster = pixels("poster.png");
    let mut page = RgbImage::from_pixel(size.0, size.1, *poster.get_pixel(0, 0));
    for i in 0..6 {
        // 56 pixels wide, from pixel 70 on
        let letter = crop_imm(&poster, 70 + 56 * i, 42, 56, 68).to_image();
        let (x, y) = place(i);
        replace(&mut page, &letter, x.into(), y.into());
    }
    page
}

#[test]
fn columns_are_read_from_right_to_left() {
    let reader = reader();
    let read = |page: &RgbImage| {
        let found = reader.read(&png(page)).unwrap();
        found.into_iter().map(|l| l.text).collect::<Vec<_>>()
    };
    for (right, down) in [(80, 80), (90, 78), (84, 72)] {
        let place = |i: u32| (40 + right * (2 - i / 2), 30 + down * (i % 2));
        let columns = letters_at(place, (400, 300));
        assert_eq!(read(&columns), ["秋季", "校园", "招聘"], "{right}x{down}");
        let place = |i: u32| (40 + down * (i % 2), 30 + right * (i / 2));
        let rows = letters_at(place, (300, 400));
        assert_eq!(read(&rows), ["秋季", "校园", "招聘"], "{right}x{down}");
    }
    // two columns that are found whole, of which each is one line
    let column = pixels("column.png");
    let found = read(&row(&[column.clone(), column], false));
    assert_eq!(found, ["春江花月夜"; 2]);
}

#[test]
fn letters_that_stand_far_apart_are_one_line() {
    let reader = reader();
    for step in [84, 100, 120] {
        let page = letters_at(|i| (40 + step * i, 40), (760, 150));
        let found = reader.read(&png(&page)).unwrap();
        assert_eq!(texts(&found), ["秋季校园招聘"], "{step}");
    }
}

#[test]
fn words_in_latin_letters_are_apart() {
    let found = reader().read(&picture("latin.png")).unwrap();
    let expected = [
        "Grand Opening Sale Today",
        "Pro Max 15 256GB",
        "WiFi 密码 8888 6666",
    ];
    assert_eq!(texts(&found), expected);
}

#[test]
fn strips_are_read_at_their_own_resolution() {
    let reader = reader();
    let once = &expected()["poster.png"];
    let posters = vec![pixels("poster.png"); 8];
    let down = reader.read(&png(&row(&posters, true))).unwrap();
    assert_eq!(texts(&down), texts(once).repeat(8));
    let (last, first) = (down.last().unwrap(), once.last().unwrap());
    assert!((last.quad.0[0][1] - first.quad.0[0][1] - 7.0 * 300.0).abs() < 8.0);
    let across = reader.read(&png(&row(&posters, false))).unwrap();
    let rows = texts(once).into_iter().flat_map(|text| [text; 8]);
    assert_eq!(texts(&across), rows.collect::<Vec<_>>());
}

#[test]
fn a_line_longer_than_a_piece_is_one() {
    // the banner without its margins
    let text = crop_imm(&pixels("banner.png"), 26, 0, 690, 60).to_image();
    let strip = row(&vec![text; 7], false);
    let found = reader().read(&png(&strip)).unwrap();
    assert_eq!(texts(&found), [expected()["banner.png"][0].text.repeat(7)]);
}
