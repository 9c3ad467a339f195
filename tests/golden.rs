//! Our stages against figures made by other programs (`tests/golden/README.md`: what, by whom, how near).

use std::fs;
use std::path::{Path, PathBuf};

use image::{Rgb, RgbImage};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis, s};
use safetensors::{Dtype, SafeTensors};
use serde::Deserialize;
use tuwen::artifact::{Artifact, Spec};
use tuwen::codebook::{Codebook, KMeansParams};
use tuwen::dataset::Pair;
use tuwen::descriptor::{DescriptorKind, DescriptorParams, OrbParams, SiftParams};
use tuwen::encoding::{BowParams, EncodingParams, VladParams};
use tuwen::evaluation::{Ranking, mid_rank, ranks};
use tuwen::fusion::{Cca, CcaParams, Fusion, FusionParams, Pairs, Side};
use tuwen::index::{Faiss, Flat, Hit, Index, IndexParams, recall};
use tuwen::linalg::{Csr, PcaParams, SparseRow, randomized_svd, thin_svd};
use tuwen::picture::{Picture, PictureParams};
use tuwen::text::{Lsa, SegmenterParams, TfIdfParams};

fn tests(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(path)
}

fn read(path: &str) -> Vec<u8> {
    fs::read(tests(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// One file of tensors; each getter gives a matrix, a vector being a matrix of one row.
struct Golden(Vec<u8>);

impl Golden {
    fn open(name: &str) -> Self {
        Self(read(&format!("golden/{name}.safetensors")))
    }

    fn get<T, const N: usize>(
        &self,
        name: &str,
        dtype: Dtype,
        from: fn([u8; N]) -> T,
    ) -> Array2<T> {
        let file = SafeTensors::deserialize(&self.0).unwrap();
        let tensor = file.tensor(name).unwrap();
        assert_eq!(tensor.dtype(), dtype, "{name}");
        let (rows, columns) = match *tensor.shape() {
            [n] => (1, n),
            [n, d] => (n, d),
            ref shape => panic!("{name} has shape {shape:?}"),
        };
        let values = tensor
            .data()
            .chunks_exact(N)
            .map(|c| from(c.try_into().unwrap()))
            .collect();
        Array2::from_shape_vec((rows, columns), values).unwrap()
    }

    fn u8(&self, name: &str) -> Array2<u8> {
        self.get(name, Dtype::U8, u8::from_le_bytes)
    }

    fn i64(&self, name: &str) -> Array2<i64> {
        self.get(name, Dtype::I64, i64::from_le_bytes)
    }

    fn f32(&self, name: &str) -> Array2<f32> {
        self.get(name, Dtype::F32, f32::from_le_bytes)
    }

    fn f64(&self, name: &str) -> Array2<f64> {
        self.get(name, Dtype::F64, f64::from_le_bytes)
    }
}

fn json<T: for<'a> Deserialize<'a>>(name: &str) -> T {
    serde_json::from_slice(&read(&format!("golden/{name}.json"))).unwrap()
}

fn largest_difference(a: ArrayView2<f64>, b: ArrayView2<f64>) -> f64 {
    assert_eq!(a.dim(), b.dim());
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, |m, d| if d.is_nan() { d } else { m.max(d) })
}

fn assert_near(ours: ArrayView2<f64>, golden: ArrayView2<f64>, tolerance: f64) {
    let difference = largest_difference(ours, golden);
    assert!(
        difference <= tolerance,
        "{difference:e} apart, {tolerance:e} allowed"
    );
}

fn wide(x: &Array2<f32>) -> Array2<f64> {
    x.mapv(f64::from)
}

fn as_row(v: ArrayView1<f64>) -> Array2<f64> {
    v.to_owned().insert_axis(Axis(0))
}

/// ±1 for each column of `ours`: the sign that makes it point the way of `golden`'s.
fn signs(ours: ArrayView2<f64>, golden: ArrayView2<f64>) -> Array1<f64> {
    (ours.columns().into_iter().zip(golden.columns()))
        .map(|(a, b)| a.dot(&b).signum())
        .collect()
}

fn artifact(stage: &str) -> Artifact {
    Artifact::new(Spec::new(stage, &(), 0))
}

// ---- descriptors ----------------------------------------------------------------------------------

fn luma_picture(golden: &Golden) -> Picture {
    let luma = golden.u8("luma");
    let (height, width) = luma.dim();
    let grey = |x: u32, y: u32| Rgb([luma[[y as usize, x as usize]]; 3]);
    let picture = Picture::from_rgb(RgbImage::from_fn(width as u32, height as u32, grey));
    assert!(
        picture.gray.as_raw().iter().eq(luma.iter()),
        "grey must stay as it is"
    );
    picture
}

fn sift(root: bool) -> Array2<f32> {
    let params = DescriptorParams::Sift(SiftParams {
        features: 200,
        root,
        ..SiftParams::default()
    });
    params
        .extractor()
        .extract(&luma_picture(&Golden::open("sift")))
        .unwrap()
}

#[test]
fn luma_is_opencvs() {
    let photo = read("fixtures/pictures/photo.png");
    let picture = Picture::decode(&photo, &PictureParams::default()).unwrap();
    assert!(
        picture
            .gray
            .as_raw()
            .iter()
            .eq(Golden::open("sift").u8("luma").iter())
    );
}

#[test]
fn sift_is_opencvs() {
    let golden = Golden::open("sift").u8("descriptors").mapv(f64::from);
    assert_near(wide(&sift(false)).view(), golden.view(), 1.0);
}

#[test]
fn root_sift_is_the_square_root_of_the_share() {
    let golden = Golden::open("sift");
    let (plain, root) = (
        golden.u8("descriptors").mapv(f64::from),
        golden.f32("rootsift"),
    );
    // Only where SIFT itself agrees to the last digit: one level is more than the tolerance here.
    let ours = wide(&sift(false));
    let same: Vec<usize> = (0..plain.nrows())
        .filter(|&i| ours.row(i) == plain.row(i))
        .collect();
    assert!(
        same.len() * 10 > plain.nrows() * 9,
        "{} of {} equal",
        same.len(),
        plain.nrows()
    );
    let [ours, root] = [sift(true), root].map(|m| wide(&m.select(Axis(0), &same)));
    assert_near(ours.view(), root.view(), 1e-6);
}

#[test]
fn orb_is_opencvs_low_bit_first() {
    let golden = Golden::open("orb");
    let params = DescriptorParams::Orb(OrbParams {
        features: 200,
        ..OrbParams::default()
    });
    let ours = params.extractor().extract(&luma_picture(&golden)).unwrap();
    let bytes = golden.u8("descriptors");
    let bits = Array2::from_shape_fn((bytes.nrows(), 256), |(i, j)| {
        f32::from(bytes[[i, j / 8]] >> (j % 8) & 1)
    });
    assert_eq!(ours, bits);
}

// ---- codebook and encodings -----------------------------------------------------------------------

fn codebook(centroids: &Array2<f32>) -> Codebook {
    let kind = DescriptorKind {
        name: "golden".into(),
        dim: centroids.ncols(),
    };
    Codebook::load(
        &artifact("codebook")
            .with_notes(&kind)
            .with_matrix("centroids", centroids.view()),
    )
    .unwrap()
}

fn encode(params: EncodingParams) -> Array1<f32> {
    let golden = Golden::open("vlad");
    params
        .encoder(codebook(&golden.f32("centroids")))
        .encode(golden.f32("descriptors").view())
        .unwrap()
}

fn vlad(power: f32, intra: bool) -> Array2<f64> {
    let params = VladParams {
        power,
        intra,
        residual: false,
    };
    as_row(encode(EncodingParams::Vlad(params)).mapv(f64::from).view())
}

#[test]
fn descriptors_go_to_the_nearest_word() {
    let golden = Golden::open("vlad");
    let words = codebook(&golden.f32("centroids"))
        .assign(golden.f32("descriptors").view())
        .unwrap();
    assert!(words.iter().map(|&w| w as i64).eq(golden.i64("nearest")));
}

#[test]
fn vlad_agrees_in_all_normalisations() {
    let golden = Golden::open("vlad");
    for (name, power, intra) in [
        ("plain", 1.0, false),
        ("power", 0.5, false),
        ("intra", 1.0, true),
    ] {
        let ours = vlad(power, intra);
        assert_near(ours.view(), golden.f64(name).view(), 1e-5);
        let unused = ours.slice(s![.., 5 * 16..6 * 16]);
        assert!(
            unused.iter().all(|&v| v == 0.0),
            "{name}: word 5 has no descriptor"
        );
    }
}

#[test]
fn vlad_sums_the_differences() {
    let golden = Golden::open("vlad");
    let sums = golden.f64("sums");
    let length = sums.iter().map(|v| v * v).sum::<f64>().sqrt();
    assert_near(
        (vlad(1.0, false) * length).view(),
        sums.view(),
        1e-4 * length,
    );
}

#[test]
fn vlad_of_unit_residuals_is_their_sum() {
    let golden = Golden::open("vlad");
    let (x, c) = (
        wide(&golden.f32("descriptors")),
        wide(&golden.f32("centroids")),
    );
    let mut sums = Array2::<f64>::zeros(c.dim());
    for (x, &w) in x.outer_iter().zip(&golden.i64("nearest")) {
        let r = &x - &c.row(w as usize);
        sums.row_mut(w as usize)
            .scaled_add(r.dot(&r).sqrt().recip(), &r);
    }
    let expected = as_row(sums.flatten().view()) / sums.iter().map(|v| v * v).sum::<f64>().sqrt();
    let params = VladParams {
        power: 1.0,
        intra: false,
        residual: true,
    };
    let ours = encode(EncodingParams::Vlad(params)).mapv(f64::from);
    assert_near(as_row(ours.view()).view(), expected.view(), 1e-5);
}

#[test]
fn bag_of_words_counts() {
    let mut counts = Array1::<f64>::zeros(8);
    Golden::open("vlad")
        .i64("nearest")
        .iter()
        .for_each(|&w| counts[w as usize] += 1.0);
    for power in [1.0f32, 0.5] {
        let raised = counts.mapv(|c| c.powf(f64::from(power)));
        let expected = &raised / raised.dot(&raised).sqrt();
        let ours = encode(EncodingParams::Bow(BowParams { power })).mapv(f64::from);
        assert_near(
            as_row(ours.view()).view(),
            as_row(expected.view()).view(),
            1e-6,
        );
    }
}

#[test]
fn no_descriptor_gives_the_zero_vector() {
    let centroids = Golden::open("vlad").f32("centroids");
    let vlad = VladParams {
        power: 0.5,
        intra: true,
        residual: true,
    };
    for (params, dim) in [
        (EncodingParams::Vlad(vlad), 128),
        (EncodingParams::Bow(BowParams::default()), 8),
    ] {
        let encoder = params.encoder(codebook(&centroids));
        assert_eq!(encoder.dim(), dim);
        assert_eq!(
            encoder.encode(Array2::zeros((0, 16)).view()).unwrap(),
            Array1::<f32>::zeros(dim)
        );
        let error = encoder
            .encode(Array2::zeros((3, 17)).view())
            .unwrap_err()
            .to_string();
        assert!(error.contains("16") && error.contains("17"), "{error}");
    }
}

#[test]
fn k_means_is_as_tight_as_scikit_learns() {
    #[derive(Deserialize)]
    struct Versions {
        figures: std::collections::BTreeMap<String, f64>,
    }
    let golden = Golden::open("kmeans");
    let points = golden.f32("points");
    let n = points.nrows() as f64;
    let theirs = json::<Versions>("versions").figures["kmeans_inertia"];
    let centroids = golden.f64("centroids").mapv(|v| v as f32);
    let of_theirs = codebook(&centroids).inertia(points.view()).unwrap() * n;
    assert!(
        (of_theirs / theirs - 1.0).abs() < 1e-5,
        "inertia of their centroids: {of_theirs}, {theirs}"
    );

    let params = KMeansParams {
        size: 16,
        ..KMeansParams::default()
    };
    let kind = DescriptorKind {
        name: "golden".into(),
        dim: 16,
    };
    // Four starts, as theirs had.
    let fits = (0..4).map(|seed| params.fit(kind.clone(), points.view(), seed).unwrap());
    let ours = fits
        .map(|c| c.inertia(points.view()).unwrap() * n)
        .fold(f64::INFINITY, f64::min);
    assert!(
        ours <= 1.02 * theirs,
        "inertia {ours}, scikit-learn's {theirs}"
    );
}

// ---- principal components and singular values -----------------------------------------------------

#[test]
fn pca_is_scikit_learns() {
    let golden = Golden::open("pca");
    let params = PcaParams {
        dim: 12,
        whiten: 1.0,
        ..PcaParams::default()
    };
    let pca = params.fit(golden.f32("train").view(), 0).unwrap();
    let stored = pca.store(artifact("pca"));
    let mean = stored.vector::<f32>("mean").unwrap().mapv(f64::from);
    assert_near(as_row(mean.view()).view(), golden.f64("mean").view(), 1e-5);

    let theirs = golden.f64("explained_variance");
    let ratio = as_row(pca.variance().view()) / &theirs;
    assert_near(ratio.view(), Array2::ones((1, 12)).view(), 1e-4);

    let components = wide(&stored.matrix("projection").unwrap()) * pca.variance().mapv(f64::sqrt);
    let expected = golden.f64("components").reversed_axes();
    let signs = signs(components.view(), expected.view());
    assert_near((components * &signs).view(), expected.view(), 1e-4);

    let ours = wide(&pca.transform(golden.f32("other").view()).unwrap());
    assert_near(
        (ours * &signs).view(),
        golden.f64("transformed").view(),
        1e-4,
    );
}

#[test]
fn whitening_raises_the_variance_to_a_power() {
    let train = Golden::open("pca").f32("train");
    for whiten in [0.0, 0.5, 1.0] {
        let pca = PcaParams {
            dim: 12,
            whiten,
            ..PcaParams::default()
        }
        .fit(train.view(), 0)
        .unwrap();
        let z = wide(&pca.transform(train.view()).unwrap());
        let variance = z.var_axis(Axis(0), 1.0) / pca.variance().mapv(|v| v.powf(1.0 - whiten));
        assert_near(
            as_row(variance.view()).view(),
            Array2::ones((1, 12)).view(),
            1e-4,
        );
    }
}

/// Rows of unlike variances, wider than what is decomposed whole.
fn wide_rows(n: usize, d: usize) -> Array2<f32> {
    let mix =
        |i: usize, j: usize| ((i * 7919 + j * 104_729 + i * j * 31) % 1009) as f64 / 1009.0 - 0.5;
    let (left, right) = (
        Array2::from_shape_fn((n, 60), |(i, j)| mix(i, j + 17)),
        Array2::from_shape_fn((60, d), |(i, j)| mix(i + 5, j)),
    );
    let scale = Array1::from_shape_fn(60, |j| 0.85f64.powi(j as i32));
    (left * &scale).dot(&right).mapv(|v| (v + 0.25) as f32)
}

#[test]
fn a_wide_pca_equals_the_exact_one() {
    let x = wide_rows(300, 700);
    let pca = PcaParams {
        dim: 20,
        whiten: 0.0,
        ..PcaParams::default()
    }
    .fit(x.view(), 7)
    .unwrap();
    let x = wide(&x);
    let centred = &x - &x.mean_axis(Axis(0)).unwrap();
    let exact = thin_svd(centred.view()).unwrap();
    let variance = exact.s.slice(s![..20]).mapv(|s| s * s / 299.0);
    let ratio = as_row((pca.variance() / &variance).view());
    assert_near(ratio.view(), Array2::ones((1, 20)).view(), 1e-4);
    let components = wide(&pca.store(artifact("pca")).matrix("projection").unwrap());
    let expected = exact.v.slice(s![.., ..20]);
    let signs = signs(components.view(), expected);
    assert_near((components * &signs).view(), expected, 1e-3);
}

fn sparse(x: &Array2<f32>) -> Vec<SparseRow> {
    let row = |r: ArrayView1<f32>| {
        r.iter()
            .enumerate()
            .filter(|&(_, &v)| v != 0.0)
            .map(|(j, &v)| (j as u32, v))
            .collect()
    };
    x.outer_iter().map(row).collect()
}

#[test]
fn latent_semantic_analysis_is_the_truncated_svd() {
    let golden = Golden::open("lsa");
    let rows = sparse(&golden.f32("matrix"));
    let lsa = Lsa::fit(rows.clone(), 120, 10, 0).unwrap();
    let expected = golden.f64("components").reversed_axes();
    let directions = lsa.directions().mapv(f64::from);
    let signs = signs(directions.view(), expected.view());
    assert_near((directions * &signs).view(), expected.view(), 1e-4);
    let projections = wide(&lsa.transform(&rows)) * &signs;
    assert_near(projections.view(), golden.f64("projections").view(), 1e-3);
}

#[test]
fn randomised_singular_values_are_exact_enough() {
    let golden = Golden::open("lsa");
    let x = Csr::new(sparse(&golden.f32("matrix")), 120);
    let svd = randomized_svd(200, 120, 10, 3, |b| x.times(b), |b| x.transposed_times(b)).unwrap();
    let ratio = as_row(svd.s.view()) / golden.f64("singular_values");
    assert_near(ratio.view(), Array2::ones((1, 10)).view(), 1e-5);
    for basis in [&svd.u, &svd.v] {
        assert_near(basis.t().dot(basis).view(), Array2::eye(10).view(), 1e-5);
    }
}

// ---- text -----------------------------------------------------------------------------------------

#[derive(Deserialize)]
struct TfIdfGolden {
    documents: Vec<Vec<String>>,
    queries: Vec<Vec<String>>,
    vocabulary: Vec<String>,
    idf: Vec<f64>,
    plain: Vec<Vec<f64>>,
    sublinear: Vec<Vec<f64>>,
}

#[test]
fn tf_idf_is_scikit_learns() {
    let golden: TfIdfGolden = json("tfidf");
    for (sublinear, expected) in [(false, &golden.plain), (true, &golden.sublinear)] {
        let model = TfIdfParams {
            min_df: 1,
            sublinear,
        }
        .fit(&golden.documents)
        .unwrap();
        assert!(model.terms().eq(&golden.vocabulary));
        let idf = as_row(model.idf().mapv(f64::from).view());
        assert_near(
            idf.view(),
            as_row(ArrayView1::from(&golden.idf)).view(),
            1e-6,
        );
        for (query, expected) in golden.queries.iter().zip(expected) {
            let mut row = Array2::<f64>::zeros((1, model.dim()));
            for (column, weight) in model.transform(query) {
                row[[0, column as usize]] = f64::from(weight);
            }
            assert_near(row.view(), as_row(ArrayView1::from(expected)).view(), 1e-6);
        }
    }
}

#[test]
fn a_caption_of_unknown_words_has_no_weights() {
    let golden: TfIdfGolden = json("tfidf");
    let model = TfIdfParams::default().fit(&golden.documents).unwrap();
    let unknown = golden.queries.last().unwrap();
    assert!(golden.plain.last().unwrap().iter().all(|&v| v == 0.0));
    assert_eq!(model.transform(unknown), vec![]);
    assert_eq!(model.transform(&[]), vec![]);
}

#[test]
fn rare_terms_are_left_out() {
    let golden: TfIdfGolden = json("tfidf");
    let occurs = |t: &str| {
        golden
            .documents
            .iter()
            .filter(|d| d.iter().any(|w| w == t))
            .count()
    };
    let model = TfIdfParams {
        min_df: 3,
        sublinear: true,
    }
    .fit(&golden.documents)
    .unwrap();
    assert!(
        model
            .terms()
            .eq(golden.vocabulary.iter().filter(|t| occurs(t) >= 3))
    );
    assert!(
        TfIdfParams {
            min_df: 100,
            sublinear: true
        }
        .fit(&golden.documents)
        .is_err()
    );
}

#[derive(Deserialize)]
struct Segmented {
    sentence: String,
    tokens: Vec<String>,
}

/// What we make of jieba's tokens: no punctuation, lower case, English words stemmed (these two occur).
fn normalised(tokens: &[String]) -> Vec<String> {
    let words = tokens
        .iter()
        .filter(|t| t.chars().any(char::is_alphanumeric));
    let stem = |word: String| match word.as_str() {
        "dogs" => "dog".into(),
        "running" => "run".into(),
        _ => word,
    };
    words.map(|t| stem(t.to_lowercase())).collect()
}

/// Without the one sentence that NFKC rewrites before we cut it, and jieba does not.
fn segmented() -> Vec<Segmented> {
    let all: Vec<Segmented> = json("jieba");
    let kept: Vec<_> = all
        .into_iter()
        .filter(|s| !s.sentence.contains('Ａ'))
        .collect();
    assert_eq!(kept.len(), 39);
    kept
}

#[test]
fn segmentation_is_jiebas() {
    let nothing = tempfile::NamedTempFile::new().unwrap();
    let path = Some(nothing.path().to_owned());
    let params = SegmenterParams {
        stop_words: path.clone(),
        user_dictionary: path,
        hmm: true,
    };
    let segmenter = params.load().unwrap();
    for Segmented { sentence, tokens } in segmented() {
        assert_eq!(
            segmenter.tokens(&sentence),
            normalised(&tokens),
            "{sentence}"
        );
    }
}

#[test]
fn stop_words_go_and_the_rest_stays() {
    let list =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("vocab/stop_words.txt"))
            .unwrap();
    let segmenter = SegmenterParams::default().load().unwrap();
    for Segmented { sentence, tokens } in segmented() {
        let mut expected = normalised(&tokens);
        expected.retain(|t| !list.lines().any(|stop| stop.trim() == t));
        assert_eq!(segmenter.tokens(&sentence), expected, "{sentence}");
    }
}

#[test]
fn full_width_letters_and_digits_become_plain() {
    let segmenter = SegmenterParams::default().load().unwrap();
    let tokens = segmenter.tokens("ＡＢＣ公司发布２０２４年新款手机");
    assert_eq!(tokens, segmenter.tokens("ABC公司发布2024年新款手机"));
    assert!(
        tokens.contains(&"abc".into()) && tokens.contains(&"2024".into()),
        "{tokens:?}"
    );
}

#[test]
fn a_placeholder_is_one_token() {
    let segmenter = SegmenterParams::default().load().unwrap();
    assert_eq!(segmenter.tokens("<人名>和<地名>"), ["<人名>", "<地名>"]);
    let tokens = segmenter.tokens("3 < 5 而 7 > 2");
    assert!(tokens.iter().all(|t| !t.contains(['<', '>'])), "{tokens:?}");
}

// ---- canonical correlations -----------------------------------------------------------------------

fn cca(
    x: &Array2<f32>,
    y: &Array2<f32>,
    pairs: &[Pair],
    regularization: f64,
    dims: usize,
    power: f64,
) -> Cca {
    let params = CcaParams {
        dims: vec![dims],
        regularization: vec![regularization],
        power: vec![power],
    };
    let Fusion::Cca(cca) = FusionParams::Cca(params)
        .fit(Pairs {
            x: x.view(),
            y: y.view(),
            pairs,
        })
        .unwrap();
    cca
}

fn one_to_one(n: usize) -> Vec<Pair> {
    (0..n).map(|i| Pair { image: i, text: i }).collect()
}

const RIDGES: [(&str, f64); 2] = [("r0", 0.0), ("r01", 0.1)];

#[test]
fn cca_solves_the_generalised_eigenproblem() {
    let golden = Golden::open("cca");
    let (x, y) = (golden.f32("x"), golden.f32("y"));
    for (label, ridge) in RIDGES {
        let cca = cca(&x, &y, &one_to_one(300), ridge, 8, 0.0);
        let rho = golden.f64(&format!("correlations_{label}"));
        assert_near(as_row(cca.correlations().view()).view(), rho.view(), 1e-5);
        let (a, b) = (
            golden.f64(&format!("a_{label}")),
            golden.f64(&format!("b_{label}")),
        );
        let signs = signs(cca.weights(Side::Image), a.view()); // of both sides: they turn together
        for (side, theirs) in [(Side::Image, a), (Side::Text, b)] {
            let largest = theirs.iter().fold(0.0f64, |m, v| m.max(v.abs()));
            assert_near(
                (&cca.weights(side) * &signs).view(),
                theirs.view(),
                1e-3 * largest,
            );
        }
    }
}

#[test]
fn cca_correlations_are_scikit_learns() {
    let golden = Golden::open("cca");
    let cca = cca(
        &golden.f32("x"),
        &golden.f32("y"),
        &one_to_one(300),
        0.0,
        4,
        0.0,
    );
    assert_near(
        as_row(cca.correlations().view()).view(),
        golden.f64("correlations_sklearn").view(),
        1e-5,
    );
}

fn centred(x: &Array2<f32>) -> Array2<f64> {
    let x = wide(x);
    &x - &x.mean_axis(Axis(0)).unwrap()
}

#[test]
fn canonical_directions_are_white() {
    let golden = Golden::open("cca");
    let (x, y) = (golden.f32("x"), golden.f32("y"));
    for (_, ridge) in RIDGES {
        let cca = cca(&x, &y, &one_to_one(300), ridge, 15, 0.0);
        for (side, x) in [(Side::Image, &x), (Side::Text, &y)] {
            let (a, x) = (cca.weights(side), centred(x));
            let mut c = x.t().dot(&x) / 300.0;
            let added = ridge * c.diag().mean().unwrap();
            c.diag_mut().mapv_inplace(|v| v + added);
            assert_near(a.t().dot(&c).dot(&a).view(), Array2::eye(15).view(), 1e-9);
        }
        let across = centred(&x).t().dot(&centred(&y)) / 300.0;
        let rho = cca
            .weights(Side::Image)
            .t()
            .dot(&across)
            .dot(&cca.weights(Side::Text));
        assert_near(
            rho.view(),
            Array2::from_diag(cca.correlations()).view(),
            1e-9,
        );
    }
}

#[test]
fn a_view_and_its_linear_image_correlate_at_one() {
    let x = Golden::open("cca").f32("y");
    let turned = x.dot(&Array2::from_shape_fn((15, 15), |(i, j)| {
        if i == j {
            2.0
        } else {
            ((i * 5 + j * 3) % 7) as f32 / 30.0
        }
    }));
    for other in [&x, &turned] {
        let cca = cca(&x, other, &one_to_one(300), 0.0, 15, 1.0);
        assert_near(
            as_row(cca.correlations().view()).view(),
            Array2::ones((1, 15)).view(),
            1e-6,
        );
        let (a, b) = (
            cca.project(Side::Image, x.view()).unwrap(),
            cca.project(Side::Text, other.view()).unwrap(),
        );
        assert_near(wide(&a).view(), wide(&b).view(), 1e-4);
    }
}

#[test]
fn an_image_with_two_captions_counts_twice() {
    let golden = Golden::open("cca");
    let (x, y) = (golden.f32("x"), golden.f32("y"));
    let images = x.slice(s![..150, ..]).to_owned();
    let pairs: Vec<Pair> = (0..300)
        .map(|i| Pair {
            image: i / 2,
            text: i,
        })
        .collect();
    let places: Vec<usize> = (0..300).map(|i| i / 2).collect();
    let repeated = images.select(Axis(0), &places);
    let (shared, copied) = (
        cca(&images, &y, &pairs, 0.1, 8, 0.0),
        cca(&repeated, &y, &one_to_one(300), 0.1, 8, 0.0),
    );
    for side in [Side::Image, Side::Text] {
        assert_near(shared.weights(side), copied.weights(side), 1e-8);
    }
}

#[test]
fn projections_are_scaled_by_the_correlations_and_unit() {
    let golden = Golden::open("cca");
    let (x, y) = (golden.f32("x"), golden.f32("y"));
    for power in [0.0, 1.0, 4.0] {
        let cca = cca(&x, &y, &one_to_one(300), 0.1, 8, power);
        let z =
            centred(&x).dot(&cca.weights(Side::Image)) * cca.correlations().mapv(|c| c.powf(power));
        let lengths = z
            .map_axis(Axis(1), |r| r.dot(&r).sqrt())
            .insert_axis(Axis(1));
        let ours = cca.project(Side::Image, x.view()).unwrap();
        assert_near(wide(&ours).view(), (z / lengths).view(), 1e-5);
    }
}

#[test]
fn a_stored_fusion_is_the_same_fusion() {
    let golden = Golden::open("cca");
    let fusion = Fusion::Cca(cca(
        &golden.f32("x"),
        &golden.f32("y"),
        &one_to_one(300),
        0.1,
        8,
        4.0,
    ));
    let stored = fusion.store(Spec::new("cca", &(), 0));
    assert_eq!(Fusion::load(&stored).unwrap(), fusion);
    assert!(Fusion::load(&artifact("codebook")).is_err());
}

// ---- indices --------------------------------------------------------------------------------------

fn factory(factory: &str, search: &str) -> IndexParams {
    IndexParams {
        factory: factory.into(),
        search: search.into(),
        ..IndexParams::default()
    }
}

fn build(params: &IndexParams) -> tuwen::Result<Faiss> {
    let base = Golden::open("faiss").f32("base");
    Faiss::build(params, base.view(), base.view())
}

fn queries() -> Array2<f32> {
    Golden::open("faiss").f32("queries")
}

fn truth() -> Vec<Vec<Hit>> {
    Flat::new(Golden::open("faiss").f32("base"))
        .search(queries().view(), 10)
        .unwrap()
}

#[test]
fn both_exact_indices_are_faiss_flat() {
    let golden = Golden::open("faiss");
    let answers = build(&factory("Flat", ""))
        .unwrap()
        .search(queries().view(), 10)
        .unwrap();
    for answers in [answers, truth()] {
        let hits: Vec<&Hit> = answers.iter().flatten().collect();
        assert!(hits.iter().map(|h| h.item as i64).eq(golden.i64("ids")));
        let scores: Vec<f64> = hits.iter().map(|h| f64::from(h.score)).collect();
        let scores = Array2::from_shape_vec((20, 10), scores).unwrap();
        assert_near(scores.view(), wide(&golden.f32("scores")).view(), 1e-5);
    }
}

/// Factory, search parameters, and the least share of the true ten nearest.
const APPROXIMATE: [(&str, &str, f64); 3] = [
    ("IVF16,Flat", "nprobe=8", 0.8),
    ("HNSW16", "efSearch=64", 0.95),
    ("PQ8np", "", 0.75),
];

#[test]
fn approximate_indices_find_most() {
    for (name, search, floor) in APPROXIMATE {
        let answers = build(&factory(name, search))
            .unwrap()
            .search(queries().view(), 10)
            .unwrap();
        let found = recall(&answers, &truth());
        assert!(found >= floor, "{name}: recall {found}");
    }
}

#[test]
fn an_inverted_file_searched_whole_is_exact() {
    let recall_at = |nprobe: usize| {
        let index = build(&factory("IVF16,Flat", &format!("nprobe={nprobe}"))).unwrap();
        recall(&index.search(queries().view(), 10).unwrap(), &truth())
    };
    assert!(recall_at(1) < recall_at(8));
    assert_eq!(recall_at(16), 1.0);
}

#[test]
fn indices_answer_the_same_after_a_round_trip() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gallery.faiss");
    for (name, search, _) in APPROXIMATE.into_iter().chain([("Flat", "", 1.0)]) {
        let index = build(&factory(name, search)).unwrap();
        index.write(&path).unwrap();
        let again = Faiss::read(&path, search).unwrap();
        assert_eq!(again.len(), 500);
        assert_eq!(
            again.search(queries().view(), 10).unwrap(),
            index.search(queries().view(), 10).unwrap(),
            "{name}"
        );
    }
}

#[test]
fn an_index_that_cannot_be_is_an_error() {
    for (name, search) in [
        ("Flt", ""),
        ("IVF16,", ""),
        ("", ""),
        ("PQ7np", ""),
        ("Flat", "nprobe"),
        ("Flat", "nprobe=x"),
        ("Flat", "warp=3"),
    ] {
        let error = build(&factory(name, search))
            .err()
            .unwrap_or_else(|| panic!("`{name}` `{search}` is accepted"));
        assert!(!error.to_string().is_empty());
    }
    let few = Array2::<f32>::eye(24).slice_move(s![..3, ..]);
    assert!(
        Faiss::build(&factory("IVF16,Flat", ""), few.view(), few.view()).is_err(),
        "16 lists of 3 vectors"
    );
    let folder = tempfile::tempdir().unwrap();
    assert!(Faiss::read(&folder.path().join("absent.faiss"), "").is_err());
    fs::write(folder.path().join("noise.faiss"), [7; 100]).unwrap();
    assert!(Faiss::read(&folder.path().join("noise.faiss"), "").is_err());
}

#[test]
fn an_index_minds_the_dimension_and_the_size() {
    let exact: [Box<dyn Index>; 2] = [
        Box::new(build(&factory("Flat", "")).unwrap()),
        Box::new(Flat::new(Golden::open("faiss").f32("base"))),
    ];
    for index in exact {
        assert!(index.search(Array2::zeros((1, 23)).view(), 5).is_err());
        assert_eq!(index.search(queries().view(), 501).unwrap()[0].len(), 500);
        assert_eq!(index.search(queries().view(), 0).unwrap(), vec![vec![]; 20]);
        assert_eq!(
            index.search(Array2::zeros((0, 24)).view(), 5).unwrap(),
            Vec::<Vec<Hit>>::new()
        );
    }
}

// ---- evaluation -----------------------------------------------------------------------------------

#[derive(Deserialize)]
struct DirectionGolden {
    ranks: Vec<f64>,
    r1: f64,
    r5: f64,
    median_rank: f64,
}

#[derive(Deserialize)]
struct MetricsGolden {
    scores: Vec<Vec<f32>>,
    truth: Vec<Vec<usize>>,
    rows_to_columns: DirectionGolden,
    inverse_truth: Vec<Vec<usize>>,
    columns_to_rows: DirectionGolden,
}

fn scores(golden: &MetricsGolden) -> Array2<f32> {
    Array2::from_shape_vec((12, 8), golden.scores.concat()).unwrap()
}

fn check_direction(scores: ArrayView2<f32>, truth: &[Vec<usize>], golden: &DirectionGolden) {
    let n = scores.ncols();
    let one_by_one: Vec<f64> = scores
        .outer_iter()
        .zip(truth)
        .map(|(row, right)| mid_rank(&row.to_vec(), right).unwrap())
        .collect();
    assert_eq!(one_by_one, golden.ranks);
    // Against unit vectors, a query's inner products are its entries.
    let together = ranks(scores, Array2::eye(n).view(), &vec![true; n], truth);
    assert_eq!(
        together,
        golden.ranks.iter().map(|&r| Some(r)).collect::<Vec<_>>()
    );
    let ranking = Ranking {
        ranks: one_by_one,
        ..Ranking::default()
    };
    for (k, share) in [(1, golden.r1), (5, golden.r5)] {
        assert!((ranking.recall(k) - 100.0 * share).abs() < 1e-9, "R@{k}");
    }
    assert_eq!(ranking.median_rank(), golden.median_rank);
}

#[test]
fn ranks_and_recalls_agree_in_both_directions() {
    let golden: MetricsGolden = json("metrics");
    let scores = scores(&golden);
    check_direction(scores.view(), &golden.truth, &golden.rows_to_columns);
    check_direction(scores.t(), &golden.inverse_truth, &golden.columns_to_rows);
}

#[test]
fn an_unusable_item_ranks_last_and_no_truth_gives_no_rank() {
    let queries = Array2::<f32>::eye(3);
    let usable = [true, false, true];
    let truth = [vec![0], vec![1], vec![]];
    let found = ranks(queries.view(), queries.view(), &usable, &truth);
    assert_eq!(found, [Some(1.0), Some(3.0), None]);
}

#[test]
fn chance_is_hypergeometric() {
    let ranking = Ranking {
        ranks: vec![1.0; 2],
        right: vec![1, 2],
        gallery: vec![8, 8],
        ..Ranking::default()
    };
    // One of eight: 5/8. Two of eight: 1 − C(6,5)/C(8,5) = 1 − 6/56.
    let expected = 100.0 * (5.0 / 8.0 + 50.0 / 56.0) / 2.0;
    assert!((ranking.chance(5) - expected).abs() < 1e-9);
    assert!(
        (ranking.chance(20) - 100.0).abs() < 1e-9,
        "more answers than items"
    );
}
