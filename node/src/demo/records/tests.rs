//! The made-up files go through the ordinary import, and nobody real is in them.

use std::collections::BTreeSet;

use super::super::councils::{Chosen, choose, nearest};
use super::super::people::tests::{is_nobody, never_rings};
use super::*;
use crate::import;

const SEED: u64 = 2026;

fn region(name: &str) -> Chosen {
    choose(name, None).unwrap()
}

fn made(chosen: &Chosen, council: &Council) -> Made {
    make(council, &nearest(council, &chosen.councils), SEED).unwrap()
}

fn import_all(kind: RecordKind, bytes: &[u8]) -> import::Import {
    import::read(kind, "made.csv", bytes).unwrap_or_else(|problems| {
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        panic!("{}", told.join("\n"));
    })
}

/// The record would be taken as it is: every field known and in bounds, none missing.
fn assert_complete(kind: RecordKind, fields: &Fields) {
    for (name, text) in fields {
        let field = schema::field_named(schema::NEWEST, kind, name).expect(name);
        schema::parse_value(field, text).unwrap_or_else(|e| panic!("{kind} {name} {text}: {e}"));
    }
    for field in schema::fields_of(schema::NEWEST, kind).filter(|field| field.required) {
        assert!(
            fields.contains_key(field.name),
            "{kind} without {}",
            field.name
        );
    }
}

#[test]
fn the_day_is_the_one_after_the_arrivals_were_counted() {
    assert_eq!(TODAY.to_string(), "2026-01-01");
}

#[test]
fn every_council_of_the_north_east_imports_without_a_problem() {
    let chosen = region("North East");
    for council in &chosen.councils {
        let made = made(&chosen, council);
        let counts = Counts::of(council.arrivals);
        let of = |rows: usize| u32::try_from(rows).unwrap();
        let hosts = import_all(RecordKind::Host, &made.hosts);
        assert_eq!(of(hosts.rows.len()), counts.hosts, "{}", council.name);
        assert_eq!(hosts.layout, import::Layout::Template);
        let listings = import_all(RecordKind::Listing, &made.housing);
        assert_eq!(of(listings.rows.len()), counts.listings, "{}", council.name);
        assert_eq!(of(made.places.len()), counts.places, "{}", council.name);
        assert_eq!(of(made.requests.len()), counts.requests, "{}", council.name);
        assert!(hosts.dropped_columns.is_empty() && listings.dropped_columns.is_empty());
    }
}

#[test]
fn counties_and_northern_ireland_import_without_a_problem() {
    for name in ["East of England", "Northern Ireland"] {
        let chosen = region(name);
        for council in &chosen.councils {
            let made = made(&chosen, council);
            import_all(RecordKind::Host, &made.hosts);
            import_all(RecordKind::Listing, &made.housing);
        }
    }
}

#[test]
fn what_is_typed_in_is_complete_and_in_bounds() {
    let chosen = region("South East");
    for council in &chosen.councils {
        let made = made(&chosen, council);
        assert_complete(RecordKind::Contact, &made.contact);
        for place in &made.places {
            assert_complete(RecordKind::Place, place);
        }
        for request in &made.requests {
            assert_complete(RecordKind::Request, request);
            let number = |name: &str| request[name].parse::<u32>().unwrap();
            assert!(number("adults") >= 1 && number("people") >= number("adults"));
            assert!(number("rooms_needed") >= 1 && number("rooms_needed") <= number("people"));
            let with_children = number("people") > number("adults");
            assert_eq!(request["with_children"], with_children.to_string());
        }
    }
}

#[test]
fn every_cell_that_is_made_has_a_column() {
    let chosen = region("North West");
    let rng = &mut Rng::with_seed(SEED);
    for kind in [RecordKind::Host, RecordKind::Listing] {
        let header = file::<&str>(kind, &[]).unwrap();
        let header = String::from_utf8(header).unwrap();
        let columns: BTreeSet<&str> = header.trim().split(',').collect();
        for (number, council) in (1..).zip(&chosen.councils) {
            let row = match kind {
                RecordKind::Host => host(rng, council, number, number % 2 == 0),
                _ => listing(rng, council, &[council.code], number),
            };
            for column in row.keys() {
                assert!(columns.contains(column), "{kind} {column}");
            }
        }
    }
}

#[test]
fn nobody_real_is_in_the_files() {
    let chosen = region("North East");
    for council in &chosen.councils {
        let made = made(&chosen, council);
        for row in import_all(RecordKind::Host, &made.hosts).rows {
            let cell = |column: &str| row.vault.get(column).map_or("", String::as_str);
            assert!(is_nobody(cell("full_name")));
            assert!(never_rings(cell("phone_number")));
            assert!(cell("email").ends_with("@example.org"));
            let area = row.vault["postcode"].split(' ').next().unwrap();
            assert!(
                council
                    .outcodes
                    .iter()
                    .any(|outcode| outcode.as_str() == area)
            );
            if !cell("primary_contact_full_name").is_empty() {
                assert!(is_nobody(cell("primary_contact_full_name")));
                assert!(never_rings(cell("primary_contact_phone_number")));
                assert!(cell("primary_contact_email").ends_with("@example.org"));
            }
        }
        for row in import_all(RecordKind::Listing, &made.housing).rows {
            assert!(is_nobody(&row.vault["landlord"]));
            assert!(never_rings(&row.vault["contact"]));
        }
        assert!(never_rings(&made.contact["telephone"]));
        assert!(made.contact["mailbox"].ends_with("@example.org"));
    }
}

#[test]
fn one_seed_makes_the_same_files_and_another_makes_others() {
    let chosen = region("North East");
    let council = &chosen.councils[0];
    let near = nearest(council, &chosen.councils);
    let (one, again) = (made(&chosen, council), made(&chosen, council));
    assert_eq!((&one.hosts, &one.housing), (&again.hosts, &again.housing));
    assert_eq!(
        (&one.places, &one.requests),
        (&again.places, &again.requests)
    );
    let other = make(council, &near, SEED + 1).unwrap();
    assert_ne!(one.hosts, other.hosts);
}

#[test]
fn the_fields_vary_as_a_register_does() {
    let chosen = region("North East");
    let mut statuses = BTreeSet::new();
    let mut rooms = BTreeSet::new();
    for council in &chosen.councils {
        let bytes = made(&chosen, council).hosts;
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        let header = reader.headers().unwrap().clone();
        let at = |name: &str| header.iter().position(|column| column == name).unwrap();
        for row in reader.records() {
            let row = row.unwrap();
            statuses.insert(row[at("status")].to_owned());
            rooms.insert(row[at("number_of_single_rooms")].to_owned());
        }
    }
    assert_eq!(statuses.len(), 6, "{statuses:?}");
    assert!(rooms.len() >= 4, "{rooms:?}");
}
