//! What must hold for any input: files come back as they were written, damage is noticed, exact things are
//! exact, and nothing depends on the number of threads.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::fs;
use std::path::Path;

use encoding_rs::GB18030;
use ndarray::{Array1, Array2, ArrayBase, ArrayView2, Axis, Data, concatenate, s};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;
use tuwen::Error;
use tuwen::artifact::{Artifact, Fingerprint, Spec, read_header};
use tuwen::codebook::KMeansParams;
use tuwen::dataset::{Direction, Pair, Table};
use tuwen::descriptor::DescriptorKind;
use tuwen::evaluation::{Ranking, Report, mean_recall, mid_rank, ranks, report};
use tuwen::fusion::{CcaParams, Fusion, FusionParams, Pairs};
use tuwen::index::{Faiss, Flat, Hit, Index, IndexParams, recall};
use tuwen::linalg::{
    PcaParams, SparseRow, l2_normalize_rows, matmul, orthonormal, power_normalize, symmetric_eigen,
    thin_svd,
};
use tuwen::search::Gallery;
use tuwen::submission::{self, Answer, Format, Known};
use tuwen::text::{Lsa, SegmenterParams};

/// The same cases every time: a failure is a change of ours. Another seed looks elsewhere.
fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

// ---- artifacts ------------------------------------------------------------------------------------

fn matrix<T: Debug + Clone + 'static>(
    element: impl Strategy<Value = T>,
) -> impl Strategy<Value = Array2<T>> {
    (0..6usize, 0..6usize, vec(element, 25)).prop_map(|(n, d, values)| {
        Array2::from_shape_vec((n, d), values[..n * d].to_vec()).unwrap()
    })
}

fn spec() -> Spec {
    let params = BTreeMap::from([("size", 64), ("rounds", 10)]);
    Spec::new("codebook", &params, 7).input("pictures", Fingerprint::of_bytes(b"pictures"))
}

fn small_artifact() -> Artifact {
    Artifact::new(spec())
        .with_notes(&["两只狗", "a dog", "跑"])
        .with_matrix(
            "centroids",
            Array2::from_shape_fn((3, 4), |(i, j)| i as f32 - j as f32 / 3.0).view(),
        )
        .with_vector("usable", Array1::from_vec(vec![1u8, 0, 1]).view())
}

proptest! {
    #![proptest_config(config(64))]

    #[test]
    fn artifacts_come_back_bit_for_bit(
        f32s in matrix(any::<u32>().prop_map(f32::from_bits)),
        f64s in matrix(any::<u64>().prop_map(f64::from_bits)),
        u8s in matrix(any::<u8>()),
        u32s in vec(any::<u32>(), 0..9),
        notes in btree_map(".{0,8}", ".{0,8}", 0..4),
        seed in any::<u64>(),
    ) {
        let written = Artifact::new(Spec::new("any", &notes, seed))
            .with_notes(&notes)
            .with_matrix("f32", f32s.view())
            .with_matrix("f64", f64s.view())
            .with_matrix("u8", u8s.view())
            .with_vector("u32", Array1::from(u32s.clone()).view());
        let folder = folder();
        let path = folder.path().join("new/one.safetensors");
        written.write(&path).unwrap();
        let read = Artifact::read(&path).unwrap();
        prop_assert_eq!(&read, &written);
        prop_assert_eq!(read.matrix::<f32>("f32").unwrap().mapv(f32::to_bits), f32s.mapv(f32::to_bits));
        prop_assert_eq!(read.matrix::<f64>("f64").unwrap().mapv(f64::to_bits), f64s.mapv(f64::to_bits));
        prop_assert_eq!(read.matrix::<u8>("u8").unwrap(), u8s);
        prop_assert_eq!(read.vector::<u32>("u32").unwrap().to_vec(), u32s);
        prop_assert_eq!(read.read_notes::<BTreeMap<String, String>>().unwrap(), notes);
        prop_assert_eq!(&read_header(&path).unwrap().spec, &written.spec);
        let again = folder.path().join("again.safetensors");
        written.write(&again).unwrap();
        prop_assert_eq!(fs::read(&path).unwrap(), fs::read(&again).unwrap());
    }
}

#[test]
fn a_matrix_in_any_layout_is_stored_by_rows() {
    let x = Array2::from_shape_fn((3, 5), |(i, j)| (10 * i + j) as f32);
    let turned = Artifact::new(spec()).with_matrix("x", x.t());
    assert_eq!(turned.matrix::<f32>("x").unwrap(), x.t());
    let every_other = Artifact::new(spec()).with_matrix("x", x.slice(s![.., ..;2]));
    assert_eq!(
        every_other.matrix::<f32>("x").unwrap(),
        x.slice(s![.., ..;2])
    );
}

#[test]
fn a_tensor_is_read_as_what_it_is_alone() {
    let artifact = small_artifact();
    assert!(artifact.matrix::<f64>("centroids").is_err());
    assert!(artifact.vector::<f32>("centroids").is_err());
    assert!(artifact.matrix::<f32>("centroid").is_err());
    assert!(artifact.read_notes::<u32>().is_err());
}

/// The bytes of a small artifact, and where its tensors begin.
fn stored_bytes(path: &Path) -> (Vec<u8>, usize) {
    small_artifact().write(path).unwrap();
    let bytes = fs::read(path).unwrap();
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    (bytes, 8 + header)
}

/// The bits of these bytes which can be flipped without being noticed: the file then reads as another.
fn unnoticed(path: &Path, mut bytes: Vec<u8>, places: std::ops::Range<usize>) -> Vec<(usize, u8)> {
    let mut unnoticed = Vec::new();
    for (place, bit) in places.flat_map(|p| (0..8).map(move |b| (p, b))) {
        bytes[place] ^= 1 << bit;
        fs::write(path, &bytes).unwrap();
        if Artifact::read(path).is_ok_and(|read| read != small_artifact()) {
            unnoticed.push((place, bit));
        }
        bytes[place] ^= 1 << bit;
    }
    unnoticed
}

#[test]
fn a_flipped_bit_of_the_tensors_is_noticed() {
    let folder = folder();
    let path = folder.path().join("one.safetensors");
    let (bytes, data) = stored_bytes(&path);
    let end = bytes.len();
    assert_eq!(unnoticed(&path, bytes, data..end), []);
}

#[test]
fn a_flipped_bit_of_the_header_is_noticed() {
    let folder = folder();
    let path = folder.path().join("one.safetensors");
    let (bytes, data) = stored_bytes(&path);
    let found = unnoticed(&path, bytes.clone(), 0..data);
    let header = String::from_utf8_lossy(&bytes[8..data]);
    assert!(
        found.is_empty(),
        "{} bits, the first of byte {}, of {header}",
        found.len(),
        found[0].0
    );
}

#[test]
fn a_file_of_another_length_is_an_error() {
    let folder = folder();
    let path = folder.path().join("one.safetensors");
    small_artifact().write(&path).unwrap();
    let bytes = fs::read(&path).unwrap();
    for length in 0..bytes.len() {
        fs::write(&path, &bytes[..length]).unwrap();
        assert!(
            matches!(Artifact::read(&path), Err(Error::Artifact { .. })),
            "{length} bytes"
        );
    }
    fs::write(&path, [&bytes[..], b"\0"].concat()).unwrap();
    assert!(Artifact::read(&path).is_err());
}

#[test]
fn a_header_cut_short_is_an_error() {
    let folder = folder();
    let path = folder.path().join("one.safetensors");
    let (bytes, header) = stored_bytes(&path);
    assert_eq!(read_header(&path).unwrap().notes, small_artifact().notes);
    for length in 0..header {
        fs::write(&path, &bytes[..length]).unwrap();
        assert!(read_header(&path).is_err(), "{length} bytes");
    }
}

#[test]
fn only_what_was_made_from_the_same_is_fresh() {
    let folder = folder();
    let path = folder.path().join("one.safetensors");
    assert!(Artifact::read_fresh(&path, &spec()).is_none());
    small_artifact().write(&path).unwrap();
    assert_eq!(Artifact::read_fresh(&path, &spec()), Some(small_artifact()));
    let others = [
        Spec { seed: 8, ..spec() },
        Spec {
            stage: "pca".into(),
            ..spec()
        },
        Spec {
            version: "0.0.0".into(),
            ..spec()
        },
        Spec {
            params: serde_json::json!({ "size": 65 }),
            ..spec()
        },
        spec().input("pictures", Fingerprint::of_bytes(b"others")),
        spec().input("captions", Fingerprint::of_bytes(b"captions")),
    ];
    for other in others {
        assert_ne!(other.fingerprint(), spec().fingerprint());
        assert!(Artifact::read_fresh(&path, &other).is_none(), "{other:?}");
    }
    fs::write(&path, b"noise").unwrap();
    assert!(Artifact::read_fresh(&path, &spec()).is_none());
}

#[test]
fn writing_replaces_and_leaves_nothing_else() {
    let folder = folder();
    let path = folder.path().join("one.safetensors");
    fs::write(&path, b"noise").unwrap();
    small_artifact().write(&path).unwrap();
    assert_eq!(Artifact::read(&path).unwrap(), small_artifact());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn files_of_others_are_not_ours() {
    let folder = folder();
    let path = folder.path().join("other.safetensors");
    let header = br#"{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#;
    fs::write(
        &path,
        [&(header.len() as u64).to_le_bytes()[..], header, &[9]].concat(),
    )
    .unwrap();
    assert!(
        Artifact::read(&path)
            .unwrap_err()
            .to_string()
            .contains("not made by this program")
    );
    assert!(read_header(&path).is_err());
}

// ---- result files ---------------------------------------------------------------------------------

const DIRECTIONS: [Direction; 2] = [Direction::TextToImage, Direction::ImageToText];
const FORMATS: [Format; 4] = [
    Format {
        blank_continuation: false,
        bom: false,
    },
    Format {
        blank_continuation: false,
        bom: true,
    },
    Format {
        blank_continuation: true,
        bom: false,
    },
    Format {
        blank_continuation: true,
        bom: true,
    },
];

/// Ids as nobody should choose them.
fn id() -> impl Strategy<Value = String> {
    "[a-c1-3,;\"'\n\r\t 中文图，。\u{1f415}]{1,6}"
}

/// Answers in full to every query, each beginning elsewhere in the gallery.
fn answers(queries: &[String], gallery: &[String]) -> Vec<Answer> {
    let results = |i: usize| {
        gallery
            .iter()
            .cycle()
            .skip(i)
            .take(gallery.len().min(submission::ANSWERS))
            .cloned()
    };
    queries
        .iter()
        .enumerate()
        .map(|(i, q)| Answer {
            query: q.clone(),
            results: results(i).collect(),
        })
        .collect()
}

proptest! {
    #![proptest_config(config(64))]

    #[test]
    fn what_is_written_is_read_back_and_without_fault(
        ids in btree_set(id(), 2..20),
        share in 1..10usize,
        direction in proptest::sample::select(&DIRECTIONS[..]),
        format in proptest::sample::select(&FORMATS[..]),
    ) {
        let ids: Vec<String> = ids.into_iter().collect();
        let (queries, gallery) = ids.split_at(share.min(ids.len() - 1));
        let folder = folder();
        let path = folder.path().join(submission::file_name(direction));
        let written = answers(queries, gallery);
        submission::write(&path, direction, &written, format).unwrap();
        prop_assert_eq!(submission::read(&path).unwrap(), (direction, written));
        let known = Known { direction, queries: queries.to_vec(), gallery: gallery.iter().cloned().collect() };
        prop_assert_eq!(submission::validate(&path, Some(&known)).unwrap(), vec![]);
        if gallery.len() >= submission::ANSWERS {
            prop_assert_eq!(submission::validate(&path, None).unwrap(), vec![]);
        }
        prop_assert_eq!(fs::read(&path).unwrap().starts_with(b"\xef\xbb\xbf"), format.bom);
    }
}

type Row = [String; 3];

const QUERIES: [&str; 3] = ["ImgT-1", "ImgT-2", "ImgT-3"];
const GALLERY: [&str; 7] = [
    "1.jpg", "2.jpg", "3.jpg", "4.jpg", "5.jpg", "6.jpg", "7.jpg",
];

fn known() -> Known {
    let direction = Direction::TextToImage;
    Known {
        direction,
        queries: QUERIES.map(String::from).to_vec(),
        gallery: GALLERY.map(String::from).into(),
    }
}

/// The rows of a good file; with `blank`, a query's id on the first of its rows alone.
fn good_rows(blank: bool) -> Vec<Row> {
    let mut rows = Vec::new();
    for Answer { query, results } in answers(&known().queries, &GALLERY.map(String::from)) {
        for (i, result) in results.into_iter().enumerate() {
            let query = if blank && i > 0 {
                String::new()
            } else {
                query.clone()
            };
            rows.push([query, (i + 1).to_string(), result]);
        }
    }
    rows
}

fn file(header: &str, rows: &[Row]) -> String {
    let lines = rows.iter().map(|r| r.join(",") + "\n");
    lines.fold(format!("{header}\n"), |text, line| text + &line)
}

const HEADER: &str = "text_id,similarity_ranking,result_image_id";

fn violations_in(bytes: &[u8]) -> Vec<String> {
    let folder = folder();
    let path = folder.path().join("result1.csv");
    fs::write(&path, bytes).unwrap();
    let found = submission::validate(&path, Some(&known())).unwrap();
    found.iter().map(ToString::to_string).collect()
}

fn assert_found(bytes: impl AsRef<[u8]>, words: &str) {
    let bytes = bytes.as_ref();
    let found = violations_in(bytes);
    let file = String::from_utf8_lossy(bytes);
    assert!(
        found.iter().any(|v| v.contains(words)),
        "no `{words}` in {found:?} of\n{file}"
    );
}

/// Damages a good file in both forms; the violation must be found, by some of its words.
fn assert_damage_found(words: &str, damage: impl Fn(&mut Vec<Row>)) {
    for blank in [false, true] {
        let mut rows = good_rows(blank);
        damage(&mut rows);
        assert_ne!(rows, good_rows(blank));
        assert_found(file(HEADER, &rows), words);
    }
}

#[test]
fn a_good_file_has_no_fault() {
    for blank in [false, true] {
        let text = file(HEADER, &good_rows(blank));
        for good in [
            text.clone(),
            text.replace('\n', "\r\n"),
            format!("\u{feff}{text}"),
            text.trim_end().into(),
        ] {
            assert_eq!(
                violations_in(good.as_bytes()),
                Vec::<String>::new(),
                "{good}"
            );
        }
    }
}

#[test]
fn a_dropped_row_is_found() {
    for row in 0..15 {
        assert_damage_found("", |rows| {
            rows.remove(row);
        });
    }
    assert_damage_found("4 results, expected 5", |rows| {
        rows.pop();
    });
}

#[test]
fn a_surplus_row_is_found() {
    assert_damage_found("6 results, expected 5", |rows| {
        rows.push([String::new(), "6".into(), "1.jpg".into()])
    });
}

#[test]
fn swapped_and_strange_ranks_are_found() {
    for (a, b) in (0..5).flat_map(|b| (0..b).map(move |a| (a, b))) {
        assert_damage_found("expected", |rows| {
            let (first, second) = (rows[5 + a][1].clone(), rows[5 + b][1].clone());
            (rows[5 + a][1], rows[5 + b][1]) = (second, first);
        });
    }
    for rank in ["0", "6", "01", "3.0", "", "三", "-3"] {
        assert_damage_found("expected 3", |rows| rows[7][1] = rank.into());
    }
}

#[test]
fn wrong_results_are_found() {
    assert_damage_found("3.jpg is given twice", |rows| rows[8][2] = "3.jpg".into());
    assert_damage_found("line 10: 8.jpg is not in the gallery", |rows| {
        rows[8][2] = "8.jpg".into()
    });
    assert_damage_found("id of a query, not of the gallery", |rows| {
        rows[8][2] = "ImgT-3".into()
    });
    assert_damage_found("not in the gallery", |rows| rows[8][2] = String::new());
}

fn rename(rows: &mut [Row], from: &str, to: &str) {
    rows.iter_mut()
        .filter(|r| r[0] == from)
        .for_each(|r| r[0] = to.into());
}

#[test]
fn wrong_queries_are_found() {
    assert_damage_found("line 7: ImgT-9 is not a query", |rows| {
        rename(rows, "ImgT-2", "ImgT-9")
    });
    assert_damage_found("7.jpg is an id of the gallery", |rows| {
        rename(rows, "ImgT-2", "7.jpg")
    });
    assert_damage_found("query ImgT-2 is not answered", |rows| {
        rows.drain(5..10);
    });
    assert_damage_found(
        "line 17: query ImgT-1 is answered again (first on line 2)",
        |rows| {
            rows.extend_from_within(..5);
        },
    );
    assert_damage_found("line 7: query ImgT-1 is answered again", |rows| {
        rows.splice(5..5, rows[..5].to_vec());
    });
    assert_damage_found("line 12: query ImgT-1 is out of order", |rows| {
        rows.rotate_left(5)
    });
    assert_damage_found("line 2: the first row has no id", |rows| rows[0][0].clear());
}

#[test]
fn files_of_another_form_are_found() {
    let rows = good_rows(false);
    for header in [
        "id,rank,result",
        "text_id,similarity_ranking",
        "similarity_ranking,text_id,result_image_id",
        "",
    ] {
        assert_found(file(header, &rows), "header");
    }
    assert_found(
        file("image_id,similarity_ranking,result_text_id", &rows),
        "the attachment asks text -> image",
    );
    assert_found(
        rows.iter().map(|r| r.join(",") + "\n").collect::<String>(),
        "header",
    );
    assert_found("", "header");
    assert_found(file(HEADER, &[]), "there are no answers");
    assert_found(
        file(HEADER, &rows).replace("ImgT-2,3,", "ImgT-2,3,3.jpg,"),
        "line 9: 4 fields, expected 3",
    );
    assert_found(
        file(HEADER, &rows).replace(",3.jpg", ""),
        "2 fields, expected 3",
    );
    let in_chinese = file(HEADER, &rows).replace("1.jpg", "标题.jpg");
    assert_found(GB18030.encode(&in_chinese).0, "not UTF-8");
}

#[test]
fn a_violation_has_the_same_line_whatever_ends_a_line() {
    let mut rows = good_rows(false);
    rows[4][2] = "8.jpg".into();
    rows[9][1] = "6".into();
    let text = file(HEADER, &rows);
    let found = violations_in(text.as_bytes());
    assert_eq!(
        found,
        [
            "line 6: 8.jpg is not in the gallery",
            "line 11: rank `6` of query ImgT-2, expected 5"
        ]
    );
    assert_eq!(violations_in(text.replace('\n', "\r\n").as_bytes()), found);
}

#[test]
fn a_damaged_file_is_not_read_as_a_good_one() {
    let folder = folder();
    let path = folder.path().join("result1.csv");
    for bad in [
        String::new(),
        file("id,rank,result", &good_rows(false)),
        file(HEADER, &good_rows(true)[1..]),
    ] {
        fs::write(&path, bad).unwrap();
        assert!(matches!(submission::read(&path), Err(Error::Table { .. })));
    }
    assert!(matches!(
        submission::read(&folder.path().join("absent.csv")),
        Err(Error::Io { .. })
    ));
}

#[test]
fn a_result_file_is_scored_against_the_truth() {
    let folder = folder();
    let (path, truth) = (
        folder.path().join("result1.csv"),
        folder.path().join("truth.csv"),
    );
    fs::write(&path, file(HEADER, &good_rows(true))).unwrap();
    // Answers begin at 1.jpg, 2.jpg, 3.jpg: right at the first place, at the third, not at all, not asked.
    fs::write(
        &truth,
        "text_id,image_id\nImgT-1,1.jpg\nImgT-2,4.jpg\nImgT-3,1.jpg\nImgT-4,1.jpg\n",
    )
    .unwrap();
    let score = submission::score(&path, &truth).unwrap();
    assert_eq!((score.queries, score.r1, score.r5), (4, 25.0, 50.0));
    fs::write(&truth, "text_id,image_id\n").unwrap();
    assert!(submission::score(&path, &truth).is_err());
    fs::write(&truth, "text_id,image_id\nOther-1,1.jpg\n").unwrap();
    assert!(submission::score(&path, &truth).is_err());
}

// ---- tables ---------------------------------------------------------------------------------------

#[derive(Clone, Copy, Debug)]
enum Coding {
    Utf8,
    Utf8Mark,
    Utf16Le,
    Utf16Be,
    Gb18030,
}

const CODINGS: [Coding; 5] = [
    Coding::Utf8,
    Coding::Utf8Mark,
    Coding::Utf16Le,
    Coding::Utf16Be,
    Coding::Gb18030,
];

fn coded(text: &str, coding: Coding) -> Vec<u8> {
    let marked = format!("\u{feff}{text}");
    match coding {
        Coding::Utf8 => text.into(),
        Coding::Utf8Mark => marked.into(),
        Coding::Utf16Le => marked.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        Coding::Utf16Be => marked.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        Coding::Gb18030 => GB18030.encode(text).0.into_owned(),
    }
}

fn line(fields: &[String], quote_all: bool) -> String {
    let quoted = |f: &String| match quote_all || f.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", f.replace('"', "\"\"")),
        false => f.clone(),
    };
    fields.iter().map(quoted).collect::<Vec<_>>().join(",")
}

/// 标 begins with a byte that begins no character of UTF-8, so that GB18030 is not taken for it.
fn columns(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("标题{i}")).collect()
}

fn read_table(bytes: &[u8], columns: &[&str]) -> (tuwen::Result<Table>, usize) {
    let folder = folder();
    let path = folder.path().join("table.csv");
    fs::write(&path, bytes).unwrap();
    let mut warnings = Vec::new();
    let table = Table::read(&path, columns, &mut warnings);
    (table, warnings.len())
}

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn tables_come_back_in_every_encoding(
        rows in (2..5usize).prop_flat_map(|n| vec(vec("[a-c,;\"'\n\r\t 中文，。·ｱ\u{1f415}]{0,6}", n), 1..8)),
        coding in proptest::sample::select(&CODINGS[..]),
        ending in proptest::sample::select(vec!["\n", "\r\n"]),
        quote_all in any::<bool>(),
        final_ending in any::<bool>(),
    ) {
        let header = columns(rows[0].len());
        let mut text = line(&header, quote_all) + ending;
        rows.iter().for_each(|row| text += &(line(row, quote_all) + ending));
        if !final_ending {
            text.truncate(text.len() - ending.len());
        }
        let wanted: Vec<&str> = header.iter().rev().map(String::as_str).collect();
        let (table, warnings) = read_table(&coded(&text, coding), &wanted);
        let records = table.unwrap().records;
        prop_assert_eq!(warnings, 0);
        let fields: Vec<Vec<String>> = records.iter().map(|r| r.fields.iter().rev().cloned().collect()).collect();
        prop_assert_eq!(fields, rows);
    }
}

#[test]
fn a_record_knows_its_first_line() {
    let text = "id,caption\n1,狗\n2,\"两只\n狗\"\n3,猫\n";
    for text in [text.into(), text.replace('\n', "\r\n")] {
        let (table, _) = read_table(text.as_bytes(), &["id"]);
        let lines: Vec<u64> = table.unwrap().records.iter().map(|r| r.line).collect();
        assert_eq!(lines, [2, 3, 5], "{text:?}");
    }
}

#[test]
fn an_unquoted_comma_belongs_to_the_last_column() {
    let (table, warnings) = read_table(
        "id,caption\n1,一个人,在跑\n2,狗\n3\n".as_bytes(),
        &["caption", "id"],
    );
    let records = table.unwrap().records;
    let fields: Vec<_> = records
        .iter()
        .map(|r| [r.fields[0].as_str(), r.fields[1].as_str()])
        .collect();
    assert_eq!(fields, [["一个人,在跑", "1"], ["狗", "2"], ["", "3"]]);
    assert_eq!(warnings, 2);
}

#[test]
fn a_missing_column_is_named_with_those_there_are() {
    let (table, _) = read_table("id, 标题 \n1,狗\n".as_bytes(), &["标题", "caption"]);
    match table.unwrap_err() {
        Error::MissingColumn { column, found, .. } => {
            assert_eq!(
                (column.as_str(), found),
                ("caption", vec!["id".to_owned(), "标题".into()])
            );
        }
        other => panic!("{other}"),
    }
}

#[test]
fn bytes_in_no_known_encoding_are_an_error() {
    let (table, _) = read_table(b"id,caption\n1,\x80\xff\xff\n", &["id"]);
    assert!(matches!(table, Err(Error::Table { .. })));
    let (table, _) = read_table(b"\xef\xbb\xbfid,caption\n1,\xff\n", &["id"]);
    assert!(
        matches!(table, Err(Error::Table { .. })),
        "marked as UTF-8, and is not"
    );
}

// ---- indices --------------------------------------------------------------------------------------

fn faiss(factory: &str, items: ArrayView2<f32>) -> Faiss {
    let params = IndexParams {
        factory: factory.into(),
        ..IndexParams::default()
    };
    Faiss::build(&params, items, items).unwrap()
}

/// Small whole numbers: products are exact, and there are ties everywhere.
fn whole_numbers(n: usize, d: usize, seed: u64) -> Array2<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    Array2::from_shape_simple_fn((n, d), || [-2.0, -1.0, 1.0, 2.0][rng.gen_range(0..4)])
}

fn uniform(n: usize, d: usize, seed: u64) -> Array2<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    Array2::from_shape_simple_fn((n, d), || rng.gen_range(-1.0..1.0))
}

/// Every product by definition, sorted by score and then by place.
fn naive_search(items: &Array2<f32>, queries: &Array2<f32>, k: usize) -> Vec<Vec<Hit>> {
    let answer = |q: ndarray::ArrayView1<f32>| {
        let product =
            |x: ndarray::ArrayView1<f32>| x.iter().zip(q).map(|(a, b)| a * b).sum::<f32>();
        let mut hits: Vec<Hit> = items
            .outer_iter()
            .enumerate()
            .map(|(item, x)| Hit {
                item,
                score: product(x),
            })
            .collect();
        hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.item.cmp(&b.item)));
        hits.truncate(k);
        hits
    };
    queries.outer_iter().map(answer).collect()
}

proptest! {
    #![proptest_config(config(128))]

    #[test]
    fn flat_is_the_definition_with_ties_in_order(
        n in 1..80usize, d in 1..7usize, queries in 0..9usize, k in 1..90usize, seed in any::<u64>(),
    ) {
        let (items, q) = (whole_numbers(n, d, seed), whole_numbers(queries, d, !seed));
        prop_assert_eq!(Flat::new(items.clone()).search(q.view(), k).unwrap(), naive_search(&items, &q, k));
    }

    #[test]
    fn faiss_flat_has_the_scores_of_our_flat(
        n in 1..80usize, d in 1..7usize, queries in 0..9usize, k in 1..90usize, seed in any::<u64>(),
    ) {
        let (items, q) = (whole_numbers(n, d, seed), whole_numbers(queries, d, !seed));
        let scores = |hits: Vec<Vec<Hit>>| -> Vec<Vec<f32>> { hits.iter().map(|h| h.iter().map(|h| h.score).collect()).collect() };
        let ours = Flat::new(items.clone()).search(q.view(), k).unwrap();
        let theirs = faiss("Flat", items.view()).search(q.view(), k).unwrap();
        prop_assert_eq!(scores(theirs), scores(ours));
    }

    /// Where several items share the score of the last place, the first of them in the gallery are kept.
    #[test]
    fn faiss_flat_keeps_the_first_of_equals(
        n in 1..80usize, d in 1..7usize, queries in 0..9usize, k in 1..90usize, seed in any::<u64>(),
    ) {
        let (items, q) = (whole_numbers(n, d, seed), whole_numbers(queries, d, !seed));
        let ours = Flat::new(items.clone()).search(q.view(), k).unwrap();
        prop_assert_eq!(faiss("Flat", items.view()).search(q.view(), k).unwrap(), ours);
    }
}

#[test]
fn faiss_flat_equals_our_flat_on_many_items() {
    let (items, q) = (uniform(3000, 48, 1), uniform(150, 48, 2));
    for k in [1, 10, 300] {
        let (ours, theirs) = (Flat::new(items.clone()), faiss("Flat", items.view()));
        let (ours, theirs) = (
            ours.search(q.view(), k).unwrap(),
            theirs.search(q.view(), k).unwrap(),
        );
        for (a, b) in ours.iter().flatten().zip(theirs.iter().flatten()) {
            assert!((a.score - b.score).abs() < 1e-4, "{a:?}, {b:?}");
        }
        assert!(recall(&theirs, &ours) > 0.999);
    }
}

#[test]
fn many_ties_stay_in_the_order_of_the_gallery() {
    let items = Array2::<f32>::ones((1000, 4));
    for k in [5, 150, 999] {
        let answers = faiss("Flat", items.view())
            .search(items.slice(s![..70, ..]), k)
            .unwrap();
        for hits in answers {
            assert!(
                hits.iter().map(|h| h.item).eq(0..k),
                "k = {k}: {:?}",
                &hits[..5]
            );
        }
    }
}

#[test]
fn zero_has_no_sign() {
    let items = Array2::from_shape_vec((4, 1), vec![-0.0f32, 0.0, -0.0, 0.0]).unwrap();
    let exact: [Box<dyn Index>; 2] = [
        Box::new(Flat::new(items.clone())),
        Box::new(faiss("Flat", items.view())),
    ];
    for index in exact {
        let hits = index.search(Array2::ones((1, 1)).view(), 4).unwrap();
        assert!(hits[0].iter().map(|h| h.item).eq(0..4), "{hits:?}");
    }
}

proptest! {
    #![proptest_config(config(64))]

    #[test]
    fn a_gallery_answers_every_query_with_different_items(
        usable in vec(any::<bool>(), 1..40),
        asked in vec(any::<bool>(), 0..5),
        k in 1..50usize,
        factory in proptest::sample::select(vec!["Flat", "HNSW4"]),
        seed in any::<u64>(),
    ) {
        let items = uniform(usable.len(), 6, seed);
        let q = uniform(asked.len(), 6, !seed);
        let params = IndexParams { factory: factory.into(), ..IndexParams::default() };
        let gallery = Gallery::build(&params, items.view(), items.view(), &usable).unwrap();
        let answers = gallery.answer(q.view(), &asked, k).unwrap();
        prop_assert_eq!(answers.len(), asked.len());
        let good = usable.iter().filter(|&&u| u).count();
        for (found, &asked) in answers.iter().zip(&asked) {
            let places: Vec<usize> = found.hits.iter().map(|h| h.item).collect();
            prop_assert_eq!(places.len(), k.min(usable.len()));
            prop_assert_eq!(places.iter().collect::<BTreeSet<_>>().len(), places.len());
            prop_assert_eq!(found.answered, asked);
            if asked {
                let behind = places.iter().skip(good).all(|&i| !usable[i]);
                prop_assert!(behind && places.iter().take(good).all(|&i| usable[i]), "{places:?}");
            } else {
                prop_assert!(places.into_iter().eq(0..k.min(usable.len())));
            }
        }
    }
}

#[test]
fn a_stored_gallery_is_the_same_and_a_damaged_one_is_none() {
    let folder = folder();
    let path = folder.path().join("gallery.faiss");
    let (items, q) = (uniform(40, 6, 1), uniform(5, 6, 2));
    let usable: Vec<bool> = (0..40).map(|i| i % 7 != 3).collect();
    let params = IndexParams::default();
    let gallery = Gallery::build(&params, items.view(), items.view(), &usable).unwrap();
    let ids = (0..40).map(|i| i.to_string()).collect();
    gallery.write(&path, spec(), ids).unwrap();
    let again = Gallery::read_fresh(&path, &spec(), &params).unwrap();
    let answers = |g: &Gallery| g.answer(q.view(), &[true; 5], 40).unwrap();
    assert_eq!(answers(&again), answers(&gallery));
    assert!(Gallery::read_fresh(&path, &Spec { seed: 8, ..spec() }, &params).is_none());
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&path, bytes).unwrap();
    assert!(Gallery::read_fresh(&path, &spec(), &params).is_none());
}

// ---- tokens ---------------------------------------------------------------------------------------

#[test]
fn any_sentence_gives_words() {
    let segmenter = SegmenterParams::default().load().unwrap();
    let sentence = "[ -~\\PC一只狗跑<人名>＜Ａ１＞\n\t]{0,24}";
    let mut runner = TestRunner::new(config(500));
    let checked = runner.run(&sentence, |sentence| {
        let tokens = segmenter.tokens(&sentence);
        for token in &tokens {
            prop_assert!(
                token.chars().any(char::is_alphanumeric),
                "{token:?} of {sentence:?}"
            );
        }
        prop_assert_eq!(segmenter.tokens(&format!(" {sentence}\n")), tokens);
        Ok(())
    });
    checked.unwrap();
}

// ---- evaluation -----------------------------------------------------------------------------------

/// 1 + the wrong that score better + half of the wrong that score the same.
fn naive_rank(scores: &[f32], right: &BTreeSet<usize>) -> f64 {
    let best = right.iter().map(|&i| scores[i]).fold(f32::MIN, f32::max);
    let wrong = scores
        .iter()
        .enumerate()
        .filter(|(i, _)| !right.contains(i));
    wrong.fold(1.0, |rank, (_, &s)| {
        rank + if s > best {
            1.0
        } else if s == best {
            0.5
        } else {
            0.0
        }
    })
}

fn quarters() -> impl Strategy<Value = Vec<f32>> {
    vec((-4..=4i8).prop_map(|v| f32::from(v) / 4.0), 1..30)
}

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn mid_rank_is_its_definition_and_within_bounds(
        scores in quarters(), right in vec(any::<proptest::sample::Index>(), 1..5),
    ) {
        let right: BTreeSet<usize> = right.iter().map(|i| i.index(scores.len())).collect();
        let places: Vec<usize> = right.iter().copied().collect();
        let rank = mid_rank(&scores, &places).unwrap();
        prop_assert_eq!(rank, naive_rank(&scores, &right));
        prop_assert!((1.0..=(scores.len() - right.len() + 1) as f64).contains(&rank), "{rank}");
    }

    #[test]
    fn mid_ranks_of_all_items_add_up(scores in quarters()) {
        let n = scores.len();
        let total: f64 = (0..n).map(|i| mid_rank(&scores, &[i]).unwrap()).sum();
        prop_assert_eq!(total, (n * (n + 1)) as f64 / 2.0);
    }

    #[test]
    fn without_ties_the_mid_rank_is_the_rank(order in (1..40usize).prop_flat_map(|n| Just((0..n).collect::<Vec<_>>()).prop_shuffle())) {
        let mut scores = vec![0.0; order.len()];
        order.iter().enumerate().for_each(|(rank, &item)| scores[item] = -(rank as f32));
        for (rank, &item) in order.iter().enumerate() {
            prop_assert_eq!(mid_rank(&scores, &[item]), Some(1.0 + rank as f64));
        }
    }
}

#[test]
fn what_rounding_tells_apart_is_tied() {
    assert_eq!(mid_rank(&[0.5, 0.5 + 1e-7, 0.1], &[0]), Some(1.5));
    assert_eq!(mid_rank(&[0.5, 0.5 + 1e-4, 0.1], &[0]), Some(2.0));
}

fn ranking(seed: u64) -> Ranking {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let ranks = (0..300)
        .map(|_| f64::from(rng.gen_range(2..60u8)) / 2.0)
        .collect();
    Ranking {
        ranks,
        units: (0..300).map(|i| i / 5).collect(),
        right: vec![1; 300],
        gallery: vec![60; 300],
    }
}

fn evaluated() -> Report {
    report(
        ("made up", "none", "test"),
        Some(&ranking(1)),
        Some(&ranking(2)),
        5,
    )
}

#[test]
fn a_report_holds_its_figures_within_their_intervals() {
    let (t2i, i2t) = (ranking(1), ranking(2));
    let report = evaluated();
    let mean = mean_recall(&t2i, &i2t);
    assert_eq!(report.mean_recall, Some(mean));
    let six = [1, 5, 10]
        .map(|k| t2i.recall(k) + i2t.recall(k))
        .iter()
        .sum::<f64>()
        / 6.0;
    assert!((mean - six).abs() < 1e-9);
    let [low, high] = report.ci95.mean_recall.unwrap();
    assert!(low < mean && mean < high, "{low} {mean} {high}");
    let (figures, intervals) = (report.t2i.unwrap(), report.ci95.t2i.unwrap());
    for (value, [low, high]) in [
        (figures.r1, intervals.r1),
        (figures.r5, intervals.r5),
        (figures.r10, intervals.r10),
    ] {
        assert!(
            low <= value && value <= high && low < high,
            "{low} {value} {high}"
        );
    }
    assert!((figures.chance_r5 - 100.0 * 5.0 / 60.0).abs() < 1e-9);
}

#[test]
fn folds_are_put_together() {
    let (mut both, other) = (ranking(1), ranking(2));
    both.extend(&other);
    assert_eq!(both.ranks, [ranking(1).ranks, other.ranks.clone()].concat());
    assert!((both.recall(5) - (ranking(1).recall(5) + other.recall(5)) / 2.0).abs() < 1e-9);
    assert_eq!(
        both.units.iter().collect::<BTreeSet<_>>().len(),
        120,
        "units of two folds are not mixed"
    );
}

// ---- linear algebra -------------------------------------------------------------------------------

fn naive_product(a: ArrayView2<f32>, b: ArrayView2<f32>) -> Array2<f32> {
    Array2::from_shape_fn((a.nrows(), b.ncols()), |(i, j)| {
        (0..a.ncols()).map(|l| a[[i, l]] * b[[l, j]]).sum()
    })
}

fn near<D: ndarray::Dimension, T: Copy + Into<f64>>(
    a: &ArrayBase<impl Data<Elem = T>, D>,
    b: &ArrayBase<impl Data<Elem = T>, D>,
    tolerance: f64,
) -> bool {
    a.shape() == b.shape()
        && a.iter()
            .zip(b)
            .all(|(&a, &b)| (a.into() - b.into()).abs() <= tolerance)
}

proptest! {
    #![proptest_config(config(48))]

    #[test]
    fn a_product_is_its_definition(n in 0..600usize, d in 0..20usize, m in 0..20usize, seed in any::<u64>()) {
        let (a, b) = (whole_numbers(n, d, seed), whole_numbers(d, m, !seed));
        prop_assert_eq!(matmul(a.view(), b.view()), naive_product(a.view(), b.view()));
        let (a_t, b_t) = (whole_numbers(d, n, seed), whole_numbers(m, d, !seed));
        prop_assert_eq!(matmul(a_t.t(), b_t.t()), naive_product(a_t.t(), b_t.t()));
        let every_other = a.slice(s![..;-2, ..]);
        prop_assert_eq!(matmul(every_other, b.view()), naive_product(every_other, b.view()));
    }

    #[test]
    fn decompositions_put_the_matrix_together_again(n in 1..40usize, d in 1..40usize, seed in any::<u64>()) {
        let x = uniform(n, d, seed).mapv(f64::from);
        let svd = thin_svd(x.view()).unwrap();
        let again = (&svd.u * &svd.s).dot(&svd.v.t());
        prop_assert!(near(&again, &x, 1e-10));
        prop_assert!(svd.s.windows(2).into_iter().all(|w| w[0] >= w[1]));
        let k = n.min(d);
        for basis in [&svd.u, &svd.v] {
            prop_assert!(near(&basis.t().dot(basis), &Array2::eye(k), 1e-10));
        }
        let square = x.t().dot(&x);
        let (values, vectors) = symmetric_eigen(square.view()).unwrap();
        prop_assert!(near(&(&vectors * &values).dot(&vectors.t()), &square, 1e-9));
        prop_assert!(values.windows(2).into_iter().all(|w| w[0] >= w[1]));
        let tall = if n < d { x.t() } else { x.view() };
        let q = orthonormal(tall).unwrap();
        prop_assert!(near(&q.t().dot(&q), &Array2::eye(k), 1e-10));
        prop_assert!(near(&q.dot(&q.t().dot(&tall)), &tall, 1e-10), "it spans the columns");
    }

    #[test]
    fn normalisation_gives_unit_rows_and_powers_keep_the_sign(n in 1..20usize, d in 1..20usize, seed in any::<u64>()) {
        let mut x = concatenate![Axis(0), uniform(n, d, seed), Array2::<f32>::zeros((1, d))];
        l2_normalize_rows(&mut x);
        let lengths = x.map_axis(Axis(1), |r| r.dot(&r).sqrt());
        prop_assert!(lengths.slice(s![..n]).iter().all(|l| (l - 1.0).abs() < 1e-5));
        prop_assert_eq!(lengths[n], 0.0);
        for p in [0.5, 0.3, 1.0] {
            let v = x.row(0).to_owned();
            let mut raised = v.clone();
            power_normalize(&mut raised, p);
            let expected = v.mapv(|v| v.signum() * v.abs().powf(p));
            prop_assert!(near(&raised, &expected, 1e-6));
        }
    }
}

fn sparse_rows(n: usize, d: usize, seed: u64) -> Vec<SparseRow> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut cell = |j: u32| (rng.gen_range(0..10) == 0).then_some((j, rng.gen_range(0.1..1.0)));
    (0..n)
        .map(|_| (0..d as u32).filter_map(&mut cell).collect())
        .collect()
}

fn pairs(images: usize, texts: usize) -> Vec<Pair> {
    (0..texts)
        .map(|i| Pair {
            image: i % images,
            text: i,
        })
        .collect()
}

fn cca(x: &Array2<f32>, y: &Array2<f32>) -> tuwen::Result<Fusion> {
    let params = CcaParams {
        dims: vec![16],
        regularization: vec![0.1],
        power: vec![1.0],
    };
    let pairs = pairs(x.nrows(), y.nrows());
    FusionParams::Cca(params).fit(Pairs {
        x: x.view(),
        y: y.view(),
        pairs: &pairs,
    })
}

#[test]
fn a_value_that_is_not_finite_is_an_error() {
    for bad in [f32::NAN, f32::INFINITY] {
        for width in [40, 600] {
            let mut x = uniform(50, width, 1);
            x[[7, 3]] = bad;
            assert!(
                PcaParams::default().fit(x.view(), 0).is_err(),
                "PCA, {width} wide"
            );
        }
        let (mut x, y) = (uniform(50, 20, 1), uniform(50, 20, 2));
        x[[7, 3]] = bad;
        assert!(cca(&x, &y).is_err() && cca(&y, &x).is_err());
        let mut rows = sparse_rows(50, 30, 1);
        rows[9] = vec![(2, bad)];
        assert!(Lsa::fit(rows, 30, 5, 0).is_err());
    }
}

fn kind(dim: usize) -> DescriptorKind {
    DescriptorKind {
        name: "made up".into(),
        dim,
    }
}

#[test]
fn a_codebook_wants_enough_of_its_own_kind() {
    let params = KMeansParams {
        size: 16,
        ..KMeansParams::default()
    };
    let x = uniform(15, 4, 1);
    assert!(matches!(
        params.fit(kind(4), x.view(), 0),
        Err(Error::TooFew {
            needed: 16,
            found: 15,
            ..
        })
    ));
    assert!(matches!(
        params.fit(kind(5), x.view(), 0),
        Err(Error::Mismatch { .. })
    ));
    let none = KMeansParams {
        size: 0,
        ..params.clone()
    };
    assert!(none.fit(kind(4), x.view(), 0).is_err());
    // Fewer different descriptors than words: some words stay without, and none is lost.
    let few = x.select(Axis(0), &(0..200).map(|i| i % 5).collect::<Vec<_>>());
    let codebook = params.fit(kind(4), few.view(), 0).unwrap();
    assert!(codebook.centroids().iter().all(|v| v.is_finite()));
    assert_eq!(codebook.assign(x.view()).unwrap().len(), 15);
}

#[test]
fn a_descriptor_is_nearest_to_the_word_that_is_nearest() {
    let x = uniform(700, 6, 3);
    let codebook = KMeansParams {
        size: 20,
        ..KMeansParams::default()
    }
    .fit(kind(6), x.view(), 1)
    .unwrap();
    let distance = |x: ndarray::ArrayView1<f32>, w: usize| {
        (&x - &codebook.centroids().row(w)).mapv(|v| v * v).sum()
    };
    for (x, word) in x.outer_iter().zip(codebook.assign(x.view()).unwrap()) {
        let nearest = (0..20).map(|w| distance(x, w)).fold(f32::MAX, f32::min);
        assert!(distance(x, word) <= nearest + 1e-5);
    }
}

// ---- threads --------------------------------------------------------------------------------------

fn assert_same_for_any_pool<T: PartialEq + Send>(
    what: &str,
    compute: impl Fn() -> T + Send + Sync,
) {
    let [one, two, five] = [1, 2, 5].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(&compute)
    });
    assert!(
        one == two && two == five,
        "{what} depends on the number of threads"
    );
}

/// Artifacts are equal where their bytes are.
fn stored(store: impl FnOnce(Artifact) -> Artifact) -> Artifact {
    store(Artifact::new(spec()))
}

#[test]
fn products_do_not_depend_on_threads() {
    let (a, b) = (uniform(1100, 130, 1), uniform(130, 300, 2));
    assert_same_for_any_pool("a product in f32", || {
        stored(|s| s.with_matrix("x", matmul(a.view(), b.view()).view()))
    });
    let (a, b) = (a.mapv(f64::from), b.mapv(f64::from));
    assert_same_for_any_pool("a product in f64", || {
        stored(|s| s.with_matrix("x", matmul(a.view(), b.view()).view()))
    });
}

#[test]
fn pca_does_not_depend_on_threads() {
    for width in [96, 640] {
        let x = uniform(700, width, 3);
        let params = PcaParams {
            dim: 40,
            ..PcaParams::default()
        };
        assert_same_for_any_pool("PCA", || {
            let pca = params.fit(x.view(), 1).unwrap();
            let z = pca.transform(x.view()).unwrap();
            stored(|s| pca.store(s).with_matrix("z", z.view()))
        });
    }
}

#[test]
fn cca_does_not_depend_on_threads() {
    let (x, y) = (uniform(400, 64, 4), uniform(1200, 48, 5));
    assert_same_for_any_pool("CCA", || cca(&x, &y).unwrap().store(spec()));
}

/// Set in a process of its own, where nothing before has told BLAS how many threads to use.
const CCA_INTO: &str = "TUWEN_TEST_CCA_INTO";

#[test]
fn cca_does_not_depend_on_the_threads_of_blas() {
    if let Some(path) = std::env::var_os(CCA_INTO) {
        // Large and small numbers, whose sum rounds; of few columns BLAS shares out the sums themselves.
        let [x, y] = [4, 5].map(|seed| uniform(100_000, 3, seed).mapv(|v| v.powi(7)));
        let stored = cca(&x, &y).unwrap().store(spec());
        return stored.write(Path::new(&path)).unwrap();
    }
    let folder = folder();
    let with = |threads: &str| {
        let path = folder.path().join(threads);
        let alone = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "cca_does_not_depend_on_the_threads_of_blas"])
            .env(CCA_INTO, &path)
            .env("OPENBLAS_NUM_THREADS", threads)
            .output()
            .unwrap();
        assert!(
            alone.status.success(),
            "{}",
            String::from_utf8_lossy(&alone.stdout)
        );
        fs::read(path).unwrap()
    };
    assert!(
        with("1") == with("2"),
        "the first product of a process has other bits on two threads"
    );
}

#[test]
fn k_means_does_not_depend_on_threads() {
    let x = uniform(6000, 32, 6);
    let params = KMeansParams {
        size: 24,
        batch: 1000,
        rounds: 3,
        ..KMeansParams::default()
    };
    assert_same_for_any_pool("k-means", || {
        stored(|s| params.fit(kind(32), x.view(), 2).unwrap().store(s))
    });
}

#[test]
fn lsa_does_not_depend_on_threads() {
    let rows = sparse_rows(900, 400, 7);
    assert_same_for_any_pool("LSA", || {
        let lsa = Lsa::fit(rows.clone(), 400, 30, 3).unwrap();
        stored(|s| lsa.store(s).with_matrix("z", lsa.transform(&rows).view()))
    });
}

#[test]
fn answers_and_figures_do_not_depend_on_threads() {
    let (items, q) = (uniform(2000, 32, 8), uniform(300, 32, 9));
    for factory in ["Flat", "IVF16,Flat", "HNSW16"] {
        assert_same_for_any_pool(factory, || {
            faiss(factory, items.view()).search(q.view(), 10).unwrap()
        });
    }
    let truth: Vec<Vec<usize>> = (0..300).map(|i| vec![i, i + 1]).collect();
    assert_same_for_any_pool("a rank", || {
        ranks(q.view(), items.view(), &vec![true; 2000], &truth)
    });
    assert_same_for_any_pool("a report", evaluated);
}
