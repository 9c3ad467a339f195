//! How well captions agree with reference captions: BLEU (Papineni et al. 2002), ROUGE-L (Lin 2004) and CIDEr-D
//! (Vedantam et al. 2015), each in the variant of `pycocoevalcap` 1.2, by which results on COCO are reported.
//!
//! That package's tokenizer is a Java program; here captions come as tokens, such as [`tokens_english`](crate::text::tokens_english) gives, and
//! figures compare only among captions that were cut alike.

mod bleu;
mod cider;
mod rouge;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use bleu::Matches;
pub use cider::{Cider, CiderVector};
use rouge::rouge_l;

/// Longest n-grams of BLEU and CIDEr-D.
const N: usize = 4;

/// The agreement of captions with references.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// BLEU-1 to BLEU-4, from 0 to 1: over the n-grams of all pictures together.
    pub bleu: [f64; N],
    /// ROUGE-L, from 0 to 1: the mean over pictures.
    pub rouge_l: f64,
    /// CIDEr-D, from 0 to 10: the mean over pictures. The package and most papers call it CIDEr.
    pub cider: f64,
}

/// The scores of one candidate caption a picture, each against the references of that picture. CIDEr-D takes document
/// frequencies from these references.
///
/// # Errors
/// [`Error::Mismatch`] if there are more candidates than pictures with references or fewer, [`Error::TooFew`] without
/// pictures or if a picture has no reference.
pub fn score(candidates: &[Vec<String>], references: &[Vec<Vec<String>>]) -> Result<Scores> {
    let pictures = compare(candidates, references)?;
    let mut matches = Matches::default();
    pictures.iter().for_each(|(m, _)| matches.add(m));
    let mean = |of: fn(&Scores) -> f64| {
        pictures.iter().map(|(_, s)| of(s)).sum::<f64>() / pictures.len() as f64
    };
    Ok(Scores {
        bleu: matches.bleu(),
        rouge_l: mean(|s| s.rouge_l),
        cider: mean(|s| s.cider),
    })
}

/// The scores of each picture by itself, with the document frequencies of all references; see [`score`].
///
/// # Errors
/// Those of [`score`].
pub fn score_each(
    candidates: &[Vec<String>],
    references: &[Vec<Vec<String>>],
) -> Result<Vec<Scores>> {
    let pictures = compare(candidates, references)?;
    Ok(pictures.into_iter().map(|(_, scores)| scores).collect())
}

/// What BLEU counts in each picture, and the picture's scores.
fn compare(
    candidates: &[Vec<String>],
    references: &[Vec<Vec<String>>],
) -> Result<Vec<(Matches, Scores)>> {
    if candidates.len() != references.len() {
        return Err(Error::Mismatch {
            left: "the list of candidates".into(),
            left_is: format!("{} long", candidates.len()),
            right: "the list of references".into(),
            right_is: format!("{} long", references.len()),
        });
    }
    if candidates.is_empty() || references.iter().any(Vec::is_empty) {
        return Err(Error::TooFew {
            what: "references of each picture".into(),
            needed: 1,
            found: 0,
        });
    }
    let cider = Cider::new(references);
    let pictures = candidates.par_iter().zip(references);
    let one = |(candidate, references): (&Vec<String>, &Vec<Vec<String>>)| {
        let matches = Matches::count(candidate, references);
        let vectors: Vec<CiderVector> = references.iter().map(|r| cider.vector(r)).collect();
        let scores = Scores {
            bleu: matches.bleu(),
            rouge_l: rouge_l(candidate, references),
            cider: cider.score(&cider.vector(candidate), &vectors),
        };
        (matches, scores)
    };
    Ok(pictures.map(one).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::tokens_english;

    fn scores(candidates: [&str; 2], references: [&str; 2]) -> Scores {
        let references = references.map(|r| vec![tokens_english(r)]);
        score(&candidates.map(tokens_english), &references).unwrap()
    }

    const REFERENCES: [&str; 2] = ["a red kite over the dunes", "two cats on a blue chair"];

    #[test]
    fn a_copy_of_the_reference_has_the_highest_scores() {
        let copied = scores(REFERENCES, REFERENCES);
        for value in copied.bleu.into_iter().chain([copied.rouge_l]) {
            assert!((value - 1.0).abs() < 1e-9, "{copied:?}");
        }
        assert!((copied.cider - 10.0).abs() < 1e-12, "{copied:?}");
    }

    #[test]
    fn a_wrong_word_lowers_every_score() {
        let wrong = scores(["a red kite under the dunes", REFERENCES[1]], REFERENCES);
        let more = scores(
            ["a red kite over the tall dunes", REFERENCES[1]],
            REFERENCES,
        );
        for worse in [wrong, more] {
            assert!(worse.bleu.iter().all(|&b| b < 0.999), "{worse:?}");
            assert!(worse.bleu.is_sorted_by(|a, b| a > b), "{worse:?}");
            assert!(worse.rouge_l < 0.999 && worse.cider < 9.99, "{worse:?}");
        }
    }

    #[test]
    fn lists_that_do_not_fit_are_errors() {
        let reason = |candidates: usize, references: &[Vec<Vec<String>>]| {
            let candidates = vec![tokens_english("a kite"); candidates];
            score(&candidates, references).unwrap_err().to_string()
        };
        let one = vec![tokens_english("a kite")];
        assert_eq!(
            reason(2, std::slice::from_ref(&one)),
            "mismatch: the list of candidates is 2 long, but the list of references is 1 long"
        );
        let none = "references of each picture: 1 needed, 0 found";
        assert_eq!(reason(2, &[one, vec![]]), none);
        assert_eq!(reason(0, &[]), none);
    }
}
