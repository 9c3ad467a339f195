//! Groups of pictures that show the same thing.

use image::GrayImage;

/// Two pictures of a gallery that show the same thing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Link {
    /// Indices of the two pictures in the gallery.
    pub pair: [usize; 2],
    /// Score of the match; see [`super::Found::score`].
    pub score: f64,
}

/// Connected components with more than one of `n` pictures, sorted by their first picture; each lists its pictures
/// in rising order.
pub fn groups(n: usize, links: &[Link]) -> Vec<Vec<usize>> {
    let mut parents: Vec<usize> = (0..n).collect();
    for &Link { pair: [a, b], .. } in links {
        let (a, b) = (root(&mut parents, a), root(&mut parents, b));
        parents[a.max(b)] = a.min(b);
    }
    let mut members = vec![Vec::new(); n];
    for i in 0..n {
        members[root(&mut parents, i)].push(i);
    }
    members.retain(|group| group.len() > 1);
    members
}

/// The root of a tree; shortens the path to it.
fn root(parents: &mut [usize], mut i: usize) -> usize {
    while parents[i] != i {
        parents[i] = parents[parents[i]];
        i = parents[i];
    }
    i
}

/// The variance of the Laplacian, in squared grey levels (Pech-Pacheco et al., ICPR 2000): low if a picture is
/// blurred or was enlarged; 0 for pictures smaller than 3×3.
pub fn sharpness(picture: &GrayImage) -> f64 {
    let (w, h) = (picture.width() as usize, picture.height() as usize);
    if w < 3 || h < 3 {
        return 0.0;
    }
    let at = |x: usize, y: usize| i64::from(picture.as_raw()[y * w + x]);
    let (mut sum, mut squares) = (0, 0);
    for y in 1..h - 1 {
        for x in 1..w - 1 {
            let around = at(x - 1, y) + at(x + 1, y) + at(x, y - 1) + at(x, y + 1);
            let v = around - 4 * at(x, y);
            sum += v;
            squares += v * v;
        }
    }
    let n = ((w - 2) * (h - 2)) as f64;
    squares as f64 / n - (sum as f64 / n).powi(2)
}
