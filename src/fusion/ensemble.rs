//! Late fusion: a weighted sum of the cosines of several fusions, each over some of the views (score-level fusion
//! by the sum rule, Kittler et al. 1998).
//!
//! Σ wᵢ·cosᵢ is the inner product of the members' unit rows laid side by side, each scaled by √wᵢ. An item is still
//! one vector, of length √Σwᵢ, which is divided out.

use std::ops::Range;

use ndarray::{Array1, Array2, ArrayView2, Axis, CowArray, Ix2, s};
use serde::{Deserialize, Serialize};

use super::{
    Choice, Columns, Fusion, FusionParams, Memory, Method, Pairs, Projector, Score, Side, Trial,
};
use crate::artifact::{Artifact, Spec};
use crate::dataset::Pair;
use crate::error::{Error, Result};

pub(super) const STAGE: &str = "ensemble";

/// Settings of an ensemble.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnsembleParams {
    /// The fusions whose cosines are summed.
    pub members: Vec<MemberParams>,
}

/// One member of an ensemble. Its fusion's settings are chosen on validation data first, then all weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberParams {
    /// Names of the image views that it uses; empty for all.
    #[serde(default)]
    pub image_views: Vec<String>,
    /// Names of the text views that it uses; empty for all.
    #[serde(default)]
    pub text_views: Vec<String>,
    /// Weight of its cosine in the sum; 0 leaves the member out. Of several weights, the best on validation data is
    /// taken while the other members keep theirs; this is done twice for all members.
    #[serde(default = "default_weights")]
    pub weight: Vec<f64>,
    /// The member's fusion.
    pub fusion: FusionParams,
}

fn default_weights() -> Vec<f64> {
    vec![1.0, 0.0, 0.25, 0.5, 2.0]
}

/// Number of passes over the members' weights.
const ROUNDS: usize = 2;

/// A fitted member.
#[derive(Clone, Debug, PartialEq)]
struct Member {
    /// Columns of the input that it uses.
    image: Vec<Range<usize>>,
    text: Vec<Range<usize>>,
    weight: f64,
    fusion: Fusion,
}

/// A fitted ensemble.
#[derive(Clone, Debug, PartialEq)]
pub struct Ensemble {
    /// Width of the whole inputs.
    image_dim: usize,
    text_dim: usize,
    /// Members whose weight is not 0.
    members: Vec<Member>,
}

/// The columns of the views with these names; all columns if there are no names.
fn find(names: &[String], views: &[Columns], width: usize) -> Result<Vec<Range<usize>>> {
    if names.is_empty() {
        return Ok(std::iter::once(0..width).collect());
    }
    let place = |name: &String| {
        let view = views.iter().find(|v| v.name == *name);
        view.map(|v| v.range.clone())
            .ok_or_else(|| Error::Mismatch {
                left: "a member of the ensemble".into(),
                left_is: format!("made from the view `{name}`"),
                right: "the recipe".into(),
                right_is: "without such a view".into(),
            })
    };
    names.iter().map(place).collect()
}

/// The positions of views within some columns after [`select`].
fn moved(views: &[Columns], columns: &[Range<usize>]) -> Vec<Columns> {
    let mut out = Vec::new();
    let mut start = 0;
    for range in columns {
        let inside = |v: &&Columns| range.start <= v.range.start && v.range.end <= range.end;
        out.extend(views.iter().filter(inside).map(|v| Columns {
            name: v.name.clone(),
            range: v.range.start - range.start + start..v.range.end - range.start + start,
        }));
        start += range.len();
    }
    out
}

fn select<'a>(x: ArrayView2<'a, f32>, columns: &[Range<usize>]) -> CowArray<'a, f32, Ix2> {
    if matches!(columns, [all] if *all == (0..x.ncols())) {
        return x.into();
    }
    let blocks: Vec<_> = columns.iter().map(|r| x.slice(s![.., r.clone()])).collect();
    ndarray::concatenate(Axis(1), &blocks)
        .expect("columns of one matrix")
        .into()
}

/// The part of the data that a member uses.
struct Part<'a> {
    image: Vec<Range<usize>>,
    text: Vec<Range<usize>>,
    x: CowArray<'a, f32, Ix2>,
    y: CowArray<'a, f32, Ix2>,
    image_views: Vec<Columns>,
    text_views: Vec<Columns>,
    memory: Option<&'a dyn Memory>,
}

impl<'a> Part<'a> {
    fn of(member: &MemberParams, data: Pairs<'a>) -> Result<Self> {
        let image = find(&member.image_views, data.image_views, data.x.ncols())?;
        let text = find(&member.text_views, data.text_views, data.y.ncols())?;
        Ok(Self {
            x: select(data.x, &image),
            y: select(data.y, &text),
            image_views: moved(data.image_views, &image),
            text_views: moved(data.text_views, &text),
            image,
            text,
            memory: data.memory,
        })
    }

    fn pairs<'b>(&'b self, pairs: &'b [Pair]) -> Pairs<'b> {
        Pairs {
            image_views: &self.image_views,
            text_views: &self.text_views,
            memory: self.memory,
            ..Pairs::new(self.x.view(), self.y.view(), pairs)
        }
    }

    fn member(&self, fusion: Fusion) -> Member {
        Member {
            image: self.image.clone(),
            text: self.text.clone(),
            weight: 1.0,
            fusion,
        }
    }
}

impl MemberParams {
    /// A copy with one setting and one weight.
    fn settled(&self, fusion: FusionParams, weight: f64) -> Self {
        Self {
            fusion,
            weight: vec![weight],
            ..self.clone()
        }
    }
}

impl EnsembleParams {
    fn check(&self) -> Result<()> {
        let weights = || self.members.iter().map(|m| &m.weight);
        let bad = |w: &f64| !(*w >= 0.0 && w.is_finite());
        let reason = if self.members.is_empty() {
            "it has no `members`"
        } else if weights().any(|w| w.is_empty() || w.iter().any(bad)) {
            "every `weight` needs values, none of them negative"
        } else if weights().all(|w| w[0] == 0.0) {
            "the first `weight` of some member must be above 0"
        } else {
            return Ok(());
        };
        Err(Error::Numeric {
            what: "ensemble",
            reason: reason.into(),
        })
    }

    /// Coordinate search that starts from the first weight of every member.
    fn climb(&self, score: &mut dyn FnMut(&[f64]) -> Result<f64>) -> Result<Vec<f64>> {
        let mut best: Vec<f64> = self.members.iter().map(|m| m.weight[0]).collect();
        let mut seen = vec![best.clone()];
        let mut best_score = score(&best)?;
        for _ in 0..ROUNDS {
            for (i, member) in self.members.iter().enumerate() {
                for &weight in &member.weight {
                    let mut weights = best.clone();
                    weights[i] = weight;
                    if seen.contains(&weights) || weights.iter().all(|&w| w == 0.0) {
                        continue;
                    }
                    let score = score(&weights)?;
                    seen.push(weights.clone());
                    if score > best_score {
                        (best_score, best) = (score, weights);
                    }
                }
            }
        }
        Ok(best)
    }
}

impl Method for EnsembleParams {
    fn stage(&self) -> &'static str {
        STAGE
    }

    fn views(&self) -> (Vec<&String>, Vec<&String>) {
        let mut names = (Vec::new(), Vec::new());
        for member in &self.members {
            names.0.extend(&member.image_views);
            names.1.extend(&member.text_views);
            let (images, texts) = member.fusion.views();
            names.0.extend(images);
            names.1.extend(texts);
        }
        names
    }

    /// Fits the members whose (first) weight is not 0.
    fn fit(&self, data: Pairs) -> Result<Fusion> {
        self.check()?;
        let mut members = Vec::new();
        for params in self.members.iter().filter(|m| m.weight[0] > 0.0) {
            let part = Part::of(params, data)?;
            let fusion = params.fusion.fit(part.pairs(data.pairs))?;
            let weight = params.weight[0];
            members.push(Member {
                weight,
                ..part.member(fusion)
            });
        }
        Ok(Fusion::new(Ensemble::new(&data, members)))
    }

    /// Chooses the settings of every member by itself, then the weights, one member after another.
    fn choose(&self, data: Pairs, score: Score) -> Result<Choice> {
        self.check()?;
        let mut trials = Vec::new();
        let mut settings = Vec::new();
        let mut members = Vec::new();
        for params in &self.members {
            let part = Part::of(params, data)?;
            let alone = |f: &Fusion| Ensemble::new(&data, vec![part.member(f.clone())]);
            let score = |f: &Fusion| score(&Fusion::new(alone(f)));
            let choice = params.fusion.recall(part.pairs(data.pairs), &score)?;
            trials.extend(choice.trials.into_iter().map(|t| Trial {
                setting: ensemble(vec![params.settled(t.setting, 1.0)]),
                score: t.score,
            }));
            settings.push(choice.setting);
            members.push(part.member(choice.fusion));
        }
        let setting = |weights: &[f64]| {
            let members = self.members.iter().zip(&settings).zip(weights);
            ensemble(
                members
                    .map(|((m, s), &w)| m.settled(s.clone(), w))
                    .collect(),
            )
        };
        let weighted = |weights: &[f64]| {
            let members = members.iter().zip(weights).filter(|(_, w)| **w > 0.0);
            let members = members.map(|(m, &weight)| Member {
                weight,
                ..m.clone()
            });
            Fusion::new(Ensemble::new(&data, members.collect()))
        };
        let mut try_out = |weights: &[f64]| -> Result<f64> {
            let score = score(&weighted(weights))?;
            tracing::debug!("weights {weights:?}: {score:.3}");
            trials.push(Trial {
                setting: setting(weights),
                score,
            });
            Ok(score)
        };
        let weights = self.climb(&mut try_out)?;
        Ok(Choice {
            fusion: weighted(&weights),
            setting: setting(&weights),
            trials,
        })
    }
}

fn ensemble(members: Vec<MemberParams>) -> FusionParams {
    FusionParams::Ensemble(EnsembleParams { members })
}

impl Projector for Ensemble {
    fn stage(&self) -> &'static str {
        STAGE
    }

    fn dim(&self) -> usize {
        self.members.iter().map(|m| m.fusion.dim()).sum()
    }

    fn project(&self, side: Side, x: ArrayView2<f32>) -> Result<Array2<f32>> {
        let d = match side {
            Side::Image => self.image_dim,
            Side::Text => self.text_dim,
        };
        if x.ncols() != d {
            return Err(Error::dimensions("the ensemble", d, "the input", x.ncols()));
        }
        let total: f64 = self.members.iter().map(|m| m.weight).sum();
        let mut z = Array2::zeros((x.nrows(), self.dim()));
        let mut start = 0;
        for m in &self.members {
            let columns = match side {
                Side::Image => &m.image,
                Side::Text => &m.text,
            };
            let block = m.fusion.project(side, select(x, columns).view())?;
            let end = start + block.ncols();
            let share = (m.weight / total).sqrt() as f32;
            z.slice_mut(s![.., start..end]).assign(&(block * share));
            start = end;
        }
        Ok(z)
    }

    fn store(&self, artifact: Artifact) -> Artifact {
        let dims = Array1::from(vec![self.image_dim as u32, self.text_dim as u32]);
        let weights: Array1<f64> = self.members.iter().map(|m| m.weight).collect();
        let mut artifact = artifact
            .with_vector("dims", dims.view())
            .with_vector("weights", weights.view());
        for (i, m) in self.members.iter().enumerate() {
            let part = m.fusion.store(Spec::new(m.fusion.stage(), &(), 0));
            artifact = artifact
                .with_matrix(&format!("{i}.images"), edges(&m.image).view())
                .with_matrix(&format!("{i}.texts"), edges(&m.text).view())
                .with_part(&format!("{i}.fusion"), part);
        }
        artifact
    }

    fn for_texts(&self) -> Option<Fusion> {
        let member = |m: &Member| Member {
            fusion: m.fusion.for_texts(),
            ..m.clone()
        };
        Some(Fusion::new(Self {
            members: self.members.iter().map(member).collect(),
            ..self.clone()
        }))
    }
}

impl Ensemble {
    fn new(data: &Pairs, members: Vec<Member>) -> Self {
        Self {
            image_dim: data.x.ncols(),
            text_dim: data.y.ncols(),
            members,
        }
    }

    /// Reads an ensemble from an artifact that [`Projector::store`] wrote.
    ///
    /// # Errors
    /// [`Error::Artifact`] if parts are missing or do not fit together.
    pub fn load(artifact: &Artifact) -> Result<Self> {
        let dims = artifact.vector::<u32>("dims")?;
        artifact.require(dims.len() == 2)?;
        let ranges = |name: String, dim: u32| -> Result<Vec<Range<usize>>> {
            let edges = artifact.matrix::<u32>(&name)?;
            artifact.require(edges.nrows() > 0 && edges.ncols() == 2)?;
            let within = |e: ndarray::ArrayView1<u32>| e[0] <= e[1] && e[1] <= dim;
            artifact.require(edges.outer_iter().all(within))?;
            let range = |e: ndarray::ArrayView1<u32>| e[0] as usize..e[1] as usize;
            Ok(edges.outer_iter().map(range).collect())
        };
        let member = |(i, &weight): (usize, &f64)| -> Result<Member> {
            Ok(Member {
                image: ranges(format!("{i}.images"), dims[0])?,
                text: ranges(format!("{i}.texts"), dims[1])?,
                weight,
                fusion: Fusion::load(&artifact.part(&format!("{i}.fusion"))?)?,
            })
        };
        let weights = artifact.vector::<f64>("weights")?;
        Ok(Self {
            image_dim: dims[0] as usize,
            text_dim: dims[1] as usize,
            members: weights
                .iter()
                .enumerate()
                .map(member)
                .collect::<Result<_>>()?,
        })
    }
}

/// Begin and end of each range, k×2.
fn edges(ranges: &[Range<usize>]) -> Array2<u32> {
    let edge = |(i, j): (usize, usize)| [ranges[i].start, ranges[i].end][j] as u32;
    Array2::from_shape_fn((ranges.len(), 2), edge)
}
