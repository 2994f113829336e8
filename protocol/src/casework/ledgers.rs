//! A council's casework as its node holds it: what counts of every document, and the book.

use std::collections::BTreeMap;

use super::line::{Line, Pages};
use super::record::Written;
use super::{Book, Case, Fact, Refusal, Stage};
use crate::ids::{CouncilCode, DocumentKind, NodeId, RecordId};
use crate::session::Member;
use crate::time::UnixSeconds;

/// What this council and one counterpart have written to each other.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    pub(super) mine: Line,
    pub(super) theirs: Line,
}

/// All of it.
#[derive(Clone, Debug)]
pub struct Ledgers {
    pub(super) by_counterpart: BTreeMap<CouncilCode, Ledger>,
    pub(super) book: Book<CouncilCode, RecordId>,
    /// The counterparts whose deciders have not said what they hold since this process began.
    pub(super) unsure_of: Vec<CouncilCode>,
}

/// A case, for people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CaseView {
    /// What it has come to.
    pub case: Case<RecordId>,
    /// The council that has the household.
    pub guest: CouncilCode,
    /// The council that has the places.
    pub host: CouncilCode,
    /// The places that were proposed.
    pub places: Vec<RecordId>,
    /// When it last moved on.
    pub since: UnixSeconds,
    /// Until when the host council keeps the place for it, while it is held.
    pub until: Option<UnixSeconds>,
    /// Whether the hold was agreed by telephone.
    pub agreed_by_phone: bool,
    /// Why it was declined, released or withdrawn, where that was said: a code's index.
    pub reason: Option<u8>,
}

impl Ledgers {
    /// Reads all of it. Work grows with the entries of this council's casework.
    pub fn of(member: &Member) -> Self {
        let own = member.identity().council;
        let others = member.roster().members.iter().map(|m| m.council);
        let mut by_counterpart = BTreeMap::new();
        let mut book = Book::default();
        let mut unsure_of = Vec::new();
        for with in others.filter(|other| *other != own) {
            let mine = Pages::of(member.document(DocumentKind::Casework(with).of(own)));
            let theirs = Pages::of(member.document(DocumentKind::Casework(own).of(with)));
            let ledger = Ledger {
                mine: mine.line(&theirs),
                theirs: theirs.line(&mine),
            };
            let facts = |line: &Line| line.written.iter().map(|w| w.fact.clone()).collect();
            book.mine.insert(with, facts(&ledger.mine));
            book.theirs.insert(with, facts(&ledger.theirs));
            if decider_of(member, with).is_some() && !is_sure(member, with, &ledger.mine) {
                unsure_of.push(with);
            }
            by_counterpart.insert(with, ledger);
        }
        book.unsure_of = unsure_of.iter().copied().collect();
        Self {
            by_counterpart,
            book,
            unsure_of,
        }
    }

    /// The counterparts whose deciders have not yet said what they hold since this process began:
    /// until they have, nothing is held, confirmed or placed.
    pub fn unsure_of(&self) -> &[CouncilCode] {
        &self.unsure_of
    }

    /// What is known and may be decided.
    pub fn book(&self) -> &Book<CouncilCode, RecordId> {
        &self.book
    }

    /// Every case of this council, newest change last.
    pub fn cases(&self, own: CouncilCode) -> Vec<CaseView> {
        let mut cases = Vec::new();
        for (with, ledger) in &self.by_counterpart {
            for (written, guest) in [(&ledger.mine, own), (&ledger.theirs, *with)] {
                for proposal in &written.written {
                    cases.extend(self.view(own, *with, guest, ledger, proposal));
                }
            }
        }
        cases.sort_by_key(|view| (view.since, view.case.proposal));
        cases
    }

    fn view(
        &self,
        own: CouncilCode,
        with: CouncilCode,
        guest: CouncilCode,
        ledger: &Ledger,
        proposal: &Written,
    ) -> Option<CaseView> {
        let Fact::Proposal {
            proposal: id,
            places,
            ..
        } = &proposal.fact
        else {
            return None;
        };
        let (case, host) = match guest == own {
            true => (self.book.case_as_guest(with, *id)?, with),
            false => (self.book.case_as_host(with, *id)?, own),
        };
        let all = ledger.mine.written.iter().chain(&ledger.theirs.written);
        let of_case: Vec<&Written> = all.filter(|w| concerns(&w.fact, &case)).collect();
        let hold = of_case.iter().find(|w| {
            matches!(w.fact, Fact::Hold { hold, .. } if case.hold.is_some_and(|(h, _)| h == hold))
        });
        let ended = of_case.iter().rev().find_map(|w| w.reason);
        Some(CaseView {
            case,
            guest,
            host,
            places: places.clone(),
            since: of_case.iter().map(|w| w.at).max().unwrap_or(proposal.at),
            until: hold
                .and_then(|w| w.until)
                .filter(|_| case.stage == Stage::Held),
            agreed_by_phone: hold.is_some_and(|w| w.agreed_by_phone),
            reason: ended,
        })
    }
}

fn concerns(fact: &Fact<RecordId>, case: &Case<RecordId>) -> bool {
    match fact {
        Fact::Proposal { proposal, .. }
        | Fact::Confirmation { proposal, .. }
        | Fact::Withdrawal { proposal }
        | Fact::Hold { proposal, .. }
        | Fact::Decline { proposal } => *proposal == case.proposal,
        Fact::Placement { hold } | Fact::Arrival { hold, .. } | Fact::Release { hold } => {
            case.hold.is_some_and(|(of, _)| of == *hold)
        }
    }
}

/// The node that takes a council's exclusive decisions.
pub fn decider_of(member: &Member, council: CouncilCode) -> Option<NodeId> {
    let nodes = &member.roster().member(council)?.nodes;
    nodes.iter().find(|node| node.decider).map(|node| node.id)
}

/// Whether this process's own opening is what everything goes on from, and the counterpart's
/// decider has answered it.
fn is_sure(member: &Member, with: CouncilCode, mine: &Line) -> bool {
    let is_own = is_own(member, with, mine);
    let by = mine.answered_by.map(|chain| chain.node);
    is_own && by.is_some() && by == decider_of(member, with)
}

/// Whether this process's own opening is what everything goes on from.
pub(super) fn is_own(member: &Member, with: CouncilCode, mine: &Line) -> bool {
    let document = DocumentKind::Casework(with).of(member.identity().council);
    let own = member.own_chain(document);
    own.is_some() && mine.tip.as_ref().map(|tip| tip.chain) == own
}

impl Refusal {
    /// Whether the decider only has to wait for answers.
    pub fn is_for_want_of_answers(self) -> bool {
        self == Self::Unsure
    }
}
