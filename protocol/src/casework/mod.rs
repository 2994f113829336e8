//! Booking: what two councils have written of a case, and what it comes to (docs/BOOKING.md).
//!
//! Everything here follows from what was written, without a clock and without a network. A
//! council takes and ends locks on its own places and requests alone, in order, at its decider.
//! So no place and no request is ever in two live bookings, whatever is lost, late or repeated.

mod book;
mod decide;
mod decider;
mod happened;
mod ledgers;
mod line;
mod pool;
mod record;
mod remark;
mod settled;
mod wish;

#[cfg(test)]
mod decider_tests;
#[cfg(test)]
mod happened_tests;
#[cfg(test)]
mod moved_tests;
#[cfg(test)]
mod peer_tests;
#[cfg(test)]
mod remark_tests;
#[cfg(test)]
mod tests;

pub use book::{Book, Case, Stage, Turn};
pub use decide::Refusal;
pub use decider::{Decider, Done};
pub use happened::Happened;
pub use ledgers::{CaseView, Ledgers, decider_of};
pub use pool::{PoolRefusal, State, check_pool_edits, closing, state};
pub use remark::{Consent, Ending, Question, Remark, RemarkRefusal, Remarks, Side, Transfer};
pub use wish::{DecideError, Wish};

/// A council, or what a record is named by. The rules need no more than to tell two apart.
pub trait Name: Copy + Ord {}

impl<T: Copy + Ord> Name for T {}

/// One thing that a council has written in the casework that it has with another. The ones to
/// `Withdrawal` are written by the council that has a household, the others by the one that has
/// a place.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Fact<Id> {
    /// This request would fit one of these places.
    Proposal {
        /// Its name; it names the case as well.
        proposal: Id,
        /// Of the writing council.
        request: Id,
        /// Of the other.
        places: Vec<Id>,
    },
    /// The request is locked for this hold.
    Confirmation {
        /// The hold that is confirmed.
        hold: Id,
        /// The case.
        proposal: Id,
        /// The request that is locked.
        request: Id,
        /// How many times the request was locked, this one counted: a later lock shows that this
        /// one was ended, even where the withdrawal was lost with a disk.
        number: u32,
    },
    /// The case is over for the council that has the household, and so is its lock.
    Withdrawal {
        /// The case.
        proposal: Id,
    },
    /// The place is locked for this proposal.
    Hold {
        /// Its name.
        hold: Id,
        /// The case.
        proposal: Id,
        /// The place that is locked.
        place: Id,
        /// How many times the place was locked, as for a confirmation.
        number: u32,
    },
    /// The confirmed hold is a booking.
    Placement {
        /// The hold.
        hold: Id,
    },
    /// The household came, or did not.
    Arrival {
        /// The hold.
        hold: Id,
        /// Whether it came.
        arrived: bool,
    },
    /// The lock on the place is ended.
    Release {
        /// The hold.
        hold: Id,
    },
    /// None of the proposed places is to be had.
    Decline {
        /// The case.
        proposal: Id,
    },
}

impl<Id: Name> Fact<Id> {
    /// The case that it is of; `of_hold` says which case a hold is of.
    fn case(&self, of_hold: impl Fn(Id) -> Option<Id>) -> Option<Id> {
        match self {
            Self::Proposal { proposal, .. }
            | Self::Confirmation { proposal, .. }
            | Self::Withdrawal { proposal }
            | Self::Hold { proposal, .. }
            | Self::Decline { proposal } => Some(*proposal),
            Self::Placement { hold } | Self::Arrival { hold, .. } | Self::Release { hold } => {
                of_hold(*hold)
            }
        }
    }
}
