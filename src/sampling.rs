//! Evenly spread samples, for stages that look at a part of the data.

/// The indices of at most `most` of `n` things, evenly spread and rising.
pub fn sample_places(n: usize, most: usize) -> impl Iterator<Item = usize> {
    let k = n.min(most);
    (0..k).map(move |i| (i * n + n / 2) / k)
}
