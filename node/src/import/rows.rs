//! From cells to records: each value read by its field, rows of one host brought together.

use std::collections::{BTreeMap, BTreeSet};

use smp_protocol::ids::RecordKind;
use smp_protocol::schema::{self, Field, FieldId, NEWEST, Outcode, Value};

use super::columns::{Header, Role, outcode_field};
use super::problem::{Problem, Problems, kind_of};
use super::sheet::{Sheet, SheetRow, letter};
use super::{Layout, REFERENCE, REFERENCE_CHARS, Row, defaults};

/// What stands between the values of a field in conflict, in an export.
const CONFLICT: &str = " | ";

/// A record while its rows are being read.
struct Draft {
    reference: String,
    row: u32,
    fields: BTreeMap<FieldId, Value>,
    vault: BTreeMap<&'static str, String>,
    /// Fields whose cell was a problem already, so that it is told once.
    failed: BTreeSet<FieldId>,
}

/// Reads every row. What it returns counts only if no problem was added.
pub(super) fn read_rows(header: &Header, sheet: &Sheet, problems: &mut Problems) -> Vec<Row> {
    let mut drafts: Vec<Draft> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for row in &sheet.rows {
        check_width(header, row, problems);
        let Some(reference) = reference_of(header, row, problems) else {
            continue;
        };
        let draft = read_row(header, row, reference, problems);
        match places
            .get(&draft.reference)
            .and_then(|place| drafts.get_mut(*place))
        {
            Some(first) if header.layout == Layout::Share => join(header, first, draft, problems),
            Some(first) => {
                let expected = format!("another reference than row {} has", first.row);
                let problem =
                    Problem::of_cell(row.number, REFERENCE, "repeated reference", expected);
                problems.push(problem);
            }
            None => {
                places.insert(draft.reference.clone(), drafts.len());
                drafts.push(draft);
            }
        }
    }
    drafts
        .into_iter()
        .map(|draft| finish(header, draft, problems))
        .collect()
}

/// Cells to the right of the header, or under a column without a name.
fn check_width(header: &Header, row: &SheetRow, problems: &mut Problems) {
    for (place, cell) in row.cells.iter().enumerate() {
        let named = header
            .columns
            .get(place)
            .is_some_and(|(_, role)| *role != Role::Unnamed);
        if !named && !cell.trim().is_empty() {
            let expected = "a name in the header over every column, or nothing here".to_owned();
            problems.push(Problem::of_cell(
                row.number,
                &letter(place),
                kind_of(cell),
                expected,
            ));
            return;
        }
    }
}

fn reference_of(header: &Header, row: &SheetRow, problems: &mut Problems) -> Option<String> {
    let cell = |place: &usize| row.cells.get(*place).map_or("", |cell| cell.trim());
    let column = header
        .keys
        .first()
        .and_then(|place| header.columns.get(*place));
    let column = column.map_or(REFERENCE, |(name, _)| name.as_str());
    let text = header
        .keys
        .iter()
        .map(cell)
        .find(|text| !text.is_empty())
        .unwrap_or_default();
    if text.is_empty() || text.chars().count() > REFERENCE_CHARS {
        let found = if text.is_empty() {
            "empty"
        } else {
            "a text that is too long"
        };
        let expected =
            format!("the council's own id of the row, at most {REFERENCE_CHARS} characters");
        problems.push(Problem::of_cell(row.number, column, found, expected));
        return None;
    }
    Some(text.to_owned())
}

fn read_row(header: &Header, row: &SheetRow, reference: String, problems: &mut Problems) -> Draft {
    let mut draft = Draft {
        reference,
        row: row.number,
        fields: BTreeMap::new(),
        vault: BTreeMap::new(),
        failed: BTreeSet::new(),
    };
    for (place, (name, role)) in header.columns.iter().enumerate() {
        let text = row.cells.get(place).map_or("", |cell| cell.trim());
        match role {
            Role::Vault(column) => {
                draft.vault.insert(column, text.to_owned());
            }
            // Share writes an empty list as braces.
            Role::Field(id) if !text.is_empty() && text != "{}" => {
                let Some(field) = schema::field(NEWEST, header.kind, *id) else {
                    continue;
                };
                let conflict = header.layout == Layout::Export && text.contains(CONFLICT);
                let value = match conflict {
                    true => {
                        Err("one of the two values that are in conflict, to settle it".to_owned())
                    }
                    false => read_field(field, text),
                };
                match value {
                    Ok(value) => {
                        draft.fields.insert(*id, value);
                    }
                    Err(expected) => {
                        draft.failed.insert(*id);
                        problems.push(Problem::of_cell(row.number, name, kind_of(text), expected));
                    }
                }
            }
            Role::Field(_) | Role::Reference | Role::Dropped | Role::Unnamed => {}
        }
    }
    derive_outcode(header, &mut draft, problems);
    draft
}

fn read_field(field: &Field, text: &str) -> Result<Value, String> {
    let value = schema::parse_value(field, text).map_err(|bad| bad.expected)?;
    let ready = field.record == RecordKind::Host
        && field.name == "status"
        && schema::format_value(field, &value) == "ready";
    if ready {
        return Err(
            "another status: ready follows from the checks and is never typed in".to_owned(),
        );
    }
    Ok(value)
}

/// The shared half of the postcode. The whole stays in the vault.
fn derive_outcode(header: &Header, draft: &mut Draft, problems: &mut Problems) {
    let Some(field) = outcode_field(header.kind) else {
        return;
    };
    let postcode = draft
        .vault
        .get("postcode")
        .map(String::as_str)
        .unwrap_or_default();
    if postcode.is_empty() || draft.failed.contains(&field.id) {
        return;
    }
    let derived = outcode_of(postcode);
    let given = draft.fields.get(&field.id);
    let (role, expected) = match (given, derived) {
        (None, Some(outcode)) => {
            draft.fields.insert(field.id, Value::Outcode(outcode));
            return;
        }
        (Some(_), None) => return,
        (Some(Value::Outcode(given)), Some(outcode)) if *given == outcode => return,
        (None, None) => (
            Role::Vault("postcode"),
            "a whole postcode such as LS6 3AB, or nothing",
        ),
        (Some(_), Some(_)) => (
            Role::Field(field.id),
            "the first half of this row's postcode, or nothing",
        ),
    };
    draft.failed.insert(field.id);
    let column = header.name_of(role).unwrap_or_default();
    problems.push(Problem::of_cell(
        draft.row,
        column,
        kind_of(postcode),
        expected.to_owned(),
    ));
}

/// `LS6` of `ls6 3ab` or `LS63AB`: what stands before a digit and two letters.
fn outcode_of(postcode: &str) -> Option<Outcode> {
    let plain: String = postcode.chars().filter(|c| !c.is_whitespace()).collect();
    let plain = plain.to_ascii_uppercase();
    let (outcode, inward) = plain.split_at_checked(plain.len().checked_sub(3)?)?;
    let well_formed = match inward.as_bytes() {
        [digit, first, second] => {
            digit.is_ascii_digit() && first.is_ascii_uppercase() && second.is_ascii_uppercase()
        }
        _ => false,
    };
    if !well_formed {
        return None;
    }
    Outcode::try_from(outcode.to_owned()).ok()
}

/// Brings a further row of one host into its record. Share repeats the host in the row of
/// each guest; a cell left empty in one of them says nothing, and two that differ are a
/// problem, since nobody can tell which is right.
fn join(header: &Header, first: &mut Draft, next: Draft, problems: &mut Problems) {
    let differs = |role: Role| {
        let column = header.name_of(role).unwrap_or_default();
        let expected = format!("what row {} says, since both are about one host", first.row);
        Problem::of_cell(next.row, column, "another value", expected)
    };
    for (id, value) in next.fields {
        match first.fields.get(&id) {
            Some(known) if *known != value => problems.push(differs(Role::Field(id))),
            Some(_) => {}
            None => {
                first.fields.insert(id, value);
            }
        }
    }
    for (column, text) in next.vault {
        let known = first.vault.entry(column).or_default();
        if known.is_empty() {
            *known = text;
        } else if !text.is_empty() && *known != text {
            problems.push(differs(Role::Vault(column)));
        }
    }
    first.failed.extend(next.failed);
}

fn finish(header: &Header, draft: Draft, problems: &mut Problems) -> Row {
    let has_default: Vec<FieldId> = defaults(header.kind)
        .into_iter()
        .map(|(id, _)| id)
        .collect();
    for field in schema::fields_of(NEWEST, header.kind).filter(|field| field.required) {
        let there = draft.fields.contains_key(&field.id) || draft.failed.contains(&field.id);
        // A column that is missing was told once, for the whole file.
        if let (false, false, Some(column)) = (
            there,
            has_default.contains(&field.id),
            header.name_of(Role::Field(field.id)),
        ) {
            let expected = schema::describe(field.accepts);
            problems.push(Problem::of_cell(draft.row, column, "empty", expected));
        }
    }
    Row {
        reference: draft.reference,
        row: draft.row,
        fields: draft.fields.into_iter().collect(),
        vault: draft
            .vault
            .into_iter()
            .map(|(column, text)| (column.to_owned(), text))
            .collect(),
    }
}
