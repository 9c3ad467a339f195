//! What decoders say of a picture that they do not read.

use crate::error::Error;

/// The error for a format that is recognised but not read, with advice.
pub fn not_supported(what: &str) -> Error {
    Error::picture(format!(
        "{what} is not supported; convert it to JPEG or PNG"
    ))
}
