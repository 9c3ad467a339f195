//! Gradients against central differences, in f64.

use ndarray::{Array1, Array2};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::correlation::DeepCcaParams;
use super::dropout::Dropout;
use super::loss::{DynamicTripletParams, InfoNceParams, Loss, LossParams, TripletParams};
use super::tower::{Pass, Tower, Weights};

const BATCH: usize = 9;
const SHARED: usize = 4;

struct Case {
    inputs: [Array2<f64>; 2],
    towers: [Tower<f64>; 2],
    loss: LossParams,
}

fn uniform(shape: (usize, usize), rng: &mut ChaCha8Rng) -> Array2<f64> {
    Array2::from_shape_simple_fn(shape, || rng.gen_range(-1.0..1.0))
}

fn vector(n: usize, rng: &mut ChaCha8Rng) -> Array1<f64> {
    uniform((1, n), rng).remove_axis(ndarray::Axis(0))
}

impl Case {
    fn new(loss: LossParams) -> Self {
        let rng = &mut ChaCha8Rng::seed_from_u64(1);
        let mut tower = |d, h| Tower {
            mean: vector(d, rng),
            scale: 0.7,
            weights: Weights {
                a: uniform((d, SHARED), rng),
                w1: uniform((d, h), rng),
                b1: vector(h, rng),
                w2: uniform((h, SHARED), rng),
                b2: vector(SHARED, rng),
            },
        };
        let towers = [tower(6, 5), tower(7, 3)];
        Self {
            inputs: [uniform((BATCH, 6), rng), uniform((BATCH, 7), rng)],
            towers,
            loss,
        }
    }

    fn run(&self) -> ([Pass<f64>; 2], Loss<f64>) {
        let rows: Vec<usize> = (0..BATCH).collect();
        let forward = |side: usize| {
            let [input, hidden] = [0, 1].map(|layer| Dropout::new(0.3, 10 * side as u64 + layer));
            let x = self.towers[side].input(self.inputs[side].view(), &rows, Some(&input));
            self.towers[side].forward(x, Some(&hidden))
        };
        let passes = [forward(0), forward(1)];
        let captions = || self.towers[1].input(self.inputs[1].view(), &rows, None);
        let equal = [(2, 5), (5, 2)];
        let [x, y] = &passes;
        let loss = self.loss.of(x.unit.view(), y.unit.view(), captions, &equal);
        (passes, loss)
    }
}

fn losses() -> [LossParams; 3] {
    [
        LossParams::InfoNce(InfoNceParams::default()),
        LossParams::Triplet(TripletParams { margin: 0.4 }),
        LossParams::DynamicTriplet(DynamicTripletParams {
            margin: 0.4,
            strength: 0.8,
        }),
    ]
}

const STEP: f64 = 1e-6;

#[test]
fn gradients_are_what_central_differences_give() {
    let deep_cca = LossParams::DeepCca(DeepCcaParams {
        regularization: 0.3,
    });
    for loss in losses().into_iter().chain([deep_cca]) {
        let mut case = Case::new(loss);
        let (
            passes,
            Loss {
                d_images, d_texts, ..
            },
        ) = case.run();
        let gradients = [
            case.towers[0].backward(&passes[0], d_images),
            case.towers[1].backward(&passes[1], d_texts),
        ];
        for (side, gradient) in gradients.iter().enumerate() {
            for (array, ours) in gradient.arrays().iter().enumerate() {
                assert!(ours.iter().any(|g| g.abs() > 1e-4), "array {array} matters");
                for (place, &ours) in ours.iter().enumerate() {
                    let mut at = |moved: f64| {
                        case.towers[side].weights.arrays_mut()[array][place] += moved;
                        let value = case.run().1.value;
                        case.towers[side].weights.arrays_mut()[array][place] -= moved;
                        value
                    };
                    let theirs = (at(STEP) - at(-STEP)) / (2.0 * STEP);
                    assert!(
                        (ours - theirs).abs() < 1e-7 * (1.0 + theirs.abs()),
                        "{:?}, side {side}, array {array}, place {place}: {ours}, {theirs}",
                        case.loss
                    );
                }
            }
        }
    }
}

#[test]
fn equal_items_count_nowhere() {
    for loss in losses() {
        let case = Case::new(loss);
        let (passes, _) = case.run();
        let unit = passes.map(|p| p.unit);
        let [x, y] = &unit;
        let captions = || case.inputs[1].clone();
        let all: Vec<(usize, usize)> = (0..BATCH)
            .flat_map(|i| (0..BATCH).map(move |j| (i, j)))
            .filter(|(i, j)| i != j)
            .collect();
        let alone = case.loss.of(x.view(), y.view(), captions, &all);
        assert!(alone.value.abs() < 1e-12, "{}", alone.value);
        assert!(alone.d_images.iter().all(|d| d.abs() < 1e-12));
        let together = case.loss.of(x.view(), y.view(), captions, &[]);
        assert!(together.value > 0.1);
    }
}

/// Losses by their definitions, cell by cell.
#[test]
fn losses_are_their_definitions() {
    let s = |x: &Array2<f64>, y: &Array2<f64>, i: usize, j: usize| x.row(i).dot(&y.row(j));
    for loss in losses() {
        let case = Case::new(loss);
        let (passes, _) = case.run();
        let [x, y] = passes.map(|p| p.unit);
        let captions = case.inputs[1].clone();
        let cosine = |i: usize, j: usize| {
            let (a, b) = (captions.row(i), captions.row(j));
            a.dot(&b) / (a.dot(&a) * b.dot(&b)).sqrt()
        };
        let hinge = |margin: &dyn Fn(usize, usize) -> f64, i: usize| -> f64 {
            let others = || (0..BATCH).filter(move |&j| j != i);
            let cost = |cell: f64, j| (margin(i, j) + cell - s(&x, &y, i, i)).max(0.0);
            let to_texts = others()
                .map(|j| cost(s(&x, &y, i, j), j))
                .fold(0.0, f64::max);
            let to_images = others()
                .map(|j| cost(s(&x, &y, j, i), j))
                .fold(0.0, f64::max);
            to_texts + to_images
        };
        let softmax = |tau: f64, i: usize| -> f64 {
            let row: f64 = (0..BATCH).map(|j| (s(&x, &y, i, j) / tau).exp()).sum();
            let column: f64 = (0..BATCH).map(|j| (s(&x, &y, j, i) / tau).exp()).sum();
            row.ln() + column.ln() - 2.0 * s(&x, &y, i, i) / tau
        };
        let expected = (0..BATCH).map(|i| match &case.loss {
            LossParams::DeepCca(_) => unreachable!("it is no sum of cells"),
            LossParams::InfoNce(p) => softmax(p.temperature, i),
            LossParams::Triplet(p) => hinge(&|_, _| p.margin, i),
            LossParams::DynamicTriplet(p) => hinge(
                &|i, j| p.margin * (1.0 - p.strength * cosine(i, j).max(0.0)),
                i,
            ),
        });
        let expected = expected.sum::<f64>() / (2 * BATCH) as f64;
        let ours = case.loss.of(x.view(), y.view(), || captions.clone(), &[]);
        assert!((ours.value - expected).abs() < 1e-12, "{:?}", case.loss);
    }
}
