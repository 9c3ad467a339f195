//! Damaged inputs: whatever bytes the program is given, it ends with a result or an error, within seconds and
//! within memory. `make fuzz` goes on with a new seed; `cargo test` tries the same inputs every time.
//!
//! Every target has inputs that are right, and a way to damage them. A process of its own runs each part of a
//! target's inputs, so that one which ends the process is known, and the rest are tried all the same.

mod fuzz {
    #[path = "../support/columns.rs"]
    mod columns;
    #[path = "../support/dated.rs"]
    mod dated;
    mod forge;
    #[path = "../support/galleries.rs"]
    mod galleries;
    mod mutator;
    mod options;
    mod parent;
    mod target;
    mod targets;
    #[path = "../support/tiny.rs"]
    mod tiny;
    mod worker;

    pub use options::main;
}

fn main() -> std::process::ExitCode {
    fuzz::main()
}
