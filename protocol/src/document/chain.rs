//! What a replica keeps of each chain: its entries, their past, and the signatures.
//!
//! Only entries that the gate admitted are here, so nothing is checked again.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::entry::{ChainId, Step};
use crate::ids::{DocumentKind, Hash, Signature};
use crate::limits;

/// How many entries of each chain an entry has in its past, other than its own chain's.
pub(super) type Clock = BTreeMap<ChainId, u64>;

/// The past of an entry beyond its own chain, with what it adds up to for the quota.
#[derive(Debug, Default)]
pub(super) struct Past {
    pub(super) clock: Clock,
    pub(super) usage: Usage,
}

/// What entries made: records created and bytes of edits. Counted over an entry and its
/// ancestors, so that every replica counts alike.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Usage {
    pub(super) records: u64,
    pub(super) bytes: u64,
}

impl Usage {
    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            records: self.records.saturating_add(other.records),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }

    pub(super) fn within_quota(self, kind: DocumentKind) -> bool {
        let records = match kind {
            DocumentKind::Casework(_) => limits::FACTS_PER_CASEWORK,
            _ => limits::RECORDS_PER_DOCUMENT,
        };
        self.records <= records && self.bytes <= limits::DOCUMENT_BYTES
    }
}

/// One entry as it is held.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) hash: Hash,
    pub(super) step: Step,
    /// The other chains' entries in its past; shared by the entries that add none.
    pub(super) past: Arc<Past>,
    /// What its own chain made up to and with this entry.
    pub(super) usage: Usage,
}

/// One chain.
#[derive(Debug, Default)]
pub(super) struct Chain {
    entries: Vec<Held>,
    /// By the sequence of the entry signed: at every mark, before every entry that names
    /// dependencies, and the newest.
    signatures: BTreeMap<u64, Signature>,
}

/// Whether the entry of this sequence is one at which a signature is kept for good.
fn is_mark(sequence: u64) -> bool {
    sequence % limits::UNIT_ENTRIES == limits::UNIT_ENTRIES - 1
}

impl Chain {
    pub(super) fn len(&self) -> u64 {
        self.entries.len() as u64
    }

    pub(super) fn get(&self, sequence: u64) -> Option<&Held> {
        self.entries.get(usize::try_from(sequence).ok()?)
    }

    pub(super) fn last(&self) -> Option<&Held> {
        self.entries.last()
    }

    /// Adds entries that end in a signature, and drops the signature that they supersede:
    /// not one at a mark, nor one before an entry that names dependencies, since that entry
    /// begins a unit wherever it is (P-12). Entries that end in none cannot be shown to
    /// others before more follow.
    pub(super) fn append(&mut self, entries: Vec<Held>, signature: Option<Signature>) {
        let begins_a_unit = entries
            .first()
            .is_some_and(|e| !e.step.dependencies.is_empty());
        let before = self.len().checked_sub(1);
        self.entries.extend(entries);
        let Some(signature) = signature else {
            return;
        };
        if let Some(before) = before.filter(|sequence| !is_mark(*sequence) && !begins_a_unit) {
            self.signatures.remove(&before);
        }
        self.signatures
            .insert(self.len().saturating_sub(1), signature);
    }

    /// The entries from `first` to the end.
    pub(super) fn rest(&self, first: u64) -> Option<&[Held]> {
        let entries = self.entries.get(usize::try_from(first).ok()?..)?;
        (!entries.is_empty()).then_some(entries)
    }

    /// The entries from `first` to the next kept signature, with it.
    pub(super) fn from(&self, first: u64) -> Option<(&[Held], Signature)> {
        let (last, signature) = self.signatures.range(first..).next()?;
        let from = usize::try_from(first).ok()?;
        let to = usize::try_from(*last).ok()?;
        Some((self.entries.get(from..=to)?, *signature))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Blob;
    use crate::schema::SchemaVersion;

    fn held(n: u8) -> Held {
        Held {
            hash: Hash([n; 32]),
            step: Step {
                dependencies: Vec::new(),
                schema: SchemaVersion(1),
                edits: Blob(vec![n]),
            },
            past: Arc::default(),
            usage: Usage::default(),
        }
    }

    #[test]
    fn casework_is_small() {
        let casework = DocumentKind::Casework("E08000032".parse().unwrap());
        let usage = |records| Usage { records, bytes: 0 };
        let most = limits::FACTS_PER_CASEWORK;
        assert!(usage(most).within_quota(casework));
        assert!(!usage(most + 1).within_quota(casework));
        assert!(usage(most + 1).within_quota(DocumentKind::RematchingPool));
    }

    #[test]
    fn signatures_stay_at_marks_and_at_the_newest() {
        let mut chain = Chain::default();
        for n in 0..600u64 {
            chain.append(vec![held(0)], Some(Signature([(n % 251) as u8; 64])));
        }
        let kept: Vec<u64> = chain.signatures.keys().copied().collect();
        assert_eq!(kept, [255, 511, 599]);
        let (entries, signature) = chain.from(300).unwrap();
        assert_eq!((entries.len(), signature.0[0]), (212, (511 % 251) as u8));
        assert!(chain.from(600).is_none());
    }
}
