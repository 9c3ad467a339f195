//! Every kind of picture file people have, the broken ones too, and the smallest pictures there are.

mod pictures {
    #[path = "../support/cases.rs"]
    mod cases;
    #[path = "../support/dated.rs"]
    mod dated;
    mod files;
    #[path = "../cli/scenes.rs"]
    mod scenes;

    mod appearance;
    mod changed;
    mod damage;
    mod descriptors;
    mod exif;
    mod formats;
    mod limits;
    mod size;
}
