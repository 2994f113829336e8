//! How well a place does for a request: points, and what each of them is for.

use super::fit::{exclusions, to_ask};
use super::{Ask, Geography, Place, Request, Urgency};
use crate::ids::RecordId;

/// What points were given for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Reason {
    /// Host and household have named each other.
    Named,
    /// It is in an area that they would go to.
    WantedArea,
    /// So many kilometres from where they would go, or are now.
    Kilometres(u64),
    /// Offered for so many months.
    Months(u32),
    /// Rooms or people to spare that another household may need.
    ToSpare(u32),
    /// How soon they must move.
    Urgency(Urgency),
    /// They can come tonight, and must.
    Tonight,
    /// Things that are still to be asked.
    ToAsk(u32),
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Named => f.write_str("host and household have named each other"),
            Self::WantedArea => f.write_str("in an area that they want"),
            Self::Kilometres(km) => write!(f, "{km} km away"),
            Self::Months(months) => write!(f, "offered for {months} months"),
            Self::ToSpare(spare) => write!(f, "{spare} more than they need"),
            Self::Urgency(Urgency::Emergency) => f.write_str("an emergency"),
            Self::Urgency(Urgency::Soon) => f.write_str("needed soon"),
            Self::Urgency(Urgency::Planned) => f.write_str("a planned move"),
            Self::Tonight => f.write_str("they can come tonight"),
            Self::ToAsk(questions) => write!(f, "{questions} to be asked first"),
        }
    }
}

/// A place that would do for a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scored {
    /// The request.
    pub request: RecordId,
    /// The place.
    pub place: RecordId,
    /// All points.
    pub points: i64,
    /// What they are for, each with its points.
    pub reasons: Vec<(Reason, i64)>,
    /// What is to be asked of the host council first.
    pub ask: Vec<Ask>,
}

/// Any place that does is better than none: more than everything below can take away.
const DOES: i64 = 2000;

/// How well a place does for a request; `None` where it does not.
pub fn score(request: &Request, place: &Place, geography: &Geography) -> Option<Scored> {
    if !request.is_open || !exclusions(request, place).is_empty() {
        return None;
    }
    let mut reasons = Vec::new();
    if request.reserved_for == Some(place.id) {
        reasons.push((Reason::Named, 1000));
    }
    let lies_in = [place.area, Some(place.council)];
    if lies_in
        .iter()
        .flatten()
        .any(|area| request.wanted_areas.contains(area))
    {
        reasons.push((Reason::WantedArea, 300));
    }
    if let Some(metres) = geography.metres(request, place) {
        let km = metres / 1000;
        let points = 300 - i64::try_from(km.min(100)).unwrap_or(100) * 3;
        reasons.push((Reason::Kilometres(km), points));
    }
    if let Some(months) = place.months {
        reasons.push((Reason::Months(months), i64::from(months.min(12)) * 10));
    }
    let spare = (place.rooms - request.rooms).saturating_add(place.people - request.people);
    if spare > 0 {
        reasons.push((Reason::ToSpare(spare), -i64::from(spare.min(20)) * 15));
    }
    let urgency = match request.urgency {
        Urgency::Emergency => 400,
        Urgency::Soon => 150,
        Urgency::Planned => 0,
    };
    if urgency > 0 {
        reasons.push((Reason::Urgency(request.urgency), urgency));
    }
    if request.urgency == Urgency::Emergency && place.emergency {
        reasons.push((Reason::Tonight, 300));
    }
    let ask = to_ask(request, place);
    if !ask.is_empty() {
        let questions = u32::try_from(ask.len()).unwrap_or(u32::MAX);
        reasons.push((Reason::ToAsk(questions), -i64::from(questions) * 60));
    }
    let points = DOES + reasons.iter().map(|(_, points)| points).sum::<i64>();
    Some(Scored {
        request: request.id,
        place: place.id,
        points,
        reasons,
        ask,
    })
}

/// The places that would do for a request, best first; of equals the lower id.
pub fn rank_places(request: &Request, places: &[Place], geography: &Geography) -> Vec<Scored> {
    let scored = places
        .iter()
        .filter_map(|place| score(request, place, geography));
    let mut scored: Vec<Scored> = scored.collect();
    scored.sort_by_key(|one| (-one.points, one.place));
    scored
}

/// The requests that a place would do for, best first; of equals the lower id.
pub fn rank_requests(place: &Place, requests: &[Request], geography: &Geography) -> Vec<Scored> {
    let scored = requests
        .iter()
        .filter_map(|request| score(request, place, geography));
    let mut scored: Vec<Scored> = scored.collect();
    scored.sort_by_key(|one| (-one.points, one.request));
    scored
}
