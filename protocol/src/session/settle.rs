//! Carrying out a cut: what is held comes down to what the roster lets stay, and what fell
//! away of this council's own is kept for it to write again (P-47, P-49).

use std::collections::BTreeMap;

use super::member::Holding;
use super::{Durable, Member, Note, Output, Receipt, WriteError};
use crate::document::{ChainId, Document, RecordFields};
use crate::ids::{DocumentName, NodeId, RecordId};
use crate::schema::{Edit, FieldId, Value};
use crate::time::UnixSeconds;

/// A field of a record whose value fell away with a cut.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Fallen {
    /// Its values before; more than one were in conflict.
    pub was: Vec<Value>,
    /// Its values after.
    pub is: Vec<Value>,
}

/// What fell away of one record, by field.
pub type FallenFields = BTreeMap<FieldId, Fallen>;

/// What writing again did, or would do.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct WrittenAgain {
    /// Fields that are written again.
    pub written: Vec<(RecordId, FieldId)>,
    /// Fields that somebody changed since, or whose value was in conflict: for a person.
    pub conflicts: Vec<(RecordId, FieldId)>,
    /// The writes; empty for a dry run.
    pub receipts: Vec<Receipt>,
}

impl Member {
    /// To be called once everything the store held was given to [`Member::restore`]: brings
    /// what is held down to what the roster lets stay, which may be newer than the store.
    pub fn restored(&mut self) {
        let mut snapshots = std::mem::take(&mut self.snapshots);
        let names: Vec<DocumentName> = self.holdings.keys().copied().collect();
        for name in names {
            let Some(holding) = self.holdings.get_mut(&name) else {
                continue;
            };
            let snapshot = snapshots.remove(&name);
            let taken = snapshot.and_then(|s| holding.document.offer_snapshot(s));
            holding.unsaved = holding.document.bytes_after(taken.unwrap_or(0));
            holding.moved();
            self.let_go_of_states(usize::MAX);
        }
        self.report_failures();
        self.settle_all();
    }

    /// Brings every document down to what the roster lets stay.
    pub(super) fn settle_all(&mut self) {
        let names: Vec<DocumentName> = self.holdings.keys().copied().collect();
        for name in names {
            // What becomes of the documents of a council that has left is not decided here.
            if self.roster.member(name.council).is_some() {
                self.settle_document(name, &BTreeMap::new());
            }
        }
    }

    /// Brings a document down to what the roster lets stay; `disproved` chains, that turned
    /// out to be on another branch than a cut names, to so many entries.
    pub(super) fn settle_document(
        &mut self,
        name: DocumentName,
        disproved: &BTreeMap<ChainId, u64>,
    ) {
        let roster = self.roster.clone();
        let Some(holding) = self.holdings.get_mut(&name) else {
            return;
        };
        holding.forget_statements(&roster);
        let mut ends = holding.document.beyond(&roster);
        for (chain, end) in disproved {
            let kept = ends.entry(*chain).or_insert(*end);
            *kept = (*kept).min(*end);
        }
        let moot = |node: &NodeId| roster.cut(name, *node).is_some();
        let closed_no_more = holding.closed_since.keys().any(moot);
        if ends.is_empty() && !holding.has_holes && !closed_no_more {
            return;
        }
        let remade = match holding.document.remake(&ends, &roster) {
            Ok(remade) => remade,
            Err(error) => return self.out.push(Output::Rebuild(error.to_string())),
        };
        holding.closed_since.retain(|node, _| !moot(node));
        let replaces = holding.batches;
        holding.batches = remade.batches.len() as u64;
        holding.has_holes = false;
        let before = std::mem::replace(&mut holding.document, remade.document);
        holding.unsaved = holding.document.bytes_after(0);
        holding.moved();
        self.out.push(Output::Store(Durable::Rewritten {
            document: name,
            generation: before.place().generation,
            batches: remade.batches,
            replaces,
        }));
        let entries = remade.fell;
        if entries > 0 {
            self.note(Note::Cut {
                document: name,
                entries,
            });
        }
        self.after_a_cut(name, &before);
    }

    /// What else follows from entries that are not held any more.
    fn after_a_cut(&mut self, name: DocumentName, before: &Document) {
        let Some(holding) = self.holdings.get(&name) else {
            return;
        };
        let shorter = before
            .frontier()
            .0
            .into_iter()
            .filter(|(chain, reach)| holding.document.entries_of(*chain) < reach.entries);
        let shorter: Vec<ChainId> = shorter.map(|(chain, _)| chain).collect();
        for peer in self.peers.values_mut() {
            if let Some(seen) = peer.seen.get_mut(&name) {
                seen.tried = None;
                seen.chains.retain(|chain, _| !shorter.contains(chain));
                seen.branches.clear();
            }
        }
        // Sequences that were signed once must not be signed again with something else.
        let me = self.node();
        if shorter.iter().any(|chain| chain.node == me) {
            self.incarnations.remove(&name);
        }
        self.changed = self.now;
        self.differing.insert(name);
        if name.council == self.identity.council {
            self.keep_fallen(name, before);
        }
    }

    /// Notes what records lost. Of a field that is noted already the oldest `was` stays:
    /// it is what its author wrote last.
    fn keep_fallen(&mut self, name: DocumentName, before: &Document) {
        let Some(holding) = self.holdings.get_mut(&name) else {
            return;
        };
        let mut changed = Vec::new();
        for (record, was) in before.records() {
            let is = holding.document.record(record).unwrap_or_default();
            let lost = lost_fields(&was, &is);
            if lost.is_empty() && !holding.fallen.contains_key(&record) {
                continue;
            }
            let noted = holding.fallen.entry(record).or_default();
            for (field, fallen) in lost {
                noted.entry(field).or_insert(fallen);
            }
            for (field, fallen) in noted.iter_mut() {
                fallen.is = is.get(field).cloned().unwrap_or_default();
            }
            changed.push((record, noted.clone()));
        }
        for (record, fields) in changed {
            self.out.push(Output::Store(Durable::Fallen {
                document: name,
                record,
                fields,
            }));
        }
    }

    /// What fell away of one of this council's documents and was not settled yet, without
    /// what has its value again.
    pub fn fallen(&self, name: DocumentName) -> BTreeMap<RecordId, FallenFields> {
        let Some(holding) = self.holdings.get(&name) else {
            return BTreeMap::new();
        };
        let mut out = BTreeMap::new();
        for (record, fields) in &holding.fallen {
            let now = holding.document.record(*record).unwrap_or_default();
            let missing = fields.iter().filter(|(field, fallen)| {
                now.get(field).map_or(&[][..], Vec::as_slice) != fallen.was
            });
            let missing: FallenFields = missing.map(|(f, v)| (*f, v.clone())).collect();
            if !missing.is_empty() {
                out.insert(*record, missing);
            }
        }
        out
    }

    /// Writes again what fell away of one of this council's documents, wherever the field
    /// still has the value that it had after the cut. What is written is noted no longer.
    ///
    /// # Errors
    /// [`WriteError`]; nothing was changed.
    pub fn write_again(
        &mut self,
        name: DocumentName,
        dry_run: bool,
        now: UnixSeconds,
    ) -> Result<WrittenAgain, WriteError> {
        let mut out = WrittenAgain::default();
        let mut edits = Vec::new();
        for (record, fields) in self.fallen(name) {
            let current = self.document(name).and_then(|d| d.record(record));
            let held = current.clone().unwrap_or_default();
            let mut again: Vec<(FieldId, Option<Value>)> = Vec::new();
            for (field, fallen) in fields {
                let untouched = held.get(&field).map_or(&[][..], Vec::as_slice) == fallen.is;
                if untouched && fallen.was.len() < 2 {
                    again.push((field, fallen.was.into_iter().next()));
                    out.written.push((record, field));
                } else {
                    out.conflicts.push((record, field));
                }
            }
            if again.is_empty() {
                continue;
            }
            edits.push(match current {
                Some(_) => Edit::Update {
                    record,
                    fields: again,
                },
                None => Edit::Create {
                    record,
                    fields: again
                        .into_iter()
                        .filter_map(|(field, value)| Some((field, value?)))
                        .collect(),
                },
            });
        }
        if dry_run || edits.is_empty() {
            return Ok(out);
        }
        out.receipts = self.write(&[(name.kind, edits)], now)?;
        let written = out.written.clone();
        self.settle_fallen(name, |record, field| written.contains(&(record, field)));
        Ok(out)
    }

    /// Takes what fell away off the list: what is there now is right, a person decided.
    pub fn forget_fallen(&mut self, name: DocumentName, now: UnixSeconds) {
        self.at(now);
        self.settle_fallen(name, |_, _| true);
    }

    fn settle_fallen(&mut self, name: DocumentName, done: impl Fn(RecordId, FieldId) -> bool) {
        let Some(holding) = self.holdings.get_mut(&name) else {
            return;
        };
        let records: Vec<RecordId> = holding.fallen.keys().copied().collect();
        for record in records {
            let Some(fields) = holding.fallen.get_mut(&record) else {
                continue;
            };
            let before = fields.len();
            fields.retain(|field, _| !done(record, *field));
            if fields.len() == before {
                continue;
            }
            self.out.push(Output::Store(Durable::Fallen {
                document: name,
                record,
                fields: fields.clone(),
            }));
        }
        holding.fallen.retain(|_, fields| !fields.is_empty());
    }
}

impl Holding {
    /// A statement counts for as long as its signer may write: what a key that was cut said
    /// of readers is for another node of its council to say again.
    fn forget_statements(&mut self, roster: &crate::roster::Roster) {
        let document = self.document.place().document;
        let counts = |node| roster.signing_key(document, node).is_some();
        self.acceptance.take_if(|said| !counts(said.body.node));
        self.freshness.take_if(|said| !counts(said.body.node));
    }
}

/// The fields of a record that do not have the values that they had.
fn lost_fields(was: &RecordFields, is: &RecordFields) -> FallenFields {
    let mut lost = FallenFields::new();
    for field in was.keys().chain(is.keys()) {
        let before = was.get(field).cloned().unwrap_or_default();
        let after = is.get(field).cloned().unwrap_or_default();
        if before != after {
            lost.insert(
                *field,
                Fallen {
                    was: before,
                    is: after,
                },
            );
        }
    }
    lost
}
