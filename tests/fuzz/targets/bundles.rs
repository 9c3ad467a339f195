//! Model files: damaged anywhere, which their checksums mostly notice, or with one part forged.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use tuwen::artifact::{Artifact, Bundle, Spec};
use tuwen::calibration::QueryScores;
use tuwen::dataset::Direction;
use tuwen::engine::keypoints;
use tuwen::model::{Model, STAGE};
use tuwen::picture::Picture;
use tuwen::views::Shown;

use crate::fuzz::forge::{forge, read, stored};
use crate::fuzz::mutator::Mutator;
use crate::fuzz::target::{Input, Target};
use crate::fuzz::tiny;

pub const TARGET: Target = Target {
    name: "bundles",
    inputs: 300,
    seeds,
    mutate,
    run,
};

/// The whole file.
const WHOLE: &str = "whole.tuwen";
/// What the header says of the whole, as the notes of an artifact.
const ABOUT: &str = "about";

/// What a model is made of.
struct Parts {
    file: Vec<u8>,
    spec: Spec,
    about: serde_json::Value,
    parts: BTreeMap<String, Artifact>,
}

fn parts() -> &'static Parts {
    static PARTS: OnceLock<Parts> = OnceLock::new();
    PARTS.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join(WHOLE);
        tiny::model(24).save(&path).expect("room for a model");
        let bundle = Bundle::open(&path, STAGE).expect("it was just written");
        let names = bundle.sizes().into_iter().map(|size| size.name);
        let part = |name: String| {
            let part = bundle.part(&name).expect("a part that is there");
            (name, part)
        };
        Parts {
            file: fs::read(&path).expect("it was just written"),
            spec: bundle.spec().clone(),
            about: bundle.notes().expect("any value"),
            parts: names.map(part).collect(),
        }
    })
}

fn seeds() -> Vec<Input> {
    let Parts {
        file, about, parts, ..
    } = parts();
    let mut seeds = vec![Input::new(WHOLE, file.clone())];
    let about = Artifact::new(Spec::new(ABOUT, &(), 0)).with_notes(about);
    seeds.push(stored(ABOUT, &about));
    // Visual words have a target of their own, and would be half of the inputs' bytes.
    let parts = parts.iter().filter(|(name, _)| *name != "copies");
    seeds.extend(parts.map(|(name, part)| stored(name, part)));
    seeds
}

const WORDS: &[&[u8]] = &[
    b"\"shape\":[0,0]",
    b"\"data_offsets\":[0,18446744073709551615]",
    b"\\\"stage\\\":\\\"model\\\"",
    b"fusion/",
    b"/",
    b"\\u0000",
];

fn mutate(mutator: &mut Mutator, input: &mut Input) {
    match input.name == WHOLE {
        true => mutator.bytes(&mut input.bytes, WORDS),
        false => forge(mutator, input),
    }
}

fn run(input: &Input, scratch: &Path) {
    if input.name == WHOLE {
        if let Ok(model) = Model::open(&input.file(scratch)) {
            let _ = model.verify();
            used(&model, "");
        }
        return;
    }
    let Some(forged) = read(input, scratch) else {
        return;
    };
    let whole = parts();
    let (mut about, mut parts) = (whole.about.clone(), whole.parts.clone());
    match input.name == ABOUT {
        true => about = forged.notes,
        false => drop(parts.insert(input.name.clone(), forged)),
    }
    let bundle = Bundle::new(whole.spec.clone(), &about, parts);
    if let Ok(model) = Model::from_bundle(bundle) {
        used(&model, &input.name);
    }
}

/// Asks a model for all that depends on a part, or for everything: an error is as good as a result.
fn used(model: &Model, part: &str) {
    let is = |begins: &[&str]| {
        ["", ABOUT, "fusion"].contains(&part) || begins.iter().any(|b| part.starts_with(b))
    };
    if is(&["images", "projections", "look", "bank.images"]) {
        let bytes = Input::committed("tests/fixtures/pictures/palette.png").bytes;
        let picture = Picture::decode(&bytes, &model.recipe().picture);
        if let Ok(picture) = picture {
            let _ = model.describe(Shown {
                name: "palette.png",
                ..Shown::bare(&picture)
            });
            let _ = model.look_dim();
        }
    }
    if is(&["copies"]) {
        let picture = Picture::decode(
            &Input::committed("tests/fixtures/pictures/photo.png").bytes,
            &Default::default(),
        );
        let _ = keypoints(model, &picture.expect("a committed picture"));
    }
    if is(&["texts", "bank.texts"]) {
        let _ = model.embed_texts(&["三个红色五角星", ""]);
        let _ = model.vocabulary();
    }
    if is(&["captions"]) {
        let _ = model.captions();
    }
    if is(&["lexicon"]) {
        let _ = model.lexicon().map(|l| l.terms().bag("三个红色五角星"));
    }
    if part == ABOUT {
        let scores = QueryScores {
            top: vec![0.5, 0.4],
            words: vec![],
            sample: vec![0.1, 0.2, 0.15],
            rows: 10,
        };
        for direction in [Direction::TextToImage, Direction::ImageToText] {
            let _ = model
                .calibration(direction)
                .map(|c| c.probabilities(&scores));
        }
        let bytes = Input::committed("tests/fixtures/pictures/palette.png").bytes;
        let _ = model.keywords(&bytes, 3);
    }
}
