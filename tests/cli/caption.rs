//! Captions for pictures, from the captions of others.

use super::case::Case;
use super::program::{Outcome, program};

#[test]
fn a_picture_is_captioned_with_what_was_said_of_another() {
    let case = Case::computed();
    let model = case.path("m.tuwen");
    case.run("fit", &["--model", model.to_str().unwrap()]).ok();
    let mut pictures = std::fs::read_dir(case.attachment(3).join("ImageData")).unwrap();
    let picture = pictures.next().unwrap().unwrap().path();
    let caption = |model: &std::path::Path| {
        let mut command = program();
        command
            .arg("caption")
            .arg(&picture)
            .arg("--model")
            .arg(model);
        Outcome::of(&mut command)
    };
    let said = caption(&model).ok().stdout;
    let table = std::fs::read_to_string(case.table(1, "ImageWordData.csv")).unwrap();
    assert!(
        !said.trim().is_empty() && table.contains(said.trim()),
        "{said}"
    );
    let bare = case.path("bare.tuwen");
    case.run("fit", &["--model", bare.to_str().unwrap(), "--no-captions"])
        .ok();
    caption(&bare).fails().says(&["keeps no captions"]);
}
