//! What a replica holds of a document: for each chain, how many entries and the last hash.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::entry::{ChainId, Place};
use crate::codec;
use crate::crypto::{self, Tag};
use crate::ids::Hash;

/// How far one chain is held.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Reach {
    /// Entries held, so the last one's sequence and 1.
    pub entries: u64,
    /// Hash of the last one.
    pub last: Hash,
}

/// For each chain that is held, how far. Two replicas with equal frontiers hold the same
/// document, because a hash names all that came before it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Frontier(pub BTreeMap<ChainId, Reach>);

impl Frontier {
    /// The digest that peers compare (P-31).
    pub fn digest(&self, place: &Place) -> Hash {
        crypto::hash(Tag::Frontier, &codec::encode(&(place, self)))
    }

    /// Entries held of one chain.
    pub fn entries(&self, chain: ChainId) -> u64 {
        self.0.get(&chain).map_or(0, |reach| reach.entries)
    }

    /// Takes in that `other` is held as well.
    pub fn join(&mut self, other: &Self) {
        for (chain, reach) in &other.0 {
            let mine = self.0.entry(*chain).or_insert(*reach);
            if mine.entries < reach.entries {
                *mine = *reach;
            }
        }
    }

    /// Whether all that `other` holds is held here.
    pub fn covers(&self, other: &Self) -> bool {
        other
            .0
            .iter()
            .all(|(chain, reach)| self.entries(*chain) >= reach.entries)
    }
}
