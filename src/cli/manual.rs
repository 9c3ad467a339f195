use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::CommandFactory;
use clap_complete::Shell;
use tuwen::files;

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

/// Where shells look.
const COMPLETIONS: [(Shell, &str); 3] = [
    (Shell::Bash, "bash-completion/completions/tuwen"),
    (Shell::Zsh, "zsh/vendor-completions/_tuwen"),
    (Shell::Fish, "fish/vendor_completions.d/tuwen.fish"),
];

pub fn run(args: &Args) -> Result<ExitCode> {
    let mut command = super::Args::command().name("tuwen");
    let pages = args.out.join("man/man1");
    fs::create_dir_all(&pages).with_context(|| format!("cannot create {}", pages.display()))?;
    clap_mangen::generate_to(command.clone(), &pages)
        .with_context(|| format!("cannot write into {}", pages.display()))?;
    for (shell, file) in COMPLETIONS {
        let mut text = Vec::new();
        clap_complete::generate(shell, &mut command, "tuwen", &mut text);
        files::write(&args.out.join(file), &text)?;
    }
    Ok(ExitCode::SUCCESS)
}
