//! A council's casework as its node holds it: what counts of every document, and the book.

use std::collections::BTreeMap;

use super::line::{Line, Pages};
use super::record::Written;
use super::remark::{Noted, Remark, Remarks, Side};
use super::{Book, Case, Fact, Stage};
use crate::ids::{CouncilCode, DocumentKind, NodeId, RecordId};
use crate::session::Member;
use crate::time::{Day, UnixSeconds};

/// What this council and one counterpart have written to each other.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    pub(super) mine: Line,
    pub(super) theirs: Line,
    /// How many of its openings this council has answered.
    pub(super) answers: usize,
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
    /// What both councils have told each other beside.
    pub remarks: Remarks,
}

impl CaseView {
    /// Which side a council is on.
    pub fn side(&self, council: CouncilCode) -> Side {
        match council == self.guest {
            true => Side::Guest,
            false => Side::Host,
        }
    }

    /// The council that is responsible for the household on a day.
    pub fn responsible(&self, on: Day) -> CouncilCode {
        match self.remarks.transferred(on) {
            true => self.host,
            false => self.guest,
        }
    }
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
                answers: mine.answers(),
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

    /// How often this council has said of a hold that its host's checks have changed.
    pub(super) fn concerns_of(&self, guest: CouncilCode, of: RecordId) -> usize {
        let ledger = self.by_counterpart.get(&guest);
        let remarks = ledger.into_iter().flat_map(|ledger| &ledger.mine.remarks);
        let is_it = |n: &&Noted| matches!(n.remark, Remark::Concern { hold, .. } if hold == of);
        remarks.filter(is_it).count()
    }

    /// What is known and may be decided.
    pub fn book(&self) -> &Book<CouncilCode, RecordId> {
        &self.book
    }

    /// Every case of this council, newest change last.
    pub fn cases(&self, own: CouncilCode) -> Vec<CaseView> {
        let mut views = Vec::new();
        for (with, ledger) in &self.by_counterpart {
            let of_case = ledger.by_case();
            let as_guest = self.book.cases_as_guest(*with).into_iter();
            let as_host = self.book.cases_as_host(*with).into_iter();
            let mut remarks = ledger.remarks();
            let as_guest = as_guest.map(|case| (case, own, *with));
            for (case, guest, host) in as_guest.chain(as_host.map(|case| (case, *with, own))) {
                let written = of_case.get(&case.proposal).map(Vec::as_slice);
                let (mine, theirs) = remarks.remove(&case.proposal).unwrap_or_default();
                let (of_guest, of_host) = match guest == own {
                    true => (mine, theirs),
                    false => (theirs, mine),
                };
                let hold = case.hold.map(|(hold, _)| hold);
                let told = Remarks::of(of_guest.into_iter(), of_host.into_iter(), hold);
                views.push(view(case, (guest, host), written.unwrap_or_default(), told));
            }
        }
        views.sort_by_key(|view| (view.since, view.case.proposal));
        views
    }
}

/// What this council and the other have remarked of a case.
type Told<'a> = (Vec<&'a Noted>, Vec<&'a Noted>);

impl Ledger {
    /// What both remarked of each case.
    fn remarks(&self) -> BTreeMap<RecordId, Told<'_>> {
        // A council says of its own holds that its host's checks have changed, and of no other.
        let (mine, theirs) = (holds_of(&self.mine), holds_of(&self.theirs));
        let remarks = self.mine.remarks.iter().chain(&self.theirs.remarks);
        let enquiries = remarks.filter_map(|noted| match noted.remark {
            Remark::Enquiry { proposal, .. } => Some((noted.record, proposal)),
            _ => None,
        });
        let enquiries: BTreeMap<RecordId, RecordId> = enquiries.collect();
        let case = |noted: &Noted, holds: &BTreeMap<RecordId, RecordId>| {
            let of_hold = |hold| holds.get(&hold).copied();
            let of_enquiry = |enquiry| enquiries.get(&enquiry).copied();
            noted.remark.case(of_hold, of_enquiry)
        };
        let mut told: BTreeMap<RecordId, Told<'_>> = BTreeMap::new();
        for noted in &self.mine.remarks {
            if let Some(case) = case(noted, &mine) {
                told.entry(case).or_default().0.push(noted);
            }
        }
        for noted in &self.theirs.remarks {
            if let Some(case) = case(noted, &theirs) {
                told.entry(case).or_default().1.push(noted);
            }
        }
        told
    }

    /// Everything that both wrote.
    fn all(&self) -> impl Iterator<Item = &Written> {
        self.mine.written.iter().chain(&self.theirs.written)
    }

    /// What both wrote of each case.
    fn by_case(&self) -> BTreeMap<RecordId, Vec<&Written>> {
        let mut holds = holds_of(&self.theirs);
        holds.extend(holds_of(&self.mine));
        let mut cases: BTreeMap<RecordId, Vec<&Written>> = BTreeMap::new();
        for written in self.all() {
            if let Some(case) = written.fact.case(|hold| holds.get(&hold).copied()) {
                cases.entry(case).or_default().push(written);
            }
        }
        cases
    }
}

/// The case of each hold that a council wrote.
fn holds_of(line: &Line) -> BTreeMap<RecordId, RecordId> {
    let holds = line.written.iter().filter_map(|w| match w.fact {
        Fact::Hold { hold, proposal, .. } => Some((hold, proposal)),
        _ => None,
    });
    holds.collect()
}

fn view(
    case: Case<RecordId>,
    (guest, host): (CouncilCode, CouncilCode),
    written: &[&Written],
    remarks: Remarks,
) -> CaseView {
    let hold = written.iter().find(
        |w| matches!(w.fact, Fact::Hold { hold, .. } if case.hold.is_some_and(|(h, _)| h == hold)),
    );
    let places = written.iter().find_map(|w| match &w.fact {
        Fact::Proposal { places, .. } => Some(places.clone()),
        _ => None,
    });
    let has_ended = matches!(
        case.stage,
        Stage::Declined | Stage::Released | Stage::Lost | Stage::Withdrawn | Stage::Over
    );
    // Of two in one second the record decides, so that both councils are told the same.
    let reasons = written
        .iter()
        .filter_map(|w| Some((w.at, w.record, w.reason?)));
    let reason = reasons.max().map(|(_, _, reason)| reason);
    CaseView {
        case,
        guest,
        host,
        places: places.unwrap_or_default(),
        since: written.iter().map(|w| w.at).max().unwrap_or_default(),
        until: hold
            .and_then(|w| w.until)
            .filter(|_| case.stage == Stage::Held),
        agreed_by_phone: hold.is_some_and(|w| w.agreed_by_phone),
        reason: reason.filter(|_| has_ended),
        remarks,
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
    let is_tip = own.is_some() && mine.tip.as_ref().map(|tip| tip.chain) == own;
    is_tip && !own.is_some_and(|own| mine.passed.contains(&own))
}
