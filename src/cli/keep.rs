//! Which picture of a group is proposed to be kept.

use std::cmp::Ordering;
use std::path::Path;
use std::time::SystemTime;

/// What pictures of a group are judged by.
pub struct Measured {
    pub width: u32,
    pub height: u32,
    pub bytes: usize,
    pub sharpness: f64,
    pub modified: SystemTime,
}

/// Largest first, then sharpest, then those whose names are not a copy's, then the oldest, then the shortest path.
pub fn best_first<T>(group: &mut [T], of: impl Fn(&T) -> (&Path, &Measured)) {
    let stems: Vec<String> = group.iter().filter_map(|t| stem(of(t).0)).collect();
    let is_copy = |file: &Path| match copy_of(file) {
        Some(Copied::Surely) => true,
        Some(Copied::Of(base)) => stems.contains(&base),
        None => false,
    };
    let length = |file: &Path| file.as_os_str().len();
    group.sort_by(|a, b| {
        let ((file_a, a), (file_b, b)) = (of(a), of(b));
        larger(a, b)
            .then_with(|| b.sharpness.total_cmp(&a.sharpness))
            .then_with(|| is_copy(file_a).cmp(&is_copy(file_b)))
            .then_with(|| a.modified.cmp(&b.modified))
            .then_with(|| length(file_a).cmp(&length(file_b)))
            .then_with(|| file_a.cmp(file_b))
    });
}

fn larger(a: &Measured, b: &Measured) -> Ordering {
    let pixels = |m: &Measured| u64::from(m.width) * u64::from(m.height);
    pixels(b).cmp(&pixels(a))
}

/// What a file's name says of being a copy.
#[derive(Debug, PartialEq, Eq)]
pub enum Copied {
    /// As systems name copies.
    Surely,
    /// If a file of that stem is there: `a_1` is a copy's name beside `a` alone.
    Of(String),
}

/// Words that systems put behind a copy's name, in lower case, and before it.
const BEHIND: &[&str] = &[
    "copy",
    "副本",
    "拷贝",
    "复制",
    "複製",
    "副本文件",
    "コピー",
    "복사본",
    "kopie",
    "copie",
    "copia",
    "cópia",
    "копия",
];
const BEFORE: &[&str] = &[
    "copy of ",
    "副本 ",
    "kopie von ",
    "copie de ",
    "copia de ",
    "cópia de ",
    "复件 ",
];

/// None where the name is not a copy's.
pub fn copy_of(file: &Path) -> Option<Copied> {
    let stem = stem(file)?;
    let (rest, number) = without_number(&stem);
    let behind = |name: &str| {
        let name = name.trim_end();
        BEHIND.iter().any(|word| {
            let before = name.strip_suffix(word);
            before.is_some_and(|b| {
                b.is_empty() || !word.is_ascii() || !b.ends_with(char::is_alphanumeric)
            })
        })
    };
    let surely = number == Some(Number::InBrackets)
        || behind(&stem)
        || (number.is_some() && behind(rest))
        || BEFORE.iter().any(|word| stem.starts_with(word));
    match number {
        _ if surely => Some(Copied::Surely),
        Some(Number::Bare) => Some(Copied::Of(rest.to_owned())),
        _ => None,
    }
}

#[derive(PartialEq, Eq)]
enum Number {
    InBrackets,
    Bare,
}

/// Without the number of a copy: `a (2)`, `a（2）`, `a~2`, `a_2`, `a-2`, `a 2`.
fn without_number(stem: &str) -> (&str, Option<Number>) {
    let digits = |s: &str| (1..=3).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_digit());
    for (open, close) in [('(', ')'), ('（', '）')] {
        let inside = stem.strip_suffix(close).and_then(|s| s.rsplit_once(open));
        if let Some((rest, number)) = inside
            && digits(number)
            && !rest.trim().is_empty()
        {
            return (rest.trim_end(), Some(Number::InBrackets));
        }
    }
    match stem.rsplit_once(['~', '_', '-', ' ']) {
        Some((rest, number)) if digits(number) && !rest.trim().is_empty() => {
            (rest.trim_end(), Some(Number::Bare))
        }
        _ => (stem, None),
    }
}

fn stem(file: &Path) -> Option<String> {
    Some(file.file_stem()?.to_string_lossy().trim().to_lowercase())
}
