//! The rows that pass a filter, a column at a time.

use super::span::{Span, moments, real, whole};
use super::{Bitmap, Coded, Columns, Filter, Number, NumberField, Range, TextField, TextTest};

impl Filter {
    /// The rows that pass.
    pub fn select(&self, columns: &dyn Columns) -> Bitmap {
        let mut rows = match self {
            Self::All(parts) => combined(parts, columns, Bitmap::keep),
            Self::Any(parts) => combined(parts, columns, Bitmap::add),
            Self::Not(inner) => {
                let mut rows = inner.select(columns);
                rows.invert();
                rows
            }
            Self::Number(field, range) => numbers(*field, range, columns),
            Self::Date(range) => any_span(&moments(range), columns.rows(), |span| {
                Bitmap::of(columns.taken(), |t| span.has(t))
            }),
            Self::Text(field, test) => texts(*field, test, columns),
            Self::Has(what) => columns.has(*what),
        };
        if rows.rows() != columns.rows() {
            // Columns that do not keep to their word about the number of rows must not make others fail.
            rows = Bitmap::from_rows(columns.rows(), rows.iter());
        }
        rows
    }
}

fn combined(parts: &[Filter], columns: &dyn Columns, with: fn(&mut Bitmap, &Bitmap)) -> Bitmap {
    let mut each = parts.iter().map(|p| p.select(columns));
    let Some(mut rows) = each.next() else {
        return Bitmap::empty(columns.rows());
    };
    each.for_each(|other| with(&mut rows, &other));
    rows
}

/// The rows that lie in one of the spans.
fn any_span<T: Copy>(spans: &[Span<T>], rows: usize, of: impl Fn(Span<T>) -> Bitmap) -> Bitmap {
    let mut each = spans.iter().map(|&span| of(span));
    let Some(mut found) = each.next() else {
        return Bitmap::empty(rows);
    };
    each.for_each(|other| found.add(&other));
    found
}

fn numbers(field: NumberField, range: &Range<Number>, columns: &dyn Columns) -> Bitmap {
    let rows = columns.rows();
    let (widths, heights) = (columns.widths(), columns.heights());
    let narrow = |values: &[u32], span: Span<u64>| match u32::try_from(span.first) {
        // Compared in their own width, twice as many at once.
        Ok(first) => {
            let last = u32::try_from(span.last).unwrap_or(u32::MAX);
            let span = Span { first, last };
            Bitmap::of(values, |v| span.has(v))
        }
        Err(_) => Bitmap::empty(values.len()),
    };
    match field {
        NumberField::Width => any_span(&whole(range), rows, |span| narrow(widths, span)),
        NumberField::Height => any_span(&whole(range), rows, |span| narrow(heights, span)),
        NumberField::Bytes => any_span(&whole(range), rows, |span| {
            Bitmap::of(columns.bytes(), |b| span.has(b))
        }),
        NumberField::Pixels => any_span(&whole(range), rows, |span| {
            Bitmap::of_both(widths, heights, |w, h| {
                span.has(u64::from(w) * u64::from(h))
            })
        }),
        NumberField::Aspect => any_span(&real(range), rows, |span| {
            // Without a height it is infinite or no number, which is in no span.
            Bitmap::of_both(widths, heights, |w, h| {
                span.has(f64::from(w) / f64::from(h))
            })
        }),
    }
}

fn texts(field: TextField, test: &TextTest, columns: &dyn Columns) -> Bitmap {
    match field {
        TextField::Folder => coded(columns.folders(), &passes(test, is_below)),
        TextField::Camera => coded(columns.cameras(), &passes(test, |a, b| a == b)),
        TextField::Format => coded(columns.formats(), &passes(test, str::eq_ignore_ascii_case)),
        TextField::Id => columns.ids(&passes(test, |a, b| a == b)),
        TextField::Tag => tags(test, columns),
    }
}

/// A text of a column, and whether it passes, where `equals` is what `=` means.
fn passes<'a>(
    test: &'a TextTest,
    equals: impl Fn(&str, &str) -> bool + 'a,
) -> Box<dyn Fn(&str) -> bool + 'a> {
    match test {
        TextTest::Is(wanted) => Box::new(move |text| equals(text, wanted)),
        TextTest::IsNot(wanted) => Box::new(move |text| !equals(text, wanted)),
        TextTest::In(wanted) => Box::new(move |text| wanted.iter().any(|w| equals(text, w))),
        TextTest::Contains(part) => {
            let part = part.to_lowercase();
            Box::new(move |text| text.to_lowercase().contains(&part))
        }
    }
}

/// Whether a folder is another or below it; all are below the one without a name.
fn is_below(folder: &str, of: &str) -> bool {
    let of = of.trim_matches('/');
    match folder.trim_matches('/').strip_prefix(of) {
        Some(rest) => of.is_empty() || rest.is_empty() || rest.starts_with('/'),
        None => false,
    }
}

/// Each entry is asked once, and then each row for its entry.
fn coded(column: Coded, passes: &dyn Fn(&str) -> bool) -> Bitmap {
    let passing: Vec<bool> = column.entries.iter().map(|e| passes(e)).collect();
    // One entry, or entries beside each other: two bounds are faster than a table.
    let first = passing.iter().position(|&p| p);
    let last = passing.iter().rposition(|&p| p);
    match first.zip(last) {
        None => Bitmap::empty(column.codes.len()),
        Some((first, last)) if passing[first..=last].iter().all(|&p| p) => {
            let span = Span {
                first: first as u32,
                last: last as u32,
            };
            Bitmap::of(column.codes, |code| span.has(code))
        }
        Some(_) => Bitmap::of(column.codes, |code| {
            passing.get(code as usize).copied().unwrap_or(false)
        }),
    }
}

fn tags(test: &TextTest, columns: &dyn Columns) -> Bitmap {
    match test {
        TextTest::Is(tag) => columns.tagged(tag),
        TextTest::IsNot(tag) => {
            let mut rows = columns.tagged(tag);
            rows.invert();
            rows
        }
        TextTest::In(wanted) => {
            let mut rows = Bitmap::empty(columns.rows());
            wanted.iter().for_each(|tag| rows.add(&columns.tagged(tag)));
            rows
        }
        // A filter that was read has no such test of tags.
        TextTest::Contains(_) => Bitmap::empty(columns.rows()),
    }
}
