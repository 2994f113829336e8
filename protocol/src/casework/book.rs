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
        let ended = |turn| locked_after(self.own(), request, turn);
        Some(case(
            (proposal, request),
            written,
            facts(&self.theirs, host),
            ended,
            |_, _| false,
        ))
    }

    /// The case of a proposal that another council made to this one, as it is known here.
    pub fn case_as_host(&self, guest: C, proposal: Id) -> Option<Case<Id>> {
        let written = facts(&self.theirs, guest);
        let request = proposed(written, proposal)?;
        let ended = |place, turn| held_after(self.own(), place, turn);
        Some(case(
            (proposal, request),
            written,
            facts(&self.mine, guest),
            |_| false,
            ended,
        ))
    }

    /// The hold that locks a place of this council, and for whom.
    pub fn lock_of_place(&self, wanted: Id) -> Option<(C, Id)> {
        let mut holds = self.own().filter_map(|(with, fact)| match fact {
            Fact::Hold {
                hold, place, turn, ..
            } if *place == wanted => Some((*turn, with, *hold)),
            _ => None,
        });
        let (_, with, hold) = holds.by_ref().max()?;
        let released = Fact::Release { hold };
        (!facts(&self.mine, with).contains(&released)).then_some((with, hold))
    }

    /// The case that locks a request of this council, and with whom.
    pub fn lock_of_request(&self, wanted: Id) -> Option<(C, Id)> {
        let locks = self.own().filter_map(|(with, fact)| match fact {
            Fact::Confirmation {
                proposal,
                request,
                turn,
                ..
            } if *request == wanted => Some((*turn, with, *proposal)),
            _ => None,
        });
        let (_, with, proposal) = locks.max()?;
        let withdrawn = Fact::Withdrawal { proposal };
        (!facts(&self.mine, with).contains(&withdrawn)).then_some((with, proposal))
    }
}

pub(super) fn facts<C: Name, Id>(of: &BTreeMap<C, Vec<Fact<Id>>>, with: C) -> &[Fact<Id>] {
    of.get(&with).map_or(&[], Vec::as_slice)
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

/// Whether a request was locked again after its lock with this number.
fn locked_after<'a, C, Id: Name + 'a>(
    mut own: impl Iterator<Item = (C, &'a Fact<Id>)>,
    wanted: Id,
    after: u32,
) -> bool {
    own.any(|(_, fact)| {
        matches!(fact, Fact::Confirmation { request, turn, .. } if *request == wanted && *turn > after)
    })
}

/// Whether a place was locked again after its lock with this number.
fn held_after<'a, C, Id: Name + 'a>(
    mut own: impl Iterator<Item = (C, &'a Fact<Id>)>,
    wanted: Id,
    after: u32,
) -> bool {
    own.any(|(_, fact)| {
        matches!(fact, Fact::Hold { place, turn, .. } if *place == wanted && *turn > after)
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
            turn,
            ..
        } if *of == proposal => Some((*hold, *turn)),
        _ => None,
    });
    let withdrawn = guest.contains(&Fact::Withdrawal { proposal })
        || confirmed.is_some_and(|(_, turn)| relocked(turn));
    let is_there = |fact: Fact<Id>| host.contains(&fact);
    let locked = |hold, place, turn| !is_there(Fact::Release { hold }) && !held_again(place, turn);
    let holds = host.iter().filter_map(|fact| match fact {
        Fact::Hold {
            hold,
            proposal: of,
            place,
            turn,
        } if *of == proposal => Some((*hold, *place, locked(*hold, *place, *turn))),
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
