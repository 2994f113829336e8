//! Values as text: how templates, exports and the command line write and read them.
//!
//! Reading is lenient, since council files are written by many hands: letter case, spaces
//! around and the usual separators do not matter. Writing is strict, one form for one
//! value. An error says what is expected and never what was there.

use super::check::accepts;
use super::{Field, FieldType, Language, Mailbox, Outcode, Telephone, Value};
use crate::ids::{CouncilCode, RecordId};
use crate::time::{Day, Week};

/// Codes that a description lists; of a longer list it shows the first two and the last.
const CODES_LISTED: usize = 16;

/// Text that is not a value of its field. Says what is expected, never what was there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}")]
pub struct BadValue {
    /// What the field accepts, in words.
    pub expected: String,
}

/// What a field of this type accepts, in words, for templates, documentation and errors.
pub fn describe(accepts: FieldType) -> String {
    match accepts {
        FieldType::Boolean => "true or false (yes, no, 1 and 0 are read too)".to_owned(),
        FieldType::Integer { min, max } => format!("a whole number from {min} to {max}"),
        FieldType::Code(codes) => format!("one of {}", list(codes)),
        FieldType::CodeSet(codes) => format!("any of {}, separated by ;", list(codes)),
        FieldType::Day => "a date such as 2026-04-01 or 01/04/2026".to_owned(),
        FieldType::Week => "a week such as 2026-W14, or a date in it".to_owned(),
        FieldType::Outcode => "the first half of a postcode, such as LS6".to_owned(),
        FieldType::Instant => "an instant of UTC such as 2026-04-01T09:30:00Z".to_owned(),
        FieldType::Record(kind) => format!("the id of a {kind} record, as the lists print it"),
        FieldType::RecordSet { kind, max } => {
            format!("at most {max} ids of {kind} records, separated by ;")
        }
        FieldType::Council => "the GSS code of a council, such as E08000035".to_owned(),
        FieldType::CouncilSet { max } => {
            format!("at most {max} GSS codes of councils, such as E08000035, separated by ;")
        }
        FieldType::LanguageSet { max } => {
            format!("at most {max} ISO 639-1 codes of languages, such as uk, separated by ;")
        }
        FieldType::Mailbox => {
            "a role mailbox in lower case, such as placements@council.example".to_owned()
        }
        FieldType::Telephone => "an office number, such as 01632 960123".to_owned(),
    }
}

fn list(codes: &[&str]) -> String {
    match codes {
        [first, second, .., last] if codes.len() > CODES_LISTED => {
            format!("{first}, {second}, … {last} ({} codes)", codes.len())
        }
        _ => codes.join(", "),
    }
}

/// Reads a value from text. Text without anything in it is no value: an empty cell is for
/// the caller to judge.
///
/// # Errors
/// [`BadValue`] where the text is not a value that the field accepts.
pub fn parse_value(field: &Field, text: &str) -> Result<Value, BadValue> {
    read(field.accepts, text.trim())
        .filter(|value| accepts(field.accepts, value))
        .ok_or_else(|| BadValue {
            expected: describe(field.accepts),
        })
}

fn read(accepts: FieldType, text: &str) -> Option<Value> {
    Some(match accepts {
        FieldType::Boolean => Value::Boolean(read_boolean(text)?),
        FieldType::Integer { .. } => Value::Integer(read_integer(text)?),
        FieldType::Code(codes) => Value::Code(read_code(codes, text)?),
        FieldType::CodeSet(codes) => Value::Codes(read_set(text, |item| read_code(codes, item))?),
        FieldType::Day => Value::Day(read_day(text)?),
        FieldType::Week => Value::Week(read_week(text)?),
        FieldType::Outcode => Value::Outcode(Outcode::try_from(text.to_ascii_uppercase()).ok()?),
        FieldType::Instant => Value::Instant(text.to_ascii_uppercase().parse().ok()?),
        FieldType::Record(_) => Value::Record(read_record(text)?),
        FieldType::RecordSet { .. } => Value::Records(read_set(text, read_record)?),
        FieldType::Council => Value::Council(read_council(text)?),
        FieldType::CouncilSet { .. } => Value::Councils(read_set(text, read_council)?),
        FieldType::LanguageSet { .. } => Value::Languages(read_set(text, |item| {
            Language::try_from(item.to_ascii_lowercase()).ok()
        })?),
        FieldType::Mailbox => Value::Mailbox(Mailbox::try_from(text.to_ascii_lowercase()).ok()?),
        FieldType::Telephone => Value::Telephone(Telephone::try_from(text.to_owned()).ok()?),
    })
}

fn read_boolean(text: &str) -> Option<bool> {
    let is = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is(&["true", "yes", "y", "1"]) {
        Some(true)
    } else if is(&["false", "no", "n", "0"]) {
        Some(false)
    } else {
        None
    }
}

/// A whole number; `3.0`, which spreadsheets write for 3, is one.
fn read_integer(text: &str) -> Option<i64> {
    let whole = match text.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() && fraction.bytes().all(|b| b == b'0') => {
            whole
        }
        Some(_) => return None,
        None => text,
    };
    whole.parse().ok()
}

/// A code's place in its list; `Self-contained` is `self_contained`.
fn read_code(codes: &[&str], text: &str) -> Option<u8> {
    let plain = text.to_ascii_lowercase().replace([' ', '-'], "_");
    let place = codes.iter().position(|code| *code == plain)?;
    u8::try_from(place).ok()
}

/// Items in braces or not, separated by `;`, `|` or `,`; sorted, each kept once.
fn read_set<T: Ord>(text: &str, item: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    let inner = match text.strip_prefix('{') {
        Some(rest) => rest.strip_suffix('}')?,
        None => text,
    };
    let mut items = inner
        .split([';', '|', ','])
        .map(|part| item(part.trim().trim_matches('"')))
        .collect::<Option<Vec<T>>>()?;
    items.sort_unstable();
    items.dedup();
    Some(items)
}

/// An ISO date, or day, month and year as the country writes them.
fn read_day(text: &str) -> Option<Day> {
    if let Ok(day) = text.parse() {
        return Some(day);
    }
    let mut parts = text.split('/');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    let digits = |part: &str, longest| {
        (1..=longest).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
    };
    // Two-digit years are refused: which century is not ours to guess.
    if parts.next().is_some() || !digits(day, 2) || !digits(month, 2) || year.len() != 4 {
        return None;
    }
    Day::from_ymd(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
}

fn read_week(text: &str) -> Option<Week> {
    let week = text.to_ascii_uppercase().parse().ok();
    week.or_else(|| read_day(text).map(Day::week))
}

fn read_record(text: &str) -> Option<RecordId> {
    text.to_ascii_lowercase().parse().ok()
}

fn read_council(text: &str) -> Option<CouncilCode> {
    text.to_ascii_uppercase().parse().ok()
}

/// Writes a value as text that [`parse_value`] reads back. A value that the field does not
/// accept, which no admitted record has, is written as `?`.
pub fn format_value(field: &Field, value: &Value) -> String {
    if !accepts(field.accepts, value) {
        return "?".to_owned();
    }
    match value {
        Value::Boolean(flag) => flag.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Code(code) => code_text(field.accepts, *code).to_owned(),
        Value::Codes(codes) => join(
            codes
                .iter()
                .map(|code| code_text(field.accepts, *code).to_owned()),
        ),
        Value::Day(day) => day.to_string(),
        Value::Week(week) => week.to_string(),
        Value::Outcode(outcode) => outcode.to_string(),
        Value::Instant(at) => at.to_string(),
        Value::Record(record) => record.to_string(),
        Value::Records(records) => join(records.iter().map(RecordId::to_string)),
        Value::Council(council) => council.to_string(),
        Value::Councils(councils) => join(councils.iter().map(ToString::to_string)),
        Value::Languages(languages) => join(languages.iter().map(ToString::to_string)),
        Value::Mailbox(mailbox) => mailbox.to_string(),
        Value::Telephone(telephone) => telephone.to_string(),
    }
}

fn code_text(accepts: FieldType, code: u8) -> &'static str {
    match accepts {
        FieldType::Code(codes) | FieldType::CodeSet(codes) => {
            codes.get(usize::from(code)).copied().unwrap_or("?")
        }
        _ => "?",
    }
}

fn join(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<String>>().join(";")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{NEWEST, field_named, fields, generate};
    use super::*;
    use crate::ids::RecordKind;

    fn parse(kind: RecordKind, name: &str, text: &str) -> Result<Value, BadValue> {
        parse_value(field_named(NEWEST, kind, name).unwrap(), text)
    }

    proptest! {
        #[test]
        fn every_value_reads_back((field, value) in generate::field_and_value()) {
            prop_assert_eq!(parse_value(field, &format_value(field, &value)), Ok(value));
        }

        #[test]
        fn any_text_is_a_value_in_bounds_or_an_error(
            index in 0..fields(NEWEST).len(),
            text in "\\PC{0,40}",
        ) {
            let field = &fields(NEWEST)[index];
            if let Ok(value) = parse_value(field, &text) {
                prop_assert!(accepts(field.accepts, &value));
            }
        }
    }

    #[test]
    fn reading_is_lenient() {
        use RecordKind::{Host, Request};
        for (name, written, meant) in [
            ("smoke_free", " YES ", "true"),
            ("smoke_free", "n", "false"),
            ("smoke_free", "0", "false"),
            ("current_capacity", "3.0", "3"),
            ("accommodation_type", "Self-contained", "self_contained"),
            ("who_can_you_accommodate", "Single adult", "single_adult"),
            ("availability_start_date", "1/4/2026", "2026-04-01"),
            ("postcode_district", "ls6", "LS6"),
            ("ltla", "e08000035", "E08000035"),
            ("languages", "{uk,EN}", "en;uk"),
            ("languages", "uk | en | uk", "en;uk"),
            ("routes", "{\"ukrs\",\"bno\"}", "ukrs;bno"),
        ] {
            assert_eq!(
                parse(Host, name, written),
                parse(Host, name, meant),
                "{name}"
            );
            assert!(parse(Host, name, meant).is_ok(), "{name}");
        }
        let monday = parse(Request, "needed_by", "30/03/2026");
        assert_eq!(monday, parse(Request, "needed_by", "2026-w14"));
        assert!(monday.is_ok());
    }

    #[test]
    fn what_is_no_value_is_refused_and_the_error_does_not_repeat_it() {
        for (name, text) in [
            ("smoke_free", "marker"),
            ("smoke_free", ""),
            ("current_capacity", "41"),
            ("current_capacity", "2.5"),
            ("current_capacity", "marker"),
            ("accommodation_type", "marker"),
            ("availability_start_date", "01/04/26"),
            ("availability_start_date", "31/02/2026"),
            ("availability_start_date", "2026-04-01marker"),
            ("availability_start_date", "+1/04/2026"),
            ("postcode_district", "LS6 3AB"),
            ("ltla", "marker"),
            ("languages", "{}"),
            ("languages", "{uk"),
            ("languages", "uk,marker"),
            ("languages", "en;fr;de;it;es;pt;uk;ru;pl"),
        ] {
            let error = parse(RecordKind::Host, name, text).expect_err(name);
            assert!(!error.to_string().contains("marker"), "{name}");
            assert!(error.expected.len() > 8, "{name}");
        }
    }

    #[test]
    fn a_long_list_of_codes_is_cut_and_a_short_one_is_not() {
        let routes = field_named(NEWEST, RecordKind::Host, "routes").unwrap();
        assert!(describe(routes.accepts).contains("community_sponsorship"));
        let opens = field_named(NEWEST, RecordKind::Contact, "opens_at").unwrap();
        assert_eq!(
            describe(opens.accepts),
            "one of 07:00, 07:15, … 20:00 (53 codes)"
        );
    }
}
