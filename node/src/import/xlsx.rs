//! XLSX workbooks: one sheet as rows of text.
//!
//! A workbook is a ZIP archive of XML, and the library that reads it believes what is
//! declared inside: this file is what stands between. The archive is inflated once into
//! nothing, to measure it; the count of shared strings, for which memory is reserved in
//! advance, is checked; cells are read one at a time and never as the rectangle that their
//! positions span, which two cells can make as large as they like.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{DataRef, ExcelDateTime, Reader, SheetType, SheetVisible, Xlsx};
use smp_protocol::ids::RecordKind;

use super::problem::Problem;
use super::sheet::{Builder, Sheet};
use super::{CELLS, INFLATED_BYTES, WORKBOOK_PARTS};

/// How an XLSX file, as any ZIP archive, begins.
const ZIP: &[u8] = b"PK\x03\x04";
/// How the old XLS format begins, and any workbook with a password.
const OLE: &[u8] = b"\xD0\xCF\x11\xE0";

/// Whether the bytes are a workbook to be read; what they say counts, not the name.
pub(super) fn looks_like_a_workbook(file_name: &str, bytes: &[u8]) -> Result<bool, Problem> {
    if bytes.starts_with(ZIP) {
        return Ok(true);
    }
    let name = file_name.to_ascii_lowercase();
    let named_so = [".xlsx", ".xlsm", ".xls", ".ods", ".xlsb"]
        .iter()
        .any(|end| name.ends_with(end));
    if bytes.starts_with(OLE) || named_so {
        return Err(Problem::of_file(
            "an old workbook, or one with a password",
            "an XLSX workbook without a password, or CSV; save it as one of these".to_owned(),
        ));
    }
    Ok(false)
}

fn unreadable() -> Problem {
    Problem::of_file(
        "a damaged workbook",
        "an XLSX workbook; open it in a spreadsheet program and save it again".to_owned(),
    )
}

fn too_large() -> Problem {
    let limit = INFLATED_BYTES >> 20;
    Problem::of_file(
        "a workbook that is too large",
        format!(
            "at most {limit} MiB of sheets once unpacked; remove sheets and formats, or save it as CSV"
        ),
    )
}

/// Reads the sheet named after the kind of record, or the first.
pub(super) fn read_sheet(kind: RecordKind, bytes: &[u8]) -> Result<Sheet, Problem> {
    measure(bytes)?;
    // The library computes with what the file declares and can panic on it (a reversed
    // dimension, a column of many letters). It holds nothing of ours, so a panic in it is
    // one more way to say that the file is damaged.
    catch_unwind(AssertUnwindSafe(|| read_cells(kind, bytes))).unwrap_or_else(|_| Err(unreadable()))
}

/// Inflates every part of the archive into nothing, and so learns its true size whatever
/// the archive declares. The library inflates the same bytes again and gets no more.
fn measure(bytes: &[u8]) -> Result<(), Problem> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|_| unreadable())?;
    if archive.len() > WORKBOOK_PARTS {
        return Err(too_large());
    }
    let mut left = INFLATED_BYTES;
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(|_| unreadable())?;
        let name = part.name().map_err(|_| unreadable())?;
        let strings = name.to_ascii_lowercase().ends_with("sharedstrings.xml");
        let mut limited = part.take(left.saturating_add(1));
        let size = if strings {
            let mut xml = Vec::new();
            let size = limited.read_to_end(&mut xml).map_err(|_| unreadable())?;
            check_strings(&xml)?;
            u64::try_from(size).unwrap_or(u64::MAX)
        } else {
            std::io::copy(&mut limited, &mut std::io::sink()).map_err(|_| unreadable())?
        };
        left = left.checked_sub(size).ok_or_else(too_large)?;
    }
    Ok(())
}

/// Refuses a declared count of shared strings that no file within the limits has. Only
/// UTF-8 is accepted here, so that the count cannot hide in another encoding.
fn check_strings(xml: &[u8]) -> Result<(), Problem> {
    let text = std::str::from_utf8(xml).map_err(|_| unreadable())?;
    let declaration = text
        .split("?>")
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let other_encoding = declaration.contains("encoding") && !declaration.contains("utf-8");
    if other_encoding || text.contains('\0') {
        return Err(unreadable());
    }
    for (start, _) in text.match_indices("uniqueCount") {
        let value = text
            .get(start..)
            .unwrap_or_default()
            .split(['"', '\''])
            .nth(1);
        let digits: String = value
            .unwrap_or_default()
            .chars()
            .filter(char::is_ascii_digit)
            .take(20)
            .collect();
        if !digits.is_empty() && digits.parse::<usize>().is_ok_and(|count| count <= CELLS) {
            continue;
        }
        return Err(too_large());
    }
    Ok(())
}

fn read_cells(kind: RecordKind, bytes: &[u8]) -> Result<Sheet, Problem> {
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|_| unreadable())?;
    let name = sheet_name(kind, workbook.sheets_metadata()).ok_or_else(unreadable)?;
    let mut cells = workbook
        .worksheet_cells_reader(&name)
        .map_err(|_| unreadable())?;
    let mut builder = Builder::default();
    // Rows and cells are usually in order, but nothing says that they must be.
    let mut rows: BTreeMap<u32, BTreeMap<usize, String>> = BTreeMap::new();
    while let Some(cell) = cells.next_cell().map_err(|_| unreadable())? {
        let (row, column) = cell.get_position();
        let text = cell_text(cell.get_value());
        let number = row.saturating_add(1);
        let column = usize::try_from(column).unwrap_or(usize::MAX);
        builder.count(number, column, &text)?;
        if !text.is_empty() {
            rows.entry(number).or_default().insert(column, text);
        }
    }
    for (number, mut cells) in rows {
        let width = cells
            .keys()
            .next_back()
            .map_or(0, |last| last.saturating_add(1));
        let mut row = Vec::new();
        for column in 0..width {
            let text = cells.remove(&column);
            if text.is_none() {
                builder.count(number, column, "")?;
            }
            row.push(text.unwrap_or_default());
        }
        builder.push(number, row)?;
    }
    builder.finish()
}

/// The sheet named `host` or `hosts` for hosts; else the first that is to be seen.
fn sheet_name(kind: RecordKind, sheets: &[calamine::Sheet]) -> Option<String> {
    let own = [kind.to_string(), format!("{kind}s")];
    let is_own = |name: &str| own.iter().any(|o| name.trim().eq_ignore_ascii_case(o));
    let tables = || sheets.iter().filter(|s| s.typ == SheetType::WorkSheet);
    tables()
        .find(|sheet| is_own(&sheet.name))
        .or_else(|| tables().find(|sheet| sheet.visible == SheetVisible::Visible))
        .map(|sheet| sheet.name.clone())
}

fn cell_text(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Int(number) => number.to_string(),
        // Written out, 3.0 is `3` and 1e15 has no exponent.
        DataRef::Float(number) => number.to_string(),
        DataRef::String(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(flag) => flag.to_string(),
        DataRef::DateTime(instant) => date_text(instant),
        DataRef::DateTimeIso(text) => text.strip_suffix("T00:00:00").unwrap_or(text).to_owned(),
        DataRef::DurationIso(text) => text.clone(),
        DataRef::Error(error) => error.to_string(),
        DataRef::Empty => String::new(),
    }
}

/// A date, and its time of day where it has one.
fn date_text(instant: &ExcelDateTime) -> String {
    if !instant.is_datetime() {
        return instant.as_f64().to_string();
    }
    let (year, month, day, hour, minute, second, _) = instant.to_ymd_hms_milli();
    let date = format!("{year:04}-{month:02}-{day:02}");
    if (hour, minute, second) == (0, 0, 0) {
        date
    } else {
        format!("{date} {hour:02}:{minute:02}:{second:02}")
    }
}
