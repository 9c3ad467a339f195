//! Ensembles: the sum that they stand for, and that their weights are chosen.

use std::fs;

use ndarray::{Array2, ArrayView2, Axis, concatenate, s};
use tuwen::Error;
use tuwen::artifact::{Artifact, Spec};
use tuwen::dataset::Pair;
use tuwen::fusion::{
    CcaParams, Columns, EnsembleParams, Fusion, FusionParams, MemberParams, MlpParams, Pairs, Side,
};
use tuwen::linalg::matmul;
use tuwen::recipe::Recipe;

use super::made_up::{folder, uniform};

const TRAIN: usize = 200;
const ALL: usize = 300;

/// Two views a side; `left` shows some causes, `right` others, `noise` (of texts: `blank`) none.
struct Made {
    x: Array2<f32>,
    y: Array2<f32>,
    pairs: Vec<Pair>,
    image_views: Vec<Columns>,
    text_views: Vec<Columns>,
}

fn made() -> Made {
    let causes = uniform(ALL, 8, 1);
    let view = |from: usize, width: usize, seed: u64| {
        let shown = causes.slice(s![.., from..from + 4]);
        let noise = uniform(ALL, width, seed + 10);
        matmul(shown, uniform(4, width, seed).view()) + noise * 0.4
    };
    let beside =
        |blocks: [&Array2<f32>; 3]| concatenate(Axis(1), &blocks.map(Array2::view)).unwrap();
    Made {
        x: beside([&view(0, 12, 2), &uniform(ALL, 9, 30), &view(4, 14, 3)]),
        y: beside([&view(0, 10, 4), &view(4, 11, 5), &uniform(ALL, 8, 31)]),
        pairs: (0..TRAIN).map(|i| Pair { image: i, text: i }).collect(),
        image_views: Columns::side_by_side([("left", 12), ("noise", 9), ("right", 14)]),
        text_views: Columns::side_by_side([("lefts", 10), ("rights", 11), ("blank", 8)]),
    }
}

impl Made {
    fn pairs(&self) -> Pairs<'_> {
        Pairs {
            image_views: &self.image_views,
            text_views: &self.text_views,
            ..Pairs::new(self.x.view(), self.y.view(), &self.pairs)
        }
    }

    fn cosines(&self, fusion: &Fusion) -> Array2<f32> {
        let images = fusion.project(Side::Image, self.x.view()).unwrap();
        let texts = fusion.project(Side::Text, self.y.view()).unwrap();
        matmul(images.view(), texts.t())
    }

    /// Share of the held-out pictures whose text comes first.
    fn recall(&self, fusion: &Fusion) -> tuwen::Result<f64> {
        let scores = self.cosines(fusion);
        let held = scores.slice(s![TRAIN.., TRAIN..]);
        let first = |(i, row): &(usize, ndarray::ArrayView1<f32>)| {
            row.iter().enumerate().all(|(j, &v)| j == *i || v < row[*i])
        };
        let hits = held.outer_iter().enumerate().filter(first).count();
        Ok(hits as f64 / held.nrows() as f64)
    }
}

fn cca() -> CcaParams {
    CcaParams {
        dims: vec![4],
        regularization: vec![0.1],
        power: vec![0.5],
        ..CcaParams::default()
    }
}

fn member(image: &[&str], text: &[&str], weight: &[f64]) -> MemberParams {
    MemberParams {
        image_views: image.iter().map(|s| (*s).to_owned()).collect(),
        text_views: text.iter().map(|s| (*s).to_owned()).collect(),
        weight: weight.to_vec(),
        fusion: FusionParams::Cca(cca()),
    }
}

fn ensemble(members: &[MemberParams]) -> FusionParams {
    FusionParams::Ensemble(EnsembleParams {
        members: members.to_vec(),
    })
}

fn cca_of<'a>(x: ArrayView2<'a, f32>, y: ArrayView2<'a, f32>, pairs: &'a [Pair]) -> Array2<f32> {
    let data = Pairs::new(x, y, pairs);
    let fusion = FusionParams::Cca(cca()).fit(data).unwrap();
    let images = fusion.project(Side::Image, x).unwrap();
    matmul(images.view(), fusion.project(Side::Text, y).unwrap().t())
}

fn assert_near(a: &Array2<f32>, b: &Array2<f32>) {
    assert_eq!(a.dim(), b.dim());
    assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5));
}

#[test]
fn an_ensemble_is_the_weighted_mean_of_its_members_cosines() {
    let made = made();
    let members = [
        member(&["left"], &["lefts"], &[1.0]),
        member(&["right", "left"], &["rights"], &[0.5]),
        member(&[], &[], &[2.0]),
        member(&["noise"], &[], &[0.0]),
    ];
    let fusion = ensemble(&members).fit(made.pairs()).unwrap();
    assert_eq!(fusion.dim(), 3 * 4);
    let (x, y) = (&made.x, &made.y);
    let left = x.slice(s![.., 0..12]);
    let turned = concatenate(Axis(1), &[x.slice(s![.., 21..]), left]).unwrap();
    let parts = [
        cca_of(left, y.slice(s![.., 0..10]), &made.pairs),
        cca_of(turned.view(), y.slice(s![.., 10..21]), &made.pairs),
        cca_of(x.view(), y.view(), &made.pairs),
    ];
    let expected = (&parts[0] + &parts[1] * 0.5 + &parts[2] * 2.0) / 3.5;
    assert_near(&made.cosines(&fusion), &expected);
    let z = fusion.project(Side::Image, x.view()).unwrap();
    assert!(z.outer_iter().all(|r| (r.dot(&r) - 1.0).abs() < 1e-5));
}

#[test]
fn weights_are_chosen_and_can_be_had_again() {
    let made = made();
    let weights = [1.0, 0.0, 0.5, 2.0];
    let members = [
        member(&["left"], &["lefts"], &weights),
        member(&["noise"], &["blank"], &weights),
        member(&["right"], &["rights"], &weights),
    ];
    let params = ensemble(&members);
    let choice = params.choose(made.pairs(), &|f| made.recall(f)).unwrap();
    let best = choice.trials.iter().map(|t| t.score).fold(0.0, f64::max);
    assert_eq!(made.recall(&choice.fusion).unwrap(), best);
    let alone = choice.trials[..3].iter().map(|t| t.score);
    assert!(alone.fold(0.0, f64::max) < best);
    let FusionParams::Ensemble(chosen) = &choice.setting else {
        panic!("not an ensemble: {:?}", choice.setting);
    };
    assert_eq!(chosen.members[1].weight, [0.0], "noise is left out");
    assert_eq!(choice.setting.fit(made.pairs()).unwrap(), choice.fusion);
    for trial in &choice.trials {
        let again = trial.setting.fit(made.pairs()).unwrap();
        assert_eq!(made.recall(&again).unwrap(), trial.score);
    }
}

#[test]
fn stored_ensembles_of_ensembles_are_the_same() {
    let made = made();
    let untrained = MlpParams {
        start: cca(),
        stop: Some(0),
        ..MlpParams::default()
    };
    let inner = MemberParams {
        fusion: ensemble(&[
            member(&["right"], &[], &[1.0]),
            MemberParams {
                fusion: FusionParams::Mlp(untrained),
                ..member(&[], &["lefts"], &[0.25])
            },
        ]),
        ..member(&["right", "left"], &["blank", "lefts"], &[1.0])
    };
    let outer = ensemble(&[inner, member(&["left"], &["lefts"], &[0.5])]);
    let fusion = outer.fit(made.pairs()).unwrap();
    let folder = folder();
    let path = folder.path().join("ensemble.safetensors");
    let stored = fusion.store(Spec::new(outer.stage(), &(), 0));
    stored.write(&path).unwrap();
    assert_eq!(
        Fusion::load(&Artifact::read(&path).unwrap()).unwrap(),
        fusion
    );
}

#[test]
fn other_widths_views_and_weights_are_refused() {
    let made = made();
    let good = member(&["left"], &["lefts"], &[1.0]);
    let fusion = ensemble(std::slice::from_ref(&good))
        .fit(made.pairs())
        .unwrap();
    let wide = Array2::<f32>::zeros((2, 12));
    let error = fusion.project(Side::Image, wide.view()).unwrap_err();
    assert!(matches!(error, Error::Mismatch { .. }), "{error}");
    for (members, named) in [
        (vec![], "members"),
        (vec![member(&["middle"], &[], &[1.0])], "middle"),
        (vec![member(&[], &["left"], &[1.0])], "left"),
        (vec![member(&[], &[], &[0.0, 1.0])], "weight"),
        (vec![good.clone(), member(&[], &[], &[])], "weight"),
        (vec![good.clone(), member(&[], &[], &[-1.0])], "weight"),
    ] {
        let error = ensemble(&members).fit(made.pairs()).unwrap_err();
        assert!(error.to_string().contains(named), "{error}");
    }
}

#[test]
fn a_recipe_names_views_that_it_has() {
    let folder = folder();
    let path = folder.path().join("mine.toml");
    let recipe = |image: &str, text: &str| {
        let text = format!(
            "base = \"card.toml\"\nname = \"mine\"\n[[fusion.ensemble.members]]\n\
             image_views = [\"{image}\"]\ntext_views = [\"{text}\"]\nweight = [1.0, 0.5]\n\
             fusion.mlp = {{ stop = 5, start.dims = [64], loss.triplet = {{}} }}\n\
             [[fusion.ensemble.members]]\nfusion.cca.dims = [64]\n"
        );
        fs::write(&path, text).unwrap();
        Recipe::load(&path)
    };
    let FusionParams::Ensemble(params) = recipe("sift-vlad", "words").unwrap().fusion else {
        panic!("the base's fusion was kept");
    };
    assert_eq!(params.members[0].weight, [1.0, 0.5]);
    assert_eq!(params.members[1].image_views, [""; 0]);
    for (image, text, named) in [("gist", "words", "gist"), ("sift-vlad", "chars", "chars")] {
        let error = recipe(image, text).unwrap_err();
        assert!(error.to_string().contains(named), "{error}");
    }
}
