//! Limits of decoding: how large a picture may be, and how much memory all decoders of the process hold together.

use std::sync::{Condvar, Mutex, PoisonError};

use crate::artifact::{Fingerprint, Spec};
use crate::error::{Error, Result};

/// Longest side that is decoded, in pixels: four times the limit of JPEG. Nobody has a picture of one row of a
/// hundred million pixels, and it would cost as much as any picture of a hundred megapixels.
pub(super) const LONGEST_SIDE: u32 = 1 << 18;

/// Largest picture file that is read, in bytes.
pub const MAX_BYTES: u64 = 1 << 30;

/// Default memory of all decoders together, in bytes; see [`set_memory`].
pub const DEFAULT_MEMORY: u64 = 2 << 30;

/// The memory that all threads share.
struct Budget {
    most: u64,
    held: u64,
}

static BUDGET: Mutex<Budget> = Mutex::new(Budget {
    most: DEFAULT_MEMORY,
    held: 0,
});
static FREED: Condvar = Condvar::new();

/// Sets how many bytes the decoders of this process may hold together, from now on.
pub fn set_memory(bytes: u64) {
    BUDGET.lock().unwrap_or_else(PoisonError::into_inner).most = bytes;
}

/// How many bytes the decoders of this process may hold together.
pub fn memory() -> u64 {
    BUDGET.lock().unwrap_or_else(PoisonError::into_inner).most
}

/// Adds the memory limit to a spec of what is kept of pictures, unless it is the default: with another limit, other
/// pictures are refused.
pub fn stamp(spec: Spec) -> Spec {
    match memory() {
        DEFAULT_MEMORY => spec,
        other => spec.input("memory for decoding", Fingerprint::of(&other)),
    }
}

/// Memory that a decoder holds until this is dropped. Its holder must not wait for other threads.
pub(super) struct Held(u64);

impl Drop for Held {
    fn drop(&mut self) {
        BUDGET.lock().unwrap_or_else(PoisonError::into_inner).held -= self.0;
        FREED.notify_all();
    }
}

/// Waits until this many bytes are free.
///
/// # Errors
/// [`Error::Picture`] if the limit is below that.
pub(super) fn hold(bytes: u64, (width, height): (u32, u32)) -> Result<Held> {
    let mut budget = BUDGET.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if bytes > budget.most {
            let [needed, most] = [bytes, budget.most].map(|b| b.div_ceil(1 << 20));
            return Err(Error::picture(format!(
                "{width}x{height} pixels need {needed} MiB, more than max_memory = {most} MiB (--max-memory raises it)"
            )));
        }
        if budget.held + bytes <= budget.most {
            budget.held += bytes;
            return Ok(Held(bytes));
        }
        budget = FREED.wait(budget).unwrap_or_else(PoisonError::into_inner);
    }
}

/// Checks a picture's size.
///
/// # Errors
/// [`Error::Picture`] for a picture without pixels, or with too many.
pub(super) fn check((width, height): (u32, u32), max_pixels: u64) -> Result<()> {
    if u64::from(width) * u64::from(height) > max_pixels {
        return Err(Error::picture(format!(
            "{width}x{height} pixels, more than max_pixels = {max_pixels} (--max-pixels raises it, or picture.max_pixels \
             in a recipe)"
        )));
    }
    if width == 0 || height == 0 {
        return Err(Error::picture("it has no pixels"));
    }
    if width.max(height) > LONGEST_SIDE {
        return Err(Error::picture(format!(
            "{width}x{height} pixels: no side may be longer than {LONGEST_SIDE}"
        )));
    }
    Ok(())
}
