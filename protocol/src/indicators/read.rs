//! Placements, read from what has happened in a council's casework.

use std::collections::BTreeMap;

use super::Placed;
use crate::casework::{Fact, Happened};
use crate::ids::RecordId;
use crate::time::{Day, UnixSeconds};

/// The placements of this council's households, by the day. The days are counted from the first
/// proposal for the request, to whichever council it was. Only what counts in casework is here:
/// another council could write down as many placements as would tell the few that are.
pub fn placed(happened: &[Happened]) -> Vec<Placed> {
    let mut first: BTreeMap<RecordId, UnixSeconds> = BTreeMap::new();
    for one in happened.iter().filter(|one| one.is_own) {
        if let Fact::Proposal { request, .. } = one.fact {
            let earliest = first.entry(request).or_insert(one.at);
            *earliest = (*earliest).min(one.at);
        }
    }
    let placed = happened.iter().filter_map(|one| {
        let is_ours = matches!(one.fact, Fact::Placement { .. }) && !one.is_own;
        let request = one.request.filter(|_| is_ours)?;
        let (on, from) = (Day::of(one.at), Day::of(*first.get(&request)?));
        // Two councils' clocks: a placement is not before what it follows from.
        let days = u32::try_from(i64::from(on.0) - i64::from(from.0)).unwrap_or(0);
        Some(Placed { on, days })
    });
    let mut placed: Vec<Placed> = placed.collect();
    placed.sort_unstable();
    placed
}
