//! Made-up hosts, places, requests and homes: the files that a council would import, and
//! the records that it would type in.
//!
//! Shares and weights are assumptions that make lists look like lists; none is a published
//! figure. Everything goes through the ordinary import and the ordinary API, so nothing
//! here knows how a record is stored or sent.

use std::borrow::Borrow;
use std::collections::BTreeMap;

use fastrand::Rng;
use smp_protocol::ids::{CouncilCode, RecordKind};
use smp_protocol::schema;
use smp_protocol::time::Day;

use super::chance::{day, of_council, percent, pick};
use super::councils::{Council, Counts};
use super::hosts::host;
use super::people;
use super::pool::{contact, place, request};
use crate::import::{REFERENCE, vault_columns};

/// The day after the arrivals were counted: a fixed day, so that one seed makes the same
/// files for ever.
pub(super) const TODAY: Day = Day(20_454);

/// A record as `smp` sends it: fields by name, as text.
pub(super) type Fields = BTreeMap<String, String>;

/// One row of a file: cells by column.
pub(super) type Cells = BTreeMap<&'static str, String>;

/// What one council has.
pub(super) struct Made {
    /// `hosts.csv`, in the template's layout.
    pub(super) hosts: Vec<u8>,
    /// `housing.csv`, in the template's layout.
    pub(super) housing: Vec<u8>,
    /// Places, for `places.csv`.
    pub(super) places: Vec<Fields>,
    /// Requests, for `requests.csv`.
    pub(super) requests: Vec<Fields>,
    /// The placement team.
    pub(super) contact: Fields,
}

/// Makes everything that one council has. `near` are councils where its households would
/// also go.
///
/// # Errors
/// Where a row could not be written as CSV.
pub(super) fn make(council: &Council, near: &[&Council], seed: u64) -> Result<Made, csv::Error> {
    let rng = &mut of_council(seed, council.code);
    let counts = Counts::of(council.arrivals);
    let mut hosts = Vec::new();
    let mut places = Vec::new();
    for number in 1..=counts.hosts {
        let offers = number <= counts.places;
        let host = host(rng, council, number, offers);
        if offers {
            places.push(place(rng, &host));
        }
        hosts.push(host);
    }
    // Or the first rows of every file would be the hosts that have a place.
    rng.shuffle(&mut hosts);
    let nominators: Vec<CouncilCode> = near.iter().map(|near| near.code).collect();
    let listings = (1..=counts.listings).map(|number| listing(rng, council, &nominators, number));
    let listings: Vec<Cells> = listings.collect();
    let requests = (0..counts.requests).map(|_| request(rng, council, near));
    Ok(Made {
        requests: requests.collect(),
        contact: contact(rng, council),
        hosts: file(RecordKind::Host, &hosts)?,
        housing: file(RecordKind::Listing, &listings)?,
        places,
    })
}

/// A file in the layout of our template: reference, fields, personal columns.
pub(super) fn file<K: Borrow<str> + Ord>(
    kind: RecordKind,
    rows: &[BTreeMap<K, String>],
) -> Result<Vec<u8>, csv::Error> {
    let fields = schema::fields_of(schema::NEWEST, kind).map(|field| field.name);
    let columns: Vec<&str> = std::iter::once(REFERENCE)
        .chain(fields)
        .chain(vault_columns(kind).iter().copied())
        .collect();
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&columns)?;
    for row in rows {
        let cells = columns
            .iter()
            .map(|column| row.get(*column).map_or("", String::as_str));
        writer.write_record(cells)?;
    }
    writer
        .into_inner()
        .map_err(|error| csv::Error::from(error.into_error()))
}

pub(super) fn one_area(rng: &mut Rng, council: &Council) -> String {
    let area = rng.choice(&council.areas).copied();
    area.unwrap_or(council.code).to_string()
}

/// Access, pets, children, smoke: the same for hosts and places.
pub(super) fn comforts(rng: &mut Rng, cells: &mut Cells) {
    let step_free = percent(rng, 24);
    let wheelchair = step_free && percent(rng, 25);
    cells.extend([
        ("step_free_access", step_free.to_string()),
        ("wheelchair_accessible", wheelchair.to_string()),
        ("allow_pet", percent(rng, 31).to_string()),
        ("family_friendly", percent(rng, 64).to_string()),
        ("smoke_free", percent(rng, 86).to_string()),
    ]);
}

fn listing(rng: &mut Rng, council: &Council, near: &[CouncilCode], number: u32) -> Cells {
    let bedrooms = pick(rng, &[(6, 0u32), (26, 1), (40, 2), (22, 3), (6, 4)]);
    let rent = rent(rng, bedrooms);
    let allowance = rent / 100 * rng.u32(78..=104);
    let nominations = pick(rng, &[(34, "owner"), (58, "region"), (8, "councils")]);
    let step_free = percent(rng, 38);
    let mut cells = Cells::from([
        (REFERENCE, format!("L-{number:05}")),
        ("tenure", tenure(rng).to_owned()),
        ("area", one_area(rng, council)),
        ("bedrooms", bedrooms.to_string()),
        ("maximum_household", (bedrooms * 2).max(1).to_string()),
        ("rent_pence_per_month", rent.to_string()),
        (
            "local_housing_allowance_pence_per_month",
            allowance.to_string(),
        ),
        ("deposit_scheme", percent(rng, 55).to_string()),
        ("rent_guarantee", percent(rng, 25).to_string()),
        (
            "discretionary_housing_payment",
            percent(rng, 30).to_string(),
        ),
        ("step_free_access", step_free.to_string()),
        (
            "wheelchair_accessible",
            (step_free && percent(rng, 25)).to_string(),
        ),
        ("allow_pet", percent(rng, 22).to_string()),
        (
            "available_from",
            day(rng, Day(TODAY.0 - 20), 80).to_string(),
        ),
        ("nominations_open_to", nominations.to_owned()),
        ("state", listing_state(rng).to_owned()),
        ("landlord", people::name(rng)),
        ("address", people::address(rng)),
        ("contact", people::telephone(rng)),
        ("notes", "Made up for the demo.".to_owned()),
    ]);
    if nominations == "councils" {
        let codes: Vec<String> = near.iter().map(ToString::to_string).collect();
        cells.insert("nominations_councils", codes.join(";"));
    }
    if percent(rng, 30) {
        cells.insert(
            "available_until",
            day(rng, Day(TODAY.0 + 60), 120).to_string(),
        );
    }
    cells
}

fn listing_state(rng: &mut Rng) -> &'static str {
    pick(
        rng,
        &[
            (68, "available"),
            (16, "under_offer"),
            (13, "let"),
            (3, "withdrawn"),
        ],
    )
}

fn tenure(rng: &mut Rng) -> &'static str {
    pick(
        rng,
        &[
            (60, "private_rented"),
            (20, "social_rented"),
            (6, "lodging"),
            (6, "supported"),
            (5, "modular"),
            (3, "institutional"),
        ],
    )
}

/// Pence a month, to whole five pounds: £475 for a studio, and £150 for each bedroom more,
/// a fifth either way.
fn rent(rng: &mut Rng, bedrooms: u32) -> u32 {
    let pounds = bedrooms.saturating_mul(150).saturating_add(475);
    pounds.saturating_mul(rng.u32(80..=120)) / 500 * 500
}

pub(super) fn fields<const N: usize>(named: [(&str, String); N]) -> Fields {
    named
        .into_iter()
        .map(|(name, text)| (name.to_owned(), text))
        .collect()
}

#[cfg(test)]
mod tests;
