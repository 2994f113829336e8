//! What a council knows of all its cases, and what each of them has come to.

use std::collections::{BTreeMap, BTreeSet};

use super::{Fact, Name};

/// Whose move it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Turn {
    /// The council that has the household.
    Guest,
    /// The council that has the place.
    Host,
    /// Nobody has to do anything.
    Nobody,
}

/// What a case has come to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Stage {
    /// Proposed; no place is locked.
    Proposed,
    /// The host council has none to give.
    Declined,
    /// A place is locked for it.
    Held,
    /// The place was let go before it was confirmed.
    Released,
    /// Confirmed, and about to be a booking.
    Confirmed,
    /// A live booking; the household has not come yet.
    Placed,
    /// A live booking, and the household is there.
    Arrived,
    /// A live booking to which the household did not come.
    DidNotArrive,
    /// The place was let go after it was confirmed: the request is still locked for nothing.
    Lost,
    /// The household's council has withdrawn, and a place is still locked for nothing.
    Withdrawn,
    /// Nothing is locked, and nothing more will be.
    Over,
}

impl Stage {
    /// Every stage, in the order of docs/BOOKING.md.
    pub const ALL: [Self; 11] = [
        Self::Proposed,
        Self::Declined,
        Self::Held,
        Self::Released,
        Self::Confirmed,
        Self::Placed,
        Self::Arrived,
        Self::DidNotArrive,
        Self::Lost,
        Self::Withdrawn,
        Self::Over,
    ];

    /// The stage as a code, e.g. `did_not_arrive`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Declined => "declined",
            Self::Held => "held",
            Self::Released => "released",
            Self::Confirmed => "confirmed",
            Self::Placed => "placed",
            Self::Arrived => "arrived",
            Self::DidNotArrive => "did_not_arrive",
            Self::Lost => "lost",
            Self::Withdrawn => "withdrawn",
            Self::Over => "over",
        }
    }

    /// What it means if nobody does anything, in words.
    pub fn silence(self) -> &'static str {
        match self {
            Self::Proposed => "nothing is locked, and the guest council may withdraw",
            Self::Declined | Self::Released | Self::Over => "nothing is locked",
            Self::Held => {
                "when the hold's time is up, the host council's node lets go of the place"
            }
            Self::Confirmed => "the place and the request stay locked until the host's node places",
            Self::Placed | Self::Arrived => "the booking stands",
            Self::DidNotArrive => "the booking stands until one side ends it",
            Self::Lost => "the request stays locked for nothing until the guest council withdraws",
            Self::Withdrawn => {
                "the place stays locked for nothing until the host council releases it"
            }
        }
    }

    /// Whether it is a booking: hold unreleased, placement there, confirmation not withdrawn.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Placed | Self::Arrived | Self::DidNotArrive)
    }

    /// Who has to do something. What silence means is that nothing changes: a lock is ended by
    /// its council alone, and never by a clock.
    pub fn turn(self) -> Turn {
        match self {
            Self::Proposed
            | Self::Confirmed
            | Self::Placed
            | Self::DidNotArrive
            | Self::Withdrawn => Turn::Host,
            Self::Declined | Self::Held | Self::Released | Self::Lost => Turn::Guest,
            Self::Arrived | Self::Over => Turn::Nobody,
        }
    }
}

/// A case and its stage.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Case<Id> {
    /// The proposal.
    pub proposal: Id,
    /// The request that it is for.
    pub request: Id,
    /// The hold that it is about now, and its place.
    pub hold: Option<(Id, Id)>,
    /// What it has come to.
    pub stage: Stage,
}

/// What one council has written to each other one, and what it has heard from each.
///
/// Work of each question is that of reading through what was written: casework is small, and
/// kept for as long as the region's retention says.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Book<C, Id> {
    /// What was written here, in its order, for each counterpart.
    pub mine: BTreeMap<C, Vec<Fact<Id>>>,
    /// What each counterpart wrote for this council, in its order.
    pub theirs: BTreeMap<C, Vec<Fact<Id>>>,
    /// Counterparts that the decider has not compared with since it started.
    pub unsure_of: BTreeSet<C>,
}

impl<C, Id> Default for Book<C, Id> {
    fn default() -> Self {
        Self {
            mine: BTreeMap::new(),
            theirs: BTreeMap::new(),
            unsure_of: BTreeSet::new(),
        }
    }
}

impl<C: Name, Id: Name> Book<C, Id> {
    /// Everything written here.
    pub(super) fn own(&self) -> impl Iterator<Item = (C, &Fact<Id>)> {
        let all = self.mine.iter();
        all.flat_map(|(with, facts)| facts.iter().map(|fact| (*with, fact)))
    }

    /// The case of a proposal that this council made to another, as it is known here.
    pub fn case_as_guest(&self, host: C, proposal: Id) -> Option<Case<Id>> {
        let written = facts(&self.mine, host);
        let request = proposed(written, proposal)?;
        let again = |after| self.locks_of_request(request).any(|lock| lock.0 > after);
        let heard = facts(&self.theirs, host);
        let case = case((proposal, request), written, heard, again, |_, _| false);
        Some(case)
    }

    /// The case of a proposal that another council made to this one, as it is known here.
    pub fn case_as_host(&self, guest: C, proposal: Id) -> Option<Case<Id>> {
        let heard = facts(&self.theirs, guest);
        let request = proposed(heard, proposal)?;
        let again = |place, after| self.locks_of_place(place).any(|lock| lock.0 > after);
        let written = facts(&self.mine, guest);
        let case = case((proposal, request), heard, written, |_| false, again);
        Some(case)
    }

    /// Every case of proposals that this council made to another, by proposal; what
    /// [`Book::case_as_guest`] says of each. Work grows with what is written, not with its square.
    pub fn cases_as_guest(&self, host: C) -> Vec<Case<Id>> {
        let (written, heard) = (facts(&self.mine, host), facts(&self.theirs, host));
        let locks = newest(self.own().filter_map(|(_, fact)| match fact {
            Fact::Confirmation {
                request, number, ..
            } => Some((*request, *number)),
            _ => None,
        }));
        let again = |request, after| locks.get(&request).is_some_and(|number| *number > after);
        let cases = by_case(written, heard).into_iter();
        let cases = cases.filter_map(|(proposal, (guest, host))| {
            let request = proposed(&guest, proposal)?;
            let relocked = |after| again(request, after);
            Some(case(
                (proposal, request),
                &guest,
                &host,
                relocked,
                |_, _| false,
            ))
        });
        cases.collect()
    }

    /// The same of proposals that another council made to this one.
    pub fn cases_as_host(&self, guest: C) -> Vec<Case<Id>> {
        let (written, heard) = (facts(&self.mine, guest), facts(&self.theirs, guest));
        let locks = newest(self.own().filter_map(|(_, fact)| match fact {
            Fact::Hold { place, number, .. } => Some((*place, *number)),
            _ => None,
        }));
        let again = |place, after| locks.get(&place).is_some_and(|number| *number > after);
        let cases = by_case(heard, written).into_iter();
        let cases = cases.filter_map(|(proposal, (guest, host))| {
            let request = proposed(&guest, proposal)?;
            Some(case((proposal, request), &guest, &host, |_| false, again))
        });
        cases.collect()
    }

    /// Every lock that was ever taken on a place of this council: number, for whom, and hold.
    pub(super) fn locks_of_place(&self, wanted: Id) -> impl Iterator<Item = (u32, C, Id)> {
        self.own().filter_map(move |(with, fact)| match fact {
            Fact::Hold {
                hold,
                place,
                number,
                ..
            } if *place == wanted => Some((*number, with, *hold)),
            _ => None,
        })
    }

    /// The same of a request: number, with whom, and case.
    pub(super) fn locks_of_request(&self, wanted: Id) -> impl Iterator<Item = (u32, C, Id)> {
        self.own().filter_map(move |(with, fact)| match fact {
            Fact::Confirmation {
                proposal,
                request,
                number,
                ..
            } if *request == wanted => Some((*number, with, *proposal)),
            _ => None,
        })
    }

    /// Every place and request of this council that was ever locked.
    pub(super) fn ever_locked(&self) -> BTreeSet<Id> {
        let locked = self.own().filter_map(|(_, fact)| match fact {
            Fact::Hold { place, .. } => Some(*place),
            Fact::Confirmation { request, .. } => Some(*request),
            _ => None,
        });
        locked.collect()
    }

    /// What the case has come to for which a place of this council is locked.
    pub fn stage_of_place(&self, place: Id) -> Option<Stage> {
        let (guest, locked) = self.lock_of_place(place)?;
        let proposal = facts(&self.mine, guest)
            .iter()
            .find_map(|fact| match fact {
                Fact::Hold { hold, proposal, .. } if *hold == locked => Some(*proposal),
                _ => None,
            })?;
        Some(self.case_as_host(guest, proposal)?.stage)
    }

    /// What the case has come to by which a request of this council is locked.
    pub fn stage_of_request(&self, request: Id) -> Option<Stage> {
        let (host, proposal) = self.lock_of_request(request)?;
        Some(self.case_as_guest(host, proposal)?.stage)
    }

    /// The hold that locks a place of this council, and for whom.
    pub fn lock_of_place(&self, place: Id) -> Option<(C, Id)> {
        let (_, with, hold) = self.locks_of_place(place).max()?;
        let released = Fact::Release { hold };
        (!facts(&self.mine, with).contains(&released)).then_some((with, hold))
    }

    /// The case that locks a request of this council, and with whom.
    pub fn lock_of_request(&self, request: Id) -> Option<(C, Id)> {
        let (_, with, proposal) = self.locks_of_request(request).max()?;
        let withdrawn = Fact::Withdrawal { proposal };
        (!facts(&self.mine, with).contains(&withdrawn)).then_some((with, proposal))
    }
}

pub(super) fn facts<C: Name, Id>(of: &BTreeMap<C, Vec<Fact<Id>>>, with: C) -> &[Fact<Id>] {
    of.get(&with).map_or(&[], Vec::as_slice)
}

fn newest<Id: Name>(locks: impl Iterator<Item = (Id, u32)>) -> BTreeMap<Id, u32> {
    let mut newest = BTreeMap::new();
    for (of, number) in locks {
        let known: &mut u32 = newest.entry(of).or_default();
        *known = number.max(*known);
    }
    newest
}

/// The facts of each side.
type Sides<Id> = (Vec<Fact<Id>>, Vec<Fact<Id>>);

/// What the guest council and what the host council wrote of each case, in its order.
fn by_case<Id: Name>(guest: &[Fact<Id>], host: &[Fact<Id>]) -> BTreeMap<Id, Sides<Id>> {
    let mut cases: BTreeMap<Id, Sides<Id>> = BTreeMap::new();
    for fact in guest {
        if let Some(proposal) = fact.case(|_| None) {
            cases.entry(proposal).or_default().0.push(fact.clone());
        }
    }
    let mut holds = BTreeMap::new();
    for fact in host {
        if let Fact::Hold { hold, proposal, .. } = fact {
            holds.insert(*hold, *proposal);
        }
    }
    for fact in host {
        if let Some(proposal) = fact.case(|hold| holds.get(&hold).copied()) {
            cases.entry(proposal).or_default().1.push(fact.clone());
        }
    }
    cases
}

/// The request of a proposal.
fn proposed<Id: Name>(guest: &[Fact<Id>], wanted: Id) -> Option<Id> {
    guest.iter().find_map(|fact| match fact {
        Fact::Proposal {
            proposal, request, ..
        } if *proposal == wanted => Some(*request),
        _ => None,
    })
}

/// The one function from what both sides wrote to the state of a case. Each side may know of its
/// own later locks, which the other is not told of: `relocked` and `held_again` say so.
fn case<Id: Name>(
    (proposal, request): (Id, Id),
    guest: &[Fact<Id>],
    host: &[Fact<Id>],
    relocked: impl Fn(u32) -> bool,
    held_again: impl Fn(Id, u32) -> bool,
) -> Case<Id> {
    let confirmed = guest.iter().rev().find_map(|fact| match fact {
        Fact::Confirmation {
            hold,
            proposal: of,
            number,
            ..
        } if *of == proposal => Some((*hold, *number)),
        _ => None,
    });
    let withdrawn = guest.contains(&Fact::Withdrawal { proposal })
        || confirmed.is_some_and(|(_, number)| relocked(number));
    let is_there = |fact: Fact<Id>| host.contains(&fact);
    let locked =
        |hold, place, number| !is_there(Fact::Release { hold }) && !held_again(place, number);
    let holds = host.iter().filter_map(|fact| match fact {
        Fact::Hold {
            hold,
            proposal: of,
            place,
            number,
        } if *of == proposal => Some((*hold, *place, locked(*hold, *place, *number))),
        _ => None,
    });
    // Once withdrawn, a case is about whatever is still locked for it; before that about what was
    // confirmed, or was held last.
    let about = |(hold, _, locked): &(Id, Id, bool)| match confirmed {
        _ if withdrawn => *locked,
        Some((confirmed, _)) => confirmed == *hold,
        None => true,
    };
    let hold = holds.filter(about).last();
    let locked = hold.is_some_and(|(.., locked)| locked);
    let arrival =
        |arrived| hold.is_some_and(|(hold, ..)| is_there(Fact::Arrival { hold, arrived }));
    let placed = hold.is_some_and(|(hold, ..)| is_there(Fact::Placement { hold }));
    let stage = match (withdrawn, confirmed.is_some(), hold.is_some(), locked) {
        (true, _, _, true) => Stage::Withdrawn,
        (true, ..) => Stage::Over,
        (false, true, _, false) => Stage::Lost,
        (false, true, _, true) if !placed => Stage::Confirmed,
        (false, true, _, true) if arrival(true) => Stage::Arrived,
        (false, true, _, true) if arrival(false) => Stage::DidNotArrive,
        (false, true, _, true) => Stage::Placed,
        (false, false, _, true) => Stage::Held,
        (false, false, _, false) if is_there(Fact::Decline { proposal }) => Stage::Declined,
        (false, false, true, false) => Stage::Released,
        (false, false, false, false) => Stage::Proposed,
    };
    Case {
        proposal,
        request,
        hold: hold.map(|(hold, place, _)| (hold, place)),
        stage,
    }
}
