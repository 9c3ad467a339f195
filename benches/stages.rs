//! One stage at a time, on order: reads a number of threads and a stage from each line of stdin, runs it once and answers
//! with its seconds, so that another program can measure its own stages in turn with these (`experiments/peers/bench.py`).
//!
//!     echo 2 VLAD | cargo bench --bench stages -- FLICKR8K_CN
//!
//! What a stage works on is made before its clock starts.

use std::collections::BTreeMap;
use std::io::{BufRead as _, Write as _};
use std::path::Path;
use std::time::Instant;

use ndarray::{Array2, ArrayView2, Axis, concatenate, s};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;
use serde_json::json;
use tuwen::codebook::{Codebook, Gmm, KMeansParams};
use tuwen::dataset::{Dataset, ImageSource, Pair, ReadOptions};
use tuwen::descriptor::{
    ColourParams, DenseSiftParams, DescriptorKind, DescriptorParams, Extractor, OrbParams,
    SiftParams,
};
use tuwen::encoding::{Encoder, FisherParams, VladParams};
use tuwen::fusion::{CcaParams, FusionParams, Pairs};
use tuwen::index::{Faiss, Index as _, IndexParams};
use tuwen::linalg::{PcaParams, SparseRow};
use tuwen::picture::{Picture, PictureParams};
use tuwen::sampling::sample_places;
use tuwen::text::{Lsa, Segmenter, SegmenterParams, TfIdf, TfIdfParams};

/// Pictures for keypoints; of these the first are described densely, which takes the other side long.
const PICTURES: usize = 1000;
const DENSE: usize = 100;
const SAMPLE: usize = 100_000;
const WORDS: usize = 64;
const PCA: usize = 512;
const LSA: usize = 768;
const CCA: usize = 64;
const CCA_PAIRS: usize = 30_000;
/// Pairs and numbers a side of a smaller one, for another side that takes long.
const SMALL_CCA: (usize, usize) = (3000, 128);
const GALLERY: usize = 8000;
const QUERIES: usize = 5000;
const SEARCHED: usize = 256;
const SEED: u64 = 0;

/// What stages work on, each made when it is first asked for.
struct Bench {
    files: Vec<ImageSource>,
    pictures: Vec<Picture>,
    captions: Vec<String>,
    segmenter: Segmenter,
    sift: Vec<Array2<f32>>,
    sample: Array2<f32>,
    codebook: Option<Codebook>,
    vlad: Array2<f32>,
    dense: Vec<Array2<f32>>,
    gmm: Option<Gmm>,
    tokens: Vec<Vec<String>>,
    tfidf: Option<(TfIdf, Vec<SparseRow>)>,
    sides: [Array2<f32>; 2],
    small_sides: [Array2<f32>; 2],
    gallery: Array2<f32>,
    queries: Array2<f32>,
}

fn kind(dim: usize) -> DescriptorKind {
    DescriptorKind {
        name: "bench".into(),
        dim,
    }
}

fn card() -> SiftParams {
    SiftParams {
        features: 1000,
        contrast_threshold: 0.01,
        ..SiftParams::default()
    }
}

/// One size of cell, whose grid and cells OpenCV's descriptor is given, too.
fn grid() -> DenseSiftParams {
    DenseSiftParams {
        step: 4,
        cells: vec![6],
        ..DenseSiftParams::default()
    }
}

fn random(n: usize, d: usize, seed: u64) -> Array2<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    Array2::from_shape_simple_fn((n, d), || rng.gen_range(-1.0..1.0))
}

fn all<E: Extractor>(extractor: &E, pictures: &[Picture]) -> Vec<Array2<f32>> {
    let values = |p: &Picture| extractor.extract(p).expect("a picture").values;
    pictures.par_iter().map(values).collect()
}

fn encoded(encoder: &impl Encoder, pictures: &[Array2<f32>]) -> Array2<f32> {
    let encode = |d: &Array2<f32>| encoder.encode(d.view()).expect("descriptors");
    let mut out = Array2::zeros((pictures.len(), encoder.dim()));
    let rows = out.outer_iter_mut().into_par_iter().zip(pictures);
    rows.for_each(|(mut row, d)| row.assign(&encode(d)));
    out
}

fn sampled(pictures: &[Array2<f32>], most: usize) -> Array2<f32> {
    let views: Vec<_> = pictures.iter().map(Array2::view).collect();
    let x = concatenate(Axis(0), &views).expect("descriptors of one kind");
    let places: Vec<usize> = sample_places(x.nrows(), most).collect();
    x.select(Axis(0), &places)
}

fn k_means(x: ArrayView2<f32>) -> Codebook {
    let params = KMeansParams {
        size: WORDS,
        ..KMeansParams::default()
    };
    params.fit(kind(x.ncols()), x, SEED).expect("enough rows")
}

fn seconds<T>(f: impl FnOnce() -> T) -> (T, f64) {
    let start = Instant::now();
    let done = std::hint::black_box(f());
    (done, start.elapsed().as_secs_f64())
}

fn cca([x, y]: &[Array2<f32>; 2]) -> f64 {
    let pairs: Vec<Pair> = (0..x.nrows()).map(|i| Pair { image: i, text: i }).collect();
    let params = FusionParams::Cca(CcaParams {
        dims: vec![CCA],
        regularization: vec![1.0],
        ..CcaParams::default()
    });
    let pairs = Pairs::new(x.view(), y.view(), &pairs);
    seconds(|| params.fit(pairs).expect("sides that vary")).1
}

impl Bench {
    fn new(folder: &Path) -> Self {
        let dataset = Dataset::open(folder, &ReadOptions::default()).expect("a dataset");
        let train = dataset.train().expect("a training split");
        let images = train.images.iter().take(PICTURES);
        let segmenter = SegmenterParams::default();
        Self {
            files: images.map(|i| i.source.clone()).collect(),
            pictures: vec![],
            captions: train.texts.iter().map(|t| t.caption.clone()).collect(),
            segmenter: segmenter.load().expect("the dictionary is built in"),
            sift: vec![],
            sample: Array2::default((0, 0)),
            codebook: None,
            vlad: Array2::default((0, 0)),
            dense: vec![],
            gmm: None,
            tokens: vec![],
            tfidf: None,
            sides: [PCA, LSA].map(|d| random(CCA_PAIRS, d, d as u64)),
            small_sides: [1, 2].map(|seed| random(SMALL_CCA.0, SMALL_CCA.1, seed)),
            gallery: random(GALLERY, SEARCHED, 3),
            queries: random(QUERIES, SEARCHED, 4),
        }
    }

    fn decode(&self) -> Vec<Picture> {
        let params = PictureParams::default();
        let read = |source: &ImageSource| source.read().expect("a file");
        let decode = |source| Picture::decode(&read(source), &params).expect("a picture");
        self.files.par_iter().map(decode).collect()
    }

    fn prepare(&mut self) {
        let _ = DescriptorParams::Sift(card()).extractor(); // OpenCV is told to leave the threads to us
        self.pictures = self.decode();
        self.sift = all(&card(), &self.pictures);
        self.sample = sampled(&self.sift, SAMPLE);
        self.codebook = Some(k_means(self.sample.view()));
        self.vlad = self.encode_vlad();
        let dense = all(&DenseSiftParams::default(), &self.pictures[..DENSE]);
        let sample = sampled(&dense, SAMPLE);
        let params = PcaParams {
            dim: 64,
            whiten: 0.0,
            ..PcaParams::default()
        };
        let pca = params.fit(sample.view(), SEED).expect("enough rows");
        let reduce = |d: &Array2<f32>| pca.transform(d.view()).expect("of one kind");
        self.dense = dense.iter().map(reduce).collect();
        let sample = sampled(&self.dense, SAMPLE);
        let words = k_means(sample.view());
        self.gmm = Some(Gmm::fit(&words, sample.view(), 3).expect("enough rows"));
        self.tokens = self.segment();
        self.tfidf = Some(self.weigh());
    }

    fn encode_vlad(&self) -> Array2<f32> {
        let codebook = self.codebook.clone().expect("prepared");
        encoded(&VladParams::default().with(codebook), &self.sift)
    }

    fn segment(&self) -> Vec<Vec<String>> {
        let tokens = |c: &String| self.segmenter.tokens(c);
        self.captions.par_iter().map(tokens).collect()
    }

    fn weigh(&self) -> (TfIdf, Vec<SparseRow>) {
        let tfidf = TfIdfParams::default().fit(&self.tokens).expect("tokens");
        let rows = tfidf.transform_all(&self.tokens);
        (tfidf, rows)
    }

    fn run(&mut self, stage: &str) -> Option<f64> {
        let pictures = &self.pictures;
        Some(match stage {
            "decode" => seconds(|| self.decode()).1,
            "decode + SIFT" => seconds(|| all(&card(), &self.decode())).1,
            "ORB" => seconds(|| all(&OrbParams::default(), pictures)).1,
            "dense SIFT" => seconds(|| all(&grid(), &pictures[..DENSE])).1,
            "colour" => seconds(|| all(&ColourParams::default(), &pictures[..DENSE])).1,
            "codebook" => seconds(|| k_means(self.sample.view())).1,
            "VLAD" => seconds(|| self.encode_vlad()).1,
            "Fisher" => {
                let gmm = self.gmm.clone().expect("prepared");
                let fisher = FisherParams::default().with(gmm);
                seconds(|| encoded(&fisher, &self.dense)).1
            }
            "PCA" => {
                let params = PcaParams {
                    dim: PCA,
                    ..PcaParams::default()
                };
                let x = self.vlad.view();
                let run = || params.fit(x, SEED).and_then(|pca| pca.transform(x));
                seconds(|| run().expect("enough rows")).1
            }
            "segmentation" => seconds(|| self.segment()).1,
            "TF-IDF" => seconds(|| self.weigh()).1,
            "LSA" => {
                let (tfidf, rows) = self.tfidf.as_ref().expect("prepared");
                let fit = || Lsa::fit(rows.clone(), tfidf.dim(), LSA, SEED).expect("rows");
                seconds(|| fit().transform(rows)).1
            }
            "CCA" => cca(&self.sides),
            "small CCA" => cca(&self.small_sides),
            "index and search" => {
                let nothing = self.gallery.slice(s![..0, ..]);
                let params = IndexParams::default();
                let run = || {
                    let index = Faiss::build(&params, nothing, self.gallery.view())?;
                    index.search(self.queries.view(), 10)
                };
                seconds(|| run().expect("an index")).1
            }
            _ => return None,
        })
    }
}

fn main() {
    // cargo adds `--bench`
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(folder) = arguments.iter().find(|a| !a.starts_with("--")) else {
        eprintln!("stages: name the folder of a dataset, such as Flickr8k-CN; nothing is measured");
        return;
    };
    let mut bench = Bench::new(Path::new(folder));
    bench.prepare();
    let shape = BTreeMap::from([
        ("pictures", bench.pictures.len()),
        ("dense pictures", DENSE),
        ("descriptors", bench.sift.iter().map(Array2::nrows).sum()),
        (
            "dense descriptors",
            bench.dense.iter().map(Array2::nrows).sum(),
        ),
        ("captions", bench.captions.len()),
        ("sample", SAMPLE),
        ("words", WORDS),
        ("PCA", PCA),
        ("LSA", LSA),
        ("CCA dimensions", CCA),
        ("CCA pairs", CCA_PAIRS),
        ("small CCA pairs", SMALL_CCA.0),
        ("small CCA dimensions", SMALL_CCA.1),
        ("gallery", GALLERY),
        ("queries", QUERIES),
        ("search dimensions", SEARCHED),
    ]);
    let codebook = bench.codebook.as_ref().expect("prepared");
    let told = json!({
        "shape": shape,
        "OpenCV": opencv::core::get_version_string().expect("it has a version"),
        "k-means": codebook.inertia(bench.sample.view()).expect("its own sample"),
    });
    println!("{told}");
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        let taken = line.split_once(' ').and_then(|(threads, stage)| {
            let pool = ThreadPoolBuilder::new().num_threads(threads.parse().ok()?);
            pool.build().ok()?.install(|| bench.run(stage))
        });
        match taken {
            Some(seconds) => println!("{seconds}"),
            None => println!("not THREADS STAGE: `{line}`"),
        }
        let _ = std::io::stdout().flush();
    }
}
