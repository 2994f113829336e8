//! What names a record: its kind and chance.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE32_NOPAD;
use serde::de::{self, Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

use super::{BadName, deserialize_fixed, serialize_fixed};

/// The kinds of record. A record id's first byte is its kind, so that an edit can be judged
/// without looking at the document. The numbers are on the wire and never change.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum RecordKind {
    /// One household, group or institution offering accommodation.
    Host = 1,
    /// One check about one host.
    Check = 2,
    /// What is bookable at one host.
    Place = 3,
    /// What a household needs.
    Request = 4,
    /// A council's placement team.
    Contact = 5,
    /// A move-on home.
    Listing = 6,
    /// A council's interest in another's listing.
    Interest = 7,
    /// Casework: a decider begins to write, and asks what is held of what was written before.
    Opening = 8,
    /// Casework: the counterpart's decider holds all that was written before an opening.
    Comparison = 9,
    /// Casework: a request would fit one of these places.
    Proposal = 10,
    /// Casework: a place is locked for a proposal.
    Hold = 11,
    /// Casework: a request is locked for a hold.
    Confirmation = 12,
    /// Casework: a confirmed hold is a booking.
    Placement = 13,
    /// Casework: the household came, or did not.
    Arrival = 14,
    /// Casework: the lock on a place is ended.
    Release = 15,
    /// Casework: the household's council has ended a case.
    Withdrawal = 16,
    /// Casework: none of the places proposed is to be had.
    Decline = 17,
    /// Casework: a booking ends on a day. It locks and unlocks nothing, as none of those below.
    Ended = 18,
    /// Casework: the responsibility for a household moves to the council in which it now lives.
    Transfer = 19,
    /// Casework: one council asks the other something.
    Enquiry = 20,
    /// Casework: it is answered.
    Answer = 21,
    /// Casework: a council's own host or household has agreed.
    Consent = 22,
    /// Casework: a check of the host of a locked place has failed or run out.
    Concern = 23,
}

impl RecordKind {
    /// Every kind.
    pub const ALL: [Self; 23] = [
        Self::Host,
        Self::Check,
        Self::Place,
        Self::Request,
        Self::Contact,
        Self::Listing,
        Self::Interest,
        Self::Opening,
        Self::Comparison,
        Self::Proposal,
        Self::Hold,
        Self::Confirmation,
        Self::Placement,
        Self::Arrival,
        Self::Release,
        Self::Withdrawal,
        Self::Decline,
        Self::Ended,
        Self::Transfer,
        Self::Enquiry,
        Self::Answer,
        Self::Consent,
        Self::Concern,
    ];

    /// The kinds that officers write and change.
    pub const EDITED: &'static [Self] = Self::ALL.split_at(7).0;

    /// The facts of casework.
    pub const CASEWORK: &'static [Self] = Self::ALL.split_at(7).1;

    /// Whether it is a fact of casework: written once and never changed.
    pub fn is_casework(self) -> bool {
        self >= Self::Opening
    }

    /// The kind as text, e.g. `host`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Check => "check",
            Self::Place => "place",
            Self::Request => "request",
            Self::Contact => "contact",
            Self::Listing => "listing",
            Self::Interest => "interest",
            Self::Opening => "opening",
            Self::Comparison => "comparison",
            Self::Proposal => "proposal",
            Self::Hold => "hold",
            Self::Confirmation => "confirmation",
            Self::Placement => "placement",
            Self::Arrival => "arrival",
            Self::Release => "release",
            Self::Withdrawal => "withdrawal",
            Self::Decline => "decline",
            Self::Ended => "ended",
            Self::Transfer => "transfer",
            Self::Enquiry => "enquiry",
            Self::Answer => "answer",
            Self::Consent => "consent",
            Self::Concern => "concern",
        }
    }

    pub(super) fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == byte)
    }
}

impl fmt::Display for RecordKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Names a record: its kind and 15 random bytes. Text form: `host-` and 24 letters and
/// digits of base 32.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId {
    kind: RecordKind,
    random: [u8; 15],
}

impl RecordId {
    /// A record id of `kind` from 15 random bytes.
    pub fn new(kind: RecordKind, random: [u8; 15]) -> Self {
        Self { kind, random }
    }

    /// The kind of record that this names.
    pub fn kind(&self) -> RecordKind {
        self.kind
    }

    /// The 16 bytes: kind, then random.
    pub fn to_bytes(self) -> [u8; 16] {
        let mut out = [0u8; 16];
        let (kind, random) = out.split_at_mut(1);
        kind.fill(self.kind as u8);
        random.copy_from_slice(&self.random);
        out
    }

    /// Reads the 16 bytes back; `None` where the first names no kind.
    pub fn from_bytes(bytes: &[u8; 16]) -> Option<Self> {
        let (kind, random) = bytes.split_first()?;
        Some(Self {
            kind: RecordKind::from_byte(*kind)?,
            random: random.try_into().ok()?,
        })
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tail = BASE32_NOPAD.encode(&self.random).to_ascii_lowercase();
        f.pad(&format!("{}-{tail}", self.kind))
    }
}

impl fmt::Debug for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for RecordId {
    type Err = BadName;
    fn from_str(text: &str) -> Result<Self, BadName> {
        let bad = BadName {
            what: "record id",
            expected: "a kind, a hyphen and 24 letters and digits, as the lists print it",
        };
        let (kind, tail) = text.split_once('-').ok_or(bad)?;
        let kind = RecordKind::ALL
            .into_iter()
            .find(|k| k.as_str() == kind)
            .ok_or(bad)?;
        if tail.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(bad);
        }
        let random = BASE32_NOPAD
            .decode(tail.to_ascii_uppercase().as_bytes())
            .map_err(|_| bad)?;
        Ok(Self::new(kind, random.try_into().map_err(|_| bad)?))
    }
}

impl Serialize for RecordId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serialize_fixed(&self.to_bytes(), serializer)
        }
    }
}

impl<'de> Deserialize<'de> for RecordId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
            return text.parse().map_err(de::Error::custom);
        }
        let bytes = deserialize_fixed::<D, 16>(deserializer)?;
        Self::from_bytes(&bytes).ok_or_else(|| de::Error::custom("unknown kind of record"))
    }
}
