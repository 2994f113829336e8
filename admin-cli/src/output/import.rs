//! What a file did, or what is wrong with it.

use smp_protocol::api::{ImportProblem, ImportReport};

use super::table::{cell, plain};
use super::{Look, View, csv};
use crate::exit::Failure;

impl View for ImportReport {
    fn words(&self, look: &Look) -> String {
        match self.problems.is_empty() {
            true => counts(self),
            false => problems(&self.problems, look),
        }
    }

    /// The problems: a heading alone says that there are none.
    fn csv(&self) -> Result<String, Failure> {
        csv::items(&["row", "column", "found", "expected"], &self.problems)
    }
}

fn problems(problems: &[ImportProblem], look: &Look) -> String {
    let rows = problems.iter().map(|problem| {
        vec![
            cell(
                problem
                    .row
                    .map_or_else(|| "file".to_owned(), |row| row.to_string()),
            ),
            cell(problem.column.as_deref().unwrap_or_default()),
            cell(&problem.found),
            cell(&problem.expected),
        ]
    });
    look.table(&["Row", "Column", "Found", "Expected"], rows.collect())
}

fn counts(report: &ImportReport) -> String {
    let done = match report.applied {
        true => "imported",
        false => "dry run, nothing was changed",
    };
    let mut out = format!(
        "{} ({} layout): {done}\n{} rows: {} created, {} updated, {} unchanged, {} withdrawn\n",
        plain(&report.file),
        plain(&report.layout),
        report.rows,
        report.created,
        report.updated,
        report.unchanged,
        report.withdrawn,
    );
    if !report.dropped_columns.is_empty() {
        let columns = plain(&report.dropped_columns.join(", "));
        out.push_str(&format!("Columns left out: {columns}\n"));
    }
    if report.applied {
        out.push_str(&super::writes::held_by(report.held_by));
    }
    out
}
