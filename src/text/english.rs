//! English captions become words.

/// The words of an English caption, in lower case: runs of letters and digits, with the apostrophes within.
///
/// Simpler than the Penn Treebank's rules: "don't" is one word, "t-shirt" and "3.5" are two each.
pub fn tokens_english(caption: &str) -> Vec<String> {
    let text = caption.to_lowercase().replace('\u{2019}', "'");
    text.split(|c: char| !c.is_alphanumeric() && c != '\'')
        .map(|word| word.trim_matches('\''))
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::tokens_english;

    #[test]
    fn punctuation_falls_away_and_apostrophes_within_words_stay() {
        assert_eq!(
            tokens_english("The dogs' owner DOESN’T 'run' -- 2 t-shirts, a café."),
            [
                "the", "dogs", "owner", "doesn't", "run", "2", "t", "shirts", "a", "café"
            ]
        );
        assert_eq!(tokens_english(" '' ... "), [""; 0]);
    }
}
