//! What became of a write.

use smp_protocol::api::{RosterOutcome, Stored};

use super::table::plain;
use super::{Look, View, csv};
use crate::exit::Failure;

/// How safe a write is by now.
pub(super) fn held_by(nodes: usize) -> String {
    match nodes {
        0 => "Stored on this node; no other node is known to hold it yet.\n".to_owned(),
        1 => "Stored on this node, and held by 1 other.\n".to_owned(),
        n => format!("Stored on this node, and held by {n} others.\n"),
    }
}

impl View for Stored {
    fn words(&self, _look: &Look) -> String {
        if self.records.is_empty() {
            return "Nothing changed: it is as it was.\n".to_owned();
        }
        format!(
            "{}\n{}",
            plain(&self.records.join(" ")),
            held_by(self.held_by)
        )
    }

    fn csv(&self) -> Result<String, Failure> {
        csv::object(self)
    }
}

impl View for RosterOutcome {
    fn words(&self, _look: &Look) -> String {
        match self.installed {
            true => format!(
                "Roster version {} holds now; the node passes it on to the others.\n",
                self.version
            ),
            false => format!(
                "Nothing changed: the node holds version {} already.\n",
                self.version
            ),
        }
    }

    fn csv(&self) -> Result<String, Failure> {
        csv::object(self)
    }
}
