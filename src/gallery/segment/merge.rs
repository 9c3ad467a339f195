//! Several sources of rows as one segment file. What a commit brings is merged alone, which only writes it.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;

use half::f16;

use super::file::{Column, Written, create, put};
use super::views::{Labels, NO_CODE, Pictures, Texts};
use super::{Element, Header, SCHEMA};
use crate::error::{Error, Result};
use crate::gallery::bitmap::Bitmap;
use crate::gallery::postings::{DROPPED, Postings, merge, merged_terms};
use crate::gallery::types::Stamp;

/// A source of rows, and those of them that are left out.
pub(crate) struct Part<'a> {
    pub pictures: Pictures<'a>,
    pub texts: Texts<'a>,
    pub dead_pictures: &'a Bitmap,
    pub dead_texts: &'a Bitmap,
}

/// Which rows of which sources are kept.
struct Kept {
    /// Source and row, by rising key.
    places: Vec<(u32, u32)>,
    /// For every source, the new place of each row.
    rows: Vec<Vec<u32>>,
}

impl Kept {
    fn new(parts: &[(&[u64], &Bitmap)]) -> Self {
        let mut all: Vec<(u64, u32, u32)> = Vec::new();
        for (part, (keys, dead)) in parts.iter().enumerate() {
            let rows = (0..keys.len()).filter(|&row| !dead.contains(row));
            all.extend(rows.map(|row| (keys[row], part as u32, row as u32)));
        }
        all.sort_unstable();
        let mut rows: Vec<_> = parts
            .iter()
            .map(|(keys, _)| vec![DROPPED; keys.len()])
            .collect();
        for (new, &(_, part, row)) in all.iter().enumerate() {
            rows[part as usize][row as usize] = new as u32;
        }
        let places = all.into_iter().map(|(_, part, row)| (part, row)).collect();
        Self { places, rows }
    }

    /// A tensor with `width` numbers a row, of the kept rows of every source. Without a width it has one axis.
    fn column<'a, T: Element>(
        &'a self,
        name: &str,
        width: Option<usize>,
        sources: Vec<&'a [T]>,
    ) -> Column<'a> {
        let n = self.places.len();
        let shape = [n].into_iter().chain(width).collect();
        let width = width.unwrap_or(1);
        Column::new::<T>(name, shape, move |out| {
            for &(part, row) in &self.places {
                put(
                    out,
                    &sources[part as usize][row as usize * width..][..width],
                )?;
            }
            Ok(())
        })
    }

    fn postings<'a>(&'a self, name: &str, parts: Vec<Postings<'a>>) -> io::Result<Vec<Column<'a>>> {
        let (terms, starts) = merged_terms(&parts, &self.rows)?;
        let places = starts.last().map_or(0, |&end| end as usize);
        let each = |f: fn(&Postings<'a>) -> &'a [f32]| parts.iter().map(f).collect();
        let lengths = self.column(&format!("{name}.lengths"), None, each(|p| p.lengths));
        let norms = self.column(&format!("{name}.norms"), None, each(|p| p.norms));
        let lists = parts.clone();
        let rows = Column::new::<u32>(format!("{name}.rows"), vec![places], move |out| {
            merge(&lists, &self.rows, |_, list| {
                list.iter().try_for_each(|p| put(out, &[p.0]))
            })
        });
        let counts = Column::new::<f32>(format!("{name}.counts"), vec![places], move |out| {
            merge(&parts, &self.rows, |_, list| {
                list.iter().try_for_each(|p| put(out, &[p.1]))
            })
        });
        let terms = Column::whole(format!("{name}.terms"), terms);
        let starts = Column::whole(format!("{name}.starts"), starts);
        Ok(vec![terms, starts, rows, counts, lengths, norms])
    }

    /// Codes of a label, and the sorted texts that are left.
    fn labels(&self, name: &str, parts: &[Labels]) -> (Column<'static>, Vec<String>) {
        let of = |&(part, row): &(u32, u32)| parts[part as usize].get(row as usize);
        let names: BTreeSet<&str> = self.places.iter().filter_map(of).collect();
        let names: Vec<&str> = names.into_iter().collect();
        let code = |name: &str| names.partition_point(|&n| n < name) as u32;
        // New codes of old ones, so that no text is compared for a row.
        let table = |part: &Labels| part.names.iter().map(|n| code(n)).collect::<Vec<_>>();
        let tables: Vec<Vec<u32>> = parts.iter().map(table).collect();
        let new = |&(part, row): &(u32, u32)| {
            let old = parts[part as usize].codes[row as usize];
            tables[part as usize]
                .get(old as usize)
                .copied()
                .unwrap_or(NO_CODE)
        };
        let codes = self.places.iter().map(new).collect();
        (
            Column::whole(name, codes),
            names.iter().map(|&n| n.to_owned()).collect(),
        )
    }

    fn copies<'a>(&'a self, parts: Vec<Pictures<'a>>) -> io::Result<[Column<'a>; 2]> {
        let damaged = || {
            io::Error::other(
                "a segment that is merged is damaged: where its copies lie is out of bounds",
            )
        };
        let (mut ends, mut end) = (vec![], 0);
        for &(part, row) in &self.places {
            end += parts[part as usize]
                .copies(row as usize)
                .ok_or_else(damaged)?
                .len() as u64;
            ends.push(end);
        }
        let blobs = move |out: &mut dyn Write| {
            self.places.iter().try_for_each(|&(part, row)| {
                out.write_all(
                    parts[part as usize]
                        .copies(row as usize)
                        .ok_or_else(damaged)?,
                )
            })
        };
        let blobs = Column::new::<u8>("pictures.copies", vec![end as usize], blobs);
        Ok([Column::whole("pictures.copies-ends", ends), blobs])
    }
}

/// Writes the rows that are left of all sources; without any, there is no file. Nothing but keys, terms and where
/// lists begin is held in memory.
///
/// # Errors
/// [`Error::Io`] from the system, or where a source is damaged.
pub(crate) fn write(
    folder: &Path,
    number: u64,
    stamp: &Stamp,
    parts: &[Part],
) -> Result<Option<(Written, [usize; 2])>> {
    let pictures = Kept::new(
        &parts
            .iter()
            .map(|p| (p.pictures.keys, p.dead_pictures))
            .collect::<Vec<_>>(),
    );
    let texts = Kept::new(
        &parts
            .iter()
            .map(|p| (p.texts.keys, p.dead_texts))
            .collect::<Vec<_>>(),
    );
    let counts = [pictures.places.len(), texts.places.len()];
    if counts == [0, 0] {
        return Ok(None);
    }
    let mut header = Header {
        schema: SCHEMA,
        point: stamp.point,
        look: stamp.look,
        ..Header::default()
    };
    let columns = picture_columns(&pictures, parts, &mut header).and_then(|mut columns| {
        columns.extend(text_columns(&texts, parts)?);
        Ok(columns)
    });
    let columns = columns.map_err(Error::io("merge segments of", folder))?;
    Ok(Some((create(folder, number, &header, columns)?, counts)))
}

fn picture_columns<'a>(
    kept: &'a Kept,
    parts: &[Part<'a>],
    header: &mut Header,
) -> io::Result<Vec<Column<'a>>> {
    fn each<'a, T>(parts: &[Part<'a>], f: fn(&Pictures<'a>) -> T) -> Vec<T> {
        parts.iter().map(|p| f(&p.pictures)).collect()
    }
    let (folder, folders) = kept.labels("pictures.folder", &each(parts, |p| p.folders));
    let (camera, cameras) = kept.labels("pictures.camera", &each(parts, |p| p.cameras));
    let (format, formats) = kept.labels("pictures.format", &each(parts, |p| p.formats));
    (header.folders, header.cameras, header.formats) = (folders, cameras, formats);
    let mut columns = vec![
        kept.column("pictures.keys", None, each(parts, |p| p.keys)),
        kept.column::<f16>(
            "pictures.points",
            Some(header.point),
            each(parts, |p| p.values),
        ),
        kept.column("pictures.charges", None, each(parts, |p| p.charges)),
        kept.column::<f16>(
            "pictures.looks",
            Some(header.look),
            each(parts, |p| p.looks),
        ),
        kept.column("pictures.width", None, each(parts, |p| p.widths)),
        kept.column("pictures.height", None, each(parts, |p| p.heights)),
        kept.column("pictures.bytes", None, each(parts, |p| p.bytes)),
        kept.column("pictures.taken", None, each(parts, |p| p.taken)),
        folder,
        camera,
        format,
    ];
    columns.extend(kept.copies(each(parts, |p| *p))?);
    columns.extend(kept.postings("read", each(parts, |p| p.read))?);
    columns.extend(kept.postings("tags", each(parts, |p| p.tags))?);
    Ok(columns)
}

fn text_columns<'a>(kept: &'a Kept, parts: &[Part<'a>]) -> io::Result<Vec<Column<'a>>> {
    fn each<'a, T>(parts: &[Part<'a>], f: fn(&Texts<'a>) -> T) -> Vec<T> {
        parts.iter().map(|p| f(&p.texts)).collect()
    }
    let point = parts.first().map_or(0, |p| p.texts.dim);
    let mut columns = vec![
        kept.column("texts.keys", None, each(parts, |t| t.keys)),
        kept.column::<f16>("texts.points", Some(point), each(parts, |t| t.values)),
        kept.column("texts.charges", None, each(parts, |t| t.charges)),
        kept.column("texts.items", None, each(parts, |t| t.items)),
    ];
    columns.extend(kept.postings("captions", each(parts, |t| t.captions))?);
    Ok(columns)
}
