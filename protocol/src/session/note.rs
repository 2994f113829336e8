//! Why connections are closed, and what is worth telling the operator.
//!
//! Texts name the thing and never hold contents of documents.

use crate::document::Refusal;
use crate::ids::{CouncilCode, DocumentName, NodeId};
use crate::roster::RosterError;
use crate::schema::SchemaVersion;

use super::message::MessageError;

/// Why this side closes a connection. The code goes to the peer as QUIC's application
/// error; the text is for this side's log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CloseReason {
    /// It speaks another version of the protocol.
    #[error("it speaks session protocol {theirs}, this node {ours}; upgrade the older of the two")]
    Version {
        /// The peer's version.
        theirs: u16,
        /// This node's.
        ours: u16,
    },
    /// It is of another region.
    #[error("it says that it is of region {0}")]
    OtherRegion(String),
    /// It said it is another node than its certificate names.
    #[error("it says that it is node {0}, which its certificate does not")]
    OtherNode(NodeId),
    /// The roster does not list it, and it showed no newer one that does.
    #[error(
        "the roster (version {0}) does not list it; if it is a member, publish the newest roster with `smp roster publish`"
    )]
    NotAMember(u64),
    /// The roster has expired, and neither side has a newer one.
    #[error("the roster has expired; the SMP admin renews it with `smp roster renew`")]
    RosterExpired,
    /// It sent a roster that does not verify.
    #[error(
        "it sent a roster that is refused: {0}; the one that is held goes on holding, and the \
         SMP admin finds out where it came from"
    )]
    BadRoster(RosterError),
    /// It has a roster with a newer schema than this build knows. Not held against it.
    #[error(
        "its roster has records written in schema version {}, which this build does not know; \
         upgrade smp-node here, and until then nothing is exchanged with it",
        .0.0
    )]
    OldBuild(SchemaVersion),
    /// It sent something that is no message.
    #[error(
        "it sent something that is no message: {0}; the connection is closed, and if it comes \
         again, its operator upgrades smp-node"
    )]
    BadMessage(MessageError),
    /// It passed on entries whose signature does not hold, which it must have checked.
    #[error("it passed on entries whose signature does not hold")]
    BadEntries,
    /// It sent a message that has no place in the conversation.
    #[error("it sent a message out of turn: {0}")]
    OutOfTurn(&'static str),
    /// It did not say hello or show its roster in time.
    #[error("it did not say hello in time")]
    TooSlow,
    /// Another connection to the same node is kept.
    #[error("another connection to it is kept")]
    Duplicate,
    /// More connections than a region has nodes.
    #[error("there are too many connections")]
    TooMany,
}

impl CloseReason {
    /// The QUIC application error code (PROTOCOL.md lists them).
    pub fn code(&self) -> u32 {
        match self {
            Self::Version { .. } => 1,
            Self::OtherRegion(_) => 2,
            Self::OtherNode(_) => 3,
            Self::NotAMember(_) => 4,
            Self::RosterExpired => 5,
            Self::BadRoster(_) => 6,
            Self::BadMessage(_) => 7,
            Self::OutOfTurn(_) => 8,
            Self::TooSlow => 9,
            Self::Duplicate => 10,
            Self::TooMany => 11,
            Self::BadEntries => 12,
            Self::OldBuild(_) => 13,
        }
    }

    /// A stable word for counters.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Version { .. } => "version",
            Self::OtherRegion(_) => "other_region",
            Self::OtherNode(_) => "other_node",
            Self::NotAMember(_) => "not_a_member",
            Self::RosterExpired => "roster_expired",
            Self::BadRoster(_) => "bad_roster",
            Self::BadMessage(_) => "bad_message",
            Self::OutOfTurn(_) => "out_of_turn",
            Self::TooSlow => "too_slow",
            Self::Duplicate => "duplicate",
            Self::TooMany => "too_many",
            Self::BadEntries => "bad_entries",
            Self::OldBuild(_) => "old_build",
        }
    }
}

/// Something that the operator may want to know; counted, and logged once per cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// A peer said hello and its roster is settled.
    Joined {
        /// The node.
        node: NodeId,
        /// Its council.
        council: CouncilCode,
    },
    /// Entries were refused.
    Refused {
        /// The document.
        document: DocumentName,
        /// Who passed them on; `None` for this node's own store.
        from: Option<NodeId>,
        /// What was found.
        refusal: Refusal,
    },
    /// A peer offered a roster that is not installed, and may stay: it is an older one.
    RosterRefused {
        /// Who.
        from: NodeId,
        /// What was found.
        error: RosterError,
    },
    /// Two different rosters of one version are in circulation.
    RosterForked {
        /// Who holds the other.
        with: NodeId,
        /// The version.
        version: u64,
    },
    /// A peer holds the same entries of a document and merged them to something else: a
    /// defect of one of the two programs.
    Diverged {
        /// The document.
        document: DocumentName,
        /// Who.
        with: NodeId,
    },
    /// A statement about a document does not hold.
    BadStatement {
        /// The document.
        document: DocumentName,
        /// Who passed it on.
        from: NodeId,
    },
    /// A key signed two histories of a document, and is closed for it (P-16).
    Forked {
        /// The document.
        document: DocumentName,
        /// The node whose key it is.
        node: NodeId,
        /// Whether that is this node.
        own: bool,
    },
    /// Entries fell away with a cut in the roster (P-47).
    Cut {
        /// The document.
        document: DocumentName,
        /// How many.
        entries: u64,
    },
    /// Entries of this node's own came from another node: its store is an older copy, or
    /// another process uses its key.
    FetchedBack {
        /// The document.
        document: DocumentName,
        /// How many.
        entries: u64,
        /// From whom.
        from: NodeId,
    },
    /// A peer asked for a document that it may not read.
    NotAReader {
        /// The document.
        document: DocumentName,
        /// Who asked.
        from: NodeId,
    },
}
