//! The program from end to end: every test runs the binary in a temporary folder and looks at what a user
//! would see - exit code, messages, files.

mod cli {
    mod case;
    mod files;
    mod program;
    mod scenes;
    mod server;
    mod shelf;

    mod ablation;
    mod caption;
    mod check;
    mod compare;
    mod copies;
    mod corruption;
    mod deep;
    mod duplicates;
    mod earlier;
    mod engine;
    mod evaluation;
    mod everyday;
    mod faults;
    mod forms;
    mod guard;
    mod imported;
    mod indexing;
    mod installed;
    mod interruption;
    mod layouts;
    mod leak;
    mod members;
    mod mirror_and_hubs;
    mod model;
    mod pictures;
    mod pixels;
    mod precomp;
    mod read;
    mod results;
    mod scene_text;
    mod search;
    mod serve;
    mod tables;
    mod trained;
    mod usage;
    mod views;
}
