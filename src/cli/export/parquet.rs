//! Items as one flat table in [Parquet](https://parquet.apache.org/docs/file-format/), for other programs.

use std::io::Write;
use std::sync::Arc;

use parquet::basic::{Encoding, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, Int32Type, Int64Type};
use parquet::errors::Result;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{Type, TypePtr};

use super::Row;

/// Rows that are held in memory at once.
const ROWS: usize = 1 << 16;

/// Writes all items; the captions and the tags of one are joined by line ends.
///
/// # Errors
/// Those of the writer.
pub fn write<W: Write + Send>(out: W, items: Vec<Row>) -> Result<W> {
    let properties = WriterProperties::builder()
        // Without this the version of the library would be in the file, and bytes would change with it.
        .set_created_by("tuwen".into())
        .set_encoding(Encoding::PLAIN)
        .build();
    let mut file = SerializedFileWriter::new(out, schema()?, Arc::new(properties))?;
    let mut items = items.into_iter();
    loop {
        let rows: Vec<Row> = items.by_ref().take(ROWS).collect();
        if rows.is_empty() {
            return file.into_inner();
        }
        let mut group = file.next_row_group()?;
        write_rows(&mut group, &rows)?;
        group.close()?;
    }
}

fn write_rows<W: Write + Send>(
    group: &mut SerializedRowGroupWriter<W>,
    rows: &[Row],
) -> Result<()> {
    texts(group, rows, |r| &r.id)?;
    texts(group, rows, |r| &r.path)?;
    let size = |v: u32| i32::try_from(v).unwrap_or(i32::MAX); // no picture is so wide
    let widths: Vec<i32> = rows.iter().map(|r| size(r.width)).collect();
    let heights: Vec<i32> = rows.iter().map(|r| size(r.height)).collect();
    let bytes = rows
        .iter()
        .map(|r| i64::try_from(r.bytes).unwrap_or(i64::MAX));
    column::<_, Int32Type>(group, &widths, None)?;
    column::<_, Int32Type>(group, &heights, None)?;
    column::<_, Int64Type>(group, &bytes.collect::<Vec<_>>(), None)?;
    known_texts(group, rows, |r| r.taken.clone())?;
    known_texts(group, rows, |r| r.camera.clone())?;
    texts(group, rows, |r| &r.folder)?;
    texts(group, rows, |r| &r.format)?;
    let joined = |all: &[String]| (!all.is_empty()).then(|| all.join("\n"));
    known_texts(group, rows, |r| joined(&r.captions))?;
    known_texts(group, rows, |r| joined(&r.tags))
}

/// A column that every item has.
fn texts<W: Write + Send>(
    group: &mut SerializedRowGroupWriter<W>,
    rows: &[Row],
    of: impl Fn(&Row) -> &String,
) -> Result<()> {
    let values: Vec<ByteArray> = rows.iter().map(|r| of(r).as_str().into()).collect();
    column::<_, ByteArrayType>(group, &values, None)
}

/// A column that some items lack.
fn known_texts<W: Write + Send>(
    group: &mut SerializedRowGroupWriter<W>,
    rows: &[Row],
    of: impl Fn(&Row) -> Option<String>,
) -> Result<()> {
    let all: Vec<Option<String>> = rows.iter().map(of).collect();
    let known: Vec<i16> = all.iter().map(|v| i16::from(v.is_some())).collect();
    let values: Vec<ByteArray> = all.iter().flatten().map(|v| v.as_str().into()).collect();
    column::<_, ByteArrayType>(group, &values, Some(&known))
}

fn column<W: Write + Send, T: parquet::data_type::DataType>(
    group: &mut SerializedRowGroupWriter<W>,
    values: &[T::T],
    known: Option<&[i16]>,
) -> Result<()> {
    let mut column = group
        .next_column()?
        .expect("as many columns as the schema has");
    column.typed::<T>().write_batch(values, known, None)?;
    column.close()
}

/// The columns, in the order in which they are written.
fn schema() -> Result<TypePtr> {
    let text = Some(LogicalType::String);
    let (always, at_times) = (Repetition::REQUIRED, Repetition::OPTIONAL);
    let columns = [
        ("id", Physical::BYTE_ARRAY, always, text.clone()),
        ("path", Physical::BYTE_ARRAY, always, text.clone()),
        ("width", Physical::INT32, always, None),
        ("height", Physical::INT32, always, None),
        ("bytes", Physical::INT64, always, None),
        ("taken", Physical::BYTE_ARRAY, at_times, text.clone()),
        ("camera", Physical::BYTE_ARRAY, at_times, text.clone()),
        ("folder", Physical::BYTE_ARRAY, always, text.clone()),
        ("format", Physical::BYTE_ARRAY, always, text.clone()),
        ("caption", Physical::BYTE_ARRAY, at_times, text.clone()),
        ("tags", Physical::BYTE_ARRAY, at_times, text),
    ];
    let fields = columns
        .into_iter()
        .map(|(name, kind, repetition, logical)| {
            Type::primitive_type_builder(name, kind)
                .with_repetition(repetition)
                .with_logical_type(logical)
                .build()
                .map(Arc::new)
        });
    let group = Type::group_type_builder("items").with_fields(fields.collect::<Result<_>>()?);
    Ok(Arc::new(group.build()?))
}
