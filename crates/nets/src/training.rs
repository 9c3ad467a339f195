//! The loop that every network learns by: shuffled batches, AdamW, a schedule, checkpoints.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use burn::module::Module;
use burn::optim::{AdamWConfig, GradientsAccumulator, GradientsParams, ModuleOptimizer};
use burn::store::ModuleRecord;
use burn::tensor::{Bytes, Device, Tensor};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::params::Plan;
use crate::thin;
use crate::weights::{self, Weights};

impl Plan {
    /// The learning rate of a step.
    fn rate_at(&self, step: usize, steps: usize) -> f64 {
        let warm = (self.warm_up * steps as f64).max(1.0);
        let at = step as f64 + 1.0;
        if at <= warm {
            return self.rate * at / warm;
        }
        let part = (at - warm) / (steps as f64 - warm + 1.0);
        self.rate * 0.5 * (1.0 + (std::f64::consts::PI * part).cos())
    }
}

/// What a network learns.
pub trait Task: Sync {
    /// The network.
    type Net: Module + Sync;

    /// Parts of a batch that learn side by side, where a loss is a mean over items; their gradients are summed in order.
    const PARTS: usize = 1;

    /// Number of items that batches are drawn from.
    fn items(&self) -> usize;

    /// The loss of a batch of items; what it is computed from goes to the device.
    fn loss(
        &self,
        net: &Self::Net,
        batch: &[usize],
        device: &Device,
        rng: &mut ChaCha8Rng,
    ) -> Tensor<1>;

    /// How good the network is on data that it does not learn from, asked after every epoch; the best one is kept. `None`
    /// keeps the last.
    fn score(&self, _net: &Self::Net, _device: &Device) -> Option<f64> {
        None
    }
}

/// What is told about a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event {
    /// A step was made.
    Step {
        /// Steps made so far.
        done: usize,
        /// Steps in all.
        steps: usize,
        /// Loss of the batch.
        loss: f32,
        /// Seconds that the step took.
        seconds: f64,
    },
    /// An epoch ended.
    Epoch {
        /// Epochs made so far.
        done: usize,
        /// Mean loss of its batches.
        loss: f64,
        /// [`Task::score`].
        score: Option<f64>,
    },
}

/// Where a run goes on from.
#[derive(Clone, Debug, Default)]
struct State {
    steps: usize,
    best: Option<f64>,
    /// Sum of the losses of the epoch.
    losses: f64,
}

/// Random numbers on the CPU come from one source of the process: who seeds it has to be alone with it.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes a network and lets it learn by a plan. One network of a process learns at a time.
///
/// The checkpoint is a file that holds everything; it is removed at the end. A run that finds one goes on there, and comes to the
/// same network as if it had not stopped.
///
/// # Errors
/// [`Error::Empty`] without items, [`Error::Diverged`], and [`Error::Write`] for the checkpoint.
pub fn train<T: Task>(
    task: &T,
    new: impl FnOnce(&Device) -> T::Net,
    plan: &Plan,
    seed: u64,
    checkpoint: Option<&Path>,
    watch: &mut dyn FnMut(Event),
) -> Result<Trained<T::Net>> {
    if task.items() == 0 {
        return Err(Error::Empty("no item"));
    }
    let _alone = alone();
    let plain = crate::device();
    let device = &plain.clone().autodiff();
    device.seed(seed);
    let net = new(device).materialize();
    let batches = task.items().div_ceil(plan.batch.max(1));
    let steps = batches * plan.epochs;
    let optimizer = AdamWConfig::new()
        .with_weight_decay(plan.weight_decay as f32)
        .init();
    let mut run = Run {
        best: net.clone(),
        net,
        optimizer,
        state: State::default(),
    };
    if let Some(path) = checkpoint
        && let Some(kept) = run.read(path)
    {
        run = kept;
    }
    let mut order = (0, shuffled(task.items(), seed, 0));
    while run.state.steps < steps {
        let began = Instant::now();
        let step = run.state.steps;
        let (epoch, place) = (step / batches, step % batches);
        if order.0 != epoch {
            order = (epoch, shuffled(task.items(), seed, epoch));
        }
        let batch: Vec<usize> = order
            .1
            .iter()
            .skip(place)
            .step_by(batches)
            .copied()
            .collect();
        let parts: Vec<&[usize]> = batch.chunks(batch.len().div_ceil(T::PARTS)).collect();
        let learned: Vec<(f32, GradientsParams)> = parts
            .par_iter()
            .enumerate()
            .map(|(part, items)| {
                // what a step draws depends on the step alone, so that a resumed run draws the same
                let mut rng = drawing(seed, ((step * T::PARTS + part) as u64) + 1);
                thin::seed(rng.r#gen());
                let share = items.len() as f64 / batch.len() as f64;
                // a copy of its own, so that the graphs of two parts are two: a graph is walked by one thread
                let net = run.net.clone().fork(device);
                let loss = task.loss(&net, items, device, &mut rng) * share;
                let value: f32 = loss.clone().into_scalar();
                let gradients = match value.is_finite() {
                    true => GradientsParams::from_grads(loss.backward(), &net),
                    false => GradientsParams::new(),
                };
                (value, gradients)
            })
            .collect();
        let mut sums = GradientsAccumulator::new();
        let mut value = 0.0;
        for (loss, gradients) in learned {
            value += loss;
            sums.accumulate(&run.net, gradients);
        }
        if !value.is_finite() {
            return Err(Error::Diverged {
                steps: step + 1,
                rate: plan.rate,
            });
        }
        run.net = run
            .optimizer
            .step(plan.rate_at(step, steps), run.net, sums.grads());
        run.state.steps += 1;
        run.state.losses += f64::from(value);
        watch(Event::Step {
            done: run.state.steps,
            steps,
            loss: value,
            seconds: began.elapsed().as_secs_f64(),
        });
        if place + 1 == batches {
            let score = task.score(&run.net.valid(), &plain);
            watch(Event::Epoch {
                done: epoch + 1,
                loss: run.state.losses / batches as f64,
                score,
            });
            run.state.losses = 0.0;
            if score.is_none() || run.state.best.is_none_or(|b| score > Some(b)) {
                run.state.best = score;
                run.best = run.net.clone();
            }
        }
        if let Some(path) = checkpoint
            && run.state.steps.is_multiple_of(plan.keep_every.max(1))
        {
            run.write(path)?;
        }
    }
    if let Some(path) = checkpoint {
        let _ = fs::remove_file(path); // a missing one is as good
    }
    Ok(Trained {
        net: run.best.valid(),
        device: plain,
    })
}

/// A network that has learned.
#[derive(Debug)]
pub struct Trained<N> {
    /// Without gradients.
    pub net: N,
    /// Where it is computed.
    pub device: Device,
}

impl<N: Module> Trained<N> {
    /// One of stored tensors.
    ///
    /// # Errors
    /// [`Error::Weights`] if they do not fit.
    pub fn of(new: impl FnOnce(&Device) -> N, weights: Weights) -> Result<Self> {
        // what is replaced at once is drawn before, from the source that who learns has seeded
        let _alone = alone();
        let device = crate::device();
        Ok(Self {
            net: weights::set(new(&device), weights)?,
            device,
        })
    }

    /// Its tensors.
    pub fn weights(&self) -> Weights {
        weights::of(&self.net)
    }
}

fn drawing(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    rng
}

/// The items in the order of an epoch.
fn shuffled(items: usize, seed: u64, epoch: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..items).collect();
    order.shuffle(&mut drawing(seed, u64::MAX - epoch as u64));
    order
}

struct Run<M> {
    net: M,
    best: M,
    optimizer: ModuleOptimizer,
    state: State,
}

/// The parts of a checkpoint, each after its length.
impl<M: Module> Run<M> {
    fn write(&self, path: &Path) -> Result<()> {
        let failed = |source| Error::Write {
            path: path.to_owned(),
            source,
        };
        let other = |e: &dyn std::fmt::Display| failed(std::io::Error::other(e.to_string()));
        let record = |net: &M| net.clone().into_record().into_bytes();
        let State {
            steps,
            best,
            losses,
        } = self.state;
        let mut state = (steps as u64).to_le_bytes().to_vec();
        state.extend(best.unwrap_or(f64::NAN).to_le_bytes());
        state.extend(losses.to_le_bytes());
        let parts: [Vec<u8>; 4] = [
            state,
            record(&self.net).map_err(|e| other(&e))?.to_vec(),
            record(&self.best).map_err(|e| other(&e))?.to_vec(),
            self.optimizer.into_bytes().map_err(|e| other(&e))?.to_vec(),
        ];
        let beside = path.with_extension("new");
        let written = (|| {
            let mut file = fs::File::create(&beside)?;
            for part in &parts {
                file.write_all(&(part.len() as u64).to_le_bytes())?;
                file.write_all(part)?;
            }
            file.sync_all()?;
            fs::rename(&beside, path)
        })();
        written.map_err(failed)
    }

    /// The run that a checkpoint holds; none where the file is missing, damaged or of another network.
    fn read(&self, path: &Path) -> Option<Self> {
        let bytes = fs::read(path).ok()?;
        let mut rest = bytes.as_slice();
        let mut part = || {
            let (length, after) = rest.split_first_chunk()?;
            let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
            let (part, after) = after.split_at_checked(length)?;
            rest = after;
            Some(part.to_vec())
        };
        let state: [u8; 24] = part()?.try_into().ok()?;
        let number = |i: usize| <[u8; 8]>::try_from(&state[i..i + 8]).expect("eight bytes");
        let best = f64::from_le_bytes(number(8));
        let record = |bytes| ModuleRecord::from_bytes(Bytes::from_bytes_vec(bytes)).ok();
        let loaded = |bytes| self.net.clone().try_load_record(record(bytes)?).ok();
        Some(Self {
            state: State {
                steps: u64::from_le_bytes(number(0)) as usize,
                best: (!best.is_nan()).then_some(best),
                losses: f64::from_le_bytes(number(16)),
            },
            net: loaded(part()?)?,
            best: loaded(part()?)?,
            optimizer: {
                let bytes = Bytes::from_bytes_vec(part()?);
                self.optimizer.clone().from_bytes(bytes).ok()?
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use burn::nn::{Linear, LinearConfig};

    use crate::thin::Thin;

    use super::*;

    #[derive(Module, Debug)]
    struct Net {
        linear: Linear,
        dropout: Thin,
    }

    struct Sums {
        steps: AtomicUsize,
        stop: usize,
    }

    impl Task for Sums {
        type Net = Net;

        fn items(&self) -> usize {
            20
        }

        fn loss(
            &self,
            net: &Net,
            batch: &[usize],
            device: &Device,
            rng: &mut ChaCha8Rng,
        ) -> Tensor<1> {
            if self.steps.fetch_add(1, Ordering::Relaxed) >= self.stop {
                // what is no number ends the run, as a kill would
                return Tensor::from_floats([f32::NAN], device);
            }
            let rows: Vec<f32> = batch
                .iter()
                .flat_map(|&i| [i as f32 / 20.0, 1.0, -1.0])
                .collect();
            let x = Tensor::<1>::from_floats(rows.as_slice(), device);
            let x = x.reshape([batch.len(), 3]);
            let wanted = x.clone().sum_dim(1) * rng.gen_range(0.9..1.1);
            let found = net.linear.forward(net.dropout.forward(x));
            (found - wanted).square().mean()
        }

        fn score(&self, net: &Net, _: &Device) -> Option<f64> {
            let weights = crate::weights::of(net);
            Some(f64::from(weights["linear.weight"][0]))
        }
    }

    fn learn(stop: usize, checkpoint: Option<&Path>) -> Result<Trained<Net>> {
        let new = |device: &Device| Net {
            linear: LinearConfig::new(3, 1).init(device),
            dropout: Thin::new(0.2),
        };
        let task = Sums {
            steps: AtomicUsize::new(0),
            stop,
        };
        let plan = Plan {
            epochs: 4,
            batch: 5,
            rate: 0.1,
            keep_every: 3,
            ..Plan::default()
        };
        train(&task, new, &plan, 7, checkpoint, &mut |_| ())
    }

    #[test]
    fn a_run_that_stopped_comes_to_the_same_network() {
        let folder = std::env::temp_dir().join(format!("tuwen-nets-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let checkpoint = folder.join("run.checkpoint");
        let whole = learn(100, None).unwrap().weights();
        let failed = learn(8, Some(&checkpoint));
        assert!(matches!(failed, Err(Error::Diverged { steps: 9, .. })));
        assert!(checkpoint.exists());
        let resumed = learn(100, Some(&checkpoint)).unwrap();
        assert_eq!(resumed.weights(), whole);
        assert!(!checkpoint.exists());
        // a damaged one is as good as none
        fs::write(&checkpoint, b"nothing").unwrap();
        let again = learn(100, Some(&checkpoint)).unwrap();
        assert_eq!(again.weights(), whole);
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn every_item_is_seen_once_an_epoch_and_the_rate_rises_and_falls() {
        let mut seen = shuffled(9, 1, 0);
        assert_ne!(seen, shuffled(9, 1, 1));
        seen.sort_unstable();
        assert_eq!(seen, (0..9).collect::<Vec<_>>());
        let plan = Plan::default();
        let rates: Vec<f64> = (0..100).map(|s| plan.rate_at(s, 100)).collect();
        let highest = rates.iter().copied().fold(0.0, f64::max);
        assert_eq!(highest, plan.rate);
        assert!(rates[0] < 0.2 * plan.rate && rates[99] < 0.01 * plan.rate);
    }
}
