//! Files of folders, and tables that name them.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tuwen::files::{printable, walk, written};
use tuwen::picture::{PictureParams, is_picture, limits};
use tuwen::progress::warn_each;

/// What decoding may cost.
#[derive(clap::Args)]
pub struct Limits {
    /// Largest picture that is decoded, in pixels [default: 250000000, or what the recipe says]
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u64).range(1..=MOST_PIXELS))]
    pub max_pixels: Option<u64>,
    /// Memory that all decoders may use together; large pictures wait for each other
    #[arg(long, value_name = "MIB", default_value_t = limits::DEFAULT_MEMORY >> 20, value_parser = clap::value_parser!(u64).range(1..=1 << 30))]
    max_memory: u64,
}

/// As in a recipe.
const MOST_PIXELS: u64 = 4_000_000_000;

impl Limits {
    /// For verbs without a recipe.
    pub fn pixels(&self) -> u64 {
        self.max_pixels
            .unwrap_or(PictureParams::default().max_pixels)
    }

    /// From now on, in this process.
    pub fn set(&self) {
        limits::set_memory(self.max_memory << 20);
    }
}

/// The pictures below a folder, by name: files that are named or begin as one. Others are left out, and counted.
pub fn pictures_below(folder: &Path, hidden: bool) -> Result<Vec<PathBuf>> {
    let found = walk(folder, hidden)?;
    let place = printable(folder);
    warn_each(
        "file or folder that cannot be read (skipped)",
        found.unreadable.into_iter(),
    );
    let all = found.files.len();
    let mut pictures = found.files;
    pictures.retain(|path| is_picture(path));
    let others = all - pictures.len();
    if others > 0 {
        tracing::info!("{place}: {others} files are not pictures (skipped)");
    }
    if found.left_out > 0 {
        tracing::info!(
            "{place}: {} hidden files and folders, trash, thumbnails and special files are skipped; --hidden looks at all \
             but the special files",
            found.left_out
        );
    }
    Ok(pictures)
}

/// A file's name below a folder, by which it can be found again; see [`written`].
pub fn relative(folder: &Path, path: &Path) -> String {
    written(path.strip_prefix(folder).unwrap_or(path))
}

/// A table of files, for programs or for spreadsheets.
pub struct Table {
    writer: csv::Writer<Vec<u8>>,
    spreadsheet: bool,
}

impl Table {
    pub fn new(spreadsheet: bool, header: &[&str]) -> Result<Self> {
        let start = match spreadsheet {
            true => "\u{feff}".as_bytes().to_vec(), // or they take it for another encoding
            false => vec![],
        };
        let mut writer = csv::Writer::from_writer(start);
        writer.write_record(header)?;
        Ok(Self {
            writer,
            spreadsheet,
        })
    }

    /// A file's name as a cell. Spreadsheets take cells that begin so for formulas, and run them
    /// (<https://owasp.org/www-community/attacks/CSV_Injection>).
    pub fn name(&self, name: String) -> String {
        match self.spreadsheet && name.starts_with(['=', '+', '-', '@', '\t', '\r']) {
            true => format!("'{name}"),
            false => name,
        }
    }

    pub fn row(&mut self, cells: &[String]) -> Result<()> {
        Ok(self.writer.write_record(cells)?)
    }

    pub fn bytes(self) -> Result<Vec<u8>> {
        self.writer.into_inner().context("cannot write the table")
    }
}
