//! Events of casework: what the other council wrote, and what this council's node did by itself.
//!
//! What its own officers decided they know.

use super::{About, Event, Kind};
use crate::casework::{CaseView, Fact, Happened, Side};
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
    let told = cases.iter().flat_map(|view| of_remarks(view, own));
    facts.chain(ending).chain(told).collect()
}

/// What the other council has said of a case beside. Of what it said again, the last.
fn of_remarks(view: &CaseView, own: CouncilCode) -> Vec<Event> {
    let side = view.side(own);
    let remarks = &view.remarks;
    let case = view.case.proposal;
    let event = |kind, subject: &dyn ToString, at| {
        Event::new(kind, &[&case, subject], at, about(view, own))
    };
    let mut events = Vec::new();
    for asked in &remarks.questions {
        match (asked.by == side, asked.answer) {
            (false, _) => events.push(event(Kind::QuestionAsked, &asked.enquiry, asked.at)),
            (true, Some((_, at))) => events.push(event(Kind::Answered, &asked.enquiry, at)),
            (true, None) => {}
        }
    }
    let ends = remarks.ends.iter().filter(|ends| ends.by != side);
    events.extend(ends.map(|ends| event(Kind::BookingEnds, &ends.record, ends.at)));
    if let Some(transfer) = remarks.transfer {
        match (side, transfer.agreed) {
            (Side::Host, _) => {
                events.push(event(
                    Kind::TransferOffered,
                    &transfer.offer,
                    transfer.offered,
                ));
            }
            (Side::Guest, Some((at, record))) => {
                events.push(event(Kind::TransferAgreed, &record, at));
            }
            (Side::Guest, None) => {}
        }
    }
    let concern = remarks.concern.filter(|_| side == Side::Guest);
    events.extend(concern.map(|since| event(Kind::Concern, &since, since)));
    events
}

/// What an officer looks a case up by.
fn about(view: &CaseView, own: CouncilCode) -> About {
    About {
        council: Some(if view.guest == own {
            view.host
        } else {
            view.guest
        }),
        case: Some(view.case.proposal),
        request: Some(view.case.request),
        place: view.case.hold.map(|(_, place)| place),
        ..About::default()
    }
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
    let (hold, _) = view.case.hold?;
    let from = UnixSeconds(until.0.saturating_sub(HOLD_WARNING_SECONDS));
    if now < from || now >= until {
        return None;
    }
    let about = About {
        until: Some(until),
        ..about(view, own)
    };
    Some(Event::new(Kind::HoldEndsSoon, &[&hold], from, about))
}
