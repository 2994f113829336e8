//! Values and edits as they are signed, sent and stored.
//!
//! A value that exists is well-formed in itself (an outcode looks like one, a set is
//! sorted); whether a field accepts it is for [`super::check`].

use serde::{Deserialize, Serialize};

use crate::ids::{BadName, CouncilCode, RecordId};
use crate::time::{Day, UnixSeconds, Week};

/// A field's number within its kind of record.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FieldId(pub u8);

/// One value. The order of the variants is on the wire and never changes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Value {
    /// True or false.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// The index of a code in its field's list.
    Code(u8),
    /// Indices of codes in their field's list, ascending, each once.
    Codes(Vec<u8>),
    /// A calendar day.
    Day(Day),
    /// A week.
    Week(Week),
    /// A postcode district.
    Outcode(Outcode),
    /// Another record.
    Record(RecordId),
    /// A council.
    Council(CouncilCode),
    /// Councils, ascending, each once.
    Councils(Vec<CouncilCode>),
    /// Languages, ascending, each once.
    Languages(Vec<Language>),
    /// A council's role mailbox.
    Mailbox(Mailbox),
    /// A council's office telephone.
    Telephone(Telephone),
    /// A second of UTC.
    Instant(UnixSeconds),
    /// Other records, ascending, each once.
    Records(Vec<RecordId>),
}

/// One typed edit of one record. Nothing is deleted inside a generation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Edit {
    /// Makes a record with these fields, ascending by number, each once. Changes nothing
    /// where the record exists.
    Create {
        /// The new record.
        record: RecordId,
        /// Its fields.
        fields: Vec<(FieldId, Value)>,
    },
    /// Sets (`Some`) or clears (`None`) fields, ascending by number, each once. Changes
    /// nothing where the record does not exist, nor for a field that has that one value.
    Update {
        /// The record.
        record: RecordId,
        /// What becomes of each field named.
        fields: Vec<(FieldId, Option<Value>)>,
    },
}

impl Edit {
    /// The record that is edited.
    pub fn record(&self) -> RecordId {
        match self {
            Self::Create { record, .. } | Self::Update { record, .. } => *record,
        }
    }
}

/// Declares a checked piece of text: `$check` decides, and everything else is the same.
macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident, $what:literal, $expected:literal, $check:path) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadName;
            fn try_from(text: String) -> Result<Self, BadName> {
                if $check(&text) {
                    Ok(Self(text))
                } else {
                    Err(BadName { what: $what, expected: $expected })
                }
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

checked_text!(
    /// The first half of a postcode, in capitals: `LS6`, `EC1A`.
    Outcode, "postcode district", "the first half of a postcode, such as LS6", is_outcode
);
checked_text!(
    /// An ISO 639-1 code, e.g. `uk`.
    Language, "language", "a two-letter ISO 639-1 code such as uk", is_language
);
checked_text!(
    /// A role mailbox: lower case, and its first part is not `first.last`.
    Mailbox, "mailbox", "a role mailbox such as placements@council.example", is_mailbox
);
checked_text!(
    /// A UK landline or office number: digits and spaces, e.g. `01632 960123`.
    Telephone, "telephone", "an office number of 10 or 11 digits such as 01632 960123", is_telephone
);

fn is_outcode(text: &str) -> bool {
    let b = text.as_bytes();
    let letter = |i: usize| b.get(i).is_some_and(u8::is_ascii_uppercase);
    let digit = |i: usize| b.get(i).is_some_and(u8::is_ascii_digit);
    // A9, A99, A9A, AA9, AA99, AA9A
    match b.len() {
        2 => letter(0) && digit(1),
        3 => letter(0) && ((digit(1) && (digit(2) || letter(2))) || (letter(1) && digit(2))),
        4 => letter(0) && letter(1) && digit(2) && (digit(3) || letter(3)),
        _ => false,
    }
}

/// The 183 two-letter codes of ISO 639-1, so that the field cannot carry initials.
const LANGUAGES: &str = " aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch \
     co cr cs cu cv cy da de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha \
     he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks \
     ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no \
     nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq \
     sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi \
     yo za zh zu ";

fn is_language(text: &str) -> bool {
    text.len() == 2
        && text.bytes().all(|b| b.is_ascii_lowercase())
        && LANGUAGES.split_ascii_whitespace().any(|code| code == text)
}

fn is_mailbox(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let local_char = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let domain_char = |b: u8| local_char(b) || b == b'.';
    text.len() <= crate::limits::TEXT_BYTES
        && !local.is_empty()
        && local.len() <= 40
        && local.bytes().all(local_char)
        && domain.bytes().all(domain_char)
        && domain.contains('.')
        && domain.split('.').all(|label| !label.is_empty())
}

fn is_telephone(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    text.starts_with('0')
        && (10..=11).contains(&digits)
        && text.len() <= 14
        && text.bytes().all(|b| b.is_ascii_digit() || b == b' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checked_text_accepts_its_own_form_only() {
        for good in ["M1", "LS6", "W1A", "B33", "CR2", "DN55", "EC1A"] {
            assert!(is_outcode(good), "{good}");
        }
        for bad in ["", "LS", "ls6", "LS6 3", "LS123", "6LS", "LS6A9"] {
            assert!(!is_outcode(bad), "{bad}");
        }
        assert!(is_language("uk") && !is_language("UK") && !is_language("xx"));
        assert!(is_mailbox("placements@north.example.org"));
        for bad in [
            "jo.smith@example.org",
            "a@b",
            "A@example.org",
            "a@.org",
            "x",
        ] {
            assert!(!is_mailbox(bad), "{bad}");
        }
        assert!(is_telephone("01632 960123"));
        for bad in ["1632 960123", "01632", "+44 1632 960123", "01632 960123 99"] {
            assert!(!is_telephone(bad), "{bad}");
        }
    }
}
