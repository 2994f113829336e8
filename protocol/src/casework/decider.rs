//! A council's decider: what its officers decide, and what its node does by itself.
//!
//! Everything that follows from one decision is one write, on disk together or not at all:
//! the casework with each counterpart, and the states in the pool that show it. It must never
//! end a lock of another council, nor take one while a counterpart may know of another.

use std::collections::{BTreeMap, BTreeSet};

use super::ledgers::{Ledgers, decider_of, is_own};
use super::record::{self, Written, kind_of};
use super::{Book, Fact, Refusal, Stage, pool};
use crate::ids::{CouncilCode, DocumentKind, NodeId, RecordId, RecordKind};
use crate::limits;
use crate::schema::Edit;
use crate::session::{Member, Receipt, WriteError};
use crate::time::UnixSeconds;

/// What an officer decides. A case is named by its proposal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wish {
    /// A request of this council would fit one of these places of another.
    Propose {
        /// The request.
        request: RecordId,
        /// The places, all of one council.
        places: Vec<RecordId>,
    },
    /// A place of this council is locked for a case.
    Hold {
        /// The case.
        case: RecordId,
        /// The place; not needed where only one was proposed.
        place: Option<RecordId>,
        /// For how many hours.
        hours: u64,
        /// Agreed by telephone before.
        by_phone: bool,
    },
    /// The household of a case takes the place that is held for it.
    Confirm {
        /// The case.
        case: RecordId,
    },
    /// This council's household does not need the place.
    Withdraw {
        /// The case.
        case: RecordId,
        /// The index of the reason's code.
        reason: Option<u8>,
    },
    /// This council lets go of the place of a case.
    Release {
        /// The case.
        case: RecordId,
        /// The index of the reason's code.
        reason: Option<u8>,
    },
    /// This council has no place for a case.
    Decline {
        /// The case.
        case: RecordId,
        /// The index of the reason's code.
        reason: Option<u8>,
    },
    /// The household of a booking came, or did not.
    Arrival {
        /// The case.
        case: RecordId,
        /// Whether it came.
        arrived: bool,
    },
}

/// Why an officer's decision is not carried out. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecideError {
    /// This node does not take its council's decisions.
    #[error("this node does not take its council's decisions")]
    NotDecider(Option<NodeId>),
    /// There is no such case.
    #[error("{0} is no case of this council")]
    NoSuchCase(RecordId),
    /// There is no such place or request to be proposed.
    #[error("{0} is not in the pool, or not open")]
    NotOpen(RecordId),
    /// Places of more than one council, of none, or of this one.
    #[error(
        "a proposal is for one to {} places of one other council",
        limits::PLACES_OF_PROPOSAL
    )]
    Places,
    /// The request waits for as many councils as it may.
    #[error(
        "the request has {} open proposals, which is the most",
        limits::PROPOSALS_OF_REQUEST
    )]
    TooManyProposals,
    /// More than one place was proposed, and none was named.
    #[error("more than one place was proposed")]
    WhichPlace(Vec<RecordId>),
    /// A hold of no time, or of too long.
    #[error("a hold is for 1 to {} hours", limits::HOLD_HOURS)]
    Hours,
    /// Other deciders have not yet said what they hold.
    #[error("other councils have not yet said what they hold of the cases with this one")]
    Unsure(Vec<CouncilCode>),
    /// The rules do not allow it.
    #[error(transparent)]
    Refused(Refusal),
    /// The documents do not take it.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// What belongs to a decision beside its fact.
#[derive(Clone, Copy, Default)]
struct Extras {
    until: Option<UnixSeconds>,
    by_phone: bool,
    reason: Option<u8>,
}

impl Extras {
    fn reason(reason: Option<u8>) -> Self {
        Self {
            reason,
            ..Self::default()
        }
    }
}

type Facts = Vec<(CouncilCode, Fact<RecordId>)>;

/// What a wish comes to.
struct Decided {
    case: RecordId,
    facts: Facts,
    extras: Extras,
}

/// See the module's documentation. One for each process.
#[derive(Debug, Default)]
pub struct Decider {
    /// Counterparts that an officer decided to go on without.
    without: BTreeSet<CouncilCode>,
    /// Whether an exclusive decision is to be taken, so that answers are needed.
    wanted: bool,
}

impl Decider {
    /// A decider that has asked nobody yet.
    pub fn new() -> Self {
        Self::default()
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
        for done in 0..limits::TENDING_WRITES {
            let ledgers = self.ledgers(member);
            let answers = answers(member, &ledgers, now);
            let (facts, extras) = self.due(&ledgers, now);
            self.wanted |= has_something_to_place(&ledgers.book);
            let others = match self.wanted && !ledgers.unsure_of.is_empty() {
                true => openings(member, &ledgers, now),
                false => BTreeMap::new(),
            };
            let written = written(member, facts, extras, now);
            let others = merged(others, answers);
            // What is refused is refused again at the next event, and shows in status there.
            match write(member, &ledgers, written, others, now) {
                Ok(receipts) if !receipts.is_empty() => {}
                _ => return done,
            }
        }
        limits::TENDING_WRITES
    }

    /// The facts that follow from what is known, without anybody's decision.
    fn due(&self, ledgers: &Ledgers, now: UnixSeconds) -> (Facts, Extras) {
        let book = &ledgers.book;
        if ledgers.unsure_of.is_empty() {
            let mut facts = book.repairs();
            for (guest, proposal) in proposals(&book.theirs) {
                facts.extend(book.place(guest, proposal).unwrap_or_default());
            }
            if !facts.is_empty() {
                return (facts, Extras::default());
            }
        }
        let run_out = ledgers.by_counterpart.iter().flat_map(|(guest, ledger)| {
            let over = move |w: &&Written| w.until.is_some_and(|until| until <= now);
            let holds = ledger.mine.written.iter().filter(over);
            holds.filter_map(move |w| match w.fact {
                Fact::Hold { hold, proposal, .. } => Some((*guest, proposal, hold)),
                _ => None,
            })
        });
        let mut releases = Vec::new();
        for (guest, proposal, hold) in run_out {
            let case = book.case_as_host(guest, proposal);
            let is_held =
                case.is_some_and(|c| c.stage == Stage::Held && c.hold.is_some_and(|h| h.0 == hold));
            if is_held {
                releases.extend(book.release(guest, hold).unwrap_or_default());
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

/// What a wish comes to by the rules.
fn decided(
    member: &mut Member,
    book: &Book<CouncilCode, RecordId>,
    wish: &Wish,
    now: UnixSeconds,
) -> Result<Decided, DecideError> {
    let refused = DecideError::Refused;
    let (case, facts, extras) = match wish {
        Wish::Propose { request, places } => return propose(member, book, *request, places),
        Wish::Hold {
            case,
            place,
            hours,
            by_phone,
        } => {
            let guest = counterpart(&book.theirs, *case)?;
            let place = which_place(book, guest, *case, *place)?;
            if !(1..=limits::HOLD_HOURS).contains(hours) {
                return Err(DecideError::Hours);
            }
            let hold = member.draw_record(RecordKind::Hold);
            let extras = Extras {
                until: Some(now.plus(hours.saturating_mul(3600))),
                by_phone: *by_phone,
                reason: None,
            };
            (*case, book.hold(guest, *case, place, hold), extras)
        }
        Wish::Confirm { case } => {
            let host = counterpart(&book.mine, *case)?;
            let known = book.case_as_guest(host, *case);
            let known = known.ok_or(DecideError::NoSuchCase(*case))?;
            let Some((hold, _)) = known.hold else {
                return Err(refused(Refusal::Stage(known.stage)));
            };
            (*case, book.confirm(host, *case, hold), Extras::default())
        }
        Wish::Withdraw { case, reason } => {
            let host = counterpart(&book.mine, *case)?;
            (*case, book.withdraw(host, *case), Extras::reason(*reason))
        }
        Wish::Release { case, reason } => {
            let guest = counterpart(&book.theirs, *case)?;
            let known = book.case_as_host(guest, *case);
            let known = known.ok_or(DecideError::NoSuchCase(*case))?;
            let Some((hold, _)) = known.hold else {
                return Err(refused(Refusal::Stage(known.stage)));
            };
            (*case, book.release(guest, hold), Extras::reason(*reason))
        }
        Wish::Decline { case, reason } => {
            let guest = counterpart(&book.theirs, *case)?;
            (*case, book.decline(guest, *case), Extras::reason(*reason))
        }
        Wish::Arrival { case, arrived } => {
            let guest = counterpart(&book.theirs, *case)?;
            let facts = book.arrival(guest, *case, *arrived);
            (*case, facts, Extras::default())
        }
    };
    Ok(Decided {
        case,
        facts: facts.map_err(refused)?,
        extras,
    })
}

/// The council that a case is with, by who wrote its proposal.
fn counterpart(
    facts: &BTreeMap<CouncilCode, Vec<Fact<RecordId>>>,
    case: RecordId,
) -> Result<CouncilCode, DecideError> {
    let found = proposals(facts).find(|(_, proposal)| *proposal == case);
    found
        .map(|(with, _)| with)
        .ok_or(DecideError::NoSuchCase(case))
}

fn proposals(
    facts: &BTreeMap<CouncilCode, Vec<Fact<RecordId>>>,
) -> impl Iterator<Item = (CouncilCode, RecordId)> {
    facts.iter().flat_map(|(with, facts)| {
        facts.iter().filter_map(|fact| match fact {
            Fact::Proposal { proposal, .. } => Some((*with, *proposal)),
            _ => None,
        })
    })
}

fn has_something_to_place(book: &Book<CouncilCode, RecordId>) -> bool {
    proposals(&book.theirs).any(|(guest, proposal)| {
        let case = book.case_as_host(guest, proposal);
        case.is_some_and(|case| case.stage == Stage::Confirmed)
    })
}

/// A proposal, where all of it can be proposed.
fn propose(
    member: &mut Member,
    book: &Book<CouncilCode, RecordId>,
    request: RecordId,
    places: &[RecordId],
) -> Result<Decided, DecideError> {
    let own = member.identity().council;
    if !pool::is_open(member, own, request) {
        return Err(DecideError::NotOpen(request));
    }
    let mut host = None;
    for place in places {
        let of = pool::council_of(member, *place).ok_or(DecideError::NotOpen(*place))?;
        if of == own || host.is_some_and(|host| host != of) {
            return Err(DecideError::Places);
        }
        if !pool::is_open(member, of, *place) {
            return Err(DecideError::NotOpen(*place));
        }
        host = Some(of);
    }
    let host = host.ok_or(DecideError::Places)?;
    if places.len() > limits::PLACES_OF_PROPOSAL {
        return Err(DecideError::Places);
    }
    let open = proposals(&book.mine).filter(|(host, proposal)| {
        let case = book.case_as_guest(*host, *proposal);
        case.is_some_and(|case| case.request == request && case.stage != Stage::Over)
    });
    if open.count() >= limits::PROPOSALS_OF_REQUEST {
        return Err(DecideError::TooManyProposals);
    }
    let proposal = member.draw_record(RecordKind::Proposal);
    let fact = Fact::Proposal {
        proposal,
        request,
        places: places.to_vec(),
    };
    Ok(Decided {
        case: proposal,
        facts: vec![(host, fact)],
        extras: Extras::default(),
    })
}

fn which_place(
    book: &Book<CouncilCode, RecordId>,
    guest: CouncilCode,
    case: RecordId,
    named: Option<RecordId>,
) -> Result<RecordId, DecideError> {
    if let Some(place) = named {
        return Ok(place);
    }
    let facts = book.theirs.get(&guest).into_iter().flatten();
    let mut places = facts.filter_map(|fact| match fact {
        Fact::Proposal {
            proposal, places, ..
        } if *proposal == case => Some(places.as_slice()),
        _ => None,
    });
    match places.next() {
        Some([only]) => Ok(*only),
        Some(several) => Err(DecideError::WhichPlace(several.to_vec())),
        None => Err(DecideError::NoSuchCase(case)),
    }
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
