//! A picture file to all that a gallery keeps of it.

use rayon::prelude::*;

use super::rows::{bag, charge, halves};
use super::{Found, NOT_A_PICTURE, Source};
use crate::artifact::Fingerprint;
use crate::copies::WordsParams;
use crate::engine::keypoints;
use crate::error::{Error, Result};
use crate::files::written;
use crate::fusion::Side;
use crate::gallery::{Bag, Facts, Known, NewCaption, NewItem, PictureRow, Seen, TextRow, Touch};
use crate::model::Model;
use crate::ocr::{Line, joined};
use crate::picture::exif::Taken;
use crate::picture::{Picture, format_name, is_picture};
use crate::views::Shown;

/// Describes pictures and texts with a model.
pub struct Describer<'a> {
    model: &'a Model,
}

/// A file as it goes into a gallery.
pub(super) struct Described(pub NewItem);

impl Described {
    pub fn is_bad(&self) -> bool {
        matches!(self.0.seen, Seen::Bad(_))
    }

    pub fn is_no_picture(&self) -> bool {
        matches!(&self.0.seen, Seen::Bad(reason) if reason == NOT_A_PICTURE)
    }
}

/// What came of looking at a file.
pub(super) enum Looked {
    /// The file was touched, and has the same contents.
    Same(Touch),
    New(Box<Described>),
    /// It cannot be read now, and perhaps the next time.
    Unreadable(String),
}

impl<'a> Describer<'a> {
    pub(super) fn new(model: &'a Model) -> Self {
        Self { model }
    }

    /// Loads all that describing takes, so that the threads that share it do not each load their own.
    pub(super) fn prepare(&self) -> Result<()> {
        let model = self.model;
        model.picture_side()?;
        model.look_dim()?;
        model.visual_words()?;
        model.lexicon()?;
        model.words_reader().map(drop)
    }

    /// The terms of a text.
    fn bag(&self, text: &str) -> Result<Bag> {
        Ok(bag(self.model.lexicon()?, text))
    }

    /// What a file is, and whether it is what it was before.
    ///
    /// # Errors
    /// Those that may be gone the next time.
    pub(super) fn look(
        &self,
        file: &Found,
        before: Option<&Known>,
        source: &Source,
    ) -> Result<Looked> {
        if !is_picture(&file.path) {
            return Ok(Looked::New(Box::new(self.not_a_picture(file))));
        }
        let bytes = match crate::picture::read(&file.path) {
            Ok(bytes) => bytes,
            Err(e) if e.is_passing() => return Ok(Looked::Unreadable(e.to_string())),
            Err(e) => {
                return Ok(Looked::New(Box::new(self.unusable(
                    file,
                    "",
                    e.to_string(),
                ))));
            }
        };
        let digest = Fingerprint::of_bytes(&bytes).to_string();
        if let Some(known) = before
            && known.digest == digest
            && !known.bad
            && source.has_tags(&file.id, known)
        {
            return Ok(Looked::Same(Touch {
                key: known.key,
                path: written(&file.path),
                bytes: file.bytes,
                mtime_ns: file.mtime_ns,
            }));
        }
        self.picture(file, &bytes, digest, source)
            .map(|d| Looked::New(Box::new(d)))
    }

    fn not_a_picture(&self, file: &Found) -> Described {
        self.unusable(file, "", NOT_A_PICTURE.into())
    }

    fn unusable(&self, file: &Found, digest: &str, reason: String) -> Described {
        Described(NewItem {
            facts: facts(file, digest.to_owned()),
            seen: Seen::Bad(reason),
            captions: None,
        })
    }

    fn picture(
        &self,
        file: &Found,
        bytes: &[u8],
        digest: String,
        source: &Source,
    ) -> Result<Described> {
        let seen = self.see(file, bytes);
        let (row, size, lines) = match seen {
            Ok(seen) => seen,
            Err(e @ (Error::Picture { .. } | Error::OpenCv { .. })) => {
                return Ok(self.unusable(file, &digest, e.to_string()));
            }
            Err(e) => return Err(e),
        };
        let tags: Vec<String> = source
            .tags
            .as_ref()
            .map_or(vec![], |t| t.of(&file.id).to_vec());
        let taken = Taken::read(bytes);
        let facts = Facts {
            width: size.0,
            height: size.1,
            taken: taken.at.map(spelled),
            camera: taken.camera,
            format: format_name(bytes).to_owned(),
            read: serde_json::to_value(&lines).expect("lines are plain data"),
            tags: tags.clone(),
            ..facts(file, digest)
        };
        let captions = source
            .captions
            .as_ref()
            .map(|c| self.captions(&file.id, c.of(&file.id)));
        Ok(Described(NewItem {
            facts,
            seen: Seen::Good(PictureRow {
                tags: self.bag(&tags.join("\n"))?,
                ..row
            }),
            captions: captions.transpose()?,
        }))
    }

    fn see(&self, file: &Found, bytes: &[u8]) -> Result<(PictureRow, (u32, u32), Vec<Line>)> {
        let params = &self.model.recipe().picture;
        let (picture, size) = Picture::decode_with_size(bytes, params)?;
        let lines = self.model.read(bytes)?;
        let text = joined(&lines);
        let described = self.model.describe(Shown {
            name: &file.id,
            picture: &picture,
            text: &text,
        })?;
        let for_copies = WordsParams::default().picture;
        let copies = match params.size() == for_copies.size() {
            true => keypoints(self.model, &picture)?,
            false => keypoints(self.model, &Picture::decode(bytes, &for_copies)?)?,
        };
        let row = PictureRow {
            point: halves(described.point.view()),
            charge: charge(described.usable, described.charge),
            look: halves(described.look.view()),
            copies,
            read: self.bag(&text)?,
            tags: Bag::default(),
        };
        Ok((row, size, lines))
    }

    /// The captions of a picture, numbered.
    pub(super) fn captions(&self, id: &str, captions: &[String]) -> Result<Vec<NewCaption>> {
        let numbered = captions.iter().enumerate();
        let texts: Vec<_> = numbered
            .map(|(i, c)| (format!("{id}#{i}"), c.clone()))
            .collect();
        self.texts(&texts)
    }

    /// Texts with their ids.
    pub(super) fn texts(&self, texts: &[(String, String)]) -> Result<Vec<NewCaption>> {
        if texts.is_empty() {
            return Ok(vec![]);
        }
        let captions: Vec<&str> = texts.iter().map(|(_, c)| c.as_str()).collect();
        let points = self.model.embed_texts(&captions)?;
        let charges = self.model.charges(Side::Text, &points)?;
        let lexicon = self.model.lexicon()?;
        let row = |(i, (id, caption)): (usize, &(String, String))| NewCaption {
            id: id.clone(),
            caption: caption.clone(),
            row: TextRow {
                point: halves(points.x.row(i)),
                charge: charge(points.usable[i], charges[i]),
                terms: bag(lexicon, caption),
            },
        };
        Ok(texts.par_iter().enumerate().map(row).collect())
    }
}

fn facts(file: &Found, digest: String) -> Facts {
    let folder = file.id.rsplit_once('/').map_or("", |(folder, _)| folder);
    Facts {
        id: file.id.clone(),
        path: written(&file.path),
        bytes: file.bytes,
        mtime_ns: file.mtime_ns,
        digest,
        folder: folder.to_owned(),
        read: serde_json::Value::Array(vec![]),
        ..Facts::default()
    }
}

/// YYYYMMDDhhmmss as ISO 8601 has it.
fn spelled(at: i64) -> String {
    let part = |divisor: i64, modulus: i64| at / divisor % modulus;
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
        at / 10_000_000_000,
        part(100_000_000, 100),
        part(1_000_000, 100),
        part(10_000, 100),
        part(100, 100),
        part(1, 100)
    )
}
