//! Peers, documents, readers and members of a region, as lists.

use comfy_table::Cell;
use smp_protocol::api::{DocumentStatus, PeerStatus, Reader, RosterMember};

use super::ago::{ago, ago_or_never};
use super::table::{Mood, cell, marked};
use super::{Look, View, csv};
use crate::exit::Failure;

/// What is missing and what to do about it, in one cell.
fn why_next(why: Option<&str>, next: Option<&str>) -> String {
    match (why, next) {
        (Some(why), Some(next)) => format!("{why}; next: {next}"),
        (Some(why), None) => why.to_owned(),
        (None, Some(next)) => format!("next: {next}"),
        (None, None) => String::new(),
    }
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
        cell(why_next(peer.why.as_deref(), peer.next.as_deref())),
    ]
}

impl View for Vec<PeerStatus> {
    fn words(&self, look: &Look) -> String {
        if self.is_empty() {
            return "No other node is in the region's roster yet.\n".to_owned();
        }
        look.table(
            &[
                "Council",
                "Name",
                "Node",
                "Endpoint",
                "State (since)",
                "Agreed (as of)",
                "Sent / got",
                "Why, and what next",
            ],
            self.iter().map(|peer| peer_row(peer, look)).collect(),
        )
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
        cell(why_next(document.why.as_deref(), document.next.as_deref())),
    ]
}

impl View for Vec<DocumentStatus> {
    fn words(&self, look: &Look) -> String {
        if self.is_empty() {
            return "This node holds no document yet.\n".to_owned();
        }
        look.table(
            &[
                "Document",
                "Of",
                "Role",
                "Records",
                "Agreement",
                "As of",
                "Only here",
                "Why, and what next",
            ],
            self.iter().map(|d| document_row(d, look)).collect(),
        )
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
