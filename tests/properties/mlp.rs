//! The two towers: where they start, that training helps, and that it is the same every time.

use ndarray::{Array2, s};
use rayon::ThreadPoolBuilder;
use tuwen::Error;
use tuwen::artifact::{Artifact, Spec};
use tuwen::dataset::Pair;
use tuwen::evaluation::ranks;
use tuwen::fusion::{
    AdamWParams, CcaParams, DynamicTripletParams, Fusion, FusionParams, LossParams, MlpParams,
    Pairs, Side, TowerParams, TripletParams,
};
use tuwen::linalg::matmul;

use super::made_up::{folder, uniform};

/// Pictures learned from, and all there are; captions per picture; latent causes.
const TRAIN: usize = 400;
const ALL: usize = 600;
const CAPTIONS: usize = 2;
const LATENT: usize = 6;

/// Two modalities that show the same causes, each in its own crooked way.
struct Made {
    x: Array2<f32>,
    y: Array2<f32>,
    pairs: Vec<Pair>,
}

fn made() -> Made {
    let causes = uniform(ALL, LATENT, 1);
    let (to_x, to_y) = (uniform(LATENT, 40, 2), uniform(LATENT, 30, 3));
    let texts = ALL * CAPTIONS;
    let of_texts = Array2::from_shape_fn((texts, LATENT), |(t, j)| causes[[t / CAPTIONS, j]]);
    let (noise_x, noise_y) = (uniform(ALL, 40, 4), uniform(texts, 30, 5));
    let x = matmul(causes.view(), to_x.view()).mapv(|v| (2.0 * v).sin()) + noise_x * 0.3;
    let y = matmul(of_texts.view(), to_y.view()).mapv(|v| v.max(0.0)) + noise_y * 0.3 + 0.5;
    let pair = |t| Pair {
        image: t / CAPTIONS,
        text: t,
    };
    Made {
        x,
        y,
        pairs: (0..TRAIN * CAPTIONS).map(pair).collect(),
    }
}

impl Made {
    fn pairs(&self) -> Pairs<'_> {
        Pairs::new(self.x.view(), self.y.view(), &self.pairs)
    }

    /// Mid-ranks of the pictures that were not learned from, asked for by their captions.
    fn held_out_ranks(&self, fusion: &Fusion) -> tuwen::Result<Vec<f64>> {
        let images = fusion.project(Side::Image, self.x.slice(s![TRAIN.., ..]))?;
        let texts = fusion.project(Side::Text, self.y.slice(s![TRAIN * CAPTIONS.., ..]))?;
        let truth: Vec<_> = (0..texts.nrows()).map(|t| vec![t / CAPTIONS]).collect();
        let usable = vec![true; images.nrows()];
        let ranks = ranks(texts.view(), images.view(), &usable, &truth, |_, _| {});
        Ok(ranks.into_iter().flatten().collect())
    }

    /// Share of the held-out captions whose picture comes first.
    fn recall(&self, fusion: &Fusion) -> tuwen::Result<f64> {
        let ranks = self.held_out_ranks(fusion)?;
        Ok(ranks.iter().filter(|&&r| r <= 1.0).count() as f64 / ranks.len() as f64)
    }
}

fn start() -> CcaParams {
    CcaParams {
        dims: vec![20],
        regularization: vec![0.03],
        power: vec![0.5],
        ..CcaParams::default()
    }
}

fn params() -> MlpParams {
    let tower = TowerParams {
        hidden: 64,
        input_dropout: 0.1,
        hidden_dropout: 0.2,
    };
    MlpParams {
        start: start(),
        image: tower.clone(),
        text: tower,
        optimizer: AdamWParams {
            learning_rate: 5e-3,
            warm_up: 20,
            ..AdamWParams::default()
        },
        batch: 250,
        epochs: 60,
        checkpoint: 20,
        ..MlpParams::default()
    }
}

fn fit(params: MlpParams, made: &Made) -> tuwen::Result<Fusion> {
    FusionParams::Mlp(params).fit(made.pairs())
}

fn spec() -> Spec {
    Spec::new("mlp", &(), 0)
}

#[test]
fn towers_start_as_the_cca() {
    let made = made();
    for power in [0.0, 0.5, 4.0] {
        let start = CcaParams {
            power: vec![power],
            ..start()
        };
        let cca = FusionParams::Cca(start.clone()).fit(made.pairs()).unwrap();
        let untrained = MlpParams {
            start,
            stop: Some(0),
            ..params()
        };
        let towers = fit(untrained, &made).unwrap();
        assert_eq!(towers.dim(), cca.dim());
        for (side, x) in [(Side::Image, &made.x), (Side::Text, &made.y)] {
            let (ours, theirs) = (towers.project(side, x.view()), cca.project(side, x.view()));
            let apart = ours.unwrap() - theirs.unwrap();
            assert!(apart.iter().all(|d| d.abs() < 1e-5));
        }
        assert_eq!(
            made.held_out_ranks(&towers).unwrap(),
            made.held_out_ranks(&cca).unwrap()
        );
    }
}

#[test]
fn training_raises_held_out_recall_with_every_loss() {
    let made = made();
    let cca = FusionParams::Cca(start()).fit(made.pairs()).unwrap();
    let before = made.recall(&cca).unwrap();
    let losses = [
        params().loss,
        LossParams::Triplet(TripletParams::default()),
        LossParams::DynamicTriplet(DynamicTripletParams::default()),
    ];
    for loss in losses {
        let params = MlpParams {
            loss: loss.clone(),
            ..params()
        };
        let after = made.recall(&fit(params, &made).unwrap()).unwrap();
        assert!(after > before + 0.05, "{loss:?}: {before} to {after}");
    }
}

#[test]
fn the_best_checkpoint_is_kept_and_can_be_had_again() {
    let made = made();
    let params = FusionParams::Mlp(params());
    let choice = params.choose(made.pairs(), &|f| made.recall(f)).unwrap();
    let stops = choice.trials.iter().map(|t| match &t.setting {
        FusionParams::Mlp(p) => p.stop,
        other => panic!("not two towers: {other:?}"),
    });
    assert_eq!(stops.collect::<Vec<_>>(), [0, 20, 40, 60].map(Some));
    let best = choice.trials.iter().map(|t| t.score).fold(0.0, f64::max);
    assert!(best > choice.trials[0].score);
    let chosen: Vec<_> = choice
        .trials
        .iter()
        .filter(|t| t.setting == choice.setting)
        .collect();
    assert_eq!(chosen.len(), 1);
    assert_eq!(chosen[0].score, best);
    assert_eq!(made.recall(&choice.fusion).unwrap(), best);
    assert_eq!(choice.setting.fit(made.pairs()).unwrap(), choice.fusion);
}

#[test]
fn training_does_not_depend_on_threads() {
    let made = made();
    let stored = |threads| {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build();
        let params = MlpParams {
            stop: Some(5),
            optimizer: AdamWParams {
                clip: 0.1,
                ..params().optimizer
            },
            ..params()
        };
        pool.unwrap()
            .install(|| fit(params, &made).unwrap().store(spec()))
    };
    let (one, two, five) = (stored(1), stored(2), stored(5));
    assert!(one == two && two == five);
}

#[test]
fn stored_towers_are_the_same_towers() {
    let made = made();
    let short = MlpParams {
        stop: Some(2),
        ..params()
    };
    let fusion = fit(short, &made).unwrap();
    let folder = folder();
    let path = folder.path().join("mlp.safetensors");
    fusion.store(spec()).write(&path).unwrap();
    let read = Artifact::read(&path).unwrap();
    assert_eq!(Fusion::load(&read).unwrap(), fusion);
}

#[test]
fn another_width_is_refused() {
    let made = made();
    let untrained = MlpParams {
        stop: Some(0),
        ..params()
    };
    let fusion = fit(untrained, &made).unwrap();
    for (side, width) in [(Side::Image, 30), (Side::Text, 40)] {
        let x = Array2::<f32>::zeros((3, width));
        let error = fusion.project(side, x.view()).unwrap_err();
        assert!(matches!(error, Error::Mismatch { .. }), "{error}");
    }
}

#[test]
fn impossible_settings_are_refused() {
    let made = made();
    let of_tower = |change: fn(&mut TowerParams)| {
        let mut params = params();
        change(&mut params.text);
        params
    };
    let of_all = |change: fn(&mut MlpParams)| {
        let mut params = params();
        change(&mut params);
        params
    };
    for (params, named) in [
        (of_tower(|t| t.hidden = 0), "hidden"),
        (of_tower(|t| t.input_dropout = 1.0), "dropout"),
        (of_all(|p| p.batch = 1), "batch"),
        (of_all(|p| p.checkpoint = 0), "checkpoint"),
        (of_all(|p| p.stop = Some(p.epochs + 1)), "stop"),
        (of_all(|p| p.optimizer.average = 1.0), "average"),
        (
            of_all(|p| p.optimizer.learning_rate = f64::NAN),
            "learning_rate",
        ),
        (
            of_all(|p| p.optimizer.learning_rate = 1e30),
            "learning_rate",
        ),
        (
            of_all(|p| p.loss = LossParams::Triplet(TripletParams { margin: 0.0 })),
            "margin",
        ),
    ] {
        let error = fit(params, &made).unwrap_err().to_string();
        assert!(error.contains(named), "{error}");
    }
}
