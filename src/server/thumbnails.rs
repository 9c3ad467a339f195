//! Small pictures for the page, made when they are first wanted and kept as long as there is room.

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::thumbnail::jpeg;

/// What a small picture is made from: the digest of the file, and the longer side in pixels.
type Key = (String, u32);

#[derive(Clone)]
struct Bytes;

impl Weighter<Key, axum::body::Bytes> for Bytes {
    fn weight(&self, (digest, _): &Key, jpeg: &axum::body::Bytes) -> u64 {
        (digest.len() + jpeg.len()) as u64
    }
}

/// The small pictures that are kept.
pub struct Thumbnails(Cache<Key, axum::body::Bytes, Bytes>);

/// Memory for small pictures: some thousands of them.
const ROOM: u64 = 64 << 20;
/// Of a small picture.
const TYPICAL: u64 = 16 << 10;
/// Longer sides that are made; others would only fill the room.
const SIDES: [u32; 3] = [256, 512, 1024];

impl Default for Thumbnails {
    fn default() -> Self {
        Self(Cache::with_weighter((ROOM / TYPICAL) as usize, ROOM, Bytes))
    }
}

impl Thumbnails {
    /// The longer side that is made for a wish.
    pub fn side(wanted: u32) -> u32 {
        let enough = SIDES.into_iter().find(|&side| side >= wanted);
        enough.unwrap_or(SIDES[SIDES.len() - 1])
    }

    pub fn get(&self, digest: &str, side: u32) -> Option<axum::body::Bytes> {
        self.0.get(&(digest.to_owned(), side))
    }

    /// Makes a small picture of a file's bytes.
    ///
    /// # Errors
    /// Those of decoding.
    pub fn make(&self, digest: &str, side: u32, bytes: &[u8]) -> tuwen::Result<axum::body::Bytes> {
        let small = axum::body::Bytes::from(jpeg(bytes, side)?);
        self.0.insert((digest.to_owned(), side), small.clone());
        Ok(small)
    }
}
