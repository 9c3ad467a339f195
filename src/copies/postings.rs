//! The inverted file: the keypoints of each visual word, with their signatures.

use multiversion::multiversion;

use super::vocabulary::Visual;

/// Keypoints of pictures, sorted by visual word.
pub struct Postings {
    /// Where each word's postings start; one more than there are words.
    starts: Vec<usize>,
    signatures: Vec<u64>,
    /// Picture and keypoint of each signature.
    keypoints: Vec<[u32; 2]>,
}

/// A keypoint of a query and a similar one of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vote {
    /// Index of the query's keypoint.
    pub query: u32,
    /// Index of the picture in the gallery.
    pub picture: u32,
    /// Index of the keypoint in the picture.
    pub keypoint: u32,
    /// Number of bits in which the two signatures differ.
    pub distance: u8,
}

impl Postings {
    /// Builds the inverted file of pictures over a vocabulary of `words` words.
    pub fn new<'a>(words: usize, pictures: impl Iterator<Item = &'a [Visual]> + Clone) -> Self {
        let mut starts = vec![0; words + 1];
        for visual in pictures.clone().flatten() {
            starts[visual.word as usize + 1] += 1;
        }
        for word in 0..words {
            starts[word + 1] += starts[word];
        }
        let mut next = starts.clone();
        let mut signatures = vec![0; starts[words]];
        let mut keypoints = vec![[0; 2]; starts[words]];
        for (picture, visuals) in (0..).zip(pictures) {
            for (keypoint, visual) in (0..).zip(visuals) {
                let place = &mut next[visual.word as usize];
                signatures[*place] = visual.signature;
                keypoints[*place] = [picture, keypoint];
                *place += 1;
            }
        }
        Self {
            starts,
            signatures,
            keypoints,
        }
    }

    /// All keypoints that share a word with a query's keypoint and whose signature differs in at most `bits` bits.
    /// `visuals` pairs each visual with the index of its keypoint.
    pub fn votes(&self, visuals: impl Iterator<Item = (u32, Visual)>, bits: u32) -> Vec<Vote> {
        let (mut votes, mut near) = (Vec::new(), Vec::new());
        for (query, visual) in visuals {
            let word = visual.word as usize;
            let range = self.starts[word]..self.starts[word + 1];
            near.clear();
            find(
                &self.signatures[range.clone()],
                visual.signature,
                bits as u8,
                &mut near,
            );
            let keypoints = &self.keypoints[range];
            votes.extend(near.iter().map(|&(place, distance)| {
                let [picture, keypoint] = keypoints[place];
                Vote {
                    query,
                    picture,
                    keypoint,
                    distance,
                }
            }));
        }
        votes
    }
}

/// Finds the signatures within `bits` bits, as indices with the number of bits that differ.
#[multiversion(targets(
    "x86_64+avx512f+avx512vpopcntdq",
    "x86_64+avx2+popcnt",
    "x86_64+popcnt"
))]
fn find(signatures: &[u64], wanted: u64, bits: u8, near: &mut Vec<(usize, u8)>) {
    const BLOCK: usize = 64;
    for (block, signatures) in signatures.chunks(BLOCK).enumerate() {
        let mut distances = [u8::MAX; BLOCK];
        for (distance, signature) in distances.iter_mut().zip(signatures) {
            *distance = (signature ^ wanted).count_ones() as u8;
        }
        // few blocks have any, and to see that takes a few instructions
        if distances.iter().fold(u8::MAX, |least, &d| least.min(d)) > bits {
            continue;
        }
        for (i, &distance) in distances.iter().enumerate() {
            if distance <= bits {
                near.push((block * BLOCK + i, distance));
            }
        }
    }
}
