//! Copies of a picture among those of a gallery.

use super::answer::{Answer, Copied, Explanation, Hit};
use super::{Query, View};
use crate::artifact::Fingerprint;
use crate::copies::{Found, Method, Searcher, SeenWords, WordsParams};
use crate::error::{Error, Result};
use crate::gallery::{Bitmap, Snapshot};
use crate::model::Model;
use crate::picture::Picture;

/// The keypoints of a gallery's pictures, ready to be searched.
pub struct Copies {
    searcher: Box<dyn Searcher>,
    /// Of each picture of the searcher: its part, its row and its key.
    rows: Vec<(usize, usize, u64)>,
}

/// Score from which a picture counts as a copy: a thousandth of a picture of such a gallery is so alike by chance.
const COPY: f64 = 3.0;

impl Copies {
    pub(super) fn build(snapshot: &Snapshot, model: &Model) -> Result<Self> {
        let (mut rows, mut seen) = (Vec::new(), Vec::new());
        for (place, part) in snapshot.parts().iter().enumerate() {
            let pictures = part.pictures();
            for row in part.live_pictures().iter() {
                let damaged =
                    || Error::artifact(part.path(), "the keypoints of a picture are damaged");
                let blob = pictures.copies(row).ok_or_else(damaged)?;
                if blob.is_empty() {
                    continue;
                }
                let words: SeenWords = postcard::from_bytes(blob).map_err(|_| damaged())?;
                rows.push((place, row, pictures.keys[row]));
                seen.push(words);
            }
        }
        let vocabulary = model.visual_words()?.clone();
        Ok(Self {
            searcher: WordsParams::default().searcher(vocabulary, seen, vec![])?,
            rows,
        })
    }
}

impl Copies {
    /// Pictures that show the same as the first of a query, and the digest of its bytes.
    fn search(&self, view: &View, query: &Query) -> Result<(Vec<Found>, String)> {
        if let Some(bytes) = query.pictures.first() {
            let picture = Picture::decode(bytes, &WordsParams::default().picture)?;
            let digest = Fingerprint::of_bytes(bytes).to_string();
            return Ok((self.searcher.search(&picture)?, digest));
        }
        let &key = query.like.first().ok_or_else(|| Error::Query {
            reason: "copies are found of a picture: give one".into(),
        })?;
        let digest = view.snapshot.item(key)?.map(|item| item.facts.digest);
        let digest = digest.ok_or_else(|| Error::Query {
            reason: format!("there is no picture with the key {key}"),
        })?;
        // A picture without keypoints is not among them, and has no copies that keypoints would find.
        let found = match self.rows.iter().position(|&(.., k)| k == key) {
            Some(place) => self.searcher.like(place)?,
            None => vec![],
        };
        Ok((found, digest))
    }
}

/// What is kept of a picture so that its copies are found.
///
/// # Errors
/// Those of OpenCV.
pub fn keypoints(model: &Model, picture: &Picture) -> Result<Vec<u8>> {
    let seen = WordsParams::default().see(model.visual_words()?, picture)?;
    postcard::to_stdvec(&seen).map_err(|e| Error::picture(e.to_string()))
}

pub(super) fn ask(view: &View, model: &Model, query: &Query, allowed: &[Bitmap]) -> Result<Answer> {
    let copies = view.copies(model)?;
    let (mut found, digest) = copies.search(view, query)?;
    found.retain(|f| {
        let (part, row, _) = copies.rows[f.picture];
        f.score >= COPY && allowed[part].contains(row)
    });
    let mut hits = Vec::new();
    for found in &found {
        hits.push(hit(view, copies, found, &digest, query.explain)?);
    }
    // The same bytes first, whatever their keypoints say.
    let is_same = |h: &Hit| {
        let copy = h.why.as_ref().and_then(|w| w.copy.as_ref());
        copy.is_some_and(|c| c.same_bytes)
    };
    hits.sort_by_key(|h| !is_same(h));
    let hits: Vec<Hit> = hits
        .into_iter()
        .skip(query.offset)
        .take(query.top)
        .collect();
    Ok(Answer {
        good: hits.len(),
        searched: allowed.iter().map(Bitmap::count).sum(),
        hits,
    })
}

fn hit(view: &View, copies: &Copies, found: &Found, digest: &str, explain: bool) -> Result<Hit> {
    let (.., key) = copies.rows[found.picture];
    let item = super::hits::item(view, key)?;
    let comparison = found.comparison.as_ref();
    Ok(Hit {
        key: Some(key),
        id: item.facts.id,
        path: Some(item.facts.path),
        text: None,
        score: found.score as f32,
        // How likely so many keypoints agree by chance, the score tells; not how often such pictures are copies.
        probability: None,
        copies: vec![],
        why: Some(Explanation {
            copy: Some(Copied {
                same_bytes: item.facts.digest == digest,
                inliers: comparison.map_or(0, |c| c.inliers()),
                mirrored: comparison.is_some_and(|c| c.mirrored),
                transform: comparison.and_then(|c| Some(c.consensus.as_ref()?.transform)),
                places: match comparison {
                    Some(comparison) if explain => comparison.places(),
                    _ => vec![],
                },
            }),
            ..Explanation::default()
        }),
    })
}
