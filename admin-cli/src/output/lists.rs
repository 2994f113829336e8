//! Peers, documents, readers and members of a region, as lists.

use comfy_table::Cell;
use smp_protocol::api::{DocumentStatus, PeerStatus, Reader, RosterMember};

use super::ago::{ago, ago_or_never};
use super::table::{Mood, cell, marked, plain};
use super::{Look, View, csv};
use crate::exit::Failure;

/// Names listed in one note; of more it says how many.
const NAMED: usize = 3;

/// What is wrong and what to do, below the table: it would not fit into a column. Things
/// with the same reason share a note.
fn notes<'a>(
    items: impl Iterator<Item = (&'a str, Option<&'a String>, Option<&'a String>)>,
) -> String {
    let mut notes: Vec<(&str, &str, Vec<&str>)> = Vec::new();
    for (name, why, next) in items.filter(|(_, why, next)| why.is_some() || next.is_some()) {
        let why = why.map_or("needs attention", String::as_str);
        let next = next.map_or("", String::as_str);
        match notes.iter_mut().find(|(w, n, _)| (*w, *n) == (why, next)) {
            Some((_, _, names)) => names.push(name),
            None => notes.push((why, next, vec![name])),
        }
    }
    let mut out = String::new();
    for (why, next, names) in notes {
        let mut listed = names
            .iter()
            .take(NAMED)
            .copied()
            .collect::<Vec<&str>>()
            .join(", ");
        if names.len() > NAMED {
            listed.push_str(&format!(" and {} more", names.len() - NAMED));
        }
        out.push_str(&format!("  - {}: {}\n", plain(&listed), plain(why)));
        if !next.is_empty() {
            out.push_str(&format!("    next: {}\n", plain(next)));
        }
    }
    out
}

/// Bytes for people.
fn size(bytes: u64) -> String {
    match bytes {
        0..=9_999 => format!("{bytes} B"),
        10_000..=9_999_999 => format!("{} kB", bytes / 1_000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

fn peer_row(peer: &PeerStatus, look: &Look) -> Vec<Cell> {
    let mood = match peer.state.as_str() {
        "connected" => Mood::Good,
        "connecting" => Mood::Warn,
        _ => Mood::Bad,
    };
    let all = peer.in_agreement == peer.shared;
    let agreed = format!("{} of {}", peer.in_agreement, peer.shared);
    let since = ago(&peer.since, look.now);
    let as_of = ago_or_never(peer.as_of.as_deref(), look.now);
    let (sent, received) = (size(peer.bytes_sent), size(peer.bytes_received));
    vec![
        cell(&peer.council),
        cell(&peer.council_name),
        cell(peer.node.chars().take(8).collect::<String>()),
        cell(&peer.endpoint),
        marked(format!("{} ({since})", peer.state), mood),
        marked(
            format!("{agreed} ({as_of})"),
            if all { Mood::Plain } else { Mood::Warn },
        ),
        cell(format!("{sent} / {received}")),
    ]
}

impl View for Vec<PeerStatus> {
    fn words(&self, look: &Look) -> String {
        if self.is_empty() {
            return "No other node is in the region's roster yet.\n".to_owned();
        }
        let table = look.table(
            &[
                "Council",
                "Name",
                "Node",
                "Endpoint",
                "State (since)",
                "Agreed (as of)",
                "Sent / got",
            ],
            self.iter().map(|peer| peer_row(peer, look)).collect(),
        );
        let items = self
            .iter()
            .map(|p| (p.council_name.as_str(), p.why.as_ref(), p.next.as_ref()));
        table + &notes(items)
    }

    fn csv(&self) -> Result<String, Failure> {
        let columns = [
            "council",
            "council_name",
            "node",
            "endpoint",
            "state",
            "since",
            "shared",
            "in_agreement",
            "as_of",
            "why",
            "next",
            "bytes_sent",
            "bytes_received",
        ];
        csv::items(&columns, self)
    }
}

/// An agreement for people. A word of a newer node's is shown as it is, as a warning.
fn agreement(word: &str) -> Cell {
    match word {
        "agreed" => marked("in agreement", Mood::Good),
        "behind" => marked("behind", Mood::Warn),
        "not_confirmed" => marked("not confirmed", Mood::Warn),
        "never_heard" => marked("never heard", Mood::Bad),
        other => marked(other, Mood::Warn),
    }
}

fn document_row(document: &DocumentStatus, look: &Look) -> Vec<Cell> {
    let held = match document.unreplicated {
        0 => cell(""),
        n => marked(n.to_string(), Mood::Warn),
    };
    vec![
        cell(&document.document),
        cell(&document.council_name),
        cell(&document.role),
        cell(document.records.to_string()),
        agreement(&document.agreement),
        cell(ago_or_never(document.as_of.as_deref(), look.now)),
        held,
    ]
}

impl View for Vec<DocumentStatus> {
    fn words(&self, look: &Look) -> String {
        if self.is_empty() {
            return "This node holds no document yet.\n".to_owned();
        }
        let table = look.table(
            &[
                "Document",
                "Of",
                "Role",
                "Records",
                "Agreement",
                "As of",
                "Only here",
            ],
            self.iter().map(|d| document_row(d, look)).collect(),
        );
        let items = self
            .iter()
            .map(|d| (d.document.as_str(), d.why.as_ref(), d.next.as_ref()));
        table + &notes(items)
    }

    fn csv(&self) -> Result<String, Failure> {
        let columns = [
            "document",
            "council_name",
            "role",
            "records",
            "entries",
            "generation",
            "frontier",
            "heads",
            "agreement",
            "as_of",
            "unreplicated",
            "why",
            "next",
        ];
        csv::items(&columns, self)
    }
}

impl View for Vec<Reader> {
    fn words(&self, look: &Look) -> String {
        if self.is_empty() {
            return "No register has a reader beyond its own council.\n".to_owned();
        }
        let yes = |flag: bool| match flag {
            true => marked("yes", Mood::Good),
            false => marked("no", Mood::Warn),
        };
        let rows = self.iter().map(|reader| {
            vec![
                cell(&reader.document),
                cell(&reader.council_name),
                cell(format!("{} {}", reader.reader, reader.reader_name)),
                yes(reader.named),
                yes(reader.accepted),
                cell(reader.next.as_deref().unwrap_or_default()),
            ]
        });
        look.table(
            &["Register", "Of", "Reader", "Named", "Accepted", "Next"],
            rows.collect(),
        )
    }

    fn csv(&self) -> Result<String, Failure> {
        let columns = [
            "document",
            "council_name",
            "reader",
            "reader_name",
            "named",
            "accepted",
            "next",
        ];
        csv::items(&columns, self)
    }
}

/// The columns of a member, in a table and as CSV.
pub(super) const MEMBER_COLUMNS: [&str; 5] =
    ["council", "council_name", "node", "endpoints", "decider"];

impl View for Vec<RosterMember> {
    fn words(&self, look: &Look) -> String {
        if self.is_empty() {
            return "No council is a member yet.\n".to_owned();
        }
        let rows = self.iter().map(|member| {
            vec![
                cell(&member.council),
                cell(&member.council_name),
                cell(&member.node),
                cell(member.endpoints.join(", ")),
                cell(if member.decider { "yes" } else { "" }),
            ]
        });
        look.table(
            &["Council", "Name", "Node", "Endpoints", "Decider"],
            rows.collect(),
        )
    }

    fn csv(&self) -> Result<String, Failure> {
        csv::items(&MEMBER_COLUMNS, self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_with_the_same_reason_are_one() {
        let (why, next) = ("no answer".to_owned(), "smp peers".to_owned());
        let same = |name| (name, Some(&why), Some(&next));
        let items = ["a", "b", "c", "d", "e"].map(same).into_iter();
        let items = items.chain([("well", None, None), ("other", Some(&next), None)]);
        assert_eq!(
            notes(items),
            "  - a, b, c and 2 more: no answer\n    next: smp peers\n  - other: smp peers\n"
        );
    }
}
