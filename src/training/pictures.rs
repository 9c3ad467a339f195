//! The bytes of a data set's pictures: digested when a run begins, and the same ones whenever they are read again,
//! so that nothing is kept under the digest of other bytes.

use std::io::ErrorKind;
use std::thread::sleep;
use std::time::Duration;

use rayon::prelude::*;

use crate::artifact::Fingerprint;
use crate::dataset::{Collection, ImageItem};
use crate::error::{Error, Result};
use crate::progress::Progress;

/// Times that a picture is read before an error of the system counts, and the pause between them: disks and
/// network drives fail for a moment.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(50);

/// Digests of all pictures of a collection.
pub(super) fn digests(c: &Collection, progress: &dyn Progress) -> Vec<Fingerprint> {
    let digest = |image: &ImageItem| {
        progress.step(1);
        match read_patiently(image) {
            Ok(bytes) => digest_of(image, &bytes),
            Err(_) => unreadable(image),
        }
    };
    c.images.par_iter().map(digest).collect()
}

/// Of the ids and bytes of some pictures.
pub(super) fn fingerprint(images: &[ImageItem], contents: &[Fingerprint]) -> Fingerprint {
    let ids = images.iter().map(|i| &i.id);
    Fingerprint::of(&ids.zip(contents).collect::<Vec<_>>())
}

/// The bytes of a picture, which are those that its digest was made of.
///
/// # Errors
/// [`Error::Changed`] where they are others by now, and [`Error::Io`] where they can no longer be read: both end
/// the run. Any other error is about the picture, and would be the same again.
pub(super) fn read(image: &ImageItem, content: &Fingerprint) -> Result<Vec<u8>> {
    let was_unreadable = *content == unreadable(image);
    match read_patiently(image) {
        Ok(bytes) if digest_of(image, &bytes) == *content => Ok(bytes),
        Ok(_) if was_unreadable => Err(Error::picture("it could not be read when the run began")),
        Ok(_) => Err(Error::Changed {
            picture: image.source.describe(),
        }),
        Err(e) if was_unreadable => Err(Error::picture(e)),
        Err(e) => Err(e),
    }
}

fn digest_of(image: &ImageItem, bytes: &[u8]) -> Fingerprint {
    let digest = Fingerprint::of_bytes(bytes);
    match image.mirrored {
        true => Fingerprint::of(&("mirrored", digest)),
        false => digest,
    }
}

/// Like that of no other picture.
fn unreadable(image: &ImageItem) -> Fingerprint {
    Fingerprint::of(&("unreadable", &image.id))
}

fn read_patiently(image: &ImageItem) -> Result<Vec<u8>> {
    let mut outcome = image.source.read();
    for _ in 1..TRIES {
        match &outcome {
            Err(Error::Io { cause, .. })
                if !matches!(
                    cause.kind(),
                    ErrorKind::NotFound | ErrorKind::PermissionDenied
                ) =>
            {
                sleep(PAUSE);
                outcome = image.source.read();
            }
            _ => break,
        }
    }
    outcome
}
