//! A member of a region, as a state machine: what it holds, whom it talks to, what it says.
//!
//! [`Member`] is told what happened (a peer connected, a frame came, time passed, somebody
//! wrote) together with the time, and answers with [`Output`]s. It never waits, reads a
//! clock or touches a socket or a file; the daemon carries its outputs out over QUIC and
//! the store, a simulator over nothing.
//!
//! Outputs are in order, and [`Output::Store`] is a barrier: whoever carries them out
//! flushes it before anything after it is sent or acknowledged. If that fails, the member
//! is dropped and made again from the store, so nothing is seen that is not on disk (P-41).

mod answer;
mod clock;
mod compare;
mod forks;
mod handshake;
mod member;
pub mod message;
mod note;
mod peer;
mod pull;
mod settle;
mod spread;
mod upkeep;
mod view;
mod write;

#[cfg(test)]
pub(crate) mod harness;
#[cfg(test)]
mod tests;

pub use forks::{FetchedBack, ForkView};
pub use member::{Identity, Member, RestoreError};
pub use note::{CloseReason, Note};
pub use settle::{Fallen, FallenFields, WrittenAgain};
pub use upkeep::Upkeep;
pub use view::{Comparison, DocumentView, Load, PeerPhase, PeerView};
pub use write::{Receipt, WriteError};

use crate::document::{Evidence, Snapshot, Unit};
use crate::ids::{CouncilCode, DocumentName, Hash, NodeId, RecordId};
use crate::roster::{SignedRoster, VerifiedRoster};
use crate::statements::{Acceptance, Freshness};
use crate::time::UnixSeconds;

/// One connection to a peer; numbered by whoever drives the member, never used twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PeerId(pub u64);

/// One stream on which a peer asks; numbered by whoever drives the member.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StreamId(pub u64);

/// One stream on which this member asks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PullId(pub u64);

/// Who is at the other end, as its certificate proved in the TLS handshake.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Authenticated {
    /// The node.
    pub node: NodeId,
    /// Its council.
    pub council: CouncilCode,
    /// SHA-256 of its TLS key, by which the roster knows it.
    pub tls: Hash,
    /// Whether this side dialled.
    pub dialled: bool,
}

/// What has to be on disk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Durable {
    /// Units that were admitted together. Restored one batch after another, in the order
    /// of their ordinals.
    Batch {
        /// The document.
        document: DocumentName,
        /// Its generation.
        generation: u64,
        /// Counts the batches of the document and generation from 0.
        ordinal: u64,
        /// The units.
        units: Vec<Unit>,
    },
    /// The newest roster.
    Roster(SignedRoster),
    /// The newest acceptance of its document.
    Acceptance(Acceptance),
    /// The newest freshness of its document.
    Freshness(Freshness),
    /// All that is held of a document, in place of the batches stored before.
    Rewritten {
        /// The document.
        document: DocumentName,
        /// Its generation.
        generation: u64,
        /// What is held now; their ordinals count from 0.
        batches: Vec<Vec<Unit>>,
        /// How many batches this takes the place of.
        replaces: u64,
    },
    /// Proof that a key signed two histories of a document; one for each document and node.
    Evidence {
        /// The proof.
        evidence: Evidence,
        /// Since when it is known here.
        since: UnixSeconds,
    },
    /// What fell away of a record of this council's with a cut, and is not settled; nothing
    /// where all of it is.
    Fallen {
        /// The document.
        document: DocumentName,
        /// The record.
        record: RecordId,
        /// What fell away.
        fields: FallenFields,
    },
    /// A snapshot of a document, in place of any before. It is a cache: nothing is lost with it.
    Snapshot {
        /// The document.
        document: DocumentName,
        /// Its generation.
        generation: u64,
        /// The merged state after some of its entries.
        snapshot: Snapshot,
    },
}

/// What a member wants done, in this order.
#[derive(Debug)]
pub enum Output {
    /// Store and flush this before anything that follows.
    Store(Durable),
    /// Send a frame on the control stream.
    Send {
        /// To whom.
        peer: PeerId,
        /// The frame, without its length.
        frame: Vec<u8>,
    },
    /// Open a stream, send this frame, and hand every frame of the answer in.
    Ask {
        /// Whom.
        peer: PeerId,
        /// By which to hand the answer in.
        pull: PullId,
        /// The frame, without its length.
        frame: Vec<u8>,
    },
    /// Stop reading the answer.
    GiveUp {
        /// The pull that is over.
        pull: PullId,
    },
    /// Send a frame of an answer. Unless it is the last, call
    /// [`Member::writable`] when there is room for the next.
    Answer {
        /// To whom.
        peer: PeerId,
        /// On which of its streams.
        stream: StreamId,
        /// The frame, without its length.
        frame: Vec<u8>,
        /// Whether the stream ends with it.
        last: bool,
    },
    /// Close the connection; the peer is forgotten already.
    Close {
        /// Whom.
        peer: PeerId,
        /// Why, for the peer and the log.
        reason: CloseReason,
    },
    /// A newer roster holds from now on: connections and handshakes follow it.
    RosterChanged(VerifiedRoster),
    /// Something worth counting and logging.
    Note(Note),
    /// The merge engine failed: drop this member and make it again from the store.
    Rebuild(String),
}
