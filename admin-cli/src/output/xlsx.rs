//! Workbooks: the rows of the CSV, as numbers, dates and text.
//!
//! No cell is ever a formula: text is written as text, whatever it begins with. Only a text that
//! an import would take for one of ours (`schema::taken_back`) gets the apostrophe that it loses
//! there.

use rust_xlsxwriter::{ExcelDateTime, Format, Workbook, Worksheet, XlsxError};
use smp_protocol::schema::{harmless, taken_back};
use smp_protocol::time::Day;

use crate::exit::{self, Failure};

/// The digits that a spreadsheet keeps of a number. A longer one is text.
const DIGITS: usize = 15;

/// The widest that a column is made, in characters.
const WIDTH: usize = 40;

/// Characters that a column is wider than its longest text: the arrow of the filter.
const ARROW: usize = 3;

/// A workbook of one sheet: the first row are headings, which stay in sight and filter.
pub(super) fn workbook(rows: &[Vec<String>]) -> Result<Vec<u8>, Failure> {
    let failed = |e: XlsxError| {
        let next = "narrow the list, or write it as CSV: `--output csv`";
        Failure::new(exit::FAILURE, format!("cannot write a workbook: {e}"), next)
    };
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    fill(sheet, rows).map_err(failed)?;
    workbook.save_to_buffer().map_err(failed)
}

fn fill(sheet: &mut Worksheet, rows: &[Vec<String>]) -> Result<(), XlsxError> {
    let bold = Format::new().set_bold();
    let day = Format::new().set_num_format("yyyy-mm-dd");
    let mut widths: Vec<usize> = Vec::new();
    for (number, row) in (0u32..).zip(rows) {
        for (column, text) in (0u16..).zip(row) {
            let place = usize::from(column);
            if widths.len() <= place {
                widths.push(0);
            }
            if let Some(width) = widths.get_mut(place) {
                *width = (*width).max(text.chars().count());
            }
            match (number, date(text), whole_number(text)) {
                (0, _, _) => sheet.write_string_with_format(number, column, text, &bold)?,
                (_, Some(date), _) => sheet.write_with_format(number, column, &date, &day)?,
                (_, _, Some(value)) => sheet.write_number(number, column, value)?,
                _ => sheet.write_string(number, column, exact(text))?,
            };
        }
    }
    for (column, width) in (0u16..).zip(&widths) {
        let width = u16::try_from((*width).min(WIDTH).saturating_add(ARROW)).unwrap_or(u16::MAX);
        sheet.set_column_width(column, width)?;
    }
    let last_row = u32::try_from(rows.len().saturating_sub(1)).unwrap_or(u32::MAX);
    if let (Some(last), 1..) = (widths.len().checked_sub(1), last_row) {
        sheet.autofilter(0, 0, last_row, u16::try_from(last).unwrap_or(u16::MAX))?;
    }
    sheet.set_freeze_panes(1, 0)?;
    Ok(())
}

fn exact(text: &str) -> String {
    match taken_back(text) == text {
        true => text.to_owned(),
        false => harmless(text),
    }
}

/// A number as the lists write it: no leading zeros, which a telephone number or a reference has.
fn whole_number(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits == "0" || !digits.starts_with('0');
    let digits_only = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    (plain && digits_only && digits.len() <= DIGITS && text != "-0")
        .then(|| text.parse().ok())
        .flatten()
}

/// A day. Spreadsheets miscount those before March 1900, and they stay text.
fn date(text: &str) -> Option<ExcelDateTime> {
    let _is_a_day: Day = text.parse().ok()?;
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let year: u16 = year.parse().ok()?;
    let date = ExcelDateTime::from_ymd(year, month.parse().ok()?, day.parse().ok()?);
    date.ok().filter(|_| year > 1900)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_reads_back_as_it_was_is_a_number_or_a_date() {
        for text in ["0", "12", "-3", "123456789012345"] {
            assert_eq!(whole_number(text).unwrap().to_string(), text);
        }
        for text in [
            "",
            "-",
            "-0",
            "007",
            "1.5",
            "1e5",
            "E08000021",
            "1234567890123456",
        ] {
            assert_eq!(whole_number(text), None, "{text}");
        }
        assert!(date("2026-04-01").is_some() && date("1901-01-01").is_some());
        for text in ["1900-01-01", "2026-02-30", "2026-4-1", "2026-W14"] {
            assert!(date(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_text_that_an_import_would_change_is_written_so_that_it_does_not() {
        assert_eq!(exact("=1+1"), "=1+1");
        assert_eq!(exact("'=1+1"), "''=1+1");
        assert_eq!(taken_back(&exact("'=1+1")), "'=1+1");
    }
}
