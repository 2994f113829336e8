//! The names of things: councils, regions, nodes, documents, records.
//!
//! Each is a small value with one text form (for people, JSON and file names) and one
//! binary form (for the wire and the store). A name is checked when it is made or decoded,
//! so code that holds one never checks it again. Nothing here knows what a name stands for.

mod record;

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;
use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeTuple, Serializer};

use crate::limits;

pub use record::{RecordId, RecordKind};

/// A name that does not have the form it must have. Carries the kind of name and what is
/// expected, never the text itself, which may have come from a personal column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {what}: expected {expected}")]
pub struct BadName {
    /// What kind of name it should have been, e.g. `council code`.
    pub what: &'static str,
    /// The form it should have had, e.g. `E08000035`.
    pub expected: &'static str,
}

/// Serialises a fixed number of bytes: hexadecimal for people, raw for the wire.
fn serialize_fixed<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    if serializer.is_human_readable() {
        return serializer.serialize_str(&HEXLOWER.encode(bytes));
    }
    let mut tuple = serializer.serialize_tuple(bytes.len())?;
    for byte in bytes {
        tuple.serialize_element(byte)?;
    }
    tuple.end()
}

struct FixedVisitor<const N: usize>;

impl<'de, const N: usize> Visitor<'de> for FixedVisitor<N> {
    type Value = [u8; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{N} bytes")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<[u8; N], A::Error> {
        let mut out = [0u8; N];
        for (index, slot) in out.iter_mut().enumerate() {
            *slot = seq
                .next_element()?
                .ok_or_else(|| de::Error::invalid_length(index, &self))?;
        }
        Ok(out)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<[u8; N], E> {
        parse_hex(text).ok_or_else(|| E::custom("expected lower-case hexadecimal"))
    }
}

fn deserialize_fixed<'de, D: Deserializer<'de>, const N: usize>(
    deserializer: D,
) -> Result<[u8; N], D::Error> {
    if deserializer.is_human_readable() {
        deserializer.deserialize_str(FixedVisitor::<N>)
    } else {
        deserializer.deserialize_tuple(N, FixedVisitor::<N>)
    }
}

fn parse_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok()
}

/// Declares a newtype over a fixed number of bytes whose text form is hexadecimal.
macro_rules! fixed_bytes {
    ($(#[$doc:meta])* $name:ident, $len:expr, $what:literal, $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $len]);

        impl $name {
            /// The raw bytes.
            pub fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }

            /// The first eight hexadecimal digits: enough for a person to tell two apart.
            pub fn short(&self) -> String {
                self.to_string().chars().take(8).collect()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&HEXLOWER.encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.short())
            }
        }

        impl FromStr for $name {
            type Err = BadName;
            fn from_str(text: &str) -> Result<Self, BadName> {
                parse_hex(text).map(Self).ok_or(BadName { what: $what, expected: $expected })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serialize_fixed(&self.0, serializer)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserialize_fixed(deserializer).map(Self)
            }
        }
    };
}

fixed_bytes!(
    /// A SHA-256 digest made under one of the domain tags of [`crate::crypto`].
    Hash, 32, "hash", "64 hexadecimal digits"
);
fixed_bytes!(
    /// Names a node: the first 16 bytes of the tagged hash of its signing key, so that a
    /// node with a new signing key is a new node and a name cannot be taken over.
    NodeId, 16, "node id", "32 hexadecimal digits"
);
fixed_bytes!(
    /// Eight random bytes made at a process's first write to a document, so that a
    /// restored disk image cannot honestly use a sequence number twice.
    Incarnation, 8, "incarnation", "16 hexadecimal digits"
);
fixed_bytes!(
    /// Eight random bytes made at each process start: tells a peer that came back from one
    /// that was there all the while.
    BootId, 8, "boot id", "16 hexadecimal digits"
);
fixed_bytes!(
    /// An Ed25519 public key.
    PublicKey, 32, "public key", "64 hexadecimal digits"
);
fixed_bytes!(
    /// An Ed25519 signature.
    Signature, 64, "signature", "128 hexadecimal digits"
);

/// Implements the text form (`Display`, `FromStr`) as the serde form of a name.
macro_rules! serde_as_text {
    ($name:ident) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

/// A council, by its nine-character ONS (GSS) code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CouncilCode([u8; 9]);

impl CouncilCode {
    /// The code as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("?")
    }
}

impl fmt::Display for CouncilCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for CouncilCode {
    type Err = BadName;
    fn from_str(text: &str) -> Result<Self, BadName> {
        let bad = BadName {
            what: "council code",
            expected: "a GSS code such as E08000035",
        };
        let bytes: [u8; 9] = text.as_bytes().try_into().map_err(|_| bad)?;
        match bytes.split_first() {
            Some((b'E' | b'W' | b'S' | b'N', digits)) if digits.iter().all(u8::is_ascii_digit) => {
                Ok(Self(bytes))
            }
            _ => Err(bad),
        }
    }
}

serde_as_text!(CouncilCode);

/// A region's name: lower-case letters, digits and hyphens, e.g. `north-east`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegionName(String);

impl RegionName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RegionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for RegionName {
    type Err = BadName;
    fn from_str(text: &str) -> Result<Self, BadName> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let well_formed = !text.is_empty()
            && text.len() <= limits::REGION_NAME_BYTES
            && text.bytes().all(plain)
            && !text.starts_with('-')
            && !text.ends_with('-');
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadName {
                what: "region name",
                expected: "lower-case letters, digits and hyphens, such as north-east",
            })
        }
    }
}

serde_as_text!(RegionName);

/// The kinds of shared document.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum DocumentKind {
    /// Hosts and their checks: the council and the readers that it accepted.
    HostRegister,
    /// Places and requests: every member of the region.
    RematchingPool,
    /// Move-on homes: every member of the region.
    HousingList,
    /// What a council has to say of the cases that it has with this other one: these two.
    Casework(CouncilCode),
}

impl DocumentKind {
    /// The kinds of which every council has one, in the order in which they are listed to
    /// people. Casework there is for each counterpart.
    pub const OF_EACH: [Self; 3] = [Self::HostRegister, Self::RematchingPool, Self::HousingList];

    /// The kind as text, e.g. `host-register`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HostRegister => "host-register",
            Self::RematchingPool => "rematching-pool",
            Self::HousingList => "housing-list",
            Self::Casework(_) => "casework",
        }
    }

    /// The document of this kind that `council` writes.
    pub fn of(self, council: CouncilCode) -> DocumentName {
        DocumentName {
            kind: self,
            council,
        }
    }
}

impl fmt::Display for DocumentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Names a document: its kind, its one writing council and, of casework, the counterpart, e.g.
/// `host-register/E08000035`, `casework/E08000035/E08000032`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocumentName {
    /// What it holds.
    pub kind: DocumentKind,
    /// The only council that writes it.
    pub council: CouncilCode,
}

impl fmt::Display for DocumentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.council)?;
        match self.kind {
            DocumentKind::Casework(counterpart) => write!(f, "/{counterpart}"),
            _ => Ok(()),
        }
    }
}

impl FromStr for DocumentName {
    type Err = BadName;
    fn from_str(text: &str) -> Result<Self, BadName> {
        let bad = BadName {
            what: "document name",
            expected: "host-register, rematching-pool or housing-list, a slash and a GSS code; or \
                       casework and the GSS codes of both councils",
        };
        let (kind, councils) = text.split_once('/').ok_or(bad)?;
        let code = |text: &str| text.parse::<CouncilCode>().map_err(|_| bad);
        if let Some((council, counterpart)) = councils.split_once('/') {
            let (council, counterpart) = (code(council)?, code(counterpart)?);
            let kind = DocumentKind::Casework(counterpart);
            // Nobody has casework with itself.
            let named = text.starts_with("casework/") && council != counterpart;
            return named.then(|| kind.of(council)).ok_or(bad);
        }
        let kind = DocumentKind::OF_EACH
            .into_iter()
            .find(|k| k.as_str() == kind)
            .ok_or(bad)?;
        Ok(kind.of(code(councils)?))
    }
}

serde_as_text!(DocumentName);

#[cfg(test)]
mod tests;
