//! Reading the files that councils have: from bytes to rows, and from rows to edits.
//!
//! Pure functions: no file, store, clock or randomness of their own. A file is read whole
//! or not at all, and every problem in it is told at once. A problem names row, column,
//! what kind of value was found and what is expected, and never the value: half of these
//! columns are personal.

mod columns;
mod csv_file;
mod plan;
mod problem;
mod rows;
mod sheet;
mod xlsx;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use smp_protocol::ids::RecordKind;
use smp_protocol::schema::FieldId;

pub use columns::{ID, REFERENCE, template, vault_columns};
pub use plan::{Fields, Plan, defaults, plan, strangers};
pub use problem::{Problem, Problems};

/// The largest file. The largest council's export is about 5 MB.
pub const FILE_BYTES: usize = 16 << 20;
/// What a workbook may inflate to, all its parts together: spreadsheets compress about
/// ten to one, and bombs a thousand to one.
pub const INFLATED_BYTES: u64 = 64 << 20;
/// Parts of a workbook; one with a hundred sheets has about 300.
pub const WORKBOOK_PARTS: usize = 2000;
/// Rows with anything in them; ten times the guests of the largest council.
pub const ROWS: usize = 50_000;
/// Columns; Share's export has about 150.
pub const COLUMNS: usize = 500;
/// Cells of a file: each costs memory even when it is empty.
pub const CELLS: usize = 2_000_000;
/// Characters of one cell: what Excel itself can hold.
pub const CELL_CHARS: usize = 32_767;
/// Text of all cells together. A workbook can name one long text a million times.
pub const TEXT_BYTES: usize = 64 << 20;
/// Characters of a reference: it is shown in lists.
pub const REFERENCE_CHARS: usize = 100;
/// Problems that are told one by one; nobody mends more in one sitting.
pub const PROBLEMS: usize = 1000;

/// How a file's columns are laid out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Layout {
    /// Our template: the names of the fields, `reference`, and the vault's columns.
    Template,
    /// An export of Share Homes for Ukraine: one row per person, prefixed columns.
    Share,
    /// What `smp … list` wrote: the names of the fields, and the record's own id.
    Export,
}

impl Layout {
    /// The layout as text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Template => "template",
            Self::Share => "share",
            Self::Export => "export",
        }
    }
}

/// One record as the file has it.
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    /// The council's own id of the row, by which a later import finds the record again; of an
    /// export the record's id.
    pub reference: String,
    /// The first line or row of the file that it comes from.
    pub row: u32,
    /// Its shared fields, ascending by number. A cell without anything in it is no field.
    pub fields: Fields,
    /// Its personal columns. A column that the file has and the row leaves empty is here
    /// with an empty text.
    pub vault: BTreeMap<String, String>,
}

impl Row {
    /// The vault's record after this row: columns that the file does not have are kept,
    /// and cells that it leaves empty are cleared.
    pub fn vault_after(&self, before: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let mut after = before.clone();
        for (column, text) in &self.vault {
            if text.is_empty() {
                after.remove(column);
            } else {
                after.insert(column.clone(), text.clone());
            }
        }
        after
    }
}

impl fmt::Debug for Row {
    /// Without what is personal: neither reference nor vault.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row")
            .field("row", &self.row)
            .field("fields", &self.fields)
            .finish_non_exhaustive()
    }
}

/// A file that was read without a problem.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Import {
    /// The kind of record that its rows are.
    pub kind: RecordKind,
    /// How its columns are laid out.
    pub layout: Layout,
    /// Its records.
    pub rows: Vec<Row>,
    /// The fields for which the file has a column. Others are left alone.
    pub covered: BTreeSet<FieldId>,
    /// Columns that are known and were left out.
    pub dropped_columns: Vec<String>,
}

/// Reads a file of records of one kind: CSV or XLSX, our template or Share's export.
///
/// # Errors
/// Every problem of the file, at most [`PROBLEMS`] one by one. Nothing was changed.
pub fn read(kind: RecordKind, file_name: &str, bytes: &[u8]) -> Result<Import, Vec<Problem>> {
    if bytes.len() > FILE_BYTES {
        let limit = FILE_BYTES >> 20;
        let expected = format!("at most {limit} MiB; split the file and import the parts");
        return Err(vec![Problem::of_file("a file that is too large", expected)]);
    }
    if file_name.to_ascii_lowercase().ends_with(".json") {
        let expected = "CSV or XLSX; a list goes into such a file with `--to FILE.csv`".to_owned();
        return Err(vec![Problem::of_file("a file of JSON", expected)]);
    }
    let sheet = match xlsx::looks_like_a_workbook(file_name, bytes) {
        Ok(true) => xlsx::read_sheet(kind, bytes),
        Ok(false) => csv_file::read_sheet(bytes),
        Err(problem) => Err(problem),
    };
    let sheet = sheet.map_err(|problem| vec![problem])?;
    let mut problems = Problems::default();
    let Some(header) = columns::understand(kind, &sheet, &mut problems) else {
        return Err(problems.into_list());
    };
    let rows = rows::read_rows(&header, &sheet, &mut problems);
    if problems.is_empty() && rows.is_empty() {
        let expected = "at least one row under the header; the file has none".to_owned();
        problems.push(Problem::of_file("no rows", expected));
    }
    if !problems.is_empty() {
        return Err(problems.into_list());
    }
    let covered = header.covered();
    Ok(Import {
        kind,
        layout: header.layout,
        rows,
        covered,
        dropped_columns: header.dropped,
    })
}
