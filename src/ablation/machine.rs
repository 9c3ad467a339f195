//! Where a figure was measured: the machine and the commit of the sources.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

/// The machine that a run was measured on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Machine {
    /// Name and version of the operating system (`PRETTY_NAME` of `/etc/os-release`).
    pub os: String,
    /// Processor architecture, such as `x86_64`.
    pub arch: String,
    /// Model name of the processor; `unknown` if the system does not say.
    pub cpu: String,
    /// Number of cores that this process may use.
    pub cores: usize,
    /// Number of worker threads of the run.
    pub threads: usize,
    /// Version of OpenCV: descriptors and decoded pictures differ a little between versions.
    pub opencv: String,
}

impl Machine {
    /// Describes the machine that this process runs on.
    pub fn this() -> Self {
        Self {
            os: field("/etc/os-release", "PRETTY_NAME", '=')
                .unwrap_or_else(|| std::env::consts::OS.into()),
            arch: std::env::consts::ARCH.into(),
            cpu: field("/proc/cpuinfo", "model name", ':').unwrap_or_else(|| "unknown".into()),
            cores: std::thread::available_parallelism().map_or(1, Into::into),
            threads: rayon::current_num_threads(),
            opencv: opencv::core::get_version_string().unwrap_or_else(|_| "unknown".into()),
        }
    }
}

impl std::fmt::Display for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}, {} cores of {} ({}), OpenCV {}",
            self.os, self.cores, self.cpu, self.arch, self.opencv
        )
    }
}

/// The value after `key` in a file of lines `key=value` or `key : value`.
fn field(path: &str, key: &str, separator: char) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let mut pairs = text.lines().filter_map(|line| line.split_once(separator));
    let (_, value) = pairs.find(|(k, _)| k.trim() == key)?;
    Some(value.trim().trim_matches('"').to_owned())
}

/// The state of the repository that holds the sources.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Commit {
    /// Full hash of the commit.
    pub id: String,
    /// Tracked files differ from the commit; pages, plots and run files do not count.
    pub modified: bool,
}

impl Commit {
    /// The current commit of the repository that `folder` lies in; `None` outside a repository or without git.
    pub fn of(folder: &Path) -> Option<Self> {
        let folder = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        let git = |args: &[&str]| {
            let mut command = Command::new("git");
            command.arg("-C").arg(folder).args(args);
            command.stdin(Stdio::null()).output().ok()
        };
        let head = git(&["rev-parse", "--verify", "HEAD"]).filter(|o| o.status.success())?;
        let id = String::from_utf8(head.stdout).ok()?.trim().to_owned();
        let written = [":(top)", ":!runs", ":!plots", ":!*.md"];
        let diff = git(&[&["diff", "--quiet", "HEAD", "--"][..], &written].concat())?;
        Some(Self {
            id,
            modified: !diff.status.success(),
        })
    }
}

impl std::fmt::Display for Commit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let short: String = self.id.chars().take(12).collect();
        write!(
            f,
            "{short}{}",
            if self.modified { " with changes" } else { "" }
        )
    }
}
