//! What stages have learned, forged: an artifact whose checksum is right is loaded or refused, and what was loaded
//! can be used.

use std::path::Path;

use ndarray::{Array2, ArrayView2};
use tuwen::artifact::{Artifact, Spec};
use tuwen::codebook::{Codebook, Gmm, KMeansParams};
use tuwen::copies::Vocabulary;
use tuwen::dataset::Pair;
use tuwen::descriptor::DescriptorKind;
use tuwen::encoding::EncodingParams;
use tuwen::fusion::{
    CcaParams, Columns, EnsembleParams, Fusion, FusionParams, JointParams, MlpParams, Pairs, Side,
    TransferParams,
};
use tuwen::linalg::{Nystroem, NystroemParams, Pca, PcaParams};
use tuwen::views::{BadItem, Rows, TextViewSetup};
use tuwen::views::{TextSource, TextViewParams, TokenParams};

use crate::fuzz::forge::{forge, read, stored};
use crate::fuzz::mutator::Mutator;
use crate::fuzz::target::{Input, Target};

pub const TARGET: Target = Target {
    name: "models",
    inputs: 40_000,
    seeds,
    mutate,
    run,
};

const DIM: usize = 6;

fn mutate(mutator: &mut Mutator, input: &mut Input) {
    forge(mutator, input);
}

/// Numbers without a pattern, the same every time.
pub fn made_up(n: usize, d: usize) -> Array2<f32> {
    let mut state = 1u32;
    Array2::from_shape_simple_fn((n, d), || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223); // Numerical Recipes' generator
        (state >> 16) as f32 / 65536.0 - 0.5
    })
}

fn kind(dim: usize) -> DescriptorKind {
    DescriptorKind {
        name: "made up".into(),
        dim,
    }
}

fn spec() -> Spec {
    Spec::new("made up", &(), 1)
}

fn seeds() -> Vec<Input> {
    let x = made_up(24, DIM);
    let of = |name: &str, artifact: Artifact| stored(&format!("{name}.safetensors"), &artifact);
    let words = KMeansParams {
        size: 3,
        ..KMeansParams::default()
    };
    let codebook = words
        .fit(kind(DIM), x.view(), 1)
        .expect("24 rows make 3 words");
    let gmm = Gmm::fit(&codebook, x.view(), 2).expect("24 rows make 3 components");
    let pca = PcaParams::default().fit(x.view(), 1).expect("24 rows");
    let nystroem = NystroemParams::default().fit(x.view(), 1).expect("24 rows");
    let vocabulary = Vocabulary::fit(4, made_up(24, 128).view(), 1).expect("24 rows make 4 words");
    let rows = Rows {
        x: x.clone(),
        usable: vec![true; 24],
        bad: vec![BadItem {
            id: "a.jpg".into(),
            reason: "the file is empty".into(),
        }],
    };
    let mut seeds = vec![
        of("codebook", codebook.store(Artifact::new(spec()))),
        of("mixture", gmm.store(Artifact::new(spec()))),
        of("pca", pca.store(Artifact::new(spec()))),
        of("nystroem", nystroem.store(Artifact::new(spec()))),
        of("vocabulary", vocabulary.store(Artifact::new(spec()))),
        of("rows", rows.store(Artifact::new(spec()))),
        of("half", rows.store_half(Artifact::new(spec()))),
        of("text", text_view()),
    ];
    seeds.extend(
        fusions()
            .into_iter()
            .map(|(_, f)| of("fusion", f.store(Spec::new(f.stage(), &(), 1)))),
    );
    seeds
}

fn text_params() -> TextViewParams {
    TextViewParams {
        name: "chars".into(),
        weight: 1.0,
        source: TextSource::Tokens(TokenParams::Characters(Default::default())),
        tfidf: Default::default(),
        lsa_dim: 4,
        projection: Default::default(),
    }
}

pub const CAPTIONS: [&str; 6] = [
    "红色的苹果",
    "红色的汽车",
    "红色的花",
    "蓝色的大海",
    "蓝色的汽车",
    "蓝色的花",
];

fn text_view() -> Artifact {
    let params = text_params();
    let setup = TextViewSetup::new(&params).expect("no dictionary is needed");
    setup
        .fit(&params, spec(), &CAPTIONS)
        .expect("captions share characters")
}

/// One of every kind, and those that hold others.
pub fn fusions() -> Vec<(FusionParams, Fusion)> {
    let (x, y) = (made_up(24, DIM), made_up(24, DIM).mapv(|v| v * v));
    let pairs: Vec<Pair> = (0..24).map(|i| Pair { image: i, text: i }).collect();
    let cca = FusionParams::Cca(CcaParams {
        dims: vec![3],
        ..CcaParams::default()
    });
    let mlp = FusionParams::Mlp(MlpParams {
        epochs: 1,
        ..MlpParams::default()
    });
    let transfer = |of: &FusionParams| {
        FusionParams::Transfer(TransferParams {
            neighbours: 3,
            weight: vec![0.3],
            temperature: 0.05,
            keep: 100,
            of: Box::new(of.clone()),
        })
    };
    let members = [cca.clone(), transfer(&cca)].map(|fusion| member(&fusion));
    let ensemble = FusionParams::Ensemble(EnsembleParams {
        members: members.into(),
    });
    let joint = FusionParams::Joint(JointParams {
        image_views: vec!["all".into()],
        text_view: "all".into(),
    });
    let views = Columns::side_by_side([("all", DIM)]);
    let fit = |params: FusionParams| {
        let pairs = Pairs {
            image_views: &views,
            text_views: &views,
            ..Pairs::new(x.view(), y.view(), &pairs)
        };
        let fusion = params.fit(pairs).expect("24 pairs");
        (params, fusion)
    };
    let all = [cca.clone(), mlp, transfer(&cca), ensemble, joint];
    all.map(fit).into()
}

/// A member of all views, as a recipe says it.
fn member(fusion: &FusionParams) -> tuwen::fusion::MemberParams {
    let json = serde_json::json!({ "weight": [1.0], "fusion": fusion });
    serde_json::from_value(json).expect("a member of an ensemble")
}

fn run(input: &Input, scratch: &Path) {
    if let Some(artifact) = read(input, scratch) {
        let _ = used(&input.name, &artifact);
    }
}

/// Loads and uses a model: an error is as good as a result.
fn used(name: &str, artifact: &Artifact) -> tuwen::Result<()> {
    let x = made_up(5, DIM);
    let x: ArrayView2<f32> = x.view();
    match name.split('.').next().expect("a first part") {
        "codebook" => {
            let codebook = Codebook::load(artifact)?;
            codebook.assign(x)?;
            codebook.nearest(x, 2)?;
            for encoding in [
                EncodingParams::Vlad(Default::default()),
                EncodingParams::Bow(Default::default()),
            ] {
                encoding.load(&kind(DIM), artifact)?.encode(x)?;
            }
        }
        "mixture" => {
            let encoding = EncodingParams::Fisher(Default::default());
            encoding.load(&kind(DIM), artifact)?.encode(x)?;
        }
        "pca" => drop(Pca::load(artifact)?.transform(x)?),
        "nystroem" => drop(Nystroem::load(artifact)?.transform(x)?),
        "vocabulary" => drop(Vocabulary::load(artifact)?.see(made_up(5, 128).view(), 2)?),
        "text" => {
            let view = TextViewSetup::new(&text_params())?.load(artifact)?;
            let _ = view.describe(&CAPTIONS);
        }
        "rows" | "half" => {
            let mut rows = Rows::load(artifact)?;
            rows.blank_unusable();
            Rows::side_by_side(vec![(1.0, rows.clone()), (0.5, rows)]);
        }
        _ => {
            let fusion = Fusion::load(artifact)?;
            fusion.project(Side::Image, x)?;
            fusion.project(Side::Text, x)?;
        }
    }
    Ok(())
}
