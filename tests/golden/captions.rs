//! BLEU, ROUGE-L and CIDEr-D of captions.

use serde::Deserialize;
use tuwen::captions::metrics::{Scores, score, score_each};

use super::figures::json;

#[derive(Deserialize)]
struct Corpus {
    candidates: Vec<Vec<String>>,
    references: Vec<Vec<Vec<String>>>,
    together: Scores,
    each: Vec<Scores>,
}

/// The largest difference of a kind of score: BLEU, ROUGE-L, CIDEr-D.
fn differences(ours: &Scores, golden: &Scores) -> [f64; 3] {
    let bleu = ours
        .bleu
        .iter()
        .zip(golden.bleu)
        .map(|(a, b)| (a - b).abs());
    [
        bleu.max_by(f64::total_cmp).unwrap(),
        (ours.rouge_l - golden.rouge_l).abs(),
        (ours.cider - golden.cider).abs(),
    ]
}

#[test]
fn scores_are_those_of_pycocoevalcap() {
    let corpora: Vec<Corpus> = json("captions");
    assert_eq!(corpora.len(), 3);
    for corpus in corpora {
        let together = score(&corpus.candidates, &corpus.references).unwrap();
        let each = score_each(&corpus.candidates, &corpus.references).unwrap();
        assert_eq!(each.len(), corpus.each.len());
        let pairs = each.iter().zip(&corpus.each);
        for (ours, golden) in pairs.chain([(&together, &corpus.together)]) {
            let differences = differences(ours, golden);
            assert!(
                differences.iter().all(|&d| d <= 1e-9),
                "{differences:?}: {ours:?}, not {golden:?}"
            );
        }
    }
}
