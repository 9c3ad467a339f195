//! Every kind of picture file people have, the broken ones too, and the smallest pictures there are.

mod pictures {
    #[path = "../support/cases.rs"]
    mod cases;
    mod files;

    mod appearance;
    mod damage;
    mod descriptors;
    mod formats;
    mod limits;
    mod size;
}
