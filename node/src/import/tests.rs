//! Real files of every kind, each problem once, nothing personal in any of them, and bytes
//! that mean harm. People here do not exist.

mod exports;
mod formats;
mod hostile;
mod planning;
mod problems;
mod share;

use std::collections::BTreeMap;

use smp_protocol::ids::RecordKind;
use smp_protocol::schema::{self, NEWEST, Value};

use super::*;

/// Reads a CSV file of hosts.
fn hosts(text: &str) -> Result<Import, Vec<Problem>> {
    read(RecordKind::Host, "hosts.csv", text.as_bytes())
}

/// A row's shared fields as text, by name.
fn fields_of(import: &Import, row: usize) -> BTreeMap<&'static str, String> {
    let text = |(id, value): &(FieldId, Value)| {
        let field = schema::field(NEWEST, import.kind, *id).unwrap();
        (field.name, schema::format_value(field, value))
    };
    import.rows[row].fields.iter().map(text).collect()
}

/// The one problem of a file that has one.
fn only(result: Result<Import, Vec<Problem>>) -> Problem {
    let mut problems = result.expect_err("the file has a problem");
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems.remove(0)
}
