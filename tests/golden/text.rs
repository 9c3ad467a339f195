//! Weights of terms against scikit-learn's, words against jieba's.

use ndarray::{Array2, ArrayView1};
use serde::Deserialize;
use tempfile::NamedTempFile;
use tuwen::text::{SegmenterParams, TfIdfParams};

use super::figures::{as_row, assert_near, json, read};

#[derive(Deserialize)]
struct TfIdfGolden {
    documents: Vec<Vec<String>>,
    queries: Vec<Vec<String>>,
    vocabulary: Vec<String>,
    idf: Vec<f64>,
    plain: Vec<Vec<f64>>,
    sublinear: Vec<Vec<f64>>,
}

#[test]
fn tf_idf_is_scikit_learns() {
    let golden: TfIdfGolden = json("tfidf");
    for (sublinear, expected) in [(false, &golden.plain), (true, &golden.sublinear)] {
        let model = TfIdfParams {
            min_df: 1,
            sublinear,
            ..TfIdfParams::default()
        }
        .fit(&golden.documents)
        .unwrap();
        assert!(model.terms().eq(&golden.vocabulary));
        let idf = as_row(model.idf().mapv(f64::from).view());
        assert_near(
            idf.view(),
            as_row(ArrayView1::from(&golden.idf)).view(),
            1e-6,
        );
        for (query, expected) in golden.queries.iter().zip(expected) {
            let mut row = Array2::<f64>::zeros((1, model.dim()));
            for (column, weight) in model.transform(query) {
                row[[0, column as usize]] = f64::from(weight);
            }
            assert_near(row.view(), as_row(ArrayView1::from(expected)).view(), 1e-6);
        }
    }
}

#[test]
fn a_caption_of_unknown_words_has_no_weights() {
    let golden: TfIdfGolden = json("tfidf");
    let model = TfIdfParams::default().fit(&golden.documents).unwrap();
    let unknown = golden.queries.last().unwrap();
    assert!(golden.plain.last().unwrap().iter().all(|&v| v == 0.0));
    assert_eq!(model.transform(unknown), vec![]);
    assert_eq!(model.transform(&[]), vec![]);
}

#[test]
fn rare_terms_are_left_out() {
    let golden: TfIdfGolden = json("tfidf");
    let occurs = |t: &str| {
        golden
            .documents
            .iter()
            .filter(|d| d.iter().any(|w| w == t))
            .count()
    };
    let model = TfIdfParams {
        min_df: 3,
        sublinear: true,
        ..TfIdfParams::default()
    }
    .fit(&golden.documents)
    .unwrap();
    assert!(
        model
            .terms()
            .eq(golden.vocabulary.iter().filter(|t| occurs(t) >= 3))
    );
    assert!(
        TfIdfParams {
            min_df: 100,
            sublinear: true,
            ..TfIdfParams::default()
        }
        .fit(&golden.documents)
        .is_err()
    );
}

#[derive(Deserialize)]
struct Segmented {
    sentence: String,
    tokens: Vec<String>,
}

/// What we make of jieba's tokens: no punctuation, lower case, English words stemmed (these two occur).
fn normalised(tokens: &[String]) -> Vec<String> {
    let words = tokens
        .iter()
        .filter(|t| t.chars().any(char::is_alphanumeric));
    let stem = |word: String| match word.as_str() {
        "dogs" => "dog".into(),
        "running" => "run".into(),
        _ => word,
    };
    words.map(|t| stem(t.to_lowercase())).collect()
}

/// Without the one sentence that NFKC rewrites before we cut it, and jieba does not.
fn segmented() -> Vec<Segmented> {
    let all: Vec<Segmented> = json("jieba");
    let kept: Vec<_> = all
        .into_iter()
        .filter(|s| !s.sentence.contains('Ａ'))
        .collect();
    assert_eq!(kept.len(), 39);
    kept
}

#[test]
fn segmentation_is_jiebas() {
    let nothing = NamedTempFile::new().unwrap();
    let path = Some(nothing.path().to_owned());
    let params = SegmenterParams {
        stop_words: path.clone(),
        user_dictionary: path,
        hmm: true,
    };
    let segmenter = params.load().unwrap();
    for Segmented { sentence, tokens } in segmented() {
        assert_eq!(
            segmenter.tokens(&sentence),
            normalised(&tokens),
            "{sentence}"
        );
    }
}

#[test]
fn stop_words_go_and_the_rest_stays() {
    let list = String::from_utf8(read("vocab/stop_words.txt")).unwrap();
    let segmenter = SegmenterParams::default().load().unwrap();
    for Segmented { sentence, tokens } in segmented() {
        let mut expected = normalised(&tokens);
        expected.retain(|t| !list.lines().any(|stop| stop.trim() == t));
        assert_eq!(segmenter.tokens(&sentence), expected, "{sentence}");
    }
}

#[test]
fn full_width_letters_and_digits_become_plain() {
    let segmenter = SegmenterParams::default().load().unwrap();
    let tokens = segmenter.tokens("ＡＢＣ公司发布２０２４年新款手机");
    assert_eq!(tokens, segmenter.tokens("ABC公司发布2024年新款手机"));
    assert!(
        tokens.contains(&"abc".into()) && tokens.contains(&"2024".into()),
        "{tokens:?}"
    );
}

#[test]
fn a_placeholder_is_one_token() {
    let segmenter = SegmenterParams::default().load().unwrap();
    assert_eq!(segmenter.tokens("<人名>和<地名>"), ["<人名>", "<地名>"]);
    let tokens = segmenter.tokens("3 < 5 而 7 > 2");
    assert!(tokens.iter().all(|t| !t.contains(['<', '>'])), "{tokens:?}");
}

#[test]
fn words_with_capitals_stay_whole_in_either_case() {
    let segmenter = SegmenterParams::default().load().unwrap();
    for (sentence, expected) in [
        ("穿T恤的男孩", ["t恤", "男孩"].as_slice()),
        ("穿t恤的男孩", &["t恤", "男孩"]),
        ("医生在做B超", &["医生", "b超"]),
        ("Ｕ盘和D盘", &["u盘", "d盘"]),
        ("胸部X光片", &["胸部", "x光", "片"]),
    ] {
        let tokens = segmenter.tokens(sentence);
        let found: Vec<&String> = tokens
            .iter()
            .filter(|t| expected.contains(&t.as_str()))
            .collect();
        assert_eq!(found, expected, "{sentence}: {tokens:?}");
    }
}

#[test]
fn a_user_dictionary_may_have_capitals() {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "JK制服 100 n\n").unwrap();
    let params = SegmenterParams {
        user_dictionary: Some(file.path().to_owned()),
        ..SegmenterParams::default()
    };
    let tokens = params.load().unwrap().tokens("穿JK制服的女孩");
    assert!(tokens.contains(&"jk制服".to_owned()), "{tokens:?}");
}
