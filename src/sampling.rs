//! Which of many things are looked at, where not all can be.

/// The places of at most `most` of `n` things, evenly spread.
pub fn sample_places(n: usize, most: usize) -> impl Iterator<Item = usize> {
    let k = n.min(most);
    (0..k).map(move |i| (i * n + n / 2) / k)
}
