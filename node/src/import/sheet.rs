//! A file as rows of text, whatever its format, within the limits.
//!
//! The apostrophe that an export puts before a cell that would be run is taken away here, once.

use smp_protocol::schema::taken_back;

use super::problem::Problem;
use super::{CELL_CHARS, CELLS, COLUMNS, ROWS, TEXT_BYTES};

/// One row of a file.
pub(super) struct SheetRow {
    /// Its line or row number in the file, counted from 1.
    pub(super) number: u32,
    /// Its cells from the first column on; empty ones at the end are left out.
    pub(super) cells: Vec<String>,
}

/// A header and the rows under it.
pub(super) struct Sheet {
    /// The first row with anything in it.
    pub(super) header: SheetRow,
    /// The others with anything in them.
    pub(super) rows: Vec<SheetRow>,
}

/// Collects rows and refuses a file at the first limit that it passes, so that no file
/// makes this node hold more than the limits say.
#[derive(Default)]
pub(super) struct Builder {
    rows: Vec<SheetRow>,
    cells: usize,
    bytes: usize,
}

impl Builder {
    /// Counts one cell before it is kept.
    pub(super) fn count(&mut self, row: u32, column: usize, text: &str) -> Result<(), Problem> {
        self.cells = self.cells.saturating_add(1);
        self.bytes = self.bytes.saturating_add(text.len());
        if column >= COLUMNS && !text.is_empty() {
            let expected = format!("at most {COLUMNS} columns");
            return Err(Problem::of_file("too many columns", expected));
        }
        if self.cells > CELLS || self.bytes > TEXT_BYTES {
            let expected = format!("at most {CELLS} cells and {} MiB of text", TEXT_BYTES >> 20);
            return Err(Problem::of_file("too many cells", expected));
        }
        if text.len() > CELL_CHARS && text.chars().count() > CELL_CHARS {
            let expected = format!("at most {CELL_CHARS} characters in a cell");
            return Err(Problem::of_cell(
                row,
                &letter(column),
                "a cell that is too long",
                expected,
            ));
        }
        Ok(())
    }

    /// Adds a row of cells that were counted; one without anything in it is passed over.
    pub(super) fn push(&mut self, number: u32, mut cells: Vec<String>) -> Result<(), Problem> {
        let used = cells.iter().rposition(|cell| !cell.trim().is_empty());
        cells.truncate(used.map_or(0, |last| last.saturating_add(1)));
        if cells.is_empty() {
            return Ok(());
        }
        // The header is a row too.
        if self.rows.len() > ROWS {
            let expected = format!("at most {ROWS} rows; split the file and import the parts");
            return Err(Problem::of_file("too many rows", expected));
        }
        for cell in &mut cells {
            let text = taken_back(cell);
            if text.len() < cell.len() {
                *cell = text.to_owned();
            }
        }
        self.rows.push(SheetRow { number, cells });
        Ok(())
    }

    /// The sheet, if there is anything in it.
    pub(super) fn finish(self) -> Result<Sheet, Problem> {
        let mut rows = self.rows.into_iter();
        match rows.next() {
            Some(header) => Ok(Sheet {
                header,
                rows: rows.collect(),
            }),
            None => Err(Problem::of_file(
                "an empty file",
                "a header row with the names of the columns; `template` prints one".to_owned(),
            )),
        }
    }
}

/// A column's letters as spreadsheets show them: A, B, … Z, AA.
pub(super) fn letter(column: usize) -> String {
    let mut letters = Vec::new();
    let mut rest = column;
    loop {
        letters.push(b'A'.saturating_add(u8::try_from(rest % 26).unwrap_or_default()));
        match (rest / 26).checked_sub(1) {
            Some(next) => rest = next,
            None => break,
        }
    }
    letters.iter().rev().copied().map(char::from).collect()
}
