//! What must hold for any input: files come back as they were written, damage is noticed, exact things are
//! exact, and nothing depends on the number of threads.

mod properties {
    #[path = "../support/cases.rs"]
    mod cases;
    mod made_up;

    mod archives;
    mod artifacts;
    mod attachments;
    mod changes;
    mod codebooks;
    mod copies;
    mod encodings;
    mod ensemble;
    mod evaluation;
    mod geometry;
    mod imported;
    mod indices;
    mod joint;
    mod layouts;
    mod linalg;
    mod matching;
    mod mlp;
    mod outputs;
    mod results;
    mod tables;
    mod threads;
    mod tokens;
    mod transfer;
    mod violations;
}
