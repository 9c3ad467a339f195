//! Running the binary. Whatever it is given, it must not panic.

use std::ffi::OsStr;
use std::process::{Command, Output};

const PANICKED: i32 = 101;

/// How a run ended.
#[derive(Debug)]
pub struct Outcome {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// The networks that read text, as `tuwen models` leaves them.
pub const MODELS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/models");

/// The program, its settings not taken from whoever runs the tests.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tuwen"));
    command.env_remove("TUWEN_LOG").env("TUWEN_MODELS", MODELS);
    command
}

/// Runs the program with these arguments.
pub fn tuwen<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Outcome {
    Outcome::of(program().args(args))
}

impl Outcome {
    /// Runs a command to its end.
    pub fn of(command: &mut Command) -> Self {
        let output = command.output().expect("the program starts");
        Self::from_output(output)
    }

    pub fn from_output(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("the program writes UTF-8");
        let outcome = Self {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        };
        let calm = outcome.code != Some(PANICKED) && !outcome.stderr.contains("panicked");
        assert!(calm, "the program panicked: {outcome:#?}");
        outcome
    }

    /// It did what it was asked.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self
    }

    /// It says that it failed.
    #[track_caller]
    pub fn fails(self) -> Self {
        assert_eq!(self.code, Some(1), "{self:#?}");
        assert!(self.stderr.contains("ERROR"), "no reason given: {self:#?}");
        self
    }

    /// It fails where 1 would be an answer.
    #[track_caller]
    pub fn troubles(self) -> Self {
        assert!(self.stderr.contains("ERROR"), "no reason given: {self:#?}");
        self.bad_usage()
    }

    /// It does not understand what it was asked.
    #[track_caller]
    pub fn bad_usage(self) -> Self {
        assert_eq!(self.code, Some(2), "{self:#?}");
        self
    }

    /// A line of the log holds all of `parts`.
    #[track_caller]
    pub fn says(self, parts: &[&str]) -> Self {
        let holds = |line: &str| parts.iter().all(|part| line.contains(part));
        assert!(
            self.stderr.lines().any(holds),
            "not said in one line: {parts:?}\n{self:#?}"
        );
        self
    }

    #[track_caller]
    pub fn does_not_say(self, part: &str) -> Self {
        assert!(!self.stderr.contains(part), "said: {part}\n{self:#?}");
        self
    }

    #[track_caller]
    pub fn prints(self, part: &str) -> Self {
        assert!(self.stdout.contains(part), "not printed: {part}\n{self:#?}");
        self
    }

    /// A line that it printed begins and ends so.
    #[track_caller]
    pub fn prints_line(&self, begins: &str, ends: &str) {
        let is_it = |l: &str| l.starts_with(begins) && l.ends_with(ends);
        let printed = self.stdout.lines().any(is_it);
        assert!(printed, "no line {begins}...{ends}\n{self:#?}");
    }

    /// What it printed, as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {self:#?}"))
    }
}
