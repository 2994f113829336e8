//! What keeps a place from being suggested for a request, and what is still to be asked.

use super::{Place, Request};
use crate::time::{Day, Week};

/// Why a place will not do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Exclusion {
    /// It is held, taken or closed.
    NotOpen,
    /// It is kept for a household that has named its host, or the request for another place.
    Reserved,
    /// So many people, and room for so many.
    People {
        /// Of the household.
        need: u32,
        /// That can be placed.
        has: u32,
    },
    /// So many rooms needed, and so many there.
    Rooms {
        /// Needed.
        need: u32,
        /// There.
        has: u32,
    },
    /// There are steps.
    Steps,
    /// A wheelchair cannot be used.
    Wheelchair,
    /// Pets are not welcome.
    Pets,
    /// It does not suit children.
    Children,
    /// It is free only from a day after the week in which it is needed.
    TooLate {
        /// The week.
        needed_by: Week,
        /// The day.
        from: Day,
    },
    /// It is offered only until a day before the week in which they could move.
    TooSoon {
        /// The week.
        not_before: Week,
        /// The day.
        until: Day,
    },
}

impl std::fmt::Display for Exclusion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotOpen => f.write_str("it is not open"),
            Self::Reserved => f.write_str("it is kept for a named match"),
            Self::People { need, has } => write!(f, "{need} people, and room for {has}"),
            Self::Rooms { need, has } => write!(f, "{need} rooms needed, and {has} there"),
            Self::Steps => f.write_str("it cannot be reached without steps"),
            Self::Wheelchair => f.write_str("a wheelchair cannot be used throughout"),
            Self::Pets => f.write_str("pets are not welcome"),
            Self::Children => f.write_str("it does not suit children"),
            Self::TooLate { needed_by, from } => {
                write!(f, "needed by {needed_by}, and free from {from}")
            }
            Self::TooSoon { not_before, until } => {
                write!(f, "not before {not_before}, and offered until {until}")
            }
        }
    }
}

/// What nobody has said yet, to be asked of the host council.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Ask {
    /// Whether it can be reached without steps.
    Steps,
    /// Whether a wheelchair can be used.
    Wheelchair,
    /// Whether pets are welcome.
    Pets,
    /// Whether it suits children.
    Children,
}

impl std::fmt::Display for Ask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Steps => "whether it can be reached without steps",
            Self::Wheelchair => "whether a wheelchair can be used throughout",
            Self::Pets => "whether pets are welcome",
            Self::Children => "whether it suits children",
        })
    }
}

/// Everything that keeps a place from doing for a request; empty where it would do. What is
/// not said keeps nothing out: see [`to_ask`].
pub fn exclusions(request: &Request, place: &Place) -> Vec<Exclusion> {
    let mut why = Vec::new();
    if !place.is_open {
        why.push(Exclusion::NotOpen);
    }
    if request.reserved_for.is_some_and(|kept| kept != place.id) {
        why.push(Exclusion::Reserved);
    }
    if request.people > place.people {
        let (need, has) = (request.people, place.people);
        why.push(Exclusion::People { need, has });
    }
    if request.rooms > place.rooms {
        let (need, has) = (request.rooms, place.rooms);
        why.push(Exclusion::Rooms { need, has });
    }
    for (needed, offered, exclusion) in [
        (request.step_free, place.step_free, Exclusion::Steps),
        (request.wheelchair, place.wheelchair, Exclusion::Wheelchair),
        (request.pets, place.pets, Exclusion::Pets),
        (request.with_children, place.children, Exclusion::Children),
    ] {
        if needed && offered == Some(false) {
            why.push(exclusion);
        }
    }
    if let (Some(needed_by), Some(from)) = (request.needed_by, place.available_from)
        && from.week() > needed_by
    {
        why.push(Exclusion::TooLate { needed_by, from });
    }
    if let (Some(not_before), Some(until)) = (request.not_before, place.available_until)
        && until.week() < not_before
    {
        why.push(Exclusion::TooSoon { not_before, until });
    }
    why
}

/// What is needed and neither promised nor denied.
pub fn to_ask(request: &Request, place: &Place) -> Vec<Ask> {
    let questions = [
        (request.step_free, place.step_free, Ask::Steps),
        (request.wheelchair, place.wheelchair, Ask::Wheelchair),
        (request.pets, place.pets, Ask::Pets),
        (request.with_children, place.children, Ask::Children),
    ];
    let open = questions
        .into_iter()
        .filter(|(needed, offered, _)| *needed && offered.is_none());
    open.map(|(_, _, ask)| ask).collect()
}
