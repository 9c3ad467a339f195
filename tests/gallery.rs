//! Galleries, and what stands on them: that they keep what was committed, whatever happens to a process or a file; that
//! answers depend on what a gallery holds alone; that filters select what they say, and probabilities come true.

mod gallery {
    #[path = "../support/cases.rs"]
    mod cases;
    #[path = "../support/columns.rs"]
    mod columns;
    #[path = "../support/galleries.rs"]
    mod galleries;
    mod simulation;
    #[path = "../support/tiny.rs"]
    mod tiny;

    mod calibration;
    mod damage;
    mod engine;
    mod filter;
    mod kill;
    mod store;
}
