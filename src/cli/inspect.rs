use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use tuwen::artifact::{Artifact, read_header};
use tuwen::model::{self, Model};

use super::output;

/// Show what a model or an artifact is and what it was made from
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tuwen inspect demo.tuwen
  tuwen inspect vocab/demo/words-0123abcd.safetensors")]
pub struct Args {
    /// A model, or a .safetensors file made by tuwen
    file: PathBuf,
    /// Print the metadata as JSON
    #[arg(long)]
    json: bool,
}

/// Notes longer than this are cut for people (vocabularies are long).
const NOTES: usize = 400;

pub fn run(args: &Args) -> Result<ExitCode> {
    let header = read_header(&args.file)?;
    if header.spec.stage == model::STAGE {
        return inspect_model(args);
    }
    let artifact = Artifact::read(&args.file)?; // verifies the content
    if args.json {
        output::print(&serde_json::to_string_pretty(&header)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let spec = &header.spec;
    say!("stage        {}", spec.stage);
    say!("fingerprint  {}", spec.fingerprint());
    say!(
        "revision     {} (schema {}), seed {}",
        spec.revision,
        header.schema,
        spec.seed
    );
    say!("parameters   {}", spec.params);
    for (name, fingerprint) in &spec.inputs {
        say!("made from    {name} {fingerprint}");
    }
    for (name, dtype, shape) in artifact.tensors() {
        say!("tensor       {name} {dtype} {shape:?}");
    }
    if !header.notes.is_null() {
        let notes = header.notes.to_string();
        let shown: String = notes.chars().take(NOTES).collect();
        let cut = if shown.len() < notes.len() {
            " ... (--json prints all)"
        } else {
            ""
        };
        say!("notes        {shown}{cut}");
    }
    say!("content      {} (verified)", header.content);
    Ok(ExitCode::SUCCESS)
}

fn inspect_model(args: &Args) -> Result<ExitCode> {
    let model = Model::open(&args.file)?;
    model.verify()?;
    let about = model.about();
    if args.json {
        output::json(about)?;
        return Ok(ExitCode::SUCCESS);
    }
    say!("model        {} (verified)", model.fingerprint());
    say!("recipe       {}: {}", about.recipe.name, about.recipe.about);
    match about.recipe.learns_nothing() {
        true => say!("learned from no pairs"),
        false => say!("learned from {} pairs", about.training_pairs),
    }
    if let Some(score) = about.validation {
        say!("validation   mR {score:.2}");
    }
    say!("shared space {} dimensions", about.dim);
    match about.words {
        Some(setting) => say!(
            "words        those in pictures are {:.0} % of a score",
            100.0 * setting.share
        ),
        None => say!("words        those in pictures do not count"),
    }
    match about.captions {
        0 => say!(
            "holds        the vocabulary of the training captions; no caption, no picture, no path of one"
        ),
        n => say!(
            "holds        {n} training captions and their vocabulary (`fit --no-captions` leaves the captions out); no \
             picture, no path of one"
        ),
    }
    for part in model.parts() {
        say!(
            "part         {} ({}), {} bytes",
            part.name,
            part.stage,
            part.bytes
        );
    }
    Ok(ExitCode::SUCCESS)
}
