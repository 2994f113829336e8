//! What the demo says: a line for each step while it happens, a table and JSON at the end.
//!
//! Counts and names of councils only: no record is ever printed.

use std::fmt::Display;
use std::io::Write;
use std::time::{Duration, Instant};

use comfy_table::{CellAlignment, Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use smp_protocol::ids::DocumentKind;

use super::councils::{Chosen, Council};
use super::watch::{Expected, Standing, View, expected, standing};

/// How often a wait says how it stands where there is no terminal to draw on.
const SAY_EVERY: Duration = Duration::from_secs(15);

/// Where the demo's lines go, with the time since it began.
pub(super) struct Console {
    began: Instant,
}

impl Console {
    pub(super) fn new() -> Self {
        Self {
            began: Instant::now(),
        }
    }

    /// Seconds since the demo began.
    pub(super) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Says a line, with the time. A reader that hung up does not stop the demo.
    pub(super) fn say(&self, text: impl Display) {
        let seconds = self.began.elapsed().as_secs_f64();
        self.line(format_args!("[{seconds:7.1} s] {text}"));
    }

    /// Says a line as it is.
    pub(super) fn line(&self, text: impl Display) {
        let _ = writeln!(std::io::stdout().lock(), "{text}");
    }

    /// Shows how far something has come: a bar on a terminal, else a line now and then.
    pub(super) fn progress(&self, what: &'static str) -> Progress<'_> {
        // Draws on standard error, and not at all where that is no terminal.
        let bar = ProgressBar::no_length();
        if let Ok(style) = ProgressStyle::with_template("  {msg} [{bar:40}] {pos} of {len}") {
            bar.set_style(style);
        }
        bar.set_message(what);
        Progress {
            console: self,
            bar,
            what,
            said: Instant::now(),
        }
    }
}

/// How far something has come.
pub(super) struct Progress<'a> {
    console: &'a Console,
    bar: ProgressBar,
    what: &'static str,
    said: Instant,
}

impl Progress<'_> {
    pub(super) fn at(&mut self, done: usize, total: usize) {
        self.bar
            .set_length(u64::try_from(total).unwrap_or(u64::MAX));
        self.bar
            .set_position(u64::try_from(done).unwrap_or(u64::MAX));
        if self.bar.is_hidden() && self.said.elapsed() >= SAY_EVERY {
            self.said = Instant::now();
            self.console
                .say(format_args!("  {}: {done} of {total}", self.what));
        }
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// What came of a demo; `--json` prints it as the last line.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Outcome {
    /// The region's name.
    pub region: String,
    /// Councils, each with a node.
    pub councils: usize,
    /// Documents that they write.
    pub documents: usize,
    /// Copies of them at readers.
    pub copies: usize,
    /// Records in them.
    pub records: usize,
    /// Whether every reader of every document holds what its council holds.
    pub converged: bool,
    /// From the first file until every reader agreed.
    pub seconds_to_converge: Option<f64>,
    /// From the last write until every reader agreed.
    pub seconds_after_last_write: Option<f64>,
    /// From the start of the node that was stopped until every reader agreed again.
    pub seconds_to_catch_up: Option<f64>,
    /// From the proposal of a place until it was booked and every council saw it taken.
    pub seconds_to_rematch: Option<f64>,
    /// From beginning to end.
    pub seconds_total: f64,
    /// UDP payload that all nodes sent.
    pub bytes_on_the_wire: u64,
    /// The store's engine.
    pub engine: &'static str,
    /// The seed that makes the same records again.
    pub seed: u64,
    /// Which reader lacks what; empty where all agree.
    pub lacks: Vec<String>,
}

/// What the demo knows of one node beyond what the node says.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Extra {
    /// Bytes that it sent and received before it was started again.
    pub(super) sent: u64,
    pub(super) received: u64,
    /// When it first held everything that it reads.
    pub(super) whole_after: Option<Duration>,
}

/// A row for each council: what it holds, by whom its register is held, peers, agreement,
/// bytes, time.
pub(super) fn table(chosen: &Chosen, views: &[View], extras: &[Extra]) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY);
    table.set_header([
        "council",
        "records",
        "own",
        "others'",
        "its register is held by",
        "peers",
        "agree",
        "sent",
        "received",
        "whole after",
    ]);
    let copies = expected(&chosen.councils);
    let rows = chosen.councils.iter().zip(views).zip(extras).enumerate();
    for (index, ((council, view), extra)) in rows {
        let own = records(view, |document| document.ends_with(council.code.as_str()));
        let all = records(view, |_| true);
        let mine: Vec<&Expected> = copies.iter().filter(|copy| copy.reader == index).collect();
        let agree = mine
            .iter()
            .filter(|copy| standing(views, copy) == Standing::Agrees)
            .count();
        table.add_row([
            council.name.clone(),
            all.to_string(),
            own.to_string(),
            all.saturating_sub(own).to_string(),
            register_holders(chosen, views, index, council),
            format!("{}/{}", view.connected, view.peers),
            // Its own three are what the others are compared with.
            format!("{}/{}", agree + OWN, mine.len() + OWN),
            bytes(view.sent.saturating_add(extra.sent)),
            bytes(view.received.saturating_add(extra.received)),
            extra.whole_after.map_or_else(|| "not".to_owned(), seconds),
        ]);
    }
    for column in [1, 2, 3, 5, 6, 7, 8, 9] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.to_string()
}

/// Documents that each council writes.
const OWN: usize = DocumentKind::OF_EACH.len();

/// Records of the documents that are wanted.
pub(super) fn records(view: &View, wanted: impl Fn(&str) -> bool) -> usize {
    let documents = view
        .documents
        .iter()
        .filter(|(document, _)| wanted(document));
    documents.map(|(_, held)| held.records).sum()
}

fn register_holders(chosen: &Chosen, views: &[View], own: usize, council: &Council) -> String {
    let document = DocumentKind::HostRegister.of(council.code).to_string();
    let holders = chosen.councils.iter().zip(views).enumerate();
    let holders = holders.filter(|(index, (_, view))| {
        *index != own
            && view
                .documents
                .get(&document)
                .is_some_and(|held| held.records > 0)
    });
    let names: Vec<&str> = holders.map(|(_, (other, _))| other.name.as_str()).collect();
    names.join(", ")
}

/// A number of bytes for people.
pub(super) fn bytes(count: u64) -> String {
    indicatif::BinaryBytes(count).to_string()
}

/// A time for people.
pub(super) fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_has_what_is_promised() {
        let outcome = Outcome {
            region: "North East".to_owned(),
            councils: 12,
            documents: 36,
            copies: 288,
            records: 1_500,
            converged: true,
            seconds_to_converge: Some(2.5),
            seconds_after_last_write: Some(0.5),
            seconds_to_catch_up: None,
            seconds_to_rematch: None,
            seconds_total: 4.0,
            bytes_on_the_wire: 1,
            engine: "redb",
            seed: 1,
            lacks: Vec::new(),
        };
        let json = serde_json::to_value(&outcome).unwrap();
        for key in ["region", "councils", "documents", "records", "converged"] {
            assert!(json.get(key).is_some_and(|value| !value.is_null()), "{key}");
        }
        assert_eq!(json["seconds_to_converge"], 2.5);
        assert!(json["seconds_to_catch_up"].is_null());
    }
}
