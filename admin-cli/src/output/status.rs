//! The state of the node: in words first, then what to do, then peers and documents.

use smp_protocol::api::Status;

use super::ago::ago;
use super::roster::standing;
use super::table::{Mood, plain};
use super::{Look, View, csv};
use crate::exit::{self, Failure};

/// What is not as it should be, in words; `None` when all is well. A word of a newer
/// node's that is not known here counts as not well.
pub(crate) fn attention(status: &Status) -> Option<String> {
    let apart = status
        .documents
        .iter()
        .filter(|d| d.agreement != "agreed")
        .count();
    let mut parts = Vec::new();
    if status.roster.state != "valid" {
        parts.push(format!("the roster is {}", plain(&status.roster.state)));
    }
    if apart > 0 {
        let all = status.documents.len();
        parts.push(format!("{apart} of {all} documents are not in agreement"));
    }
    match status.advice.len() {
        0 => {}
        1 => parts.push("1 thing needs attention".to_owned()),
        n => parts.push(format!("{n} things need attention")),
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// The same as a failure, for `--check`.
pub(crate) fn attention_failure(words: &str) -> Failure {
    Failure::new(
        exit::ATTENTION,
        words,
        "`smp status` says for each what to do",
    )
}

fn headline(status: &Status, look: &Look) -> String {
    let connected = status.peers.iter().filter(|p| p.state == "connected");
    let state = match attention(status) {
        None => {
            let all = status.documents.len();
            let words = format!("all is well, {all} documents in agreement");
            look.paint(&words, Mood::Good)
        }
        Some(words) => look.paint(&words, Mood::Warn),
    };
    format!(
        "{}: {state}; connected to {} of {} other nodes",
        plain(&status.council_name),
        connected.count(),
        status.peers.len(),
    )
}

impl View for Status {
    fn words(&self, look: &Look) -> String {
        // The node's own clock, so that a wrong one here does not make it look stale.
        let now = self.now.parse().unwrap_or(look.now);
        let look = &Look { now, ..*look };
        let mut out = format!(
            "{}\nRegion {}, {}\nNode {} of {}, smp-node {}, store {}, started {}\n",
            headline(self, look),
            plain(&self.region),
            standing(&self.roster, look),
            plain(&self.node),
            plain(&self.council),
            plain(&self.version),
            plain(&self.store.engine),
            ago(&self.started, look.now),
        );
        for caveat in &self.store.caveats {
            out.push_str(&format!("  {}\n", plain(caveat)));
        }
        if !self.advice.is_empty() {
            out.push_str("\nTo do:\n");
        }
        for advice in &self.advice {
            let problem = look.paint(&plain(&advice.problem), Mood::Warn);
            out.push_str(&format!(
                "  - {problem}\n    next: {}\n",
                plain(&advice.next)
            ));
        }
        out.push_str(&format!(
            "\n{}\n{}",
            self.peers.words(look),
            self.documents.words(look)
        ));
        if !self.refused.is_empty() {
            let counts = self.refused.iter();
            let counts: Vec<String> = counts
                .map(|(why, n)| format!("{} {n}", plain(why)))
                .collect();
            out.push_str(&format!(
                "\nRefused since the start: {}\n",
                counts.join(", ")
            ));
        }
        out
    }

    /// Names and values; peers and documents have commands of their own.
    fn csv(&self) -> Result<String, Failure> {
        csv::object(self)
    }
}
