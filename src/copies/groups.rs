//! Groups of pictures that show the same.

use image::GrayImage;

/// Two pictures of a gallery that show the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Link {
    pub pair: [usize; 2],
    pub score: f64,
}

/// The connected components of n pictures that have more than one, each rising, by their first.
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

/// Shortens the way there.
fn root(parents: &mut [usize], mut i: usize) -> usize {
    while parents[i] != i {
        parents[i] = parents[parents[i]];
        i = parents[i];
    }
    i
}

/// The variance of the Laplacian, in squared levels (Pech-Pacheco et al., ICPR 2000): low where a picture is blurred or
/// was made larger; 0 for pictures smaller than 3×3.
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
