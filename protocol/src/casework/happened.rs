//! What has happened in a council's casework, fact by fact: for telling its officers.
//!
//! A stage says where a case stands now; between two looks it may have passed several. Facts are
//! written once and stay, so whoever goes by them misses nothing, however seldom it looks.

use std::collections::{BTreeMap, BTreeSet};

use super::decider::TIME_RAN_OUT;
use super::ledgers::Ledgers;
use super::line::Line;
use super::{Fact, record::Written};
use crate::ids::{CouncilCode, RecordId};
use crate::time::UnixSeconds;

/// A fact that counts, with the ids that an officer looks the case up by. It has nothing else of
/// what was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Happened {
    /// The record that says it.
    pub record: RecordId,
    /// What.
    pub fact: Fact<RecordId>,
    /// Whether this council wrote it.
    pub is_own: bool,
    /// The other council of the case.
    pub with: CouncilCode,
    /// When it was written, by the writing council's clock.
    pub at: UnixSeconds,
    /// The case.
    pub case: Option<RecordId>,
    /// The request that the case is for.
    pub request: Option<RecordId>,
    /// The place, of what is about a hold.
    pub place: Option<RecordId>,
    /// Of a release: whether the hold's time was up.
    pub ran_out: bool,
}

impl Ledgers {
    /// Every fact that counts, of this council and of its counterparts, in no order. What a council
    /// writes without what it follows from (a placement that nobody confirmed) is in no case, and in
    /// nobody's mailbox. Work grows with the facts.
    pub fn happened(&self) -> Vec<Happened> {
        let mut all = Vec::new();
        for (with, ledger) in &self.by_counterpart {
            let lines = [(true, &ledger.mine), (false, &ledger.theirs)];
            let known = Known::of(&lines);
            for (is_own, line) in lines {
                let told = line
                    .written
                    .iter()
                    .filter(|w| known.counts(is_own, &w.fact));
                all.extend(told.map(|written| known.happened(*with, is_own, written)));
            }
        }
        all
    }
}

/// What the facts of two councils refer to, each with whether this council wrote it.
#[derive(Default)]
struct Known {
    /// The request of each proposal.
    requests: BTreeMap<RecordId, (bool, RecordId)>,
    /// The case and the place of each hold.
    holds: BTreeMap<RecordId, (bool, RecordId, RecordId)>,
    /// Holds that the guest council has confirmed.
    confirmed: BTreeSet<RecordId>,
}

impl Known {
    fn of(lines: &[(bool, &Line)]) -> Self {
        let mut known = Self::default();
        let all = || {
            let lines = lines.iter();
            lines.flat_map(|(is_own, line)| line.written.iter().map(|w| (*is_own, &w.fact)))
        };
        for (is_own, fact) in all() {
            match fact {
                Fact::Proposal {
                    proposal, request, ..
                } => {
                    known.requests.insert(*proposal, (is_own, *request));
                }
                Fact::Hold {
                    hold,
                    proposal,
                    place,
                    ..
                } => {
                    known.holds.insert(*hold, (is_own, *proposal, *place));
                }
                _ => {}
            }
        }
        for (is_own, fact) in all() {
            if let Fact::Confirmation { hold, .. } = fact
                && known.counts(is_own, fact)
            {
                known.confirmed.insert(*hold);
            }
        }
        known
    }

    /// Whether a fact follows from what the two wrote before: each side writes its own, and of its
    /// own cases.
    fn counts(&self, is_own: bool, fact: &Fact<RecordId>) -> bool {
        let is_guests = |proposal| self.requests.get(proposal).map(|(by, _)| *by);
        let is_hosts = |hold| {
            let (by, proposal, _) = self.holds.get(hold)?;
            (is_guests(proposal) == Some(!by)).then_some(*by)
        };
        match fact {
            Fact::Proposal { .. } => true,
            Fact::Withdrawal { proposal } => is_guests(proposal) == Some(is_own),
            Fact::Decline { proposal } | Fact::Hold { proposal, .. } => {
                is_guests(proposal) == Some(!is_own)
            }
            Fact::Confirmation { hold, .. } => is_hosts(hold) == Some(!is_own),
            Fact::Release { hold } => is_hosts(hold) == Some(is_own),
            Fact::Placement { hold } | Fact::Arrival { hold, .. } => {
                is_hosts(hold) == Some(is_own) && self.confirmed.contains(hold)
            }
        }
    }

    fn happened(&self, with: CouncilCode, is_own: bool, written: &Written) -> Happened {
        let hold = match &written.fact {
            Fact::Confirmation { hold, .. }
            | Fact::Hold { hold, .. }
            | Fact::Placement { hold }
            | Fact::Arrival { hold, .. }
            | Fact::Release { hold } => self.holds.get(hold),
            _ => None,
        };
        let case = written.fact.case(|hold| Some(self.holds.get(&hold)?.1));
        let is_release = matches!(written.fact, Fact::Release { .. });
        Happened {
            record: written.record,
            fact: written.fact.clone(),
            is_own,
            with,
            at: written.at,
            case,
            request: case.and_then(|case| Some(self.requests.get(&case)?.1)),
            place: hold.map(|(.., place)| *place),
            ran_out: is_release && written.reason == Some(TIME_RAN_OUT),
        }
    }
}
