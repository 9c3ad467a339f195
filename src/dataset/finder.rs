//! Finds the file that an id means, although names are written in one way in tables and in another on disk.
//!
//! From the closest to the loosest likeness: the exact name or path; a path with more or fewer folders than the
//! file's; the same after Unicode normalisation; in another case; without or with another extension. Only the
//! closest likeness of any file counts. If two files share it, or two ids are equally close to one file, nothing is
//! found: a wrong pair is worse than none.

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization;

/// The file that an id means, as an index into the paths given to [`Finder::new`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// This file.
    One(usize),
    /// No file.
    None,
    /// Any of these files.
    Several(Vec<usize>),
    /// This file, but another id names it at least as closely.
    Taken {
        /// Index of the file.
        file: usize,
        /// The other id.
        by: String,
    },
}

/// Normal forms in which names are compared, the strictest first.
type Likeness = fn(&str) -> String;

const LIKENESSES: [Likeness; 4] = [
    str::to_owned,
    |name| name.nfc().collect(),
    lower,
    |name| stem(&lower(name)).to_owned(),
];

fn lower(name: &str) -> String {
    name.nfc().flat_map(char::to_lowercase).nfc().collect()
}

/// Extensions that may differ between an id and its file.
const EXTENSIONS: [&str; 18] = [
    "jpg", "jpeg", "jpe", "jfif", "png", "gif", "bmp", "tif", "tiff", "webp", "heic", "heif",
    "avif", "ico", "ppm", "pgm", "pnm", "jp2",
];

/// A lower-case name without the extension of a picture.
fn stem(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() && EXTENSIONS.contains(&extension) => stem,
        _ => name,
    }
}

/// Whether a name has the extension of a picture.
pub(super) fn is_picture_name(name: &str) -> bool {
    let name = name.to_lowercase();
    stem(&name) != name
}

/// File names to search, as paths below a folder, with `/`.
pub struct Finder {
    paths: Vec<String>,
    /// Per likeness, the files for each name without folders.
    names: Vec<BTreeMap<String, Vec<usize>>>,
    /// Number of leading folders that all files share.
    shared: usize,
}

fn split(path: &str) -> (Vec<&str>, &str) {
    let mut folders: Vec<&str> = path
        .split(['/', '\\'])
        .filter(|p| !matches!(*p, "" | "."))
        .collect();
    let name = folders.pop().unwrap_or_default();
    (folders, name)
}

/// A path without redundant parts: `.\\a\\b.jpg` becomes `a/b.jpg`.
fn tidy(path: &str) -> String {
    let (mut folders, name) = split(path);
    folders.push(name);
    folders.join("/")
}

impl Finder {
    /// Prepares paths below a folder, with `/`, for finding.
    pub fn new(paths: Vec<String>) -> Self {
        let mut names = vec![BTreeMap::new(); LIKENESSES.len()];
        for (file, path) in paths.iter().enumerate() {
            for (likeness, names) in LIKENESSES.iter().zip(&mut names) {
                let files: &mut Vec<usize> = names.entry(likeness(split(path).1)).or_default();
                files.push(file);
            }
        }
        let mut folders = paths.iter().map(|p| split(p).0);
        let first = folders.next().unwrap_or_default();
        let alike = |other: Vec<&str>| {
            first
                .iter()
                .zip(other)
                .take_while(|(a, b)| **a == *b)
                .count()
        };
        let shared = folders.map(alike).min().unwrap_or(first.len());
        Self {
            paths,
            names,
            shared,
        }
    }

    /// The file that each id means. If two ids fit one file equally well, neither gets it; equal ids get the same
    /// file.
    pub fn find_all(&self, ids: &[&str]) -> Vec<Found> {
        let found: Vec<(Found, usize)> = ids.iter().map(|id| self.find_one(id)).collect();
        let ids: Vec<String> = ids.iter().map(|id| tidy(id)).collect();
        let mut claims: BTreeMap<usize, Vec<(usize, &str)>> = BTreeMap::new(); // how close which id is to a file
        for (id, (found, likeness)) in ids.iter().zip(&found) {
            if let Found::One(file) = found {
                claims.entry(*file).or_default().push((*likeness, id));
            }
        }
        let settle = |(id, (found, likeness)): (&String, (Found, usize))| {
            let Found::One(file) = found else {
                return found;
            };
            let rivals = claims[&file].iter().filter(|(_, other)| other != id);
            match rivals.min() {
                Some(&(closeness, by)) if closeness <= likeness => Found::Taken {
                    file,
                    by: by.to_owned(),
                },
                _ => found,
            }
        };
        ids.iter().zip(found).map(settle).collect()
    }

    /// The file that one id means, if there were no others.
    pub fn find(&self, id: &str) -> Found {
        self.find_one(id).0
    }

    /// Whether the id could mean any file.
    pub fn knows(&self, id: &str) -> bool {
        self.find(id) != Found::None
    }

    /// The file that an id means, and how loosely: 0 is the exact path or name.
    fn find_one(&self, id: &str) -> (Found, usize) {
        let (folders, name) = split(id);
        for (i, (likeness, names)) in LIKENESSES.iter().zip(&self.names).enumerate() {
            let Some(files) = names.get(&likeness(name)) else {
                continue;
            };
            let [exact, related] = self.by_folders(files, &folders, LIKENESSES[i.min(2)]);
            for (step, files) in [exact, related].into_iter().enumerate() {
                match files[..] {
                    [] => {}
                    [file] => return (Found::One(file), 2 * i + step),
                    _ => return (Found::Several(files), 2 * i + step),
                }
            }
        }
        (Found::None, usize::MAX)
    }

    /// Selects from files with the right name: those with exactly this path, and those whose folders do not
    /// contradict it. Folders agree if the shorter list is the end of the longer, apart from folders that all files
    /// share.
    fn by_folders(&self, files: &[usize], folders: &[&str], likeness: Likeness) -> [Vec<usize>; 2] {
        let wanted: Vec<String> = folders.iter().map(|f| likeness(f)).collect();
        let of = |&file: &usize| {
            split(&self.paths[file])
                .0
                .into_iter()
                .map(likeness)
                .collect::<Vec<_>>()
        };
        let exact: Vec<usize> = files.iter().copied().filter(|f| of(f) == wanted).collect();
        let fits = |file: &usize| {
            let own = of(file);
            own.ends_with(&wanted)
                || wanted.ends_with(&own[self.shared..])
                || wanted.ends_with(&own)
        };
        [exact, files.iter().copied().filter(fits).collect()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(paths: &[&str], id: &str) -> Found {
        Finder::new(paths.iter().map(|p| (*p).to_owned()).collect()).find(id)
    }

    #[test]
    fn the_closest_likeness_counts() {
        let files = [
            "a.jpg",
            "A.JPG",
            "b.JPG",
            "c.png",
            "e\u{301}.png",
            "IMG.2021.jpg",
        ];
        assert_eq!(find(&files, "a.jpg"), Found::One(0));
        assert_eq!(find(&files, "A.jpg"), Found::Several(vec![0, 1]));
        assert_eq!(find(&files, "b.jpg"), Found::One(2));
        assert_eq!(find(&files, "c"), Found::One(3));
        assert_eq!(find(&files, "C.jpeg"), Found::One(3));
        assert_eq!(find(&files, "\u{e9}.png"), Found::One(4));
        assert_eq!(find(&files, "IMG.2021"), Found::One(5));
        assert_eq!(find(&files, "c.v2"), Found::None);
        assert_eq!(find(&files, ""), Found::None);
    }

    #[test]
    fn folders_decide_between_files_of_one_name() {
        let files = ["x/1.jpg", "y/1.jpg", "y/2.jpg"];
        assert_eq!(find(&files, "1.jpg"), Found::Several(vec![0, 1]));
        assert_eq!(find(&files, "y/1.jpg"), Found::One(1));
        assert_eq!(find(&files, ".\\Y\\1.JPG"), Found::One(1));
        assert_eq!(find(&files, "ImageData/x/1"), Found::One(0));
        assert_eq!(
            find(&files, "x/2.jpg"),
            Found::None,
            "another folder, another picture"
        );
        assert_eq!(find(&files, "2"), Found::One(2));
    }

    #[test]
    fn folders_that_all_files_share_do_not_matter() {
        let files = ["ImageData/1.jpg", "ImageData/2.jpg"];
        assert_eq!(find(&files, "images/1.jpg"), Found::One(0));
        assert_eq!(find(&files, "/home/me/2.jpg"), Found::One(1));
    }

    #[test]
    fn a_file_belongs_to_the_closest_id() {
        let finder = Finder::new(vec!["a.png".into(), "b.png".into()]);
        let taken = |by: &str, file| Found::Taken {
            file,
            by: by.into(),
        };
        assert_eq!(
            finder.find_all(&["a", "a.png", "a.png", "b.jpg", "b.gif"]),
            [
                taken("a.png", 0),
                Found::One(0),
                Found::One(0),
                taken("b.gif", 1),
                taken("b.jpg", 1)
            ]
        );
    }
}
