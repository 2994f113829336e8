//! Placements, read from the casework of one council with all the others.

use std::collections::BTreeMap;

use super::Placed;
use crate::document::RecordFields;
use crate::ids::{RecordId, RecordKind};
use crate::schema::{Named, Value};
use crate::time::{Day, UnixSeconds};

/// What is read of casework for the days to a placement.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Casework {
    /// Of a proposal of this council's: its request, and when it was made.
    proposals: BTreeMap<RecordId, (RecordId, UnixSeconds)>,
    /// Of a hold: the proposal.
    holds: BTreeMap<RecordId, RecordId>,
    /// Of a hold: when its placement was made.
    placements: BTreeMap<RecordId, UnixSeconds>,
}

impl Casework {
    /// Adds a record that this council wrote as the guest's: a proposal counts.
    pub fn add_own(&mut self, id: RecordId, fields: &RecordFields) {
        let of = Named(id.kind(), fields);
        let both = of.records("request").next().zip(at(&of));
        if let (RecordKind::Proposal, Some(both)) = (id.kind(), both) {
            self.proposals.insert(id, both);
        }
    }

    /// Adds a record of another council's, as the host's: holds and placements count.
    pub fn add_other(&mut self, id: RecordId, fields: &RecordFields) {
        let of = Named(id.kind(), fields);
        match id.kind() {
            RecordKind::Hold => {
                let proposal = of.records("proposal").next();
                self.holds.extend(proposal.map(|proposal| (id, proposal)));
            }
            RecordKind::Placement => {
                let both = of.records("hold").next().zip(at(&of));
                self.placements.extend(both);
            }
            _ => {}
        }
    }

    /// The placements of this council's households, by the day. The days are counted from the
    /// first proposal for the request, to whichever council it was.
    pub fn placed(&self) -> Vec<Placed> {
        let mut first: BTreeMap<RecordId, UnixSeconds> = BTreeMap::new();
        for (request, at) in self.proposals.values() {
            let earliest = first.entry(*request).or_insert(*at);
            *earliest = (*earliest).min(*at);
        }
        let placed = self.placements.iter().filter_map(|(hold, at)| {
            let (request, _) = self.proposals.get(self.holds.get(hold)?)?;
            let (on, from) = (Day::of(*at), Day::of(*first.get(request)?));
            // Two councils' clocks: a placement is not before what it follows from.
            let days = u32::try_from(i64::from(on.0) - i64::from(from.0)).unwrap_or(0);
            Some(Placed { on, days })
        });
        let mut placed: Vec<Placed> = placed.collect();
        placed.sort_unstable();
        placed
    }
}

fn at(of: &Named<'_>) -> Option<UnixSeconds> {
    of.values("at").iter().find_map(|value| match value {
        Value::Instant(at) => Some(*at),
        _ => None,
    })
}
