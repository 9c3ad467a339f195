//! Recipes that are accepted, on a handful of small pictures and captions: what no stage can do is refused beforehand.

use std::path::Path;

use image::{Rgb, RgbImage};
use ndarray::Array2;
use tuwen::artifact::{Fingerprint, Spec};
use tuwen::dataset::Pair;
use tuwen::fusion::{Columns, FusionParams, Pairs, Side};
use tuwen::index::{Faiss, Index};
use tuwen::linalg::KernelMap;
use tuwen::picture::Picture;
use tuwen::recipe::Recipe;
use tuwen::views::TextViewSetup;
use tuwen::views::{ImageViewParams, Shown, TextSource, TextViewParams, TokenParams};

use super::models::{CAPTIONS, fusions, made_up};
use crate::fuzz::mutator::Mutator;
use crate::fuzz::target::{Input, Target};

pub const TARGET: Target = Target {
    name: "fits",
    inputs: 0,
    seeds,
    mutate,
    run,
};

/// A recipe for each image view and each fusion that there is, every default written out.
fn seeds() -> Vec<Input> {
    let built_in = |name: &str| Recipe::load(Path::new(name)).expect("a built-in recipe");
    let (card, views) = (built_in("card.toml"), built_in("views.toml"));
    let text_view = views
        .text_views
        .iter()
        .find(|v| is_of_characters(v))
        .expect("characters");
    let plain = |image_view: &ImageViewParams, fusion: &FusionParams| {
        let recipe = Recipe {
            image_views: vec![image_view.clone()],
            text_views: vec![text_view.clone()],
            fusion: fusion.clone(),
            ..card.clone()
        };
        Input::new("recipe.toml", recipe.to_toml())
    };
    let of_views = views
        .image_views
        .iter()
        .map(|view| plain(view, &card.fusion));
    let of_fusions = fusions()
        .into_iter()
        .map(|(params, _)| plain(&views.image_views[0], &params));
    of_views.chain(of_fusions).collect()
}

fn is_of_characters(view: &TextViewParams) -> bool {
    matches!(view.source, TextSource::Tokens(TokenParams::Characters(_)))
}

fn mutate(mutator: &mut Mutator, input: &mut Input) {
    for _ in 0..mutator.rounds().min(2) {
        mutator.number_in_text(&mut input.bytes);
    }
}

fn run(input: &Input, scratch: &Path) {
    if let Ok(recipe) = Recipe::load(&input.file(scratch)) {
        let _ = fit(&recipe);
    }
}

/// Blobs of colours, another for each number.
fn picture(i: u32) -> Picture {
    Picture::from_rgb(RgbImage::from_fn(48, 40, |x, y| {
        let noise = (x / 5 + 1)
            .wrapping_mul(y / 3 + 7)
            .wrapping_mul(2_654_435_761 + i);
        Rgb([noise >> 24, noise >> 16 & 0xff, noise >> 8 & 0xff].map(|v| v as u8))
    }))
}

fn fit(recipe: &Recipe) -> tuwen::Result<()> {
    for view in &recipe.image_views {
        image_view(recipe, view)?;
    }
    for view in recipe.text_views.iter().filter(|v| is_of_characters(v)) {
        let setup = TextViewSetup::new(view)?;
        let spec = setup.spec(view, Fingerprint::of(&"captions"), recipe.seed)?;
        let artifact = setup.fit(view, spec, &CAPTIONS)?;
        setup.load(&artifact)?.describe(&CAPTIONS)?;
    }
    let x = made_up(24, 8);
    Faiss::build(&recipe.index, x.view(), x.view())?.search(x.view(), 5)?;
    fusion(recipe, &x)
}

fn image_view(recipe: &Recipe, view: &ImageViewParams) -> tuwen::Result<()> {
    let pictures = [0, 1, 2].map(picture);
    let spec = view
        .feature
        .spec(&recipe.picture, Fingerprint::of(&"pictures"), recipe.seed)?;
    let artifact = view.feature.fit(spec, &pictures)?;
    let loaded = view.feature.load(&artifact)?;
    for (id, picture) in ["a", "b", "c"].iter().zip(&pictures) {
        loaded.describe(Shown {
            name: id,
            ..Shown::bare(picture)
        })?;
    }
    let x = view.map.additive(made_up(24, 12));
    let pca = view.pca.fit(x.view(), recipe.seed)?;
    if let KernelMap::Nystroem(params) = &view.map {
        let z = pca.transform(x.view())?;
        params.fit(z.view(), recipe.seed)?.transform(z.view())?;
    }
    Ok(())
}

fn fusion(recipe: &Recipe, x: &Array2<f32>) -> tuwen::Result<()> {
    let pairs: Vec<Pair> = (0..24).map(|i| Pair { image: i, text: i }).collect();
    let y = x.mapv(|v| v * v);
    let columns = |name: &str| Columns::side_by_side([(name, 8)]);
    let (image_views, text_views) = (
        columns(&recipe.image_views[0].name),
        columns(&recipe.text_views[0].name),
    );
    let data = Pairs {
        image_views: &image_views,
        text_views: &text_views,
        ..Pairs::new(x.view(), y.view(), &pairs)
    };
    let fitted = recipe.fusion.fit(data)?;
    fitted.project(Side::Image, x.view())?;
    Spec::new(fitted.stage(), &recipe.fusion, recipe.seed).fingerprint();
    Ok(())
}
