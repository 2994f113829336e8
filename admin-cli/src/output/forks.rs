//! Two histories of one key, and what fell away with a cut.

use comfy_table::Cell;
use smp_protocol::api::{Alarm, FallenField, FallenOutcome};

use super::ago::ago;
use super::table::{Mood, cell, marked, plain};
use super::writes::held_by;
use super::{Look, View, csv};
use crate::exit::Failure;

/// Enough of a hash or an id to tell two apart.
fn short(text: &str) -> String {
    text.chars().take(8).collect()
}

fn holders(alarm: &Alarm) -> Vec<Vec<Cell>> {
    let here = alarm.held_here.as_deref();
    let other = alarm
        .histories
        .iter()
        .map(String::as_str)
        .find(|history| here.is_some_and(|here| here != *history));
    let named = |history: Option<&str>| history.map_or("neither".to_owned(), short);
    let mut rows = vec![vec![
        cell("here"),
        cell(""),
        marked(named(here), Mood::Plain),
        cell(alarm.entries.to_string()),
    ]];
    for peer in &alarm.peers {
        let (history, mood) = match peer.history.as_str() {
            "same" => (named(here), Mood::Plain),
            "other" => (other.map_or("another".to_owned(), short), Mood::Warn),
            _ => ("not known".to_owned(), Mood::Plain),
        };
        rows.push(vec![
            cell(&peer.council),
            cell(short(&peer.node)),
            marked(history, mood),
            cell(peer.entries.map_or(String::new(), |n| n.to_string())),
        ]);
    }
    rows
}

impl View for Vec<Alarm> {
    fn words(&self, look: &Look) -> String {
        if self.is_empty() {
            return "No key has signed two histories.\n".to_owned();
        }
        let mut out = String::new();
        for alarm in self {
            let whose = match alarm.own {
                true => "THIS NODE\u{2019}S KEY".to_owned(),
                false => format!("the key of {} node {}", alarm.council, alarm.node),
            };
            out.push_str(&plain(&format!(
                "{} ({}): {whose} signed two histories after entry {}; known here since {}. It \
                 is closed there; nothing was dropped, and replicas may differ.",
                alarm.document,
                alarm.council_name,
                alarm.common,
                ago(&alarm.since, look.now)
            )));
            out.push('\n');
            let heads = ["Council", "Node", "History", "Entries"];
            out.push_str(&look.table(&heads, holders(alarm)));
            for (number, step) in (1..).zip(&alarm.next) {
                out.push_str(&plain(&format!("  {number}. {step}")));
                out.push('\n');
            }
        }
        out
    }

    fn csv(&self) -> Result<String, Failure> {
        let columns = [
            "document",
            "council",
            "council_name",
            "node",
            "own",
            "since",
            "common",
            "histories",
            "held_here",
            "entries",
        ];
        csv::items(&columns, self)
    }
}

const FALLEN: [&str; 5] = ["document", "record", "field", "was", "is"];

fn fallen_table(fields: &[FallenField], look: &Look) -> String {
    let value = |texts: &[String]| match texts {
        [] => cell("(none)"),
        texts => cell(texts.join(" | ")),
    };
    let rows = fields.iter().map(|field| {
        vec![
            cell(&field.record),
            cell(&field.field),
            value(&field.was),
            value(&field.is),
        ]
    });
    look.table(
        &["Record", "Field", "Before the cut", "Now"],
        rows.collect(),
    )
}

impl View for Vec<FallenField> {
    fn words(&self, look: &Look) -> String {
        if self.is_empty() {
            return "Nothing of this council\u{2019}s fell away with a cut, or all of it is settled.\n"
                .to_owned();
        }
        let mut out = String::new();
        let mut rest = self.as_slice();
        while let Some(first) = rest.first() {
            let same = rest.iter().take_while(|f| f.document == first.document);
            let (of_one, others) = rest.split_at(same.count());
            out.push_str(&format!("{}\n", plain(&first.document)));
            out.push_str(&fallen_table(of_one, look));
            out.push_str(&format!(
                "next: smp documents again {} --dry-run\n",
                plain(&first.document)
            ));
            rest = others;
        }
        out
    }

    fn csv(&self) -> Result<String, Failure> {
        csv::items(&FALLEN, self)
    }
}

impl View for FallenOutcome {
    fn words(&self, look: &Look) -> String {
        let mut out = String::new();
        if !self.written.is_empty() {
            out.push_str(match self.applied {
                true => "Written again:\n",
                false => "Would be written again:\n",
            });
            out.push_str(&fallen_table(&self.written, look));
        }
        if !self.conflicts.is_empty() {
            out.push_str("Changed since, or in conflict before; for a person to settle:\n");
            out.push_str(&fallen_table(&self.conflicts, look));
        }
        if self.applied && !self.written.is_empty() {
            out.push_str(&held_by(self.held_by));
        }
        if out.is_empty() {
            out.push_str("Nothing was written; nothing of it is on the list any more.\n");
        }
        out
    }

    fn csv(&self) -> Result<String, Failure> {
        let both: Vec<FallenField> = self
            .written
            .iter()
            .chain(&self.conflicts)
            .cloned()
            .collect();
        csv::items(&FALLEN, &both)
    }
}
