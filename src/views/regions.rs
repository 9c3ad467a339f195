//! A picture as a grid of cells, a vector each: what networks attend to that are trained here. The cells come from the maps of a
//! network that others have trained, from local descriptors, or from both.
//!
//! The view's vector is cells×width, row by row. Every map is reduced to its principal components, learned over cells.

use ndarray::{Array1, Array2, ArrayD, ArrayView2, Axis, Ix3, concatenate, s};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::local::LocalParams;
use super::{Feature, ImageView, Shown};
use crate::artifact::{Artifact, Fingerprint, Spec};
use crate::error::{Error, Result};
use crate::linalg::{Pca, PcaParams};
use crate::networks::{Encoder, EncoderParams, Pooling};
use crate::picture::Picture;
use crate::sampling::sample_places;

/// Training pictures that principal components are learned from, and cells of each.
const PICTURES: usize = 1_000;
const CELLS: usize = 20;

/// How strongly components are evened out: half-way between rotation and whitening, so that weak ones, which are mostly
/// noise, do not count as much as strong ones.
const WHITEN: f64 = 0.5;

/// A picture as a grid of cells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegionsParams {
    /// Cells of a row, and of a column.
    #[serde(default = "seven")]
    pub grid: usize,
    /// Where the numbers of a cell come from; they are laid side by side.
    pub sources: Vec<SourceParams>,
}

fn seven() -> usize {
    7
}

impl RegionsParams {
    /// Number of cells.
    pub fn cells(&self) -> usize {
        self.grid * self.grid
    }
}

/// Where the numbers of a cell come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum SourceParams {
    /// Maps of a network, averaged to the grid.
    Maps {
        /// The network.
        encoder: EncoderParams,
        /// Its outputs, each d×height×width: the name, and the number of principal components that are kept.
        outputs: Vec<(String, usize)>,
    },
    /// The local descriptors in each cell, encoded; `regions` is not looked at.
    Local {
        /// Descriptor, codebook and encoding.
        of: LocalParams,
        /// Principal components.
        width: usize,
    },
}

/// What describes the cells of a picture.
trait Cells: Send + Sync {
    /// A matrix of cells×d for every map.
    fn describe(&self, shown: Shown) -> Result<Vec<Array2<f32>>>;
}

struct Maps {
    encoder: Encoder,
    outputs: Vec<String>,
    grid: usize,
}

impl Cells for Maps {
    fn describe(&self, Shown { picture, .. }: Shown) -> Result<Vec<Array2<f32>>> {
        let outputs: Vec<&str> = self.outputs.iter().map(String::as_str).collect();
        let answers = self.encoder.answers(&picture.rgb, &outputs)?;
        let averaged = |answer| averaged(answer, self.grid);
        answers.into_iter().map(averaged).collect()
    }
}

/// The means of a map, d×height×width, over the cells of a grid: cells×d.
fn averaged(map: ArrayD<f32>, grid: usize) -> Result<Array2<f32>> {
    let shape = map.shape().to_vec();
    let map = map.into_dimensionality::<Ix3>();
    let map = map.ok().filter(|m| m.dim().1 >= grid && m.dim().2 >= grid);
    let map = map.ok_or_else(|| Error::Numeric {
        what: "the output of a network for regions",
        reason: format!("its shape is {shape:?}, wanted is a map of at least {grid}×{grid} places"),
    })?;
    let (d, height, width) = map.dim();
    let span = |cell: usize, n: usize| cell * n / grid..((cell + 1) * n).div_ceil(grid);
    let mut x = Array2::zeros((grid * grid, d));
    for (cell, mut row) in x.outer_iter_mut().enumerate() {
        let part = map.slice(s![.., span(cell / grid, height), span(cell % grid, width)]);
        let mean = part.mean_axis(Axis(2)).and_then(|m| m.mean_axis(Axis(1)));
        row.assign(&mean.expect("a cell has a place"));
    }
    match x.iter().all(|v| v.is_finite()) {
        true => Ok(x),
        false => Err(Error::picture("the network's answer is not finite")),
    }
}

struct Local {
    view: Box<dyn ImageView>,
    cells: usize,
}

impl Cells for Local {
    fn describe(&self, shown: Shown) -> Result<Vec<Array2<f32>>> {
        let v = self.view.describe(shown)?;
        let shape = (self.cells, v.len() / self.cells);
        Ok(vec![
            v.into_shape_with_order(shape)
                .expect("a whole number of cells"),
        ])
    }
}

impl SourceParams {
    /// The settings of the view whose vector is all cells.
    fn local(of: &LocalParams, grid: usize) -> LocalParams {
        LocalParams {
            regions: vec![[grid, grid]],
            ..of.clone()
        }
    }

    /// Principal components of each of its maps.
    fn widths(&self) -> Vec<usize> {
        match self {
            Self::Maps { outputs, .. } => outputs.iter().map(|(_, width)| *width).collect(),
            Self::Local { width, .. } => vec![*width],
        }
    }

    /// The encoder of maps; its first output is what it is tried with.
    fn encoder(encoder: &EncoderParams, outputs: &[(String, usize)]) -> EncoderParams {
        EncoderParams {
            output: outputs.first().map(|(name, _)| name.clone()),
            pooling: Pooling::Mean,
            ..encoder.clone()
        }
    }

    fn fit(
        &self,
        artifact: Artifact,
        pictures: &[Picture],
        seed: u64,
        grid: usize,
    ) -> Result<Artifact> {
        match self {
            Self::Maps { encoder, .. } => encoder.fit(artifact, pictures, seed),
            Self::Local { of, .. } => Self::local(of, grid).fit(artifact, pictures, seed),
        }
    }

    fn load(&self, artifact: &Artifact, grid: usize) -> Result<Box<dyn Cells>> {
        Ok(match self {
            Self::Maps { encoder, outputs } => Box::new(Maps {
                encoder: Self::encoder(encoder, outputs)
                    .load(artifact.vector::<u8>("network")?.to_vec())?,
                outputs: outputs.iter().map(|(name, _)| name.clone()).collect(),
                grid,
            }),
            Self::Local { of, .. } => Box::new(Local {
                view: Self::local(of, grid).load(artifact)?,
                cells: grid * grid,
            }),
        })
    }
}

/// The principal components of a map, scaled so that the squares of a cell's numbers are one on average.
struct Reduction {
    pca: Pca,
    scale: f32,
}

impl Reduction {
    fn fit(x: ArrayView2<f32>, width: usize, seed: u64) -> Result<Self> {
        let params = PcaParams {
            dim: width,
            whiten: WHITEN,
            ..PcaParams::default()
        };
        let pca = params.fit(x, seed)?;
        let variance = pca.variance().mapv(|v| v.powf(1.0 - WHITEN)).mean();
        let scale = variance.unwrap_or(1.0).sqrt().recip() as f32;
        Ok(Self { pca, scale })
    }

    fn apply(&self, x: ArrayView2<f32>) -> Result<Array2<f32>> {
        Ok(self.pca.transform(x)? * self.scale)
    }
}

/// A source and the reduction of each of its maps.
struct Source {
    cells: Box<dyn Cells>,
    maps: Vec<Reduction>,
}

struct Regions {
    sources: Vec<Source>,
    cells: usize,
}

impl Feature for RegionsParams {
    fn check(&self) -> Result<()> {
        let wrong = |reason: &str| Error::Numeric {
            what: "`regions`",
            reason: reason.into(),
        };
        if self.grid == 0 || self.grid > 32 {
            return Err(wrong("`grid` is from 1 to 32"));
        }
        if self.sources.is_empty() {
            return Err(wrong("it needs a source"));
        }
        for source in &self.sources {
            match source {
                SourceParams::Maps { outputs, .. } if outputs.is_empty() => {
                    return Err(wrong("`outputs` is an empty list"));
                }
                _ if source.widths().contains(&0) => {
                    return Err(wrong("it keeps at least one component of each map"));
                }
                SourceParams::Local { of, .. } => SourceParams::local(of, self.grid).check()?,
                SourceParams::Maps { .. } => (),
            }
        }
        Ok(())
    }

    fn wants(&self) -> usize {
        let wants = self.sources.iter().map(|source| match source {
            SourceParams::Local { of, .. } => of.wants(),
            SourceParams::Maps { .. } => 0,
        });
        wants.max().unwrap_or(0).max(PICTURES)
    }

    fn files(&self) -> Result<Vec<(&'static str, Fingerprint)>> {
        let mut files = Vec::new();
        for source in &self.sources {
            if let SourceParams::Maps { encoder, .. } = source {
                files.extend(encoder.files()?);
            }
        }
        let digests: Vec<&Fingerprint> = files.iter().map(|(_, digest)| digest).collect();
        Ok(match digests.is_empty() {
            true => vec![],
            false => vec![("networks", Fingerprint::of(&digests))],
        })
    }

    fn fit(&self, mut artifact: Artifact, pictures: &[Picture], seed: u64) -> Result<Artifact> {
        let some: Vec<usize> = sample_places(pictures.len(), PICTURES).collect();
        for (i, source) in self.sources.iter().enumerate() {
            let part = Artifact::new(Spec::new("regions-source", source, seed));
            let part = source.fit(part, pictures, seed, self.grid)?;
            let cells = source.load(&part, self.grid)?;
            let cells_of = |&i: &usize| {
                let maps = cells.describe(Shown::bare(&pictures[i]))?;
                let places = |x: Array2<f32>| {
                    x.select(
                        Axis(0),
                        &sample_places(x.nrows(), CELLS).collect::<Vec<_>>(),
                    )
                };
                Ok(maps.into_iter().map(places).collect())
            };
            let sample: Vec<Vec<Array2<f32>>> =
                some.par_iter().map(cells_of).collect::<Result<_>>()?;
            artifact = artifact.with_part(&format!("source.{i}"), part);
            for (map, width) in source.widths().into_iter().enumerate() {
                let cells: Vec<ArrayView2<f32>> = sample.iter().map(|s| s[map].view()).collect();
                let cells = concatenate(Axis(0), &cells).expect("cells of one map");
                let Reduction { pca, scale } = Reduction::fit(cells.view(), width, seed)?;
                let part = Artifact::new(Spec::new("regions-reduction", &(), 0));
                let part = pca
                    .store(part)
                    .with_vector("scale", Array1::from(vec![scale]).view());
                artifact = artifact.with_part(&format!("reduction.{i}.{map}"), part);
            }
        }
        Ok(artifact)
    }

    fn load(&self, artifact: &Artifact) -> Result<Box<dyn ImageView>> {
        let mut sources = Vec::new();
        for (i, source) in self.sources.iter().enumerate() {
            let map = |map| {
                let part = artifact.part(&format!("reduction.{i}.{map}"))?;
                Ok(Reduction {
                    pca: Pca::load(&part)?,
                    scale: part.number("scale")?,
                })
            };
            sources.push(Source {
                cells: source.load(&artifact.part(&format!("source.{i}"))?, self.grid)?,
                maps: (0..source.widths().len()).map(map).collect::<Result<_>>()?,
            });
        }
        Ok(Box::new(Regions {
            sources,
            cells: self.grid * self.grid,
        }))
    }
}

impl ImageView for Regions {
    fn dim(&self) -> usize {
        let maps = self.sources.iter().flat_map(|s| &s.maps);
        self.cells * maps.map(|m| m.pca.dim()).sum::<usize>()
    }

    fn describe(&self, shown: Shown) -> Result<Array1<f32>> {
        let mut parts = Vec::new();
        for source in &self.sources {
            let maps = source.cells.describe(shown)?;
            for (x, map) in maps.iter().zip(&source.maps) {
                parts.push(map.apply(x.view())?);
            }
        }
        let parts: Vec<ArrayView2<f32>> = parts.iter().map(Array2::view).collect();
        let x = concatenate(Axis(1), &parts).expect("as many cells of each source");
        Ok(Array1::from_iter(x))
    }
}
