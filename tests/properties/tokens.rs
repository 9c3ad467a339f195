//! Any sentence gives words.

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tuwen::text::SegmenterParams;

use super::cases::config;

#[test]
fn any_sentence_gives_words() {
    let segmenter = SegmenterParams::default().load().unwrap();
    let sentence = "[ -~\\PC一只狗跑<人名>＜Ａ１＞\n\t]{0,24}";
    let mut runner = TestRunner::new(config(500));
    let checked = runner.run(&sentence, |sentence| {
        let tokens = segmenter.tokens(&sentence);
        for token in &tokens {
            prop_assert!(
                token.chars().any(char::is_alphanumeric),
                "{token:?} of {sentence:?}"
            );
        }
        prop_assert_eq!(segmenter.tokens(&format!(" {sentence}\n")), tokens);
        Ok(())
    });
    checked.unwrap();
}
