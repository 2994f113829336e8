//! What an officer may decide, and what it comes to by the rules. Nothing is written here.

use std::collections::BTreeMap;

use super::remark::{self, Remark, RemarkRefusal};
use super::{Book, Fact, Ledgers, Refusal, Stage, pool};
use crate::ids::{CouncilCode, NodeId, RecordId, RecordKind};
use crate::limits;
use crate::schema::{Edit, FieldId, Value};
use crate::session::{Member, WriteError};
use crate::time::{Day, UnixSeconds};

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
    /// One council tells the other something of a case.
    Say {
        /// The case.
        case: RecordId,
        /// What.
        remark: Remark,
        /// Of an end: this council's household looks for the next place from now on. A new request
        /// goes on from the old one, whose booking stands until then.
        again: bool,
    },
    /// A household of this council becomes several, and what was proposed for it is withdrawn.
    Split {
        /// The request.
        request: RecordId,
        /// What each of them needs, where it differs from what the request says; with no value, what
        /// is not to be said of it.
        into: Vec<Vec<(FieldId, Option<Value>)>>,
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
    /// A request is split into too few or too many.
    #[error("a request is split into 2 to {}", limits::SPLIT_INTO)]
    Parts,
    /// Somebody would be lost or looked for twice.
    #[error(
        "the request is for {} people, {} of them adults, and the parts are for {} and {}",
        .request.0, .request.1, .parts.0, .parts.1
    )]
    People {
        /// People and adults of the request.
        request: (i64, i64),
        /// Those of its parts together.
        parts: (i64, i64),
    },
    /// Two nodes have written different things of a request.
    #[error("two nodes of this council have written different things of {0}")]
    InConflict(RecordId),
    /// Only the council of the household looks for its next place.
    #[error("only the council that has the household looks for its next place")]
    NotGuest,
    /// Another request goes on from it already.
    #[error("another request goes on from {0} already")]
    Continued(RecordId),
    /// The rules do not allow it.
    #[error(transparent)]
    Refused(Refusal),
    /// The case does not call for that remark.
    #[error(transparent)]
    Remark(RemarkRefusal),
    /// The documents do not take it.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// What belongs to a decision beside its fact.
#[derive(Clone, Copy, Default)]
pub(super) struct Extras {
    pub(super) until: Option<UnixSeconds>,
    pub(super) by_phone: bool,
    pub(super) reason: Option<u8>,
}

impl Extras {
    pub(super) fn reason(reason: Option<u8>) -> Self {
        Self {
            reason,
            ..Self::default()
        }
    }
}

pub(super) type Facts = Vec<(CouncilCode, Fact<RecordId>)>;

/// What a wish comes to.
pub(super) struct Decided {
    pub(super) case: RecordId,
    pub(super) facts: Facts,
    pub(super) extras: Extras,
    pub(super) remarks: Vec<(CouncilCode, Remark)>,
    /// What changes in this council's pool, beside the states that follow.
    pub(super) pool: Vec<Edit>,
}

impl Decided {
    fn of(case: RecordId, facts: Facts, extras: Extras) -> Self {
        Self {
            case,
            facts,
            extras,
            remarks: Vec::new(),
            pool: Vec::new(),
        }
    }
}

/// What a wish comes to by the rules.
pub(super) fn decided(
    member: &mut Member,
    ledgers: &Ledgers,
    wish: &Wish,
    now: UnixSeconds,
) -> Result<Decided, DecideError> {
    let book = &ledgers.book;
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
            let held = book.hold(guest, *case, place, hold).map_err(refused)?;
            if pool::is_closed(member, member.identity().council, place) {
                return Err(DecideError::NotOpen(place));
            }
            (*case, Ok(held), extras)
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
            let (guest, hold) = held_for(book, *case)?;
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
        Wish::Say {
            case,
            remark,
            again,
        } => return say(member, ledgers, *case, remark, *again, Day::of(now)),
        Wish::Split { request, into } => return split(member, book, *request, into),
    };
    Ok(Decided::of(case, facts.map_err(refused)?, extras))
}

/// A remark, where the case calls for it.
fn say(
    member: &mut Member,
    ledgers: &Ledgers,
    case: RecordId,
    remark: &Remark,
    again: bool,
    today: Day,
) -> Result<Decided, DecideError> {
    let own = member.identity().council;
    let cases = ledgers.cases(own);
    let view = cases.iter().find(|view| view.case.proposal == case);
    let view = view.ok_or(DecideError::NoSuchCase(case))?;
    let side = view.side(own);
    remark::check(remark, side, view.case.stage, &view.remarks, today)
        .map_err(DecideError::Remark)?;
    let with = match view.guest == own {
        true => view.host,
        false => view.guest,
    };
    let mut decided = Decided::of(case, Vec::new(), Extras::default());
    decided.remarks.push((with, remark.clone()));
    if let (true, Remark::Ended { on, .. }) = (again, remark) {
        let request = view.case.request;
        if view.guest != own {
            return Err(DecideError::NotGuest);
        }
        if pool::continued(member, &ledgers.book).contains(&request) {
            return Err(DecideError::Continued(request));
        }
        let id = member.draw_record(RecordKind::Request);
        let next = pool::following(member, request, id, &pool::needed_by(*on));
        let next = next.ok_or(DecideError::InConflict(request))?;
        decided.pool.push(next);
    }
    Ok(decided)
}

/// A household that becomes several: nobody of it is lost, and nobody looked for twice.
fn split(
    member: &mut Member,
    book: &Book<CouncilCode, RecordId>,
    request: RecordId,
    into: &[Vec<(FieldId, Option<Value>)>],
) -> Result<Decided, DecideError> {
    if book.lock_of_request(request).is_some() {
        return Err(DecideError::Refused(Refusal::RequestLocked));
    }
    if !pool::is_open(member, member.identity().council, request) {
        return Err(DecideError::NotOpen(request));
    }
    if !(2..=limits::SPLIT_INTO).contains(&into.len()) {
        return Err(DecideError::Parts);
    }
    let mut parts = Vec::new();
    for given in into {
        let id = member.draw_record(RecordKind::Request);
        let part = pool::following(member, request, id, given);
        parts.push(part.ok_or(DecideError::InConflict(request))?);
    }
    let whole = pool::following(member, request, request, &[]);
    let whole = whole.as_ref().map_or((0, 0), pool::people);
    let counted = parts.iter().map(pool::people);
    let counted = counted.fold((0, 0), |sum, part| (sum.0 + part.0, sum.1 + part.1));
    if counted != whole {
        return Err(DecideError::People {
            request: whole,
            parts: counted,
        });
    }
    let cases = book.mine.keys().flat_map(|host| {
        let cases = book.cases_as_guest(*host).into_iter();
        cases.map(|case| (*host, case))
    });
    let open = cases.filter(|(_, case)| case.request == request);
    let facts =
        open.flat_map(|(host, case)| book.withdraw(host, case.proposal).unwrap_or_default());
    let mut decided = Decided::of(request, facts.collect(), Extras::default());
    decided.pool.extend(pool::closed(request));
    decided.pool.extend(parts);
    Ok(decided)
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

/// For whom, and by which hold, a place of this council is kept for a case. The proposal may have
/// fallen away with a cut of its author's key: what this council locked, it can still let go of.
fn held_for(
    book: &Book<CouncilCode, RecordId>,
    case: RecordId,
) -> Result<(CouncilCode, RecordId), DecideError> {
    if let Ok(guest) = counterpart(&book.theirs, case)
        && let Some(known) = book.case_as_host(guest, case)
    {
        let stage = DecideError::Refused(Refusal::Stage(known.stage));
        return known.hold.map(|(hold, _)| (guest, hold)).ok_or(stage);
    }
    let own = book.own().filter_map(|(guest, fact)| match fact {
        Fact::Hold { hold, proposal, .. } if *proposal == case => Some((guest, *hold)),
        _ => None,
    });
    own.last().ok_or(DecideError::NoSuchCase(case))
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
    let cases = book.mine.keys().flat_map(|host| book.cases_as_guest(*host));
    let open = cases.filter(|case| case.request == request && case.stage != Stage::Over);
    if open.count() >= limits::PROPOSALS_OF_REQUEST {
        return Err(DecideError::TooManyProposals);
    }
    let proposal = member.draw_record(RecordKind::Proposal);
    let fact = Fact::Proposal {
        proposal,
        request,
        places: places.to_vec(),
    };
    Ok(Decided::of(proposal, vec![(host, fact)], Extras::default()))
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
