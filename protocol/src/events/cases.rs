//! Events of casework: what the other council wrote, and what this council's node did by itself.
//!
//! What its own officers decided they know.

use super::{About, Event, Kind};
use crate::casework::{CaseView, Fact, Happened};
use crate::ids::CouncilCode;
use crate::limits::HOLD_WARNING_SECONDS;
use crate::time::UnixSeconds;

/// What is so now, of all that was written and of the cases as they stand.
pub fn of_cases(
    happened: &[Happened],
    cases: &[CaseView],
    own: CouncilCode,
    now: UnixSeconds,
) -> Vec<Event> {
    let facts = happened.iter().filter_map(of_fact);
    let ending = cases.iter().filter_map(|view| ends_soon(view, own, now));
    facts.chain(ending).collect()
}

fn of_fact(happened: &Happened) -> Option<Event> {
    let kind = match (&happened.fact, happened.is_own) {
        (Fact::Placement { .. }, _) => Kind::Placed,
        (Fact::Release { .. }, _) if happened.ran_out => Kind::HoldRanOut,
        (_, true) => return None,
        (Fact::Proposal { .. }, _) => Kind::ProposalArrived,
        (Fact::Confirmation { .. }, _) => Kind::Confirmed,
        (Fact::Withdrawal { .. }, _) => Kind::Withdrawn,
        (Fact::Hold { .. }, _) => Kind::Held,
        (Fact::Arrival { arrived: true, .. }, _) => Kind::Arrived,
        (Fact::Arrival { arrived: false, .. }, _) => Kind::DidNotArrive,
        (Fact::Release { .. }, _) => Kind::HoldReleased,
        (Fact::Decline { .. }, _) => Kind::Declined,
    };
    let about = About {
        council: Some(happened.with),
        case: happened.case,
        request: happened.request,
        place: happened.place,
        ..About::default()
    };
    Some(Event::new(kind, &[&happened.record], happened.at, about))
}

/// From so long before a hold's time is up until it is.
fn ends_soon(view: &CaseView, own: CouncilCode, now: UnixSeconds) -> Option<Event> {
    let until = view.until?;
    let (hold, place) = view.case.hold?;
    let from = UnixSeconds(until.0.saturating_sub(HOLD_WARNING_SECONDS));
    if now < from || now >= until {
        return None;
    }
    let about = About {
        council: Some(if view.guest == own {
            view.host
        } else {
            view.guest
        }),
        case: Some(view.case.proposal),
        request: Some(view.case.request),
        place: Some(place),
        until: Some(until),
        ..About::default()
    };
    Some(Event::new(Kind::HoldEndsSoon, &[&hold], from, about))
}
