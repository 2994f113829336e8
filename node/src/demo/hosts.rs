//! Made-up hosts: the rows of `hosts.csv`.

use fastrand::Rng;
use smp_protocol::schema::Outcode;
use smp_protocol::time::Day;

use super::chance::{day, percent, pick};
use super::councils::Council;
use super::people;
use super::records::{Cells, TODAY, comforts, one_area};
use crate::import::REFERENCE;

/// Who offers, what, and how many rooms: single and double.
struct Home {
    sponsor: &'static str,
    accommodation: &'static str,
    single: u32,
    double: u32,
}

impl Home {
    fn people(&self) -> u32 {
        // The schema's bound on the people of one host.
        self.double
            .saturating_mul(2)
            .saturating_add(self.single)
            .min(40)
    }
}

fn home(rng: &mut Rng) -> Home {
    let sponsor = pick(
        rng,
        &[
            (940, "individual"),
            (35, "group"),
            (15, "institution"),
            (10, "local_authority"),
        ],
    );
    let accommodation = match sponsor {
        "individual" => pick(
            rng,
            &[(80, "sponsor"), (18, "self_contained"), (2, "temporary")],
        ),
        _ => pick(rng, &[(75, "self_contained"), (25, "temporary")]),
    };
    let (single, double) = match (sponsor, accommodation) {
        ("institution", _) => (rng.u32(3..=12), rng.u32(2..=8)),
        (_, "sponsor") => (
            pick(rng, &[(42, 0), (44, 1), (12, 2), (2, 3)]),
            pick(rng, &[(24, 0), (61, 1), (13, 2), (2, 3)]),
        ),
        _ => (
            pick(rng, &[(35, 0), (40, 1), (20, 2), (5, 3)]),
            pick(rng, &[(58, 1), (34, 2), (8, 3)]),
        ),
    };
    // Nobody offers no room at all.
    let double = if single + double == 0 { 1 } else { double };
    Home {
        sponsor,
        accommodation,
        single,
        double,
    }
}

pub(super) fn host(rng: &mut Rng, council: &Council, number: u32, offers: bool) -> Cells {
    let home = home(rng);
    // `ready` follows from the checks and is never imported. Who offers a place is about
    // to be free again, or is being checked.
    let status = if offers {
        pick(rng, &[(65, "hosting"), (35, "checking")])
    } else {
        pick(
            rng,
            &[
                (42, "hosting"),
                (28, "withdrawn"),
                (13, "paused"),
                (8, "prospective"),
                (6, "checking"),
                (3, "unsuitable"),
            ],
        )
    };
    let free = offers || matches!(status, "prospective" | "checking");
    let rematch = offers || (status == "hosting" && percent(rng, 20));
    let outcode = near_first(rng, &council.outcodes).cloned();
    let start = day(rng, Day(TODAY.0 - 1_200), 1_300);
    let mut cells = Cells::from([
        (REFERENCE, format!("H-{number:05}")),
        ("sponsor_type", home.sponsor.to_owned()),
        ("accommodation_type", home.accommodation.to_owned()),
        ("ltla", one_area(rng, council)),
        ("number_of_single_rooms", home.single.to_string()),
        ("number_of_double_rooms_available", home.double.to_string()),
        (
            "current_capacity",
            if free { home.people() } else { 0 }.to_string(),
        ),
        ("availability_start_date", start.to_string()),
        ("hosting_duration", months(rng)),
        ("is_available_for_rematch", rematch.to_string()),
        ("who_can_you_accommodate", whom(rng, &home)),
        ("languages", languages(rng)),
        ("routes", routes(rng)),
        ("status", status.to_owned()),
    ]);
    if let Some(outcode) = &outcode {
        cells.insert("postcode_district", outcode.to_string());
    }
    if percent(rng, 35) {
        cells.insert("availability_end_date", day(rng, TODAY, 540).to_string());
    }
    comforts(rng, &mut cells);
    host_person(rng, council, number, &home, outcode.as_ref(), &mut cells);
    cells
}

/// What stays in the council's vault.
fn host_person(
    rng: &mut Rng,
    council: &Council,
    number: u32,
    home: &Home,
    outcode: Option<&Outcode>,
    cells: &mut Cells,
) {
    let person = people::person(rng, council.code, "host", number, outcode);
    if home.sponsor != "individual" {
        cells.insert("lead_organisation", people::organisation(rng).to_owned());
        cells.insert("primary_contact_full_name", people::name(rng));
        cells.insert("primary_contact_email", person.email.clone());
        cells.insert("primary_contact_phone_number", people::telephone(rng));
    }
    cells.extend([
        ("full_name", person.full_name),
        ("email", person.email),
        ("phone_number", person.phone_number),
        ("full_address", person.full_address),
        ("postcode", person.postcode),
        ("date_of_birth", person.date_of_birth),
        ("dbs_certificate_number", format!("DEMO-{number:06}")),
        ("sponsor_id", format!("DEMO-SPONSOR-{number:05}")),
        ("comments", "Made up for the demo.".to_owned()),
    ]);
}

/// The first of a list more often than the last: most people live where most people live.
fn near_first<'a, T>(rng: &mut Rng, list: &'a [T]) -> Option<&'a T> {
    if list.is_empty() {
        return None;
    }
    let index = rng.usize(0..list.len()).min(rng.usize(0..list.len()));
    list.get(index)
}

fn months(rng: &mut Rng) -> String {
    pick(
        rng,
        &[(46, 6u32), (30, 12), (9, 3), (7, 18), (5, 24), (3, 36)],
    )
    .to_string()
}

fn whom(rng: &mut Rng, home: &Home) -> String {
    let wanted = match home.people() {
        0 | 1 => pick(rng, &[(85, "single_adult"), (15, "no_preference")]),
        2 => pick(
            rng,
            &[
                (30, "single_adult"),
                (30, "adult_with_children"),
                (20, "more_than_one_adult"),
                (20, "no_preference"),
            ],
        ),
        _ => pick(
            rng,
            &[
                (45, "family_with_children"),
                (18, "adult_with_children"),
                (12, "more_than_one_adult"),
                (25, "no_preference"),
            ],
        ),
    };
    wanted.to_owned()
}

fn languages(rng: &mut Rng) -> String {
    let mut spoken = vec!["en"];
    for (of_100, language) in [
        (6, "uk"),
        (8, "ru"),
        (4, "pl"),
        (9, "fr"),
        (5, "de"),
        (4, "es"),
        (2, "ar"),
        (1, "fa"),
    ] {
        if percent(rng, of_100) && spoken.len() < 8 {
            spoken.push(language);
        }
    }
    spoken.join(";")
}

fn routes(rng: &mut Rng) -> String {
    let mut accepted = vec!["homes_for_ukraine"];
    for (of_100, route) in [
        (30, "ukraine_family"),
        (30, "ukraine_extension"),
        (6, "ukrs"),
        (6, "acrs"),
        (4, "community_sponsorship"),
        (3, "bno"),
    ] {
        if percent(rng, of_100) {
            accepted.push(route);
        }
    }
    accepted.join(";")
}
