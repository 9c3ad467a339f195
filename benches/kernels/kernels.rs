//! The kernels that runs spend their time in, each alone and on one thread: `cargo bench -p tuwen-kernels [-- FILTER]`.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, Rgb, RgbImage};
use ndarray::{Array2, s};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tuwen::codebook::{Codebook, Gmm, KMeansParams};
use tuwen::descriptor::{
    ColourParams, DenseSiftParams, DescriptorKind, Extractor, OrbParams, SiftParams,
};
use tuwen::encoding::{Encoder, FisherParams, VladParams};
use tuwen::index::{Faiss, Index as _, IndexParams};
use tuwen::linalg::{gram, matmul, symmetric_eigen, thin_svd};
use tuwen::picture::{Picture, PictureParams};
use tuwen::text::{SegmenterParams, TfIdfParams};

fn random(n: usize, d: usize) -> Array2<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64((n * d) as u64);
    Array2::from_shape_simple_fn((n, d), || rng.gen_range(0.0..1.0))
}

/// Blobs and edges on a slope, with some noise.
fn drawn(width: u32, height: u32) -> RgbImage {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    RgbImage::from_fn(width, height, |x, y| {
        let square = if (x / 37 + y / 23) % 3 == 0 { 90 } else { 0 };
        let slope = (x * 80 / width + y * 60 / height) as u8;
        let noise: u8 = rng.gen_range(0..20);
        Rgb([
            slope + square + noise,
            slope + noise,
            120 - slope / 2 + square,
        ])
    })
}

fn jpeg(picture: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 90);
    let (w, h) = picture.dimensions();
    let done = encoder.encode(picture, w, h, ExtendedColorType::Rgb8);
    done.expect("room in memory");
    bytes
}

fn pictures(c: &mut Criterion) {
    let params = PictureParams::default();
    for (name, width, height) in [
        ("decode 512x384", 512, 384),
        ("decode 720x540 to 512", 720, 540),
        ("decode 2048x1536 to 512", 2048, 1536),
    ] {
        let bytes = jpeg(&drawn(width, height));
        c.bench_function(name, |b| {
            b.iter(|| Picture::decode(black_box(&bytes), &params))
        });
    }
}

fn descriptors(c: &mut Criterion) {
    let picture = Picture::from_rgb(drawn(224, 224));
    let extractors: [(&str, Box<dyn Extractor>); 4] = [
        ("SIFT 224x224", Box::new(SiftParams::default())),
        ("ORB 224x224", Box::new(OrbParams::default())),
        ("dense SIFT 224x224", Box::new(DenseSiftParams::default())),
        ("colour 224x224", Box::new(ColourParams::default())),
    ];
    for (name, extractor) in extractors {
        c.bench_function(name, |b| b.iter(|| extractor.extract(black_box(&picture))));
    }
}

fn k_means(x: &Array2<f32>) -> Codebook {
    let kind = DescriptorKind {
        name: "random".into(),
        dim: x.ncols(),
    };
    let params = KMeansParams::default();
    params.fit(kind, x.view(), 0).expect("enough rows")
}

fn encodings(c: &mut Criterion) {
    let x = random(10_000, 128);
    c.bench_function("codebook 64 of 10000x128", |b| {
        b.iter(|| k_means(black_box(&x)))
    });
    let vlad = VladParams::default().with(k_means(&x));
    let few = x.slice(s![..600, ..]);
    c.bench_function("VLAD of 600x128", |b| {
        b.iter(|| vlad.encode(black_box(few)))
    });
    let x = random(10_000, 64);
    let gmm = Gmm::fit(&k_means(&x), x.view(), 3).expect("enough rows");
    let fisher = FisherParams::default().with(gmm);
    c.bench_function("Fisher of 10000x64", |b| {
        b.iter(|| fisher.encode(black_box(x.view())))
    });
}

fn algebra(c: &mut Criterion) {
    let (x, y) = (random(1000, 512), random(512, 512));
    c.bench_function("product 1000x512x512", |b| {
        b.iter(|| matmul(black_box(x.view()), y.view()))
    });
    let x = random(2000, 512).mapv(f64::from);
    c.bench_function("gram 2000x512", |b| b.iter(|| gram(black_box(x.view()))));
    let xx = gram(x.view());
    c.bench_function("eigen 512", |b| {
        b.iter(|| symmetric_eigen(black_box(xx.view())))
    });
    let x = random(512, 768).mapv(f64::from);
    c.bench_function("SVD 512x768", |b| b.iter(|| thin_svd(black_box(x.view()))));
}

fn texts(c: &mut Criterion) {
    let segmenter = SegmenterParams::default()
        .load()
        .expect("the dictionary is built in");
    let caption = "两个孩子在草地上和一只棕色的狗玩红色的球";
    c.bench_function("segmentation", |b| {
        b.iter(|| segmenter.tokens(black_box(caption)))
    });
    let captions = vec![segmenter.tokens(caption); 2];
    let tfidf = TfIdfParams::default().fit(&captions).expect("terms");
    c.bench_function("TF-IDF", |b| {
        b.iter(|| tfidf.transform(black_box(&captions[0])))
    });
}

fn searching(c: &mut Criterion) {
    let (gallery, queries) = (random(8000, 256), random(64, 256));
    let nothing = gallery.slice(s![..0, ..]);
    let index = Faiss::build(&IndexParams::default(), nothing, gallery.view()).expect("an index");
    c.bench_function("search 64 in 8000x256", |b| {
        b.iter(|| index.search(black_box(queries.view()), 10))
    });
}

fn on_one_thread() -> Criterion {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1);
    pool.build_global().expect("the first to ask");
    Criterion::default().sample_size(20).configure_from_args()
}

criterion_group! {
    name = kernels;
    config = on_one_thread();
    targets = pictures, descriptors, encodings, algebra, texts, searching
}
criterion_main!(kernels);
