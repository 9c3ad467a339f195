//! Packages of the npm registry, by `npm pack` or curl, checked by SHA-256.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs, io};

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};

struct Package {
    /// As `npm pack` takes it.
    name: &'static str,
    /// As `npm pack` writes it.
    file: &'static str,
    sha256: &'static str,
}

const PACKAGES: [Package; 3] = [
    Package {
        name: "@lobehub/fluent-emoji-3d@1.1.0",
        file: "lobehub-fluent-emoji-3d-1.1.0.tgz",
        sha256: "c1bb7eee7de090205a232518a9ab4adb3df458bfbe8a1f78232991194c8b2e58",
    },
    Package {
        name: "cldr-annotations-full@48.2.0",
        file: "cldr-annotations-full-48.2.0.tgz",
        sha256: "28576e51225deb51e3ddd734b0f824a0079682cb5d8c27faa9f68149317a14d1",
    },
    Package {
        name: "cldr-annotations-derived-full@48.2.0",
        file: "cldr-annotations-derived-full-48.2.0.tgz",
        sha256: "4be946ff5815f806ec78b50363d577a769f2fbfb90c6380a44e161a92436996e",
    },
];

impl Package {
    /// Where the registry has it: NAME/-/FILE, and the file is not named after the scope.
    fn url(&self) -> String {
        let registry = env::var("npm_config_registry")
            .unwrap_or_else(|_| "https://registry.npmjs.org".to_owned());
        let (name, version) = self.name.rsplit_once('@').unwrap_or((self.name, ""));
        let file = name.rsplit('/').next().unwrap_or(name);
        let registry = registry.trim_end_matches('/');
        format!("{registry}/{name}/-/{file}-{version}.tgz")
    }
}

/// The fetched archives.
pub struct Archives {
    pub pictures: PathBuf,
    pub annotations: PathBuf,
    pub derived: PathBuf,
}

/// Fetches what is not in `dir` yet.
pub fn fetch(dir: &Path) -> Result<Archives> {
    fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
    for package in &PACKAGES {
        let path = dir.join(package.file);
        if !path.exists() {
            pack(package, dir)?;
        }
        let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let found: String = Sha256::digest(&bytes)
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        if found != package.sha256 {
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
            bail!(
                "{} had SHA-256 {found}, expected {}; it was removed: run again to fetch it anew",
                path.display(),
                package.sha256
            );
        }
    }
    let [pictures, annotations, derived] = PACKAGES.map(|p| dir.join(p.file));
    Ok(Archives {
        pictures,
        annotations,
        derived,
    })
}

/// By npm, which knows the mirror that the user has chosen; where it is not installed, by curl.
fn pack(package: &Package, dir: &Path) -> Result<()> {
    tracing::info!("fetching {}", package.name);
    let mut npm = Command::new("npm");
    npm.args(["pack", "--silent", package.name, "--pack-destination"])
        .arg(dir);
    let mut curl = Command::new("curl");
    curl.args([
        "--silent",
        "--show-error",
        "--fail",
        "--location",
        "--output",
    ])
    .arg(dir.join(package.file))
    .arg(package.url());
    for command in [&mut npm, &mut curl] {
        match command.stdout(Stdio::null()).status() {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(e).context("cannot run npm or curl"),
            Ok(status) => {
                ensure!(
                    status.success(),
                    "{} could not be fetched ({status}); is there a network?",
                    package.name
                );
                return Ok(());
            }
        }
    }
    bail!(
        "neither npm nor curl is there to fetch {}; install one, or put {} into {} yourself",
        package.name,
        package.file,
        dir.display()
    )
}
