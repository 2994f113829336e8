//! A node's disk as the simulator has it: the rows that were flushed, and nothing else.
//!
//! What a member wants stored waits with the node until its flush is over; only then does it
//! come here. A crash in between loses it, as a power cut would.

use std::collections::BTreeMap;
use std::sync::Arc;

use smp_protocol::document::Unit;
use smp_protocol::ids::{DocumentName, NodeId, RecordId};
use smp_protocol::session::{Durable, Receipt};

/// Rows in the order in which a start takes them back.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Key {
    Roster,
    Acceptance(DocumentName),
    Freshness(DocumentName),
    Log(DocumentName, u64, u64),
    Evidence(DocumentName, NodeId),
    Fallen(DocumentName, RecordId),
    Snapshot(DocumentName),
}

fn key_of(durable: &Durable) -> Key {
    match durable {
        Durable::Roster(_) => Key::Roster,
        Durable::Acceptance(statement) => Key::Acceptance(statement.body.document),
        Durable::Freshness(statement) => Key::Freshness(statement.body.place.document),
        Durable::Batch {
            document,
            generation,
            ordinal,
            ..
        } => Key::Log(*document, *generation, *ordinal),
        // Comes as the batches that it is made of.
        Durable::Rewritten {
            document,
            generation,
            ..
        } => Key::Log(*document, *generation, 0),
        Durable::Evidence { evidence, .. } => {
            Key::Evidence(evidence.place.document, evidence.node())
        }
        Durable::Fallen {
            document, record, ..
        } => Key::Fallen(*document, *record),
        Durable::Snapshot { document, .. } => Key::Snapshot(*document),
    }
}

/// The flushed rows. A copy is cheap: rows are shared.
#[derive(Clone, Default)]
pub(crate) struct Disk {
    rows: BTreeMap<Key, Arc<Durable>>,
}

impl Disk {
    /// One atomic, flushed write.
    pub(crate) fn commit(&mut self, batch: Vec<Durable>) {
        for durable in batch {
            match durable {
                Durable::Rewritten {
                    document,
                    generation,
                    batches,
                    ..
                } => self.rewrite(document, generation, batches),
                other => drop(self.rows.insert(key_of(&other), Arc::new(other))),
            }
        }
    }

    /// A document's log in place of the one before.
    fn rewrite(&mut self, document: DocumentName, generation: u64, batches: Vec<Vec<Unit>>) {
        let of_it = |key: &Key| matches!(key, Key::Log(name, number, _) if (*name, *number) == (document, generation));
        self.rows.retain(|key, _| !of_it(key));
        for (ordinal, units) in (0..).zip(batches) {
            let batch = Durable::Batch {
                document,
                generation,
                ordinal,
                units,
            };
            self.rows.insert(key_of(&batch), Arc::new(batch));
        }
    }

    /// Whether it holds a write.
    pub(crate) fn holds(&self, write: &Receipt) -> bool {
        let (from, to) = (
            Key::Log(write.document, 0, 0),
            Key::Log(write.document, u64::MAX, u64::MAX),
        );
        self.rows
            .range(from..=to)
            .any(|(_, row)| match row.as_ref() {
                Durable::Batch { units, .. } => units
                    .iter()
                    .any(|unit| unit.chain == write.chain && unit.end() >= write.entries),
                _ => false,
            })
    }

    /// All rows: roster, statements, then each document's log by ordinal.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &Durable> {
        self.rows.values().map(Arc::as_ref)
    }
}
