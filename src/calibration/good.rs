//! Where good hits end.

/// The probability from which on hits count as good: the one with the highest F1 (the harmonic mean of the share of
/// good hits that are right and the share of right hits that are good). Of equals the highest; above 1 where no hit
/// is right.
pub fn threshold(probabilities: &[f32], right: &[bool]) -> f32 {
    let mut hits: Vec<(f32, bool)> = probabilities
        .iter()
        .copied()
        .zip(right.iter().copied())
        .collect();
    hits.sort_by(|a, b| b.0.total_cmp(&a.0));
    let all = hits.iter().filter(|(_, right)| *right).count();
    let (mut best, mut best_f1, mut found) = (f32::INFINITY, 0.0, 0);
    for (i, (p, right)) in hits.iter().enumerate() {
        found += usize::from(*right);
        // Hits of equal probability are good together.
        if hits.get(i + 1).is_some_and(|next| next.0 == *p) {
            continue;
        }
        let f1 = 2.0 * found as f64 / (i + 1 + all) as f64;
        if f1 > best_f1 {
            (best, best_f1) = (*p, f1);
        }
    }
    // JSON has no infinity.
    best.min(2.0)
}

#[cfg(test)]
mod tests {
    use super::threshold;

    #[test]
    fn the_threshold_has_the_highest_f1() {
        // good down to 0.6: 2 of 3 good are right, all right ones are good, F1 0.8; down to 0.9: 1, 1/2, 2/3
        let (p, right) = ([0.1, 0.9, 0.8, 0.6], [false, true, false, true]);
        assert_eq!(threshold(&p, &right), 0.6);
        assert_eq!(threshold(&[0.5, 0.5, 0.2], &[true, false, false]), 0.5);
        assert_eq!(threshold(&[0.5, 0.2], &[false, false]), 2.0);
        assert_eq!(threshold(&[], &[]), 2.0);
    }
}
