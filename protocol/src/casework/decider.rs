//! A council's decider: what its officers decide, and what its node does by itself.
//!
//! Everything that follows from one decision is one write, on disk together or not at all:
//! the casework with each counterpart, and the states in the pool that show it. It must never
//! end a lock of another council, nor take one while a counterpart may know of another.

use std::collections::{BTreeMap, BTreeSet};

use super::ledgers::{Ledgers, decider_of, is_own};
use super::record::{self, Written, kind_of};
use super::wish::{DecideError, Extras, Facts, Wish, decided};
use super::{Book, Fact, Refusal, Stage, pool};
use crate::ids::{CouncilCode, DocumentKind, DocumentName, Hash, RecordId, RecordKind};
use crate::limits;
use crate::schema::Edit;
use crate::session::{Durable, Member, Receipt, WriteError};
use crate::time::UnixSeconds;

/// See the module's documentation. One for each process.
#[derive(Debug, Default)]
pub struct Decider {
    /// Counterparts that an officer decided to go on without.
    without: BTreeSet<CouncilCode>,
    /// Whether an exclusive decision is to be taken, so that answers are needed.
    wanted: bool,
    /// What was there when last nothing was left to do, and when time alone will change that.
    done_with: Option<(Reaches, UnixSeconds)>,
}

/// The roster's version, and how far each document goes.
type Reaches = (u64, Vec<(DocumentName, Hash)>);

impl Decider {
    /// A decider that has asked nobody yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether something that is being stored may be for a decider to answer or follow up.
    pub fn is_moved_by(durable: &Durable) -> bool {
        match durable {
            Durable::Batch { document, .. } | Durable::Rewritten { document, .. } => {
                matches!(document.kind, DocumentKind::Casework(_))
            }
            Durable::Roster(_) => true,
            _ => false,
        }
    }

    /// What this council's casework comes to.
    pub fn ledgers(&self, member: &Member) -> Ledgers {
        let mut ledgers = Ledgers::of(member);
        ledgers
            .unsure_of
            .retain(|with| !self.without.contains(with));
        ledgers.book.unsure_of = ledgers.unsure_of.iter().copied().collect();
        ledgers
    }

    /// Goes on without what these councils know, until this process ends. It is written down in
    /// the casework with each, where it sees it when it is back.
    ///
    /// # Errors
    /// [`WriteError`]; nothing was changed.
    pub fn go_on_without(
        &mut self,
        member: &mut Member,
        councils: &[CouncilCode],
        now: UnixSeconds,
    ) -> Result<(), WriteError> {
        let ledgers = self.ledgers(member);
        let unsure = ledgers.unsure_of.iter().copied();
        let named: Vec<CouncilCode> = unsure.filter(|with| councils.contains(with)).collect();
        let mut edits = Vec::new();
        for with in &named {
            let opening = opening(member, &ledgers, *with, true, now);
            edits.push((DocumentKind::Casework(*with), vec![opening]));
        }
        member.write(&edits, now)?;
        self.without.extend(named);
        Ok(())
    }

    /// Carries out what an officer decided. Returns the case and where the writes ended up.
    ///
    /// # Errors
    /// [`DecideError`]; nothing was changed. After [`DecideError::Unsure`] the councils named
    /// are being asked, and the same may be wished again.
    pub fn decide(
        &mut self,
        member: &mut Member,
        wish: &Wish,
        now: UnixSeconds,
    ) -> Result<(RecordId, Vec<Receipt>), DecideError> {
        let own = member.identity().council;
        let decider = decider_of(member, own);
        if decider != Some(member.node()) {
            return Err(DecideError::NotDecider(decider));
        }
        let ledgers = self.ledgers(member);
        let decided = match decided(member, &ledgers.book, wish, now) {
            Err(DecideError::Refused(Refusal::Unsure)) => {
                self.wanted = true;
                self.tend(member, now);
                return Err(DecideError::Unsure(ledgers.unsure_of));
            }
            other => other?,
        };
        let written = written(member, decided.facts, decided.extras, now);
        let receipts = write(member, &ledgers, written, BTreeMap::new(), now)?;
        Ok((decided.case, receipts))
    }

    /// What the node does by itself: answers openings, places what was confirmed, lets go of
    /// what nobody confirmed in time, and shows in the pool how things stand. To be called after
    /// anything came in, and as time passes. Returns how many writes that took.
    pub fn tend(&mut self, member: &mut Member, now: UnixSeconds) -> usize {
        let own = member.identity().council;
        if decider_of(member, own) != Some(member.node()) {
            return 0;
        }
        let is_done =
            |done: &(Reaches, UnixSeconds)| now < done.1 && done.0 == member.casework_reaches();
        if !self.wanted && self.done_with.as_ref().is_some_and(is_done) {
            return 0;
        }
        for done in 0..limits::TENDING_WRITES {
            let ledgers = self.ledgers(member);
            let answers = answers(member, &ledgers, now);
            let (facts, extras) = self.due(&ledgers, now);
            self.wanted |= to_place(&ledgers.book).next().is_some();
            let others = match self.wanted && !ledgers.unsure_of.is_empty() {
                true => openings(member, &ledgers, now),
                false => BTreeMap::new(),
            };
            let written = written(member, facts, extras, now);
            let others = merged(others, answers);
            // What is refused is refused again at the next event, and shows in status there.
            match write(member, &ledgers, written, others, now) {
                Ok(receipts) if !receipts.is_empty() => {}
                _ => {
                    // What was wanted is had, or asked for.
                    self.wanted &= !ledgers.unsure_of.is_empty();
                    self.done_with = Some((member.casework_reaches(), next_hold(&ledgers, now)));
                    return done;
                }
            }
        }
        limits::TENDING_WRITES
    }

    /// The facts that follow from what is known, without anybody's decision.
    fn due(&self, ledgers: &Ledgers, now: UnixSeconds) -> (Facts, Extras) {
        let book = &ledgers.book;
        if ledgers.unsure_of.is_empty() {
            let mut facts = book.repairs();
            for (guest, proposal) in to_place(book) {
                facts.extend(book.place(guest, proposal).unwrap_or_default());
            }
            if !facts.is_empty() {
                return (facts, Extras::default());
            }
        }
        let mut releases = Vec::new();
        for (guest, ledger) in &ledgers.by_counterpart {
            let over = |w: &&Written| w.until.is_some_and(|until| until <= now);
            let run_out: BTreeSet<RecordId> = ledger
                .mine
                .written
                .iter()
                .filter(over)
                .map(|w| w.record)
                .collect();
            if run_out.is_empty() {
                continue;
            }
            for case in book.cases_as_host(*guest) {
                let hold = case.hold.map(|(hold, _)| hold);
                let hold = hold.filter(|hold| run_out.contains(hold));
                if let (Stage::Held, Some(hold)) = (case.stage, hold) {
                    releases.extend(book.release(*guest, hold).unwrap_or_default());
                }
            }
        }
        (releases, Extras::reason(Some(TIME_RAN_OUT)))
    }
}

/// The place of `time_ran_out` among the reasons.
const TIME_RAN_OUT: u8 = 0;

/// Edits for each counterpart's document.
type ByCounterpart = BTreeMap<CouncilCode, Vec<Edit>>;

fn merged(mut some: ByCounterpart, more: ByCounterpart) -> ByCounterpart {
    for (with, edits) in more {
        some.entry(with).or_default().extend(edits);
    }
    some
}

/// The cases that wait for this node's placement.
fn to_place(book: &Book<CouncilCode, RecordId>) -> impl Iterator<Item = (CouncilCode, RecordId)> {
    book.theirs.keys().flat_map(|guest| {
        let cases = book.cases_as_host(*guest).into_iter();
        let waiting = cases.filter(|case| case.stage == Stage::Confirmed);
        waiting.map(|case| (*guest, case.proposal))
    })
}

/// When the time of the next hold of this council is up.
fn next_hold(ledgers: &Ledgers, now: UnixSeconds) -> UnixSeconds {
    let written = ledgers.by_counterpart.values();
    let untils = written.flat_map(|ledger| ledger.mine.written.iter().filter_map(|w| w.until));
    let later = untils.filter(|until| *until > now).min();
    later.unwrap_or(UnixSeconds::MAX)
}

/// The facts as records.
fn written(
    member: &mut Member,
    facts: Facts,
    extras: Extras,
    now: UnixSeconds,
) -> Vec<(CouncilCode, Written)> {
    let facts = facts.into_iter().map(|(with, fact)| {
        let record = match &fact {
            Fact::Proposal { proposal, .. } => *proposal,
            Fact::Hold { hold, .. } => *hold,
            other => member.draw_record(kind_of(other)),
        };
        let written = Written {
            record,
            at: now,
            until: extras.until.filter(|_| matches!(fact, Fact::Hold { .. })),
            agreed_by_phone: extras.by_phone,
            reason: extras.reason,
            fact,
        };
        (with, written)
    });
    facts.collect()
}

/// An opening for every counterpart that this process has none with.
fn openings(member: &mut Member, ledgers: &Ledgers, now: UnixSeconds) -> ByCounterpart {
    let mut edits = ByCounterpart::new();
    for with in &ledgers.unsure_of {
        if needs_opening(member, ledgers, *with) {
            edits.insert(*with, vec![opening(member, ledgers, *with, false, now)]);
        }
    }
    edits
}

fn needs_opening(member: &Member, ledgers: &Ledgers, with: CouncilCode) -> bool {
    let ledger = ledgers.by_counterpart.get(&with);
    ledger.is_none_or(|ledger| !is_own(member, with, &ledger.mine))
}

fn opening(
    member: &mut Member,
    ledgers: &Ledgers,
    with: CouncilCode,
    without_answer: bool,
    now: UnixSeconds,
) -> Edit {
    let ledger = ledgers.by_counterpart.get(&with);
    let previous = ledger.and_then(|ledger| ledger.mine.tip.as_ref());
    let previous = previous.map(|tip| tip.record);
    let record = member.draw_record(RecordKind::Opening);
    record::opening(record, now, previous, without_answer)
}

/// The answers to openings of which all is held here that was written before.
fn answers(member: &mut Member, ledgers: &Ledgers, now: UnixSeconds) -> ByCounterpart {
    let mut edits = ByCounterpart::new();
    for (with, ledger) in &ledgers.by_counterpart {
        let Some(tip) = ledger.theirs.tip.as_ref() else {
            continue;
        };
        if ledger.theirs.is_answered || decider_of(member, *with) != Some(tip.chain.node) {
            continue;
        }
        let record = member.draw_record(RecordKind::Comparison);
        edits.insert(*with, vec![record::comparison(record, now, tip.record)]);
    }
    edits
}

/// One write: what was decided, what else goes to counterparts, and the pool as it then stands.
fn write(
    member: &mut Member,
    ledgers: &Ledgers,
    written: Vec<(CouncilCode, Written)>,
    mut others: ByCounterpart,
    now: UnixSeconds,
) -> Result<Vec<Receipt>, WriteError> {
    let mut book = ledgers.book.clone();
    for (with, written) in written {
        others.entry(with).or_default().push(record::edit(&written));
        book.mine.entry(with).or_default().push(written.fact);
    }
    let mut all = Vec::new();
    for (with, mut edits) in others {
        let opens = |edit: &Edit| edit.record().kind() == RecordKind::Opening;
        if needs_opening(member, ledgers, with) && !edits.iter().any(opens) {
            edits.insert(0, opening(member, ledgers, with, false, now));
        }
        all.push((DocumentKind::Casework(with), edits));
    }
    let states = pool::edits(member, &book);
    if !states.is_empty() {
        all.push((DocumentKind::RematchingPool, states));
    }
    member.write(&all, now)
}
