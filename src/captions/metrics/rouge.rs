//! ROUGE-L (Lin 2004): the F-measure of the longest common subsequence.

/// Weight of recall in the F-measure, as in `pycocoevalcap`.
const BETA: f64 = 1.2;

/// An empty caption counts as one with a blank word, as in `pycocoevalcap`: it agrees with another empty one alone.
static BLANK: [String; 1] = [String::new()];

/// ROUGE-L from the best precision and the best recall, which may be those of different references.
pub(super) fn rouge_l(candidate: &[String], references: &[Vec<String>]) -> f64 {
    let words = |tokens| {
        if <[_]>::is_empty(tokens) {
            &BLANK
        } else {
            tokens
        }
    };
    let candidate = words(candidate);
    let (mut precision, mut recall) = (0.0f64, 0.0f64);
    for reference in references.iter().map(|r| words(r)) {
        let common = common(candidate, reference) as f64;
        precision = precision.max(common / candidate.len() as f64);
        recall = recall.max(common / reference.len() as f64);
    }
    if precision == 0.0 {
        return 0.0; // and so is the recall
    }
    (1.0 + BETA * BETA) * precision * recall / (recall + BETA * BETA * precision)
}

/// Length of the longest common subsequence.
fn common(a: &[String], b: &[String]) -> usize {
    let mut row = vec![0; b.len() + 1]; // of the words of a so far and the first words of b
    for x in a {
        let mut diagonal = 0;
        for (j, y) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = if x == y {
                diagonal + 1
            } else {
                above.max(row[j])
            };
            diagonal = above;
        }
    }
    row[b.len()]
}
