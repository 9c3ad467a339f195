//! Gaussian mixtures against scikit-learn's, Fisher vectors against the equations of the paper.

use ndarray::{Array1, Array2};
use tuwen::codebook::{Codebook, Gmm};
use tuwen::descriptor::DescriptorKind;
use tuwen::encoding::{EncodingParams, FisherParams};

use super::figures::{Golden, artifact, as_row, assert_near, wide};

const DIM: usize = 8;

fn kind() -> DescriptorKind {
    DescriptorKind {
        name: "golden".into(),
        dim: DIM,
    }
}

#[test]
fn rounds_of_em_are_scikit_learns() {
    let golden = Golden::open("mixture");
    let start = artifact("codebook")
        .with_notes(&kind())
        .with_matrix("centroids", golden.f32("centroids").view());
    let codebook = Codebook::load(&start).unwrap();
    for rounds in [1, 5] {
        let ours = Gmm::fit(&codebook, golden.f32("train").view(), rounds).unwrap();
        let theirs = |name: &str| golden.f64(&format!("{name}_{rounds}"));
        let weights = as_row(ours.weights().mapv(f64::from).view());
        assert_near(weights.view(), theirs("weights").view(), 1e-5);
        let [means, variances] = [ours.means(), ours.variances()].map(|m| wide(&m.to_owned()));
        assert_near(means.view(), theirs("means").view(), 1e-4);
        assert_near(variances.view(), theirs("variances").view(), 1e-4);
    }
}

/// The Fisher vector of the golden descriptors under the golden mixture.
fn fisher(power: f32, x: &Array2<f32>) -> Array1<f32> {
    let golden = Golden::open("mixture");
    let narrow = |name: &str| golden.f64(name).mapv(|v| v as f32);
    let mixture = artifact("image-view")
        .with_notes(&kind())
        .with_vector("gmm.weights", narrow("weights_5").row(0))
        .with_matrix("gmm.means", narrow("means_5").view())
        .with_matrix("gmm.variances", narrow("variances_5").view());
    let params = FisherParams {
        power,
        ..FisherParams::default()
    };
    let encoder = EncodingParams::Fisher(params)
        .load(&kind(), &mixture)
        .unwrap();
    let v = encoder.encode(x.view()).unwrap();
    assert_eq!(v.len(), encoder.dim());
    v
}

#[test]
fn fisher_vectors_are_the_papers() {
    let golden = Golden::open("mixture");
    let ours = |power| {
        let v = fisher(power, &golden.f32("other"));
        as_row(v.mapv(f64::from).view())
    };
    assert_near(ours(1.0).view(), golden.f64("plain").view(), 1e-5);
    // Steep near zero: 1e-5 of a component of 1e-5 is a hundredth of its root.
    assert_near(ours(0.5).view(), golden.f64("power").view(), 1e-4);
    // Small responsibilities, which ours leaves out, hardly matter.
    assert_near(ours(1.0).view(), golden.f64("exact").view(), 2e-3);
}

#[test]
fn no_descriptor_gives_the_zero_fisher_vector() {
    let none = fisher(0.5, &Array2::zeros((0, DIM)));
    assert_eq!(none, Array1::<f32>::zeros(2 * 6 * DIM));
}
