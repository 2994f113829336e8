//! Cuts: how far the entries of a key count in a document, once the region has ended it.
//!
//! A cut names every chain that stays, with its last entry's hash. Whoever has the roster
//! admits exactly those, in whatever order they come, so all readers end with the same
//! entries and the key adds nothing more (P-46). What a statement must show, and which
//! branch stays, is decided here too; nothing here signs.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Roster;
use crate::document::{ChainId, Reach};
use crate::ids::{DocumentName, Hash, Incarnation, NodeId, PublicKey};
use crate::limits;
use crate::statements::Vouching;

/// What stays of one node's entries in one document. The order of the fields is on the wire.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Cut {
    /// The document.
    pub document: DocumentName,
    /// Its generation.
    pub generation: u64,
    /// The node whose key is ended.
    pub node: NodeId,
    /// That key, so that its entries can be verified when no member lists it any more.
    pub signing: PublicKey,
    /// The chains that stay, ascending by incarnation, each up to and with the entry named.
    pub chains: Vec<(Incarnation, Reach)>,
}

impl Cut {
    /// How far a chain of the node stays; `None` where nothing of it does.
    pub fn reach(&self, incarnation: Incarnation) -> Option<Reach> {
        let at = self
            .chains
            .binary_search_by_key(&incarnation, |(chain, _)| *chain);
        at.ok()
            .and_then(|at| self.chains.get(at))
            .map(|(_, reach)| *reach)
    }
}

/// Why statements do not come to a cut. Nothing was signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CutError {
    /// The council has no such node.
    #[error("the roster lists no node {node} that writes {document}")]
    NotAWriter {
        /// The document.
        document: DocumentName,
        /// The node.
        node: NodeId,
    },
    /// The key was cut before.
    #[error("node {node} was cut from {document} before, and a cut is not moved")]
    CutBefore {
        /// The document.
        document: DocumentName,
        /// The node.
        node: NodeId,
    },
    /// A statement is of something else, altered, or of nobody in the roster.
    #[error("the statement of node {by} is not one about this document and node that holds")]
    Statement {
        /// Who is said to have signed it.
        by: NodeId,
    },
    /// Fewer councils than a cut needs.
    #[error(
        "a cut needs the statements of two councils' nodes, other than the node that is cut; \
         there are {found}"
    )]
    TooFew {
        /// Councils that stated something.
        found: usize,
    },
    /// Two statements show a chain and nothing in common.
    #[error(
        "no two statements show the same entry of chain {0}; have the node that is behind \
         catch up, and vouch again"
    )]
    NothingInCommon(Incarnation),
}

/// Which statements must agree.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ground<'a> {
    /// At least two, of two councils: each chain stays as far as two of them show it.
    Two,
    /// This one alone: each chain stays as far as it shows.
    One(&'a Vouching),
}

/// The cut that these statements come to.
///
/// # Errors
/// [`CutError`] saying what is missing.
pub fn cut_from(
    roster: &Roster,
    document: DocumentName,
    node: NodeId,
    statements: &[Vouching],
    ground: Ground<'_>,
) -> Result<Cut, CutError> {
    if roster.cut(document, node).is_some() {
        return Err(CutError::CutBefore { document, node });
    }
    let signing = roster
        .signing_key(document, node)
        .ok_or(CutError::NotAWriter { document, node })?;
    let mut councils = BTreeSet::new();
    let mut generation = 1;
    for statement in statements {
        let body = &statement.body;
        let about_this = body.place.document == document && body.of == node && body.by != node;
        let council = statement
            .holds(roster)
            .filter(|_| about_this)
            .ok_or(CutError::Statement { by: body.by })?;
        councils.insert(council);
        generation = body.place.generation;
    }
    let chains = match ground {
        Ground::One(statement) => furthest(statement),
        Ground::Two if councils.len() < 2 => {
            return Err(CutError::TooFew {
                found: councils.len(),
            });
        }
        Ground::Two => shown_by_two(statements)?,
    };
    Ok(Cut {
        document,
        generation,
        node,
        signing,
        chains,
    })
}

fn furthest(statement: &Vouching) -> Vec<(Incarnation, Reach)> {
    let chains = statement.body.chains.iter();
    chains
        .filter_map(|(chain, points)| Some((*chain, *points.last()?)))
        .collect()
}

/// What statements show of one chain: how many show it, and each entry by how many.
#[derive(Default)]
struct Shown {
    statements: usize,
    entries: BTreeMap<(u64, Hash), usize>,
}

/// For each chain the furthest entry that two statements show; of two as far, the lower
/// hash. A chain that one statement alone shows does not stay.
fn shown_by_two(statements: &[Vouching]) -> Result<Vec<(Incarnation, Reach)>, CutError> {
    let mut shown: BTreeMap<Incarnation, Shown> = BTreeMap::new();
    for statement in statements {
        for (chain, points) in &statement.body.chains {
            let of_chain = shown.entry(*chain).or_default();
            of_chain.statements += 1;
            for point in points {
                let entry = (point.entries, point.last);
                *of_chain.entries.entry(entry).or_default() += 1;
            }
        }
    }
    let mut chains = Vec::new();
    for (
        chain,
        Shown {
            statements,
            entries,
        },
    ) in shown
    {
        let by_two = entries.into_iter().filter(|(_, count)| *count > 1);
        let best = by_two
            .map(|(point, _)| point)
            .max_by_key(|(entries, last)| (*entries, std::cmp::Reverse(*last)));
        match best {
            Some((entries, last)) => chains.push((chain, Reach { entries, last })),
            None if statements > 1 => return Err(CutError::NothingInCommon(chain)),
            None => {}
        }
    }
    Ok(chains)
}

impl Roster {
    /// The cut of a node in a document, if there is one.
    pub fn cut(&self, document: DocumentName, node: NodeId) -> Option<&Cut> {
        let at = self
            .cuts
            .binary_search_by_key(&(document, node), |cut| (cut.document, cut.node));
        at.ok().and_then(|at| self.cuts.get(at))
    }

    /// The key by which entries of `node` in `document` are verified: that of a listed node
    /// of its council, or one that a cut keeps.
    pub fn entry_key(&self, document: DocumentName, node: NodeId) -> Option<PublicKey> {
        let cut = self.cut(document, node).map(|cut| cut.signing);
        cut.or_else(|| self.signing_key(document, node))
    }

    /// How far a chain counts in a document: `None` without bound, else as far as a cut
    /// says, which may be not at all.
    pub(crate) fn bound(&self, document: DocumentName, chain: ChainId) -> Option<Option<Reach>> {
        let cut = self.cut(document, chain.node)?;
        Some(cut.reach(chain.incarnation))
    }
}

/// Whether a cut holds together in itself.
pub(super) fn is_well_formed(cut: &Cut) -> bool {
    let within = |reach: &Reach| (1..=limits::ENTRIES_PER_CHAIN).contains(&reach.entries);
    cut.generation > 0
        && cut.chains.len() <= limits::CHAINS_PER_DOCUMENT
        && super::ascending(cut.chains.iter().map(|(chain, _)| *chain))
        && cut.chains.iter().all(|(_, reach)| within(reach))
        && crate::crypto::node_id(&cut.signing) == cut.node
}
