//! What has happened in a council's casework, fact by fact: for telling its officers.
//!
//! A stage says where a case stands now; between two looks it may have passed several. Facts are
//! written once and stay, so whoever goes by them misses nothing, however seldom it looks.

use std::collections::BTreeMap;

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
    /// Every fact that counts, of this council and of its counterparts, in no order. Work grows with
    /// the facts.
    pub fn happened(&self) -> Vec<Happened> {
        let mut all = Vec::new();
        for (with, ledger) in &self.by_counterpart {
            let lines = [(true, &ledger.mine), (false, &ledger.theirs)];
            let known = Known::of(&lines);
            for (is_own, line) in lines {
                let told = line.written.iter();
                all.extend(told.map(|written| known.happened(*with, is_own, written)));
            }
        }
        all
    }
}

/// What the facts of two councils refer to.
#[derive(Default)]
struct Known {
    /// The request of each proposal.
    requests: BTreeMap<RecordId, RecordId>,
    /// The case and the place of each hold.
    holds: BTreeMap<RecordId, (RecordId, RecordId)>,
}

impl Known {
    fn of(lines: &[(bool, &Line)]) -> Self {
        let mut known = Self::default();
        for written in lines.iter().flat_map(|(_, line)| &line.written) {
            match &written.fact {
                Fact::Proposal {
                    proposal, request, ..
                } => {
                    known.requests.insert(*proposal, *request);
                }
                Fact::Hold {
                    hold,
                    proposal,
                    place,
                    ..
                } => {
                    known.holds.insert(*hold, (*proposal, *place));
                }
                _ => {}
            }
        }
        known
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
        let case = written.fact.case(|hold| Some(self.holds.get(&hold)?.0));
        let is_release = matches!(written.fact, Fact::Release { .. });
        Happened {
            record: written.record,
            fact: written.fact.clone(),
            is_own,
            with,
            at: written.at,
            case,
            request: case.and_then(|case| self.requests.get(&case).copied()),
            place: hold.map(|(_, place)| *place),
            ran_out: is_release && written.reason == Some(TIME_RAN_OUT),
        }
    }
}
