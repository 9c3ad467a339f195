//! Every kind of picture file people have, the broken ones too, and the smallest pictures there are.

mod pictures {
    #[path = "../support/cases.rs"]
    mod cases;
    mod files;
    #[path = "../cli/scenes.rs"]
    mod scenes;

    mod appearance;
    mod changed;
    mod damage;
    mod descriptors;
    mod formats;
    mod limits;
    mod size;
}
