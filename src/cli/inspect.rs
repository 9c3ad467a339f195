use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use tuwen::artifact::{Artifact, read_header};

use super::output;

/// Show what an artifact is and what it was made from
#[derive(clap::Args)]
#[command(after_help = "\
Example:
  tuwen inspect vocab/demo/words-0123abcd.safetensors")]
pub struct Args {
    /// A .safetensors file made by tuwen
    file: PathBuf,
    /// Print the metadata as JSON
    #[arg(long)]
    json: bool,
}

/// Notes longer than this are cut for people (vocabularies are long).
const NOTES: usize = 400;

pub fn run(args: &Args) -> Result<ExitCode> {
    let header = read_header(&args.file)?;
    let artifact = Artifact::read(&args.file)?; // verifies the content
    if args.json {
        output::print(&serde_json::to_string_pretty(&header)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let spec = &header.spec;
    say!("stage        {}", spec.stage);
    say!("fingerprint  {}", spec.fingerprint());
    say!(
        "made by      tuwen {} (schema {}), seed {}",
        spec.version,
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
