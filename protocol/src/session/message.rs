//! What two nodes say to each other, and its bytes (P-22 to P-24).
//!
//! A frame is one byte that names the kind of message, then the message. On a stream each
//! frame follows its length, four bytes, most significant first; a length beyond the limit
//! of the stream ends the connection before anything is read. An unknown kind is refused by
//! its number.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::codec::{self, CodecError};
use crate::document::{ChainId, Evidence, Frontier, Unit};
use crate::ids::{BootId, DocumentName, Hash, NodeId, RegionName};
use crate::limits;
use crate::roster::SignedRoster;
use crate::schema::SchemaVersion;
use crate::statements::{Acceptance, Freshness};

/// The version of the session protocol that this build speaks.
pub const VERSION: u16 = 1;

/// A message that was not understood. The sender is at fault; the connection ends.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// No such kind of message, or none that belongs on this stream.
    #[error("message kind {0} is not known on this stream")]
    UnknownKind(u8),
    /// An empty frame.
    #[error("an empty frame")]
    Empty,
    /// The message is not an encoding of its kind.
    #[error("a message of kind {kind}: {error}")]
    Body {
        /// The kind named in its first byte.
        kind: u8,
        /// What is wrong with the rest.
        error: CodecError,
    },
}

/// The first message of each side.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Hello {
    /// The session protocol's version.
    pub version: u16,
    /// The sender's region.
    pub region: RegionName,
    /// The sender; must be the node that the TLS certificate names.
    pub node: NodeId,
    /// New at each process start.
    pub boot: BootId,
    /// The version of the roster that it holds.
    pub roster_version: u64,
    /// The hash of that roster.
    pub roster_hash: Hash,
    /// The newest schema version that it understands.
    pub schema: SchemaVersion,
}

/// How one document stands at the sender.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DocumentSummary {
    /// The document.
    pub document: DocumentName,
    /// Its generation.
    pub generation: u64,
    /// The digest of its frontier.
    pub frontier: Hash,
    /// The digest of its merged state: equal wherever the frontier is, or a merge engine is
    /// at fault.
    pub heads: Hash,
    /// Entries held.
    pub entries: u64,
    /// The owner's newest word on how it stands.
    pub freshness: Option<Freshness>,
    /// The readers that its owner accepts.
    pub acceptance: Option<Acceptance>,
}

/// How the documents stand that the receiver may read, or those of them that changed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Summary {
    /// Whether the receiver should answer with its own.
    pub reply: bool,
    /// Ascending by document.
    pub documents: Vec<DocumentSummary>,
}

/// One digest over every document that both may read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Agreement {
    /// Whether the receiver should answer with its own where the two are equal. Where they
    /// are not it answers with a [`Summary`].
    pub reply: bool,
    /// The digest.
    pub digest: Hash,
}

/// New entries, unasked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Push {
    /// Units of one document.
    pub units: Vec<Unit>,
    /// The owner's word on how the document stands with them.
    pub freshness: Option<Freshness>,
}

/// The sender stored entries that the receiver gave it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Holds {
    /// The document.
    pub document: DocumentName,
    /// Its generation.
    pub generation: u64,
    /// How many entries of each chain concerned it holds now.
    pub chains: Vec<(ChainId, u64)>,
    /// The digest of its frontier now.
    pub frontier: Hash,
    /// Entries held now.
    pub entries: u64,
}

/// Asks for what the sender lacks of one document; the first frame of a stream.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Want {
    /// The document.
    pub document: DocumentName,
    /// Its generation.
    pub generation: u64,
    /// What is held.
    pub frontier: Frontier,
    /// Entries refused for good, ascending.
    pub refused: Vec<Hash>,
}

/// Why a [`Want`] is not answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum NoAnswer {
    /// The asker may not read the document, as far as the answerer knows.
    NotAReader,
    /// The answerer holds another generation.
    OtherGeneration,
    /// Too many answers are under way; ask again after so many seconds.
    Busy {
        /// Seconds to wait.
        retry_after: u64,
    },
}

/// A message of the control stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Control {
    /// Kind 1.
    Hello(Hello),
    /// Kind 2: the roster that the sender holds.
    Roster(SignedRoster),
    /// Kind 3.
    Summary(Summary),
    /// Kind 4.
    Agreement(Agreement),
    /// Kind 5.
    Push(Push),
    /// Kind 6.
    Holds(Holds),
    /// Kind 7: a key signed two histories.
    Evidence(Evidence),
}

/// A frame of an answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// Kind 17: units of the document, compressed.
    Batch(Vec<Unit>),
    /// Kind 18: that was all; what the sender holds.
    End(Frontier),
    /// Kind 19.
    No(NoAnswer),
}

fn frame<T: Serialize>(kind: u8, body: &T) -> Vec<u8> {
    let mut out = vec![kind];
    out.extend(codec::encode(body));
    out
}

fn body<T: DeserializeOwned + Serialize>(
    kind: u8,
    bytes: &[u8],
    limit: usize,
) -> Result<T, MessageError> {
    codec::decode(bytes, limit).map_err(|error| MessageError::Body { kind, error })
}

impl Control {
    /// The frame of this message.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Hello(m) => frame(1, m),
            Self::Roster(m) => frame(2, m),
            Self::Summary(m) => frame(3, m),
            Self::Agreement(m) => frame(4, m),
            Self::Push(m) => frame(5, m),
            Self::Holds(m) => frame(6, m),
            Self::Evidence(m) => frame(7, m),
        }
    }

    /// Reads a frame of the control stream.
    ///
    /// # Errors
    /// [`MessageError`] where it is none.
    pub fn decode(frame: &[u8]) -> Result<Self, MessageError> {
        let limit = limits::CONTROL_FRAME_BYTES;
        let (kind, rest) = frame.split_first().ok_or(MessageError::Empty)?;
        match *kind {
            1 => body(1, rest, limit).map(Self::Hello),
            2 => body(2, rest, limit).map(Self::Roster),
            3 => body(3, rest, limit).map(Self::Summary),
            4 => body(4, rest, limit).map(Self::Agreement),
            5 => body(5, rest, limit).map(Self::Push),
            6 => body(6, rest, limit).map(Self::Holds),
            7 => body(7, rest, limit).map(Self::Evidence),
            other => Err(MessageError::UnknownKind(other)),
        }
    }
}

impl Want {
    const KIND: u8 = 16;

    /// The frame of this message.
    pub fn encode(&self) -> Vec<u8> {
        frame(Self::KIND, self)
    }

    /// Reads the first frame of a stream that asks.
    ///
    /// # Errors
    /// [`MessageError`] where it is none.
    pub fn decode(frame: &[u8]) -> Result<Self, MessageError> {
        match frame.split_first() {
            Some((&Self::KIND, rest)) => body(Self::KIND, rest, limits::CONTROL_FRAME_BYTES),
            Some((kind, _)) => Err(MessageError::UnknownKind(*kind)),
            None => Err(MessageError::Empty),
        }
    }
}

impl Answer {
    /// The frame of this message.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Batch(units) => {
                let mut out = vec![17];
                out.extend(codec::compress(&codec::encode(units)));
                out
            }
            Self::End(frontier) => frame(18, frontier),
            Self::No(reason) => frame(19, reason),
        }
    }

    /// Reads a frame of an answer. Decompression stops at [`limits::BATCH_BYTES`].
    ///
    /// # Errors
    /// [`MessageError`] where it is none.
    pub fn decode(frame: &[u8]) -> Result<Self, MessageError> {
        let (kind, rest) = frame.split_first().ok_or(MessageError::Empty)?;
        match *kind {
            17 => codec::decompress(rest, limits::BATCH_BYTES)
                .and_then(|bytes| codec::decode(&bytes, limits::BATCH_BYTES))
                .map(Self::Batch)
                .map_err(|error| MessageError::Body { kind: 17, error }),
            18 => body(18, rest, limits::CONTROL_FRAME_BYTES).map(Self::End),
            19 => body(19, rest, limits::CONTROL_FRAME_BYTES).map(Self::No),
            other => Err(MessageError::UnknownKind(other)),
        }
    }

    /// Whether nothing follows it on the stream.
    pub fn is_last(&self) -> bool {
        !matches!(self, Self::Batch(_))
    }
}
