//! What a council may decide, and what it then writes. The facts that a decision returns belong
//! into one flush.

use super::book::facts;
use super::{Book, Fact, Name, Stage};

/// Why something is not done. Nothing was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    /// The decider has not compared with all counterparts since it started.
    #[error("this node has not compared its cases with every council since it started")]
    Unsure,
    /// There is no such case, place or hold in it.
    #[error("there is no such case, or it is not about this")]
    Unknown,
    /// The case has come to where this cannot be done.
    #[error("the case does not allow it any more")]
    Stage(Stage),
    /// The place is locked for another case.
    #[error("the place is held for another case")]
    PlaceLocked,
    /// The request is locked by another case.
    #[error("the request is confirmed in another case")]
    RequestLocked,
}

/// What is to be written, for which counterpart, in one flush.
type Decision<C, Id> = Result<Vec<(C, Fact<Id>)>, Refusal>;

impl<C: Name, Id: Name> Book<C, Id> {
    /// Locks a place for a proposal. Exclusive.
    ///
    /// # Errors
    /// [`Refusal`]; nothing is written.
    pub fn hold(&self, guest: C, proposal: Id, place: Id, hold: Id) -> Decision<C, Id> {
        self.must_be_sure()?;
        let case = self.case_as_host(guest, proposal).ok_or(Refusal::Unknown)?;
        if !matches!(case.stage, Stage::Proposed | Stage::Released) {
            return Err(Refusal::Stage(case.stage));
        }
        let offered = facts(&self.theirs, guest).iter().any(|fact| {
            matches!(fact, Fact::Proposal { proposal: of, places, .. } if *of == proposal && places.contains(&place))
        });
        if !offered {
            return Err(Refusal::Unknown);
        }
        if self.lock_of_place(place).is_some() {
            return Err(Refusal::PlaceLocked);
        }
        let number = next(self.locks_of_place(place));
        let fact = Fact::Hold {
            hold,
            proposal,
            place,
            number,
        };
        Ok(vec![(guest, fact)])
    }

    /// Locks the request of a case for its hold, and withdraws the other cases of the request
    /// that are not over. Exclusive.
    ///
    /// # Errors
    /// [`Refusal`]; nothing is written.
    pub fn confirm(&self, host: C, proposal: Id, hold: Id) -> Decision<C, Id> {
        self.must_be_sure()?;
        let case = self.case_as_guest(host, proposal).ok_or(Refusal::Unknown)?;
        if case.stage != Stage::Held {
            return Err(Refusal::Stage(case.stage));
        }
        if case.hold.is_none_or(|(held, _)| held != hold) {
            return Err(Refusal::Unknown);
        }
        if self.lock_of_request(case.request).is_some() {
            return Err(Refusal::RequestLocked);
        }
        let number = next(self.locks_of_request(case.request));
        let lock = Fact::Confirmation {
            hold,
            proposal,
            request: case.request,
            number,
        };
        let others = self.own().filter_map(|(with, fact)| match fact {
            Fact::Proposal {
                proposal: other,
                request,
                ..
            } if *request == case.request && *other != proposal => Some((with, *other)),
            _ => None,
        });
        let withdrawals = others
            .map(|(with, proposal)| (with, Fact::Withdrawal { proposal }))
            .filter(|(with, fact)| !facts(&self.mine, *with).contains(fact));
        Ok(std::iter::once((host, lock)).chain(withdrawals).collect())
    }

    /// Makes a booking of a confirmed hold. Exclusive; the node does it by itself.
    ///
    /// # Errors
    /// [`Refusal`]; nothing is written.
    pub fn place(&self, guest: C, proposal: Id) -> Decision<C, Id> {
        self.must_be_sure()?;
        let case = self.case_as_host(guest, proposal).ok_or(Refusal::Unknown)?;
        match (case.stage, case.hold) {
            (Stage::Confirmed, Some((hold, _))) => Ok(vec![(guest, Fact::Placement { hold })]),
            (stage, _) => Err(Refusal::Stage(stage)),
        }
    }

    /// Ends this council's lock on the place of a case. At any time, whatever else is known.
    ///
    /// # Errors
    /// [`Refusal::Unknown`] where nothing is locked.
    pub fn release(&self, guest: C, hold: Id) -> Decision<C, Id> {
        let mine = facts(&self.mine, guest);
        let is_hold = |fact: &Fact<Id>| matches!(fact, Fact::Hold { hold: of, .. } if *of == hold);
        let release = Fact::Release { hold };
        match mine.iter().any(is_hold) && !mine.contains(&release) {
            true => Ok(vec![(guest, release)]),
            false => Err(Refusal::Unknown),
        }
    }

    /// Ends this council's part in a case, and its lock on the request. At any time.
    ///
    /// # Errors
    /// [`Refusal::Unknown`] where there is no such case, or it is withdrawn.
    pub fn withdraw(&self, host: C, proposal: Id) -> Decision<C, Id> {
        let withdrawal = Fact::Withdrawal { proposal };
        let known = self.case_as_guest(host, proposal).is_some();
        match known && !facts(&self.mine, host).contains(&withdrawal) {
            true => Ok(vec![(host, withdrawal)]),
            false => Err(Refusal::Unknown),
        }
    }

    /// Says that none of the proposed places is to be had.
    ///
    /// # Errors
    /// [`Refusal`] where a place is held for it, or it is over.
    pub fn decline(&self, guest: C, proposal: Id) -> Decision<C, Id> {
        let case = self.case_as_host(guest, proposal).ok_or(Refusal::Unknown)?;
        match case.stage {
            Stage::Proposed | Stage::Released => Ok(vec![(guest, Fact::Decline { proposal })]),
            stage => Err(Refusal::Stage(stage)),
        }
    }

    /// Says whether the household of a booking came.
    ///
    /// # Errors
    /// [`Refusal`] where there is no booking, or it was said before.
    pub fn arrival(&self, guest: C, proposal: Id, arrived: bool) -> Decision<C, Id> {
        let case = self.case_as_host(guest, proposal).ok_or(Refusal::Unknown)?;
        match (case.stage, case.hold) {
            (Stage::Placed, Some((hold, _))) => Ok(vec![(guest, Fact::Arrival { hold, arrived })]),
            (stage, _) => Err(Refusal::Stage(stage)),
        }
    }

    /// What was lost with a disk and follows from what is left: releases and withdrawals of locks
    /// that were followed by another.
    pub fn repairs(&self) -> Vec<(C, Fact<Id>)> {
        let ends = self.own().filter_map(|(with, fact)| match fact {
            Fact::Hold { hold, place, .. } => {
                let current = self.lock_of_place(*place).map(|(_, hold)| hold);
                (current != Some(*hold)).then_some((with, Fact::Release { hold: *hold }))
            }
            Fact::Confirmation {
                proposal, request, ..
            } => {
                let current = self.lock_of_request(*request).map(|(_, case)| case);
                let proposal = *proposal;
                (current != Some(proposal)).then_some((with, Fact::Withdrawal { proposal }))
            }
            _ => None,
        });
        let missing = |(with, fact): &(C, Fact<Id>)| !facts(&self.mine, *with).contains(fact);
        ends.filter(missing).collect()
    }

    fn must_be_sure(&self) -> Result<(), Refusal> {
        match self.unsure_of.is_empty() {
            true => Ok(()),
            false => Err(Refusal::Unsure),
        }
    }
}

/// The number of the lock after these.
fn next<C, Id>(locks: impl Iterator<Item = (u32, C, Id)>) -> u32 {
    let newest = locks.map(|(number, ..)| number).max();
    newest.unwrap_or(0).saturating_add(1)
}
