//! From rows to edits: what an import changes, and nothing that it does not.
//!
//! The order of the edits is shuffled: a council's file is sorted by something, often by
//! name, and the order in which records appear must not say by what. What a file does not
//! mention is left alone, unless the caller says that the file is everything.

use std::collections::{BTreeMap, BTreeSet};

use smp_protocol::ids::{RecordId, RecordKind};
use smp_protocol::schema::{self, Edit, Field, FieldId, NEWEST, Value};

use super::{ID, Import, Layout, Problem, Problems, REFERENCE, Row};

/// A record's fields, ascending by number.
pub type Fields = Vec<(FieldId, Value)>;

/// What an import would do, or does.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Plan {
    /// The edits, shuffled.
    pub edits: Vec<Edit>,
    /// Records that are new.
    pub creates: usize,
    /// Records that change.
    pub updates: usize,
    /// Records that stay as they are. What changes in the vault alone counts here.
    pub unchanged: usize,
    /// Records that the file does not mention and that are withdrawn.
    pub withdrawn: usize,
    /// Which row is which record: one for each row of the file, in its order.
    pub references: Vec<(String, RecordId)>,
}

/// What a new record has where the file says nothing. Nowhere else is anything assumed.
pub fn defaults(kind: RecordKind) -> Vec<(FieldId, Value)> {
    let name_and_text = match kind {
        RecordKind::Host => Some(("status", "prospective")),
        RecordKind::Check => Some(("status", "not_started")),
        RecordKind::Place | RecordKind::Request => Some(("state", "open")),
        RecordKind::Listing => Some(("state", "available")),
        // Casework is not imported.
        _ => None,
    };
    name_and_text
        .and_then(|(name, text)| named(kind, name, text))
        .into_iter()
        .collect()
}

/// What says that a record has ended.
fn withdrawal(kind: RecordKind) -> Option<(FieldId, Value)> {
    let ways = [
        ("status", "withdrawn"),
        ("state", "withdrawn"),
        ("state", "closed"),
        ("withdrawn", "true"),
    ];
    ways.into_iter()
        .find_map(|(name, text)| named(kind, name, text))
}

fn named(kind: RecordKind, name: &str, text: &str) -> Option<(FieldId, Value)> {
    let field = schema::field_named(NEWEST, kind, name)?;
    Some((field.id, schema::parse_value(field, text).ok()?))
}

/// Works out the edits. `existing` gives the record of a reference and its fields as they
/// stand; `all_known` are all references of this kind; with `complete`, those that the file
/// does not mention are withdrawn.
pub fn plan(
    import: &Import,
    existing: &dyn Fn(&str) -> Option<(RecordId, Fields)>,
    complete: bool,
    all_known: &[(String, RecordId)],
    random: &mut dyn FnMut(&mut [u8]),
) -> Plan {
    let mut plan = Plan::default();
    for row in &import.rows {
        let record = match existing(&row.reference) {
            Some((record, fields)) => {
                let changes = changes(import, row, &fields);
                if changes.is_empty() {
                    plan.unchanged = plan.unchanged.saturating_add(1);
                } else {
                    plan.updates = plan.updates.saturating_add(1);
                    plan.edits.push(Edit::Update {
                        record,
                        fields: changes,
                    });
                }
                record
            }
            None => {
                let mut bytes = [0; 15];
                random(&mut bytes);
                let record = RecordId::new(import.kind, bytes);
                plan.creates = plan.creates.saturating_add(1);
                plan.edits.push(Edit::Create {
                    record,
                    fields: with_defaults(import.kind, row),
                });
                record
            }
        };
        plan.references.push((row.reference.clone(), record));
    }
    if complete {
        withdraw_the_rest(import, existing, all_known, &mut plan);
    }
    shuffle(&mut plan.edits, random);
    plan
}

/// The rows of an export that are no records of this council's own list: an export says what
/// changes, and makes nothing. Empty for the other layouts.
pub fn strangers(import: &Import, known: &BTreeMap<String, RecordId>) -> Vec<Problem> {
    let mut problems = Problems::default();
    let rows = import.rows.iter();
    let unknown = rows.filter(|row| !known.contains_key(&row.reference));
    for row in unknown.filter(|_| import.layout == Layout::Export) {
        let expected = format!(
            "the id of one of this council's own {} records: remove rows of other councils, and \
             add new ones with a file that has `{REFERENCE}` in place of `{ID}`",
            import.kind
        );
        let found = "the id of no record of this council";
        problems.push(Problem::of_cell(row.row, ID, found, expected));
    }
    problems.into_list()
}

fn with_defaults(kind: RecordKind, row: &Row) -> Fields {
    let mut fields: BTreeMap<FieldId, Value> = defaults(kind).into_iter().collect();
    fields.extend(row.fields.iter().cloned());
    fields.into_iter().collect()
}

/// The fields in which the row differs from the record, of those that the file covers.
fn changes(import: &Import, row: &Row, now: &[(FieldId, Value)]) -> Vec<(FieldId, Option<Value>)> {
    let of = |fields: &[(FieldId, Value)], id: FieldId| {
        fields
            .iter()
            .find(|(other, _)| *other == id)
            .map(|(_, value)| value.clone())
    };
    let required = |id: &FieldId| {
        schema::field(NEWEST, import.kind, *id).is_some_and(|field: &Field| field.required)
    };
    let mut changes = Vec::new();
    for id in &import.covered {
        let (before, after) = (of(now, *id), of(&row.fields, *id));
        let cleared_but_required = after.is_none() && required(id);
        if before != after && !cleared_but_required {
            changes.push((*id, after));
        }
    }
    changes
}

fn withdraw_the_rest(
    import: &Import,
    existing: &dyn Fn(&str) -> Option<(RecordId, Fields)>,
    all_known: &[(String, RecordId)],
    plan: &mut Plan,
) {
    let Some((id, ended)) = withdrawal(import.kind) else {
        return;
    };
    let mentioned: BTreeSet<&str> = import
        .rows
        .iter()
        .map(|row| row.reference.as_str())
        .collect();
    for (reference, record) in all_known {
        if mentioned.contains(reference.as_str()) {
            continue;
        }
        let Some((_, fields)) = existing(reference) else {
            continue;
        };
        // A home that is let is at its end, and stays there.
        let is_let = named(import.kind, "state", "let");
        let over = |field: &(FieldId, Value)| {
            *field == (id, ended.clone()) || Some(field) == is_let.as_ref()
        };
        if fields.iter().any(over) {
            continue;
        }
        plan.withdrawn = plan.withdrawn.saturating_add(1);
        let fields = vec![(id, Some(ended.clone()))];
        plan.edits.push(Edit::Update {
            record: *record,
            fields,
        });
    }
}

/// Fisher and Yates. The bias of a remainder of 64 bits is beyond measuring.
fn shuffle(edits: &mut [Edit], random: &mut dyn FnMut(&mut [u8])) {
    for last in (1..edits.len()).rev() {
        let mut bytes = [0; 8];
        random(&mut bytes);
        let choices = u64::try_from(last).unwrap_or(u64::MAX).saturating_add(1);
        let pick = usize::try_from(u64::from_le_bytes(bytes) % choices).unwrap_or(last);
        edits.swap(last, pick);
    }
}
