//! What became of a record.

use std::fmt::Write as _;

use serde::Serialize;
use smp_protocol::api::RecordChange;

use super::ago::ago;
use super::table::plain;
use super::{Look, View, csv};
use crate::exit::Failure;

const COLUMNS: [&str; 7] = [
    "record",
    "came",
    "council",
    "council_name",
    "node",
    "what",
    "fields",
];

/// A change as a row: the fields in one cell, as they would be set again.
#[derive(Serialize)]
struct Row<'a> {
    record: &'a str,
    came: &'a str,
    council: &'a str,
    council_name: &'a str,
    node: &'a str,
    what: &'a str,
    fields: String,
}

impl View for Vec<RecordChange> {
    fn words(&self, look: &Look) -> String {
        let mut out = String::new();
        for change in self {
            let node = change.node.get(..8).unwrap_or(&change.node);
            // Writing into a text does not fail.
            let _ = writeln!(
                out,
                "{} ({})  {} of {} (node {}) {} {}",
                plain(&change.came),
                ago(&change.came, look.now),
                plain(&change.council_name),
                plain(&change.council),
                plain(node),
                change.what,
                plain(&change.record),
            );
            for (name, value) in &change.fields {
                let value = value.as_deref().unwrap_or("(nothing)");
                let _ = writeln!(out, "  {} {}", plain(name), plain(value));
            }
        }
        out
    }

    fn csv(&self) -> Result<String, Failure> {
        let rows = self.iter().map(|change| Row {
            record: &change.record,
            came: &change.came,
            council: &change.council,
            council_name: &change.council_name,
            node: &change.node,
            what: &change.what,
            fields: fields(change),
        });
        csv::items(&COLUMNS, &rows.collect::<Vec<Row<'_>>>())
    }
}

fn fields(change: &RecordChange) -> String {
    let set = change.fields.iter();
    let set = set.map(|(name, value)| format!("{name}={}", value.as_deref().unwrap_or_default()));
    set.collect::<Vec<String>>().join(" ")
}
