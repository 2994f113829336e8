//! Writing: edits become signed units, which then pass the gate like anyone's.

use super::Document;
use super::chain::{Chain, Clock};
use super::entry::{ChainId, Header, Step, Unit};
use crate::codec;
use crate::crypto::{self, Signing, Tag};
use crate::ids::Hash;
use crate::limits;
use crate::schema::{Edit, SchemaVersion};

impl Document {
    /// Signs edits as the next entries of `chain`: as few entries as their size allows, in
    /// units that end at a mark, before an entry with dependencies, or at the last edit. Nothing is changed; the units are to
    /// be judged and executed. Work grows with the bytes of the edits.
    pub fn author(
        &self,
        chain: ChainId,
        edits: &[Edit],
        schema: SchemaVersion,
        key: &Signing,
    ) -> Vec<Unit> {
        let mut to_merge = self.heads_beyond(chain);
        let (mut sequence, last) = self.head(chain);
        let mut previous = last.unwrap_or(Hash([0; 32]));
        let mut units: Vec<Unit> = Vec::new();
        for edits in split(edits) {
            let rest = to_merge.split_off(to_merge.len().min(limits::ENTRY_DEPENDENCIES));
            let mut dependencies = std::mem::replace(&mut to_merge, rest);
            dependencies.sort_unstable();
            let step = Step::new(dependencies, schema, edits);
            let header = Header {
                place: self.place.clone(),
                chain,
                sequence,
                previous,
                dependencies: step.dependencies.clone(),
                schema,
                edits: crypto::hash(Tag::EntryEdits, &step.edits.0),
            };
            let hash = header.hash();
            let signature = Unit::sign(hash, key);
            let begins_a_unit =
                sequence % limits::UNIT_ENTRIES == 0 || !step.dependencies.is_empty();
            match units.last_mut().filter(|_| !begins_a_unit) {
                Some(unit) => {
                    unit.steps.push(step);
                    unit.signature = signature;
                }
                None => units.push(Unit {
                    place: self.place.clone(),
                    chain,
                    first: sequence,
                    previous,
                    steps: vec![step],
                    signature,
                }),
            }
            sequence += 1;
            previous = hash;
        }
        units
    }

    /// The newest entries of other chains that `chain` has not seen, without those that
    /// another of them has seen.
    fn heads_beyond(&self, chain: ChainId) -> Vec<Hash> {
        let none = Clock::new();
        let seen = self.chains.get(&chain).and_then(Chain::last);
        let seen = seen.map_or(&none, |entry| &entry.past.clock);
        let heads: Vec<_> = self
            .chains
            .iter()
            .filter(|(id, held)| **id != chain && held.len() > seen.get(id).copied().unwrap_or(0))
            .filter_map(|(id, held)| Some((*id, held.len(), held.last()?)))
            .collect();
        let covered = |id: &ChainId, len: u64| {
            let reach = |clock: &Clock| clock.get(id).copied().unwrap_or(0);
            heads.iter().any(|(_, _, by)| reach(&by.past.clock) >= len)
        };
        heads
            .iter()
            .filter(|(id, len, _)| !covered(id, *len))
            .map(|(_, _, entry)| entry.hash)
            .collect()
    }
}

/// Cuts units into runs that each fit a row of the store, as what a peer sends does anyway.
pub(crate) fn in_rows(units: Vec<Unit>) -> Vec<Vec<Unit>> {
    let mut rows: Vec<Vec<Unit>> = Vec::new();
    let mut weight = 0;
    for unit in units {
        weight += unit.weight();
        let fits = |row: &&mut Vec<Unit>| {
            weight <= limits::BATCH_BYTES / 2 && row.len() < limits::BATCH_UNITS
        };
        match rows.last_mut().filter(fits) {
            Some(row) => row.push(unit),
            None => {
                weight = unit.weight();
                rows.push(vec![unit]);
            }
        }
    }
    rows
}

/// Cuts edits into runs that fit one entry each.
fn split(edits: &[Edit]) -> Vec<&[Edit]> {
    // The list's own length takes at most five bytes.
    let room = limits::ENTRY_BYTES - 5;
    let mut runs = Vec::new();
    let (mut start, mut used) = (0, 0);
    for (index, edit) in edits.iter().enumerate() {
        let size = codec::encode(edit).len();
        if used + size > room && index > start {
            runs.extend(edits.get(start..index));
            (start, used) = (index, 0);
        }
        used += size;
    }
    runs.extend(edits.get(start..).filter(|run| !run.is_empty()));
    runs
}
