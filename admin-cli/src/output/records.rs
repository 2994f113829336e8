//! Records: hosts, places, requests, contacts and listings.
//!
//! A table shows what an officer looks for first; JSON and CSV have every field. A field
//! with more than one value is a conflict: all its values are shown and marked.

use std::collections::BTreeMap;

use comfy_table::Cell;
use serde::{Serialize, Serializer};
use smp_protocol::api::Record;
use smp_protocol::ids::RecordKind;
use smp_protocol::schema;

use super::table::{Mood, cell, marked};
use super::{Look, View, csv};
use crate::exit::Failure;

/// Records of one or more kinds. As JSON it is an array of them, in the node's order.
#[derive(Debug)]
pub(crate) struct RecordList {
    kinds: Vec<(RecordKind, Vec<Record>)>,
}

impl RecordList {
    pub(crate) fn new(kinds: Vec<(RecordKind, Vec<Record>)>) -> Self {
        Self { kinds }
    }

    fn all(&self) -> impl Iterator<Item = &Record> {
        self.kinds.iter().flat_map(|(_, records)| records)
    }
}

impl Serialize for RecordList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.all())
    }
}

/// The fields that a table shows, with short headings: what fits into 120 columns with the
/// longest codes. `show`, JSON and CSV have the rest.
fn shown(kind: RecordKind) -> &'static [(&'static str, &'static str)] {
    match kind {
        RecordKind::Host => &[
            ("status", "Status"),
            ("accommodation_type", "Type"),
            ("postcode_district", "Area"),
            ("current_capacity", "People"),
            ("availability_start_date", "From"),
            ("is_available_for_rematch", "Rematch"),
        ],
        RecordKind::Place => &[
            ("state", "State"),
            ("rooms", "Rooms"),
            ("people", "People"),
            ("accommodation_type", "Type"),
            ("area", "Area"),
            ("available_from", "From"),
            ("emergency", "Tonight"),
        ],
        RecordKind::Request => &[
            ("state", "State"),
            ("urgency", "Urgency"),
            ("people", "People"),
            ("rooms_needed", "Rooms"),
            ("with_children", "Children"),
            ("wanted_areas", "Wanted"),
            ("needed_by", "By"),
        ],
        RecordKind::Contact => &[
            ("mailbox", "Mailbox"),
            ("telephone", "Telephone"),
            ("office_days", "Days"),
            ("opens_at", "Opens"),
            ("closes_at", "Closes"),
        ],
        RecordKind::Listing => &[
            ("state", "State"),
            ("tenure", "Tenure"),
            ("area", "Area"),
            ("bedrooms", "Beds"),
            ("rent_pence_per_month", "Rent (pence)"),
            ("available_from", "From"),
        ],
        RecordKind::Check => &[
            ("host", "Host"),
            ("check", "Check"),
            ("status", "Status"),
            ("due_on", "Due"),
            ("done_on", "Done"),
        ],
        RecordKind::Interest => &[
            ("listing", "Listing"),
            ("households", "Households"),
            ("day", "Day"),
        ],
        // Facts of casework are shown as cases.
        _ => &[],
    }
}

/// What a kind is called when there are several, or none.
pub(crate) fn plural(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Host => "hosts",
        RecordKind::Check => "checks",
        RecordKind::Place => "places",
        RecordKind::Request => "requests",
        RecordKind::Contact => "contacts",
        RecordKind::Listing => "listings",
        RecordKind::Interest => "interests",
        _ => "facts of casework",
    }
}

/// All values of one field in one cell; people read yes and no.
fn values(record: &Record, field: &str) -> String {
    let values = record.fields.get(field).map(Vec::as_slice);
    values.unwrap_or_default().join(" | ")
}

fn value_cell(record: &Record, field: &str) -> Cell {
    let text = match values(record, field).as_str() {
        "true" => "yes".to_owned(),
        "false" => "no".to_owned(),
        // Room to break a line between the items of a set.
        other => other.replace(';', "; "),
    };
    match record.conflicts.iter().any(|c| c == field) {
        true => marked(format!("{text} (!)"), Mood::Bad),
        false => cell(text),
    }
}

fn kind_table(kind: RecordKind, records: &[Record], look: &Look) -> String {
    if records.is_empty() {
        return format!("No {} that this council may read.\n", plural(kind));
    }
    let fields = shown(kind);
    let mut heads = vec!["Id", "Council"];
    heads.extend(fields.iter().map(|(_, head)| *head));
    let rows = records.iter().map(|record| {
        let mut row = vec![cell(&record.id), cell(&record.council_name)];
        row.extend(fields.iter().map(|(field, _)| value_cell(record, field)));
        row
    });
    let table = look.table(&heads, rows.collect());
    let conflicts = records.iter().filter(|r| !r.conflicts.is_empty()).count();
    let settle = match conflicts {
        0 => String::new(),
        n => format!("; {n} with a conflict (!): settle it with `edit {kind}-… --set FIELD=VALUE`"),
    };
    let count = match records.len() {
        1 => format!("1 {kind}"),
        n => format!("{n} {}", plural(kind)),
    };
    format!("{table}{count}{settle}\n")
}

/// The fields of the kinds, in the order of the schema, each once; then whatever a newer
/// node has beyond them.
fn columns(list: &RecordList) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let known = list
        .kinds
        .iter()
        .flat_map(|(kind, _)| schema::fields_of(schema::NEWEST, *kind))
        .map(|field| field.name);
    let found = list.all().flat_map(|r| r.fields.keys()).map(String::as_str);
    for name in known.chain(found) {
        if !out.iter().any(|n| n == name) {
            out.push(name.to_owned());
        }
    }
    out
}

impl View for RecordList {
    fn words(&self, look: &Look) -> String {
        let tables = self.kinds.iter();
        let tables = tables.map(|(kind, records)| kind_table(*kind, records, look));
        tables.collect::<Vec<String>>().join("\n")
    }

    fn csv(&self) -> Result<String, Failure> {
        let fields = columns(self);
        let mut heads = ["id", "council", "council_name", "conflicts"]
            .map(str::to_owned)
            .to_vec();
        heads.extend(fields.iter().cloned());
        let rows = self.all().map(|record| {
            let mut row = vec![
                record.id.clone(),
                record.council.clone(),
                record.council_name.clone(),
                record.conflicts.join(";"),
            ];
            row.extend(fields.iter().map(|field| values(record, field)));
            row
        });
        csv::rows(&heads, rows)
    }
}

impl View for Record {
    fn words(&self, look: &Look) -> String {
        let mut rows = vec![
            vec![cell("id"), cell(&self.id)],
            vec![
                cell("council"),
                cell(format!("{} {}", self.council, self.council_name)),
            ],
        ];
        rows.extend(ordered(self).map(|name| vec![cell(name), value_cell(self, name)]));
        let table = look.table(&["Field", "Value"], rows);
        match &self.personal {
            None => table,
            Some(personal) => format!("{table}\n{}", personal_table(personal, look)),
        }
    }

    fn csv(&self) -> Result<String, Failure> {
        let head = [
            ("id", &self.id),
            ("council", &self.council),
            ("council_name", &self.council_name),
        ];
        let mut rows: Vec<Vec<String>> = head
            .map(|(name, value)| vec![name.to_owned(), value.clone()])
            .to_vec();
        rows.push(vec!["conflicts".to_owned(), self.conflicts.join(";")]);
        rows.extend(ordered(self).map(|name| vec![name.to_owned(), values(self, name)]));
        let personal = self.personal.iter().flatten();
        rows.extend(personal.map(|(name, value)| vec![format!("personal.{name}"), value.clone()]));
        csv::rows(&["name", "value"], rows)
    }
}

/// The record's own fields: those of the schema in its order, then any others.
fn ordered(record: &Record) -> impl Iterator<Item = &str> {
    let kind = record.id.split('-').next().unwrap_or_default();
    let kind = RecordKind::EDITED
        .iter()
        .copied()
        .find(|k| k.as_str() == kind);
    let place = move |name: &str| {
        kind.and_then(|kind| schema::fields_of(schema::NEWEST, kind).position(|f| f.name == name))
            .unwrap_or(usize::MAX)
    };
    let mut names: Vec<&str> = record.fields.keys().map(String::as_str).collect();
    names.sort_by_key(|name| place(name));
    names.into_iter()
}

fn personal_table(personal: &BTreeMap<String, String>, look: &Look) -> String {
    if personal.is_empty() {
        return "Nothing personal about it is held in this council's vault.\n".to_owned();
    }
    let rows = personal
        .iter()
        .map(|(name, value)| vec![cell(name), cell(value)]);
    let heads = ["Personal, from this council's own vault", "Value"];
    look.table(&heads, rows.collect())
}

#[cfg(test)]
mod tests {
    use smp_protocol::schema::FieldType;

    use super::super::table::tests::look;
    use super::*;

    fn host(conflict: bool) -> Record {
        let mut fields = BTreeMap::from([
            ("status".to_owned(), vec!["ready".to_owned()]),
            ("accommodation_type".to_owned(), vec!["sponsor".to_owned()]),
            (
                "is_available_for_rematch".to_owned(),
                vec!["true".to_owned()],
            ),
            ("from_the_future".to_owned(), vec!["x".to_owned()]),
        ]);
        if conflict {
            fields.insert(
                "status".to_owned(),
                vec!["paused".to_owned(), "ready".to_owned()],
            );
        }
        Record {
            id: "host-aaaaaaaaaaaaaaaaaaaaaaaa".to_owned(),
            council: "E08000021".to_owned(),
            council_name: "Newcastle upon Tyne".to_owned(),
            fields,
            conflicts: if conflict {
                vec!["status".to_owned()]
            } else {
                Vec::new()
            },
            personal: None,
        }
    }

    #[test]
    fn every_shown_field_is_in_the_schema() {
        for kind in RecordKind::EDITED.iter().copied() {
            for (field, _) in shown(kind) {
                assert!(
                    schema::field_named(schema::NEWEST, kind, field).is_some(),
                    "{kind} {field}"
                );
            }
        }
    }

    #[test]
    fn a_conflict_shows_all_values_and_how_to_settle_it() {
        let list = RecordList::new(vec![(RecordKind::Host, vec![host(true)])]);
        let text = list.words(&look());
        assert!(text.contains("settle it"), "{text}");
        assert!(host(true).words(&look()).contains("paused | ready (!)"));
        let csv = list.csv().unwrap();
        assert!(
            csv.contains(",status,") && csv.contains("paused | ready"),
            "{csv}"
        );
    }

    #[test]
    fn the_longest_codes_fit_without_being_broken() {
        for kind in RecordKind::EDITED.iter().copied() {
            let longest = |f: &schema::Field| match f.accepts {
                FieldType::Code(codes) => codes.iter().max_by_key(|c| c.len()).unwrap().to_string(),
                FieldType::Day => "2026-12-01".to_owned(),
                FieldType::Week => "2026-W50".to_owned(),
                FieldType::Council => "E08000021".to_owned(),
                FieldType::CouncilSet { .. } => "E08000021;E08000037".to_owned(),
                FieldType::Mailbox => "placements@council.example.org".to_owned(),
                FieldType::Telephone => "01632 960123".to_owned(),
                FieldType::Boolean => "false".to_owned(),
                _ => "12".to_owned(),
            };
            let mut record = host(false);
            record.id = format!("{kind}-aaaaaaaaaaaaaaaaaaaaaaaa");
            record.fields = schema::fields_of(schema::NEWEST, kind)
                .map(|field| (field.name.to_owned(), vec![longest(field)]))
                .collect();
            let text = kind_table(kind, &[record.clone()], &look());
            assert!(text.contains(&record.id), "{text}");
            for (field, head) in shown(kind) {
                let value = values(&record, field).replace("false", "no");
                for word in value.split([' ', ';']).chain(head.split(' ')) {
                    assert!(text.contains(word), "{field}: {word}\n{text}");
                }
            }
        }
    }

    #[test]
    fn csv_has_the_schema_in_its_order_and_then_what_is_new() {
        let list = RecordList::new(vec![(RecordKind::Host, vec![host(false)])]);
        let csv = list.csv().unwrap();
        let head = csv.lines().next().unwrap();
        assert!(
            head.starts_with("id,council,council_name,conflicts,sponsor_type,"),
            "{head}"
        );
        assert!(head.ends_with(",status,from_the_future"), "{head}");
    }
}
