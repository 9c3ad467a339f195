//! Splits for pairs that come without any.
//!
//! The fold of an image is a hash of its id. Images that are byte-identical or share a caption stay together, so
//! that no item of one fold has a twin in another.

use std::collections::HashMap;

use super::{Collection, Split};
use crate::artifact::Fingerprint;

/// The group of each image: the smallest id that it is connected with, by equal contents or captions.
fn groups(c: &Collection, contents: &[Fingerprint]) -> Vec<String> {
    let mut parent: Vec<usize> = (0..c.images.len()).collect();
    fn root(parent: &mut [usize], mut i: usize) -> usize {
        while parent[i] != i {
            parent[i] = parent[parent[i]];
            i = parent[i];
        }
        i
    }
    let mut join = |a: usize, b: usize| {
        let (a, b) = (root(&mut parent, a), root(&mut parent, b));
        // The root is the image with the smallest id, whatever the order of the file.
        if c.images[a].id <= c.images[b].id {
            parent[b] = a;
        } else {
            parent[a] = b;
        }
    };
    let mut by_content = HashMap::new();
    for (i, content) in contents.iter().enumerate() {
        join(*by_content.entry(content).or_insert(i), i);
    }
    let mut by_caption = HashMap::new();
    for p in &c.pairs {
        let caption = c.texts[p.text].caption.trim();
        join(*by_caption.entry(caption).or_insert(p.image), p.image);
    }
    (0..c.images.len())
        .map(|i| c.images[root(&mut parent, i)].id.0.clone())
        .collect()
}

fn bucket(group: &str, salt: &str, n: u64) -> u64 {
    let hash = blake3::hash(format!("{salt}/{group}").as_bytes());
    let first: [u8; 8] = hash.as_bytes()[..8]
        .try_into()
        .expect("a digest has 32 bytes");
    u64::from_le_bytes(first) % n
}

/// Divides a collection into (train, test) in `n` ways; every group of images is in one test part. `contents` holds
/// the digests of the collection's pictures.
pub fn folds(c: &Collection, contents: &[Fingerprint], n: u64) -> Vec<(Collection, Collection)> {
    let groups = groups(c, contents);
    let of: Vec<u64> = groups.iter().map(|g| bucket(g, "fold", n)).collect();
    (0..n)
        .map(|k| {
            let train = c.filter(&format!("{}-fold{k}-train", c.name), Split::Train, |i| {
                of[i] != k
            });
            let test = c.filter(&format!("{}-fold{k}-test", c.name), Split::Test, |i| {
                of[i] == k
            });
            (train, test)
        })
        .collect()
}

/// One image in this many is held out to choose settings, or fewer,
const HELD_OUT: usize = 10;
/// so that about this many are held out at most: ranking takes time quadratic in their number.
const MOST_HELD_OUT: usize = 5000;

/// Marks the images of the training data that are held out to choose settings. `contents` is as for [`folds`].
pub fn held_out(c: &Collection, contents: &[Fingerprint]) -> Vec<bool> {
    let images = c.images.iter().filter(|image| !image.mirrored).count();
    let one_in = images.div_ceil(MOST_HELD_OUT).max(HELD_OUT) as u64;
    let groups = groups(c, contents);
    groups
        .iter()
        .map(|g| bucket(g, "held-out", one_in) == 0)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::{ImageId, ImageItem, ImageSource};
    use super::*;

    fn held_out_of(images: usize) -> usize {
        let ids: Vec<String> = (0..images).map(|i| i.to_string()).collect();
        let contents: Vec<_> = ids.iter().map(Fingerprint::of).collect();
        let image = |id: String| ImageItem {
            source: ImageSource::Missing(PathBuf::from(&id)),
            id: ImageId(id),
            mirrored: false,
        };
        let collection = Collection {
            name: "made up".into(),
            split: Split::Train,
            directions: vec![],
            images: ids.into_iter().map(image).collect(),
            texts: vec![],
            pairs: vec![],
        };
        let held_out = held_out(&collection, &contents);
        held_out.into_iter().filter(|&h| h).count()
    }

    #[test]
    fn a_tenth_is_held_out_up_to_five_thousand() {
        assert!((900..1100).contains(&held_out_of(10_000)));
        for images in [50_000, 70_000] {
            assert!((4700..5300).contains(&held_out_of(images)));
        }
    }
}
