//! What a search found, and what is suggested.

use comfy_table::Cell;
use serde_json::{Value, json};
use smp_protocol::api::{Found, Match, Suggestions};

use super::table::{Mood, cell, marked, plain};
use super::{Look, View, csv};
use crate::exit::Failure;

const MATCH: [&str; 9] = [
    "request",
    "guest",
    "guest_name",
    "place",
    "host",
    "host_name",
    "points",
    "reasons",
    "ask",
];

fn ask(one: &Match) -> String {
    match one.ask.as_slice() {
        [] => String::new(),
        questions => format!("; ask {}", questions.join(", ")),
    }
}

fn reasons(one: &Match) -> Cell {
    cell(format!("{}{}", one.reasons.join(", "), ask(one)))
}

impl View for Vec<Found> {
    fn words(&self, look: &Look) -> String {
        if self.is_empty() {
            return "No place would do. `--all` says of each why not.\n".to_owned();
        }
        let rows = self.iter().map(|one| match one.does {
            true => vec![
                cell(&one.of.place),
                cell(&one.of.host_name),
                marked(one.of.points.to_string(), Mood::Good),
                reasons(&one.of),
            ],
            false => vec![
                cell(&one.of.place),
                cell(&one.of.host_name),
                marked("no", Mood::Warn),
                cell(one.why_not.join("; ")),
            ],
        });
        look.table(&["Place", "Council", "Points", "Why"], rows.collect())
    }

    fn csv(&self) -> Result<String, Failure> {
        let columns = [
            "does",
            "place",
            "host",
            "host_name",
            "points",
            "reasons",
            "ask",
            "why_not",
        ];
        csv::items(&columns, self)
    }
}

fn table(matches: &[Match], look: &Look) -> String {
    let rows = matches.iter().map(|one| {
        vec![
            cell(&one.request),
            cell(&one.guest_name),
            cell(&one.place),
            cell(&one.host_name),
            cell(one.points.to_string()),
            reasons(one),
        ]
    });
    let heads = ["Request", "Guest", "Place", "Host", "Points", "Why"];
    look.table(&heads, rows.collect())
}

impl View for Vec<Match> {
    fn words(&self, look: &Look) -> String {
        if self.is_empty() {
            return "Nothing would do. `smp pool search --all` says of each place why not.\n"
                .to_owned();
        }
        table(self, look)
    }

    fn csv(&self) -> Result<String, Failure> {
        csv::items(&MATCH, self)
    }
}

impl View for Suggestions {
    fn words(&self, look: &Look) -> String {
        let mut out = match self.matches.is_empty() {
            true => "No household would have a place.\n".to_owned(),
            false => table(&self.matches, look),
        };
        for one in &self.unplaced {
            let who = format!("{} ({})", one.request, one.guest_name);
            out.push_str(&format!("  - {}: {}\n", plain(&who), plain(&one.why)));
        }
        if self.left_out > 0 {
            let count = self.left_out;
            out.push_str(&format!(
                "{count} open requests and places were not looked at.\n"
            ));
        }
        out
    }

    fn csv(&self) -> Result<String, Failure> {
        let matched = self.matches.iter().map(|one| json!(one));
        let unplaced = self.unplaced.iter().map(|one| json!(one));
        let rows: Vec<Value> = matched.chain(unplaced).collect();
        csv::items(&[&MATCH[..], &["why"]].concat(), &rows)
    }
}
