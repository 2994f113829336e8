//! The regional suggestion: which household goes where, so that all together do best.

use std::collections::BTreeMap;

use pathfinding::kuhn_munkres::kuhn_munkres;
use pathfinding::matrix::Matrix;

use super::fit::exclusions;
use super::score::score;
use super::{Exclusion, Geography, Place, Request, Scored};
use crate::ids::RecordId;
use crate::limits;

/// Who goes where, and who goes nowhere and why.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Assignment {
    /// By request.
    pub pairs: Vec<Scored>,
    /// By request.
    pub unmatched: Vec<(RecordId, Unmatched)>,
    /// Open requests and places beyond what is worked out at once.
    pub left_out: usize,
}

/// Why a household has no place: what would have had to be different.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unmatched {
    /// There is no open place at all.
    NoPlaces,
    /// Places would do, and others need them more; the best of them for this one.
    Outbid {
        /// The place.
        place: RecordId,
        /// The request that has it.
        by: RecordId,
        /// How many would do.
        places: usize,
    },
    /// None would do; the one for which the least would have to be different.
    Nearly {
        /// The place.
        place: RecordId,
        /// What keeps it from doing.
        but: Vec<Exclusion>,
    },
}

/// The assignment of open requests to open places that has the most points in all. Of several
/// it is the same one wherever the pools are the same. Work grows with the square of the
/// smaller number times the larger, at worst.
pub fn assign(requests: &[Request], places: &[Place], geography: &Geography) -> Assignment {
    let mut requests: Vec<&Request> = requests.iter().filter(|r| r.is_open).collect();
    let mut places: Vec<&Place> = places.iter().filter(|p| p.is_open).collect();
    // The most urgent, where there are more than can be worked out.
    requests.sort_by_key(|r| {
        (
            std::cmp::Reverse(r.urgency),
            r.needed_by.is_none(),
            r.needed_by,
            r.id,
        )
    });
    places.sort_by_key(|place| (!place.emergency, place.id));
    let all = requests.len() + places.len();
    requests.truncate(limits::ASSIGNED_REQUESTS);
    places.truncate(limits::ASSIGNED_PLACES);
    let left_out = all - requests.len() - places.len();
    requests.sort_by_key(|request| request.id);
    places.sort_by_key(|place| place.id);
    let points = |request: usize, place: usize| {
        let pair = requests.get(request).zip(places.get(place));
        let scored = pair.and_then(|(request, place)| score(request, place, geography));
        scored.map_or(0, |scored| scored.points)
    };
    let mut pairs = BTreeMap::new();
    for (request, place) in best(requests.len(), places.len(), points) {
        let pair = requests.get(request).zip(places.get(place));
        let scored = pair.and_then(|(request, place)| score(request, place, geography));
        pairs.extend(scored.map(|scored| (scored.request, scored)));
    }
    let taken = pairs.values().map(|scored| (scored.place, scored.request));
    let taken: BTreeMap<RecordId, RecordId> = taken.collect();
    let left = requests.iter().filter(|r| !pairs.contains_key(&r.id));
    let unmatched = left.map(|request| (request.id, why(request, &places, &taken, geography)));
    Assignment {
        unmatched: unmatched.collect(),
        pairs: pairs.into_values().collect(),
        left_out,
    }
}

/// Rows and columns of the heaviest matching. Those that come to nothing are left out later.
fn best(
    requests: usize,
    places: usize,
    points: impl Fn(usize, usize) -> i64,
) -> Vec<(usize, usize)> {
    if requests == 0 || places == 0 {
        return Vec::new();
    }
    // The library wants no more rows than columns.
    let turned = requests > places;
    let (rows, columns) = match turned {
        false => (requests, places),
        true => (places, requests),
    };
    let weights = Matrix::from_fn(rows, columns, |(row, column)| match turned {
        false => points(row, column),
        true => points(column, row),
    });
    let (_, of_rows) = kuhn_munkres(&weights);
    let pairs = of_rows.into_iter().enumerate();
    let pairs = pairs.map(|(row, column)| match turned {
        false => (row, column),
        true => (column, row),
    });
    pairs.collect()
}

fn why(
    request: &Request,
    places: &[&Place],
    taken: &BTreeMap<RecordId, RecordId>,
    geography: &Geography,
) -> Unmatched {
    let scored = places
        .iter()
        .filter_map(|place| score(request, place, geography));
    let scored: Vec<Scored> = scored.collect();
    let best = scored
        .iter()
        .max_by_key(|one| (one.points, std::cmp::Reverse(one.place)));
    let outbid = best.and_then(|best| Some((best.place, *taken.get(&best.place)?)));
    if let Some((place, by)) = outbid {
        let places = scored.len();
        return Unmatched::Outbid { place, by, places };
    }
    let nearly = places
        .iter()
        .map(|place| (place.id, exclusions(request, place)));
    let nearly = nearly.min_by_key(|(place, but)| (kinds(but), shortfall(but), *place));
    match nearly {
        Some((place, but)) => Unmatched::Nearly { place, but },
        None => Unmatched::NoPlaces,
    }
}

fn kinds(but: &[Exclusion]) -> usize {
    but.len()
}

/// How many rooms and people are wanting.
fn shortfall(but: &[Exclusion]) -> u32 {
    let wanting = but.iter().map(|exclusion| match exclusion {
        Exclusion::People { need, has } | Exclusion::Rooms { need, has } => {
            need.saturating_sub(*has)
        }
        _ => 1,
    });
    wanting.fold(0, u32::saturating_add)
}
