//! Why the gate refused a unit, and what that says about its author.

use super::entry::ChainId;
use crate::codec::CodecError;
use crate::ids::Hash;
use crate::schema::SchemaError;

/// What the gate found. The replica is as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// Step 1: a size or a bound.
    #[error("its form is wrong: {0}")]
    Size(&'static str),
    /// Step 1: signed edits that are not an encoding of edits.
    #[error("its edits are {0}")]
    Encoding(CodecError),
    /// Step 2: signed for another region.
    #[error("it was signed for another region")]
    OtherRegion,
    /// Step 2: signed for another document.
    #[error("it was signed for another document")]
    OtherDocument,
    /// Step 2: signed for another generation.
    #[error("it was signed for generation {found}, and {held} is held")]
    OtherGeneration {
        /// The generation that it names.
        found: u64,
        /// The generation held here.
        held: u64,
    },
    /// Step 3: entries before it are not held; they are asked for.
    #[error("entries before it are missing ({held} are held)")]
    Gap {
        /// Entries of the chain held here.
        held: u64,
    },
    /// Step 3: the author signed another entry for a sequence that is held.
    #[error("its author signed two histories from entry {sequence} on")]
    Fork {
        /// The first sequence of the unit that shows it.
        sequence: u64,
    },
    /// Step 3: its key is closed here, since it signed two histories.
    #[error("its author's key is closed here until the region cuts it: it signed two histories")]
    Closed,
    /// Step 4: the roster gives the document's council no such node.
    #[error("the roster names no such node of the document's council")]
    NotAWriter,
    /// Step 4: not signed, or altered since.
    #[error("its signature does not hold")]
    BadSignature,
    /// Step 4: it ends at a hash that is to stand in a cut, and no cut that is held here
    /// names it: whoever passed it on has a newer roster.
    #[error("it has no signature, and no cut that is known here names its end")]
    Unsigned,
    /// Step 4: the region has cut its author's key, and this is not of what stays.
    #[error("the region cut its author's key, and it is not of what stays")]
    BeyondCut,
    /// Step 5: an entry that it depends on is not held; it is asked for.
    #[error("an entry that it depends on is missing")]
    MissingDependency,
    /// Step 5: dependencies that are not in their one form.
    #[error("its dependencies are not in their one form: {0}")]
    Dependencies(&'static str),
    /// Step 6: an edit that the schema does not have.
    #[error("an edit is out of schema: {0}")]
    Schema(SchemaError),
    /// Step 6: more than one council may make every reader store.
    #[error("the council's quota for this document is used up")]
    Quota,
    /// The document takes as much here as one document may.
    #[error("the document takes as much as one may; its council must start a new generation")]
    Full,
    /// The document has as many chains as one generation may have.
    #[error("the document has too many chains; its council must start a new generation")]
    Chains,
}

/// A unit that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The chain that it was of.
    pub chain: ChainId,
    /// What was found.
    pub cause: Cause,
    /// The entry whose own signed bytes prove the refusal. Only these are remembered and
    /// told to peers (P-19); anything else may be the fault of whoever passed it on.
    pub proven: Option<Hash>,
}

impl Refusal {
    pub(super) fn proven(chain: ChainId, cause: Cause, entry: Hash) -> Self {
        Self {
            chain,
            cause,
            proven: Some(entry),
        }
    }

    pub(super) fn unproven(chain: ChainId, cause: Cause) -> Self {
        Self {
            chain,
            cause,
            proven: None,
        }
    }

    /// Whether the entry may be good once more is held: it is asked for, not held against
    /// anyone.
    pub fn is_for_want_of_more(&self) -> bool {
        matches!(self.cause, Cause::Gap { .. } | Cause::MissingDependency)
    }

    /// Whether it says something about whoever signed the entry or passed it on. An entry
    /// that waits for more, whose key is closed here, or that a cut concerns may come from
    /// anyone in good faith.
    pub fn is_a_fault(&self) -> bool {
        let ruled_out = matches!(
            self.cause,
            Cause::Closed | Cause::Unsigned | Cause::BeyondCut
        );
        !self.is_for_want_of_more() && !ruled_out
    }
}
