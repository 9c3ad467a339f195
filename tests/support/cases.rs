//! How many made-up cases a property is tried on, and which.

use proptest::test_runner::{Config, RngSeed};

/// The same cases every time, so that a failure is a change of ours; `make properties` tries others, and more.
pub fn config(cases: u32) -> Config {
    Config {
        cases: number("TUWEN_TEST_CASES").unwrap_or(cases),
        rng_seed: RngSeed::Fixed(number("TUWEN_TEST_SEED").unwrap_or(1)),
        failure_persistence: None,
        ..Config::default()
    }
}

fn number<T: std::str::FromStr>(variable: &str) -> Option<T> {
    let text = std::env::var(variable).ok()?;
    let number = text.parse().ok();
    Some(number.unwrap_or_else(|| panic!("{variable} is not a number: {text}")))
}
