//! Made-up places, requests and placement teams: what goes into a rematching pool.

use fastrand::Rng;
use smp_protocol::time::Day;

use super::chance::{day, one, percent, pick};
use super::councils::Council;
use super::people;
use super::records::{Cells, Fields, TODAY, fields, one_area};

pub(super) fn place(rng: &mut Rng, host: &Cells) -> Fields {
    let number = |column: &str| {
        host.get(column)
            .and_then(|n| n.parse::<u32>().ok())
            .unwrap_or(0)
    };
    let rooms = number("number_of_single_rooms")
        .saturating_add(number("number_of_double_rooms_available"))
        .clamp(1, 20);
    let from = day(rng, TODAY, 90);
    let mut place = fields([
        ("rooms", rooms.to_string()),
        ("people", number("current_capacity").max(1).to_string()),
        ("available_from", from.to_string()),
        ("emergency", percent(rng, 8).to_string()),
        (
            "state",
            pick(rng, &[(90, "open"), (10, "closed")]).to_owned(),
        ),
    ]);
    if percent(rng, 40) {
        place.insert(
            "available_until".to_owned(),
            day(rng, Day(from.0 + 90), 360).to_string(),
        );
    }
    for (column, field) in [
        ("accommodation_type", "accommodation_type"),
        ("ltla", "area"),
        ("hosting_duration", "hosting_months"),
        ("step_free_access", "step_free_access"),
        ("wheelchair_accessible", "wheelchair_accessible"),
        ("allow_pet", "allow_pet"),
        ("family_friendly", "family_friendly"),
        ("smoke_free", "smoke_free"),
    ] {
        if let Some(text) = host.get(column) {
            place.insert(field.to_owned(), text.clone());
        }
    }
    // A council chooses whether to say more than its own code.
    if let Some(outcode) = host.get("postcode_district").filter(|_| percent(rng, 60)) {
        place.insert("postcode_district".to_owned(), outcode.clone());
    }
    place
}

pub(super) fn request(rng: &mut Rng, council: &Council, near: &[&Council]) -> Fields {
    let adults = pick(rng, &[(58, 1u32), (36, 2), (6, 3)]);
    let children = pick(rng, &[(38, 0u32), (32, 1), (21, 2), (7, 3), (2, 4)]);
    let couple = adults > 1 && percent(rng, 70);
    let adult_rooms = if couple { adults - 1 } else { adults };
    let wheelchair = percent(rng, 3);
    let urgency = pick(rng, &[(12, "emergency"), (38, "soon"), (50, "planned")]);
    let needed = match urgency {
        "emergency" => TODAY,
        "soon" => day(rng, TODAY, 28),
        _ => day(rng, Day(TODAY.0 + 28), 120),
    };
    let mut request = fields([
        ("people", (adults + children).to_string()),
        ("adults", adults.to_string()),
        (
            "rooms_needed",
            (adult_rooms + children.div_ceil(2)).to_string(),
        ),
        ("with_children", (children > 0).to_string()),
        (
            "step_free_access",
            (wheelchair || percent(rng, 7)).to_string(),
        ),
        ("wheelchair_accessible", wheelchair.to_string()),
        ("pets", percent(rng, 14).to_string()),
        ("needed_by", needed.week().to_string()),
        ("urgency", urgency.to_owned()),
        ("state", "open".to_owned()),
    ]);
    if urgency == "planned" && percent(rng, 40) {
        request.insert("not_before".to_owned(), TODAY.week().to_string());
    }
    // The others would go anywhere.
    if percent(rng, 70) {
        let mut wanted = vec![one_area(rng, council)];
        for council in near {
            if percent(rng, 50) {
                wanted.push(one_area(rng, council));
            }
        }
        request.insert("wanted_areas".to_owned(), wanted.join(";"));
    }
    request
}

pub(super) fn contact(rng: &mut Rng, council: &Council) -> Fields {
    let code = council.code.as_str().to_ascii_lowercase();
    fields([
        ("mailbox", format!("placements-{code}@example.org")),
        ("telephone", people::office_line(rng)),
        (
            "office_days",
            "monday;tuesday;wednesday;thursday;friday".to_owned(),
        ),
        ("opens_at", one(rng, &["08:30", "09:00"]).to_owned()),
        (
            "closes_at",
            one(rng, &["16:30", "17:00", "17:30"]).to_owned(),
        ),
    ])
}
