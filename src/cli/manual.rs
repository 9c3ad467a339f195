use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::CommandFactory;
use clap_complete::Shell;

/// Write manual pages, and completions for bash, zsh and fish
#[derive(clap::Args)]
#[command(after_help = "\
They are laid out as under /usr/share, so that one folder serves all of them.

Examples:
  tuwen manual ~/.local/share        then: man tuwen-search; and bash completes the verbs")]
pub struct Args {
    /// Folder that gets man/man1, bash-completion, zsh and fish
    #[arg(value_name = "DIR")]
    out: PathBuf,
}

/// Where shells look, and for what.
const COMPLETIONS: [(Shell, &str, &str); 3] = [
    (Shell::Bash, "bash-completion/completions", "tuwen"),
    (Shell::Zsh, "zsh/vendor-completions", "_tuwen"),
    (Shell::Fish, "fish/vendor_completions.d", "tuwen.fish"),
];

pub fn run(args: &Args) -> Result<ExitCode> {
    let folder = |name: &str| -> Result<PathBuf> {
        let dir = args.out.join(name);
        fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
        Ok(dir)
    };
    let mut command = super::Args::command().name("tuwen");
    let pages = folder("man/man1")?;
    clap_mangen::generate_to(command.clone(), &pages)
        .with_context(|| format!("cannot write into {}", pages.display()))?;
    for (shell, dir, name) in COMPLETIONS {
        let mut text = Vec::new();
        clap_complete::generate(shell, &mut command, "tuwen", &mut text);
        write(&folder(dir)?.join(name), &text)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn write(path: &Path, text: &[u8]) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
