//! Captions by retrieval: what its definition says, and that its weight is chosen.

use std::cell::Cell;

use ndarray::{Array1, Array2, s};
use tuwen::artifact::{Artifact, Spec};
use tuwen::dataset::Pair;
use tuwen::fusion::{CcaParams, Fusion, FusionParams, Pairs, Side, TransferParams};

use super::made_up::{folder, uniform};

const TRAIN: usize = 40;

/// Two captions a picture, the pictures beyond [`TRAIN`] without any.
struct Made {
    x: Array2<f32>,
    y: Array2<f32>,
    pairs: Vec<Pair>,
}

fn made() -> Made {
    let pair = |text| Pair {
        image: text / 2,
        text,
    };
    Made {
        x: uniform(TRAIN + 10, 7, 1),
        y: uniform(2 * TRAIN, 6, 2),
        pairs: (0..2 * TRAIN).map(pair).collect(),
    }
}

impl Made {
    fn pairs(&self) -> Pairs<'_> {
        Pairs::new(self.x.view(), self.y.view(), &self.pairs)
    }
}

fn cca() -> FusionParams {
    FusionParams::Cca(CcaParams {
        dims: vec![5],
        regularization: vec![0.1],
        power: vec![1.0],
        ..CcaParams::default()
    })
}

fn transfer(neighbours: usize, weight: &[f32]) -> TransferParams {
    TransferParams {
        neighbours,
        weight: weight.to_vec(),
        temperature: 0.2,
        keep: 1000,
        of: Box::new(cca()),
    }
}

fn fit(made: &Made, params: TransferParams) -> Fusion {
    FusionParams::Transfer(params).fit(made.pairs()).unwrap()
}

fn unit(v: Array1<f64>) -> Array1<f64> {
    let length = v.dot(&v).sqrt();
    v / length
}

#[test]
fn a_picture_moves_towards_the_captions_of_its_neighbours() {
    let made = made();
    let below = cca().fit(made.pairs()).unwrap();
    let wide = |side, rows: &Array2<f32>| below.project(side, rows.view()).unwrap().mapv(f64::from);
    let (images, texts) = (wide(Side::Image, &made.x), wide(Side::Text, &made.y));
    let moved = fit(&made, transfer(3, &[0.7]));
    let found = moved.project(Side::Image, made.x.view()).unwrap();
    for (z, found) in images.outer_iter().zip(found.outer_iter()) {
        let mut near: Vec<(f64, usize)> = (0..TRAIN).map(|n| (z.dot(&images.row(n)), n)).collect();
        near.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut sum = Array1::zeros(5);
        for &(cosine, n) in &near[..3] {
            let mean = (&texts.row(2 * n) + &texts.row(2 * n + 1)) / 2.0;
            sum = sum + mean * (cosine / 0.2).exp();
        }
        let expected = unit(&z + &(unit(sum) * 0.7));
        let far = (&expected - &found.mapv(f64::from)).mapv(f64::abs);
        assert!(far.iter().all(|&d| d < 1e-5), "{expected} {found}");
    }
    assert_eq!(
        moved.project(Side::Text, made.y.view()).unwrap(),
        below.project(Side::Text, made.y.view()).unwrap()
    );
}

#[test]
fn weight_zero_is_the_fusion_below() {
    let made = made();
    let below = cca().fit(made.pairs()).unwrap();
    let still = fit(&made, transfer(3, &[0.0]));
    let x = made.x.view();
    assert_eq!(
        still.project(Side::Image, x).unwrap(),
        below.project(Side::Image, x).unwrap()
    );
}

#[test]
fn a_picture_at_zero_stays_there() {
    let mut made = made();
    // every picture and its opposite: their mean, where the CCA has its zero, is exactly 0
    let half = uniform(TRAIN / 2, 7, 1);
    made.x.slice_mut(s![..TRAIN / 2, ..]).assign(&half);
    made.x.slice_mut(s![TRAIN / 2..TRAIN, ..]).assign(&-half);
    let moved = fit(&made, transfer(3, &[0.5]));
    let z = moved.project(Side::Image, Array2::zeros((1, 7)).view());
    assert_eq!(z.unwrap(), Array2::<f32>::zeros((1, 5)));
}

#[test]
fn of_many_pictures_some_are_kept() {
    let made = made();
    let few = |keep| TransferParams {
        keep,
        ..transfer(3, &[0.5])
    };
    for (keep, kept) in [(1, 1), (7, 7), (TRAIN + 1, TRAIN)] {
        let fusion = fit(&made, few(keep));
        let stored = fusion.store(Spec::new("transfer", &(), 0));
        assert_eq!(stored.matrix::<f32>("pictures").unwrap().dim(), (kept, 5));
        assert_eq!(stored.matrix::<f32>("captions").unwrap().dim(), (kept, 5));
        let z = fusion.project(Side::Image, made.x.view()).unwrap();
        assert!(z.outer_iter().all(|r| (r.dot(&r) - 1.0).abs() < 1e-5));
    }
}

#[test]
fn the_weight_is_chosen_and_can_be_had_again() {
    let made = made();
    let params = FusionParams::Transfer(transfer(4, &[0.0, 0.3, 0.6]));
    let asked = Cell::new(0);
    // the third fusion that is looked at after the one below: weight 0.3
    let score = |_: &Fusion| {
        asked.set(asked.get() + 1);
        Ok(if asked.get() == 3 { 1.0 } else { 0.5 })
    };
    let choice = params.choose(made.pairs(), &score).unwrap();
    assert_eq!(
        choice.trials.len(),
        4,
        "one setting of the CCA, three weights"
    );
    assert_eq!(
        choice.setting,
        FusionParams::Transfer(transfer(4, &[0.3])),
        "the setting without alternatives"
    );
    assert_eq!(choice.setting.fit(made.pairs()).unwrap(), choice.fusion);
    let folder = folder();
    let path = folder.path().join("transfer.safetensors");
    let stored = choice.fusion.store(Spec::new(params.stage(), &(), 0));
    stored.write(&path).unwrap();
    let read = Fusion::load(&Artifact::read(&path).unwrap()).unwrap();
    assert_eq!(read, choice.fusion);
}

#[test]
fn wrong_settings_are_refused() {
    let made = made();
    let cold = TransferParams {
        temperature: 0.0,
        ..transfer(3, &[0.1])
    };
    for (params, word) in [
        (transfer(0, &[0.1]), "neighbours"),
        (transfer(3, &[]), "weight"),
        (transfer(3, &[-0.1]), "weight"),
        (transfer(3, &[f32::NAN]), "weight"),
        (cold, "temperature"),
    ] {
        let error = FusionParams::Transfer(params)
            .fit(made.pairs())
            .unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
    }
}
