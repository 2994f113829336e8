//! Events: what a council's officers are to be told of, from what its node knows (docs/EVENTS.md).
//!
//! A look at the node gives all that is so at that moment, each with an id that follows from what it
//! is about. What was told is remembered by its id, so that the news is what is so now and was not
//! told: the same, whatever came in between and however often the node was started. An event has
//! ids and codes alone, and never a field of a document.

#[cfg(test)]
mod again_tests;
mod cases;
mod checks;
mod memory;
mod node;
#[cfg(test)]
mod tests;

use std::fmt;

pub use cases::of_cases;
pub use checks::{of_checks, of_stopped};
pub use memory::Memory;
pub use node::{NodeState, of_node};

use crate::codec;
use crate::crypto::{self, Tag};
use crate::ids::{CouncilCode, DocumentName, NodeId, RecordId};
use crate::time::UnixSeconds;

/// What an event is known by: the same at every node of the council, after every restart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(pub [u8; 16]);

impl EventId {
    /// The id of a step of what these subjects name.
    pub fn of(kind: Kind, subjects: &[String]) -> Self {
        let hash = crypto::hash(Tag::Event, &codec::encode(&(kind.as_str(), subjects)));
        let mut id = [0; 16];
        id.iter_mut()
            .zip(hash.0)
            .for_each(|(byte, from)| *byte = from);
        Self(id)
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventId({self})")
    }
}

/// Declares the kinds of event with their codes and what each says, in one table.
macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident, $code:literal, $what:literal;)*) => {
        /// What happened.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Kind {
            $($(#[$doc])* $name,)*
        }

        impl Kind {
            /// Every kind, in the order of docs/EVENTS.md.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The code, e.g. `proposal_arrived`: a promise to scripts.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// What happened, in a sentence without its full stop.
            pub fn what(self) -> &'static str {
                match self { $(Self::$name => $what,)* }
            }
        }
    };
}

kinds! {
    /// Another council proposes a household for a place of this one.
    ProposalArrived, "proposal_arrived", "a council proposes a household for a place of ours";
    /// The host council has no place to give.
    Declined, "declined", "the host council declines our proposal";
    /// A place is locked for a household of this council.
    Held, "held", "a place is held for a household of ours: confirm it or withdraw";
    /// A hold of this council, or for it, is let go of in an hour.
    HoldEndsSoon, "hold_ends_soon", "a hold runs out within the hour unless it is confirmed";
    /// The time of a hold was up, and the host council's node let go of the place.
    HoldRanOut, "hold_ran_out", "a hold ran out unconfirmed: nothing is locked any more";
    /// The host council let go of a place.
    HoldReleased, "hold_released", "the host council has released a place that it held for us";
    /// The guest council has confirmed a hold.
    Confirmed, "confirmed", "the guest council confirms a hold of ours";
    /// There is a booking.
    Placed, "placed", "a household is booked into a place";
    /// The household came.
    Arrived, "arrived", "the host council says that a household of ours has arrived";
    /// The household did not come.
    DidNotArrive, "did_not_arrive", "the host council says that a household of ours did not arrive";
    /// The guest council has ended a case.
    Withdrawn, "withdrawn", "the guest council withdraws a case";
    /// The other council asks something of a case.
    QuestionAsked, "question_asked", "the other council asks something of a case";
    /// The other council answered.
    Answered, "answered", "the other council has answered what we asked";
    /// The other council says on which day a booking ends.
    BookingEnds, "booking_ends", "the other council says when a booking ends";
    /// The guest council offers that this council becomes responsible.
    TransferOffered, "transfer_offered", "the guest council offers us the responsibility for a household";
    /// The host council agrees to become responsible.
    TransferAgreed, "transfer_agreed", "the host council takes the responsibility for a household of ours";
    /// A check of the host of a place that is locked for this council failed or ran out.
    Concern, "concern", "a check of the host of a household of ours failed or ran out: telephone its council";
    /// A check was not done by the day on which it is due.
    CheckOverdue, "check_overdue", "a check of a host is overdue";
    /// A check has failed.
    CheckFailed, "check_failed", "a check of a host has failed: its open places are closed";
    /// A check's outcome counts no longer.
    CheckRanOut, "check_ran_out", "a check of a host has run out: its open places are closed";
    /// A place is locked for a case, and its host must take nobody.
    HostStopped, "host_stopped", "a place is held or taken, and its host must take nobody";
    /// Another council has not been heard of for a day.
    CouncilSilent, "council_silent", "a council has not been heard of for a day";
    /// No other council has been heard of for hours.
    CutOff, "cut_off", "no other council has been heard of for hours: this node is cut off";
    /// A key signed two histories.
    KeyForked, "key_forked", "the key of a node signed two histories of a document";
    /// The store lacked what it had acknowledged.
    StoreLost, "store_lost", "the store had lost what it acknowledged, or was put back";
    /// The store was damaged.
    StoreSetAside, "store_set_aside", "the store was damaged and was set aside";
    /// The roster expires before long.
    RosterExpires, "roster_expires", "the roster is about to expire";
    /// The roster has expired.
    RosterExpired, "roster_expired", "the roster has expired: nothing is synced";
    /// What comes between is not remembered any more.
    Gap, "gap", "events before this one are not remembered any more: look for yourself";
}

/// What an event is about: ids, and nothing of what they name.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct About {
    /// The other council of a case, or the council whose host, node or silence it is.
    pub council: Option<CouncilCode>,
    /// The case.
    pub case: Option<RecordId>,
    /// The request that a case is for.
    pub request: Option<RecordId>,
    /// The place.
    pub place: Option<RecordId>,
    /// The host.
    pub host: Option<RecordId>,
    /// The check.
    pub check: Option<RecordId>,
    /// The node.
    pub node: Option<NodeId>,
    /// The document.
    pub document: Option<DocumentName>,
    /// When a hold's or a roster's time is up.
    pub until: Option<UnixSeconds>,
}

/// One event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// What it is known by.
    pub id: EventId,
    /// What happened.
    pub kind: Kind,
    /// When, by the clock of the council that wrote it; of what follows from time alone, when its
    /// time came.
    pub at: UnixSeconds,
    /// To what.
    pub about: About,
}

impl Event {
    fn new(kind: Kind, subjects: &[&dyn ToString], at: UnixSeconds, about: About) -> Self {
        let subjects: Vec<String> = subjects.iter().map(|subject| subject.to_string()).collect();
        Self {
            id: EventId::of(kind, &subjects),
            kind,
            at,
            about,
        }
    }

    /// That a reader has missed what was told up to a number.
    pub fn gap(number: u64, at: UnixSeconds) -> Self {
        Self::new(Kind::Gap, &[&number], at, About::default())
    }

    /// The command that shows what it is about, and what can be done.
    pub fn next(&self) -> String {
        let of = |command: &str, id: Option<RecordId>| match id {
            Some(id) => format!("{command} {id}"),
            None => "smp status".to_owned(),
        };
        match self.kind {
            Kind::CheckOverdue => "smp checks due".to_owned(),
            Kind::CheckFailed | Kind::CheckRanOut => of("smp checks hosts", self.about.host),
            Kind::CouncilSilent | Kind::CutOff => "smp peers".to_owned(),
            Kind::KeyForked => "smp documents --alarms".to_owned(),
            Kind::RosterExpires | Kind::RosterExpired => "smp roster show".to_owned(),
            Kind::HostStopped => "smp status".to_owned(),
            Kind::Gap => "smp cases list".to_owned(),
            _ => of("smp cases show", self.about.case),
        }
    }
}
