//! What the verbs that look for copies ask for.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::ValueEnum;
use tuwen::appearance::{
    AppearanceParams, ColourSpace, HistogramParams, PhashParams, PixelsParams,
};
use tuwen::codebook::KMeansParams;
use tuwen::copies::{Index, MethodParams, PairsParams, Search, VectorsParams, WordsParams};
use tuwen::descriptor::DescriptorParams;
use tuwen::encoding::{BowParams, EncodingParams, FisherParams, VladParams};
use tuwen::linalg::{KernelMap, PcaParams};
use tuwen::picture::PictureParams;
use tuwen::progress::Progress;
use tuwen::trained::{Contrast, PictureContrastParams};
use tuwen::views::{FeatureParams, LocalParams, PictureNetParams};

use super::files::{Limits, pictures_below};
use super::search::at_least_one;

/// How copies are looked for.
#[derive(clap::Args)]
pub struct Finder {
    /// Method to compare pictures
    #[arg(long, value_enum, default_value = "auto")]
    method: Method,
    /// Minimum score of a copy [default: auto 3; sift and orb 6; other methods 1.5]
    #[arg(long, value_name = "SCORE", allow_hyphen_values = true)]
    threshold: Option<f64>,
    /// auto: number of candidates per query whose geometry is verified
    #[arg(long, value_name = "N", default_value_t = Search::default().shortlist, value_parser = at_least_one)]
    shortlist: usize,
    /// auto: number of visual words (fewer if the gallery is too small for so many)
    #[arg(long, value_name = "N", default_value_t = WordsParams::default().words, value_parser = at_least_one)]
    words: usize,
    /// histogram: colour space and similarity
    #[arg(long, value_enum, default_value = "hsv-chi2")]
    histogram: Histogram,
    /// vlad, fisher: dimensions kept by PCA-whitening
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = at_least_one)]
    dim: usize,
    /// Methods with one vector per picture: query expansion over the top N
    #[arg(long, value_name = "N", default_value_t = 0)]
    expand: usize,
    /// Methods with one vector per picture: database-side augmentation with at most N copies
    #[arg(long, value_name = "N", default_value_t = 0)]
    augment: usize,
    /// Methods with one vector per picture: folder of unrelated pictures that calibrate the scores [default: the gallery]
    #[arg(long, value_name = "DIR")]
    background: Option<PathBuf>,
    /// Folder in which features/ stores intermediate files
    #[arg(long, value_name = "DIR", default_value = ".")]
    work: PathBuf,
    /// Include hidden files, trash and thumbnails
    #[arg(long)]
    pub hidden: bool,
    /// Write the table for spreadsheets: with a byte-order mark, and with ' before cells that would be formulas
    #[arg(long)]
    pub spreadsheet: bool,
    #[command(flatten)]
    pub limits: Limits,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Method {
    /// Visual words of SIFT with signatures in an inverted file; the best candidates are verified by geometry
    Auto,
    /// Histogram of colours
    Histogram,
    /// Perceptual hash
    Phash,
    /// Pixels of a small grey square
    Pixels,
    /// The same, window by window: the structure of SSIM
    Ssim,
    /// Bag of SIFT words
    Bow,
    /// VLAD of SIFT, PCA-whitened
    Vlad,
    /// Fisher vector of SIFT, PCA-whitened
    Fisher,
    /// A network that learns from the gallery's pictures alone (SimCLR; built with the feature `train`)
    Simclr,
    /// The same with the loss of siamese networks
    Siamese,
    /// All SIFT keypoints of all pictures, for small galleries
    Sift,
    /// All ORB keypoints of all pictures, for small galleries
    Orb,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Histogram {
    GreyCosine,
    GreyChi2,
    HsvCosine,
    HsvChi2,
}

/// Score from which a picture is a copy, for methods of one vector a picture.
const BY_VECTORS: f64 = 1.5;

impl Finder {
    pub fn threshold(&self) -> f64 {
        self.threshold.unwrap_or(match self.method {
            Method::Auto => WordsParams::THRESHOLD,
            Method::Sift | Method::Orb => tuwen::matching::THRESHOLD,
            _ => BY_VECTORS,
        })
    }

    pub fn index(
        &self,
        gallery: &[PathBuf],
        progress: &dyn Progress,
        bad: &mut Vec<String>,
    ) -> Result<Index> {
        self.limits.set();
        let background = match &self.background {
            Some(folder) => pictures_below(folder, self.hidden)?,
            None => vec![],
        };
        if self.background.is_some() || self.expand > 0 || self.augment > 0 {
            ensure!(
                matches!(self.params(), MethodParams::Vectors(_)),
                "--background, --expand and --augment are for methods with one vector per picture: \
                 histogram, phash, pixels, ssim, bow, vlad, fisher, simclr, siamese"
            );
        }
        let name = self.method.to_possible_value().expect("none is skipped");
        let mut folder = self.work.join("features/copies").join(name.get_name());
        if self.method == Method::Histogram {
            let form = self.histogram.to_possible_value().expect("none is skipped");
            folder = folder.join(form.get_name());
        }
        let method = self.params();
        Ok(method.index(gallery, &background, &folder, progress, bad)?)
    }

    fn params(&self) -> MethodParams {
        let picture = PictureParams {
            max_pixels: self.limits.pixels(),
            ..PictureParams::default()
        };
        let vectors = |params| {
            MethodParams::Vectors(Box::new(VectorsParams {
                picture: picture.clone(),
                expand: self.expand,
                augment: self.augment,
                related: self.threshold(),
                ..params
            }))
        };
        let whitened = |params| {
            vectors(VectorsParams {
                pca: Some(PcaParams {
                    dim: self.dim,
                    ..PcaParams::default()
                }),
                ..params
            })
        };
        match self.method {
            Method::Auto => MethodParams::Words(WordsParams {
                picture,
                words: self.words,
                search: Search {
                    shortlist: self.shortlist,
                    ..Search::default()
                },
                ..WordsParams::default()
            }),
            Method::Sift => MethodParams::Pairs(PairsParams::sift().with_picture(picture)),
            Method::Orb => MethodParams::Pairs(PairsParams::orb().with_picture(picture)),
            Method::Phash => vectors(whole(AppearanceParams::Phash(PhashParams::default()))),
            Method::Pixels => vectors(whole(AppearanceParams::Pixels(PixelsParams::default()))),
            Method::Ssim => vectors(whole(AppearanceParams::Pixels(PixelsParams {
                side: 64,
                windows: 8,
            }))),
            Method::Simclr => vectors(network(PictureContrastParams::default())),
            Method::Siamese => vectors(network(PictureContrastParams {
                loss: Contrast::Pairs { margin: 1.0 },
                ..PictureContrastParams::default()
            })),
            Method::Histogram => vectors(self.histogram.params()),
            Method::Bow => vectors(aggregated(1024, EncodingParams::Bow(BowParams::default()))),
            Method::Vlad => whitened(vlad()),
            Method::Fisher => whitened(aggregated(
                64,
                EncodingParams::Fisher(FisherParams::default()),
            )),
        }
    }
}

fn whole(feature: AppearanceParams) -> VectorsParams {
    VectorsParams::of(FeatureParams::Appearance(feature))
}

/// A network that learns from the gallery.
fn network(network: PictureContrastParams) -> VectorsParams {
    VectorsParams::of(FeatureParams::PictureNet(PictureNetParams {
        network,
        ..PictureNetParams::default()
    }))
}

/// The keypoints of a picture in one vector.
fn aggregated(words: usize, encoding: EncodingParams) -> VectorsParams {
    let sift = DescriptorParams::Sift(WordsParams::default().sift);
    VectorsParams::of(FeatureParams::Local(LocalParams {
        reduce: match encoding {
            EncodingParams::Fisher(_) => 64, // its mixture wants decorrelated input
            EncodingParams::Vlad(_) | EncodingParams::Bow(_) => 0,
        },
        codebook: KMeansParams {
            size: words,
            ..KMeansParams::default()
        },
        ..LocalParams::new(sift, encoding)
    }))
}

pub fn vlad() -> VectorsParams {
    aggregated(64, EncodingParams::Vlad(VladParams::default()))
}

impl Histogram {
    fn params(self) -> VectorsParams {
        let (space, bins) = match self {
            Self::GreyCosine => (ColourSpace::Grey, [1, 1, 256]), // a bin for each grey, as OpenCV's calcHist is called
            Self::GreyChi2 => (ColourSpace::Grey, [1, 1, 64]),
            Self::HsvCosine | Self::HsvChi2 => (ColourSpace::Hsv, [16, 4, 4]),
        };
        let map = match self {
            Self::GreyCosine | Self::HsvCosine => KernelMap::Linear,
            Self::GreyChi2 | Self::HsvChi2 => KernelMap::Chi2,
        };
        VectorsParams {
            map,
            mirrored: false, // it is the same
            ..whole(AppearanceParams::Histogram(HistogramParams {
                space,
                bins,
                power: 1.0,
                ..HistogramParams::default()
            }))
        }
    }
}
