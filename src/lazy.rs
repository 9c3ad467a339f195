//! A value that is loaded when it is first needed.

use std::sync::OnceLock;

use crate::error::Result;

/// A value that is loaded once; where that fails it is tried again the next time.
pub struct Lazy<T>(OnceLock<T>);

impl<T> Default for Lazy<T> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<T> Lazy<T> {
    /// The value, loaded now if it was not before. Threads that come at the same time may load it twice; one of the two
    /// stays.
    pub fn get(&self, load: impl FnOnce() -> Result<T>) -> Result<&T> {
        if let Some(value) = self.0.get() {
            return Ok(value);
        }
        let value = load()?;
        Ok(self.0.get_or_init(|| value))
    }
}
