//! Recognises rows by their ids: learns what the ids of a table look like.

use std::collections::BTreeSet;

/// Largest number of kinds of ids that are told apart.
const MAX_KINDS: usize = 1000;

/// The ids that were read so far.
#[derive(Default)]
pub(super) struct Ids {
    kinds: BTreeSet<String>,
    numbers: BTreeSet<String>,
}

impl Ids {
    pub fn learn(&mut self, id: &str) {
        if id.is_empty() {
            return;
        }
        let kind = kind(id);
        if kind == "0" {
            self.numbers.insert(id.to_owned());
        }
        if self.kinds.len() < MAX_KINDS {
            self.kinds.insert(kind);
        }
    }

    /// Whether an id is like the earlier ones, and unlike a word or a number of a text.
    pub fn are_like(&self, id: &str) -> bool {
        let kind = kind(id);
        match kind.as_str() {
            "" | "w" | "c" => false, // a word says nothing
            "0" => self.kinds.contains("0") && !self.numbers.contains(id),
            _ => self.kinds.contains(&kind),
        }
    }

    /// Whether ids distinguish rows from other lines.
    pub fn are_telling(&self) -> bool {
        !self.kinds.iter().any(|k| matches!(k.as_str(), "w" | "c"))
    }
}

/// Whether a word could be an id of any kind: one word with a digit or an extension.
pub(super) fn is_name(id: &str) -> bool {
    let kind = kind(id);
    let word = !kind.contains(char::is_whitespace);
    word && (kind.ends_with('1') || kind.contains("w.w") || kind == "0")
}

/// The pattern of an id: its words, the characters between them, and whether there are digits. `shape-0001.png`
/// becomes `w-w.w1`, a number `0`.
fn kind(id: &str) -> String {
    if !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()) {
        return "0".into();
    }
    let mut kind = String::new();
    for c in id.chars().take(200) {
        let class = match c {
            _ if c.is_ascii_alphanumeric() => 'w',
            _ if c.is_alphanumeric() => 'c',
            _ => c,
        };
        if !kind.ends_with(class) {
            kind.push(class);
        }
    }
    if id.bytes().any(|b| b.is_ascii_digit()) {
        kind.push('1');
    }
    kind
}
