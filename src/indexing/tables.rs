//! Captions and tags of pictures, from tables.

use std::collections::BTreeMap;
use std::path::Path;

use crate::dataset::{About, ReadOptions, about_pictures};
use crate::error::Result;

/// Texts by picture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Texts {
    /// By the name that the table has.
    by_name: BTreeMap<String, Vec<String>>,
    /// The names that end in each file name: a table may name files without their folders.
    by_file: BTreeMap<String, Vec<String>>,
}

impl Texts {
    fn read(path: &Path, what: About, options: &ReadOptions) -> Result<Self> {
        let mut texts = Self::default();
        for (name, text) in about_pictures(path, what, options)? {
            let name = name.replace('\\', "/");
            texts.by_name.entry(name).or_default().push(text);
        }
        for name in texts.by_name.keys() {
            let file = file_name(name).to_owned();
            texts.by_file.entry(file).or_default().push(name.clone());
        }
        Ok(texts)
    }

    /// The texts of a picture: by its path below the folder, or by its file name where the table has that name alone.
    fn of(&self, id: &str) -> &[String] {
        if let Some(texts) = self.by_name.get(id) {
            return texts;
        }
        match self.by_file.get(file_name(id)).map(Vec::as_slice) {
            Some([name]) if name == file_name(id) => &self.by_name[name],
            _ => &[],
        }
    }
}

impl FromIterator<(String, Vec<String>)> for Texts {
    fn from_iter<I: IntoIterator<Item = (String, Vec<String>)>>(texts: I) -> Self {
        Self {
            by_name: texts.into_iter().collect(),
            by_file: BTreeMap::new(),
        }
    }
}

fn file_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// Captions of pictures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captions(Texts);

impl Captions {
    /// Reads a table with a column of pictures and one of captions.
    ///
    /// # Errors
    /// Those of [`about_pictures`].
    pub fn read(path: &Path, options: &ReadOptions) -> Result<Self> {
        Texts::read(path, About::Captions, options).map(Self)
    }

    /// The captions of a picture, by its path below the folder.
    pub fn of(&self, id: &str) -> &[String] {
        self.0.of(id)
    }
}

impl FromIterator<(String, Vec<String>)> for Captions {
    /// By the paths of pictures below the folder.
    fn from_iter<I: IntoIterator<Item = (String, Vec<String>)>>(texts: I) -> Self {
        Self(texts.into_iter().collect())
    }
}

impl FromIterator<(String, Vec<String>)> for Tags {
    /// By the paths of pictures below the folder.
    fn from_iter<I: IntoIterator<Item = (String, Vec<String>)>>(texts: I) -> Self {
        Self(texts.into_iter().collect())
    }
}

/// Tags of pictures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags(Texts);

impl Tags {
    /// Reads a table with a column of pictures and one of tags, which commas or semicolons separate.
    ///
    /// # Errors
    /// Those of [`about_pictures`].
    pub fn read(path: &Path, options: &ReadOptions) -> Result<Self> {
        let mut texts = Texts::read(path, About::Tags, options)?;
        for tags in texts.by_name.values_mut() {
            let each = tags
                .iter()
                .flat_map(|t| t.split([',', ';', '，', '；', '、', '|']));
            let each = each.map(str::trim).filter(|t| !t.is_empty());
            *tags = each.map(str::to_owned).collect();
            tags.dedup();
        }
        Ok(Self(texts))
    }

    /// The tags of a picture, by its path below the folder.
    pub fn of(&self, id: &str) -> &[String] {
        self.0.of(id)
    }
}
