//! The table of states, who may be interested, and the rent.

use super::*;
use crate::schema::{self, FieldId, FieldType};

const OWNER: &str = "E08000021";
const OTHER: &str = "E08000037";
const THIRD: &str = "E08000024";

fn council(code: &str) -> CouncilCode {
    code.parse().unwrap()
}

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn id(kind: RecordKind, number: u8) -> RecordId {
    RecordId::new(kind, [number; 15])
}

/// Fields by name, each with its values as text.
fn fields(kind: RecordKind, given: &[(&str, &[&str])]) -> RecordFields {
    let read = |(name, texts): &(&str, &[&str])| -> (FieldId, Vec<Value>) {
        let field = schema::field_named(schema::newest(), kind, name).unwrap();
        let values = texts.iter().map(|t| schema::parse_value(field, t).unwrap());
        (field.id, values.collect())
    };
    given.iter().map(read).collect()
}

fn listing(given: &[(&str, &[&str])]) -> Listing {
    let kind = RecordKind::Listing;
    Listing::read(council(OWNER), id(kind, 1), &fields(kind, given)).unwrap()
}

#[test]
fn every_code_of_the_schema_is_a_word_here() {
    let codes = |name| match schema::field_named(schema::newest(), RecordKind::Listing, name)
        .unwrap()
        .accepts
    {
        FieldType::Code(codes) => codes,
        _ => panic!("{name} is no code"),
    };
    assert_eq!(State::ALL.map(State::as_str).as_slice(), codes("state"));
    let mut words = Nominations::ALL.map(Nominations::as_str).to_vec();
    words.sort_unstable();
    let mut listed = codes("nominations_open_to").to_vec();
    listed.sort_unstable();
    assert_eq!(words, listed);
}

#[test]
fn the_table_of_states_is_this_one_and_no_other() {
    use State::{Available, Let, UnderOffer, Withdrawn};
    let may = [
        (Available, UnderOffer),
        (Available, Withdrawn),
        (UnderOffer, Let),
        (UnderOffer, Available),
        (UnderOffer, Withdrawn),
        (Withdrawn, Available),
    ];
    for from in State::ALL {
        for to in State::ALL {
            let allowed = from == to || may.contains(&(from, to));
            let said = step(&[from], to, Way::Step);
            assert_eq!(said.is_ok(), allowed, "{from:?} {to:?}");
            match (from, said) {
                (_, Ok(())) => {}
                (Let, Err(refused)) => assert_eq!(refused, NoStep::IsLet { to }),
                (_, Err(refused)) => assert_eq!(refused, NoStep::NotNext { from, to }),
            }
        }
    }
}

#[test]
fn a_file_may_pass_over_steps_and_brings_nothing_back_that_is_let() {
    for from in State::ALL {
        for to in State::ALL {
            let allowed = from != State::Let || to == State::Let;
            assert_eq!(
                step(&[from], to, Way::File).is_ok(),
                allowed,
                "{from:?} {to:?}"
            );
        }
    }
}

#[test]
fn a_conflict_is_settled_by_either_of_its_values() {
    use State::{Available, Let, UnderOffer, Withdrawn};
    let both = [Available, Let];
    for to in both {
        assert_eq!(step(&both, to, Way::Step), Ok(()));
    }
    let refused = step(&both, Withdrawn, Way::Step);
    assert_eq!(refused, Err(NoStep::IsLet { to: Withdrawn }));
    // What follows from both, may follow.
    assert_eq!(step(&[Available, UnderOffer], Withdrawn, Way::Step), Ok(()));
    let home = listing(&[("state", &["available", "let"])]);
    assert_eq!(home.state(), Let);
}

#[test]
fn interest_is_for_councils_to_which_nominations_are_open() {
    let today = day("2026-12-01");
    let open = ("state", &["available"][..]);
    let from = |home: &Listing, code| home.takes_interest(council(code), today);
    for (home, other, third) in [
        (listing(&[open]), false, false),
        (
            listing(&[open, ("nominations_open_to", &["owner"])]),
            false,
            false,
        ),
        (
            listing(&[open, ("nominations_open_to", &["region"])]),
            true,
            true,
        ),
        (
            listing(&[open, ("nominations_open_to", &["councils"])]),
            false,
            false,
        ),
        (
            listing(&[
                open,
                ("nominations_open_to", &["councils"]),
                ("nominations_councils", &[OTHER]),
            ]),
            true,
            false,
        ),
        // In conflict, what both say.
        (
            listing(&[open, ("nominations_open_to", &["region", "owner"])]),
            false,
            false,
        ),
        (
            listing(&[
                open,
                ("nominations_open_to", &["councils"]),
                ("nominations_councils", &["E08000037;E08000024", OTHER]),
            ]),
            true,
            false,
        ),
    ] {
        assert_eq!(from(&home, OTHER).is_ok(), other, "{home:?}");
        assert_eq!(from(&home, THIRD).is_ok(), third, "{home:?}");
        assert_eq!(from(&home, OWNER), Err(NoInterest::Own));
    }
}

#[test]
fn interest_is_in_homes_that_may_still_be_had() {
    let today = day("2026-12-01");
    let with = |state: &str, until: &str| {
        let home = listing(&[
            ("state", &[state]),
            ("nominations_open_to", &["region"]),
            ("available_until", &[until]),
        ]);
        home.takes_interest(council(OTHER), today)
    };
    assert_eq!(with("available", "2026-12-01"), Ok(()));
    assert_eq!(with("under_offer", "2026-12-01"), Ok(()));
    assert_eq!(with("let", "2026-12-31"), Err(NoInterest::Gone(State::Let)));
    let withdrawn = Err(NoInterest::Gone(State::Withdrawn));
    assert_eq!(with("withdrawn", "2026-12-31"), withdrawn);
    let over = Err(NoInterest::Over(day("2026-11-30")));
    assert_eq!(with("available", "2026-11-30"), over);
}

#[test]
fn rent_is_measured_against_the_allowance_to_the_penny() {
    let above = |given: &[(&str, &[&str])]| listing(given).above_allowance();
    let (rent, lha) = (
        "rent_pence_per_month",
        "local_housing_allowance_pence_per_month",
    );
    assert_eq!(above(&[(rent, &["95050"]), (lha, &["90000"])]), Some(5_050));
    assert_eq!(above(&[(rent, &["90000"]), (lha, &["90000"])]), Some(0));
    assert_eq!(above(&[(rent, &["0"]), (lha, &["90000"])]), Some(-90_000));
    assert_eq!(above(&[(rent, &["95000"])]), None);
    assert_eq!(above(&[(lha, &["95000"])]), None);
    // In conflict the dearer home and the lower allowance.
    let both = [(rent, &["800", "900"][..]), (lha, &["850", "700"][..])];
    assert_eq!(above(&both), Some(200));
}

#[test]
fn an_interest_counts_while_the_listing_is_open_to_its_council() {
    let kind = RecordKind::Interest;
    let home = id(RecordKind::Listing, 1).to_string();
    let given = [
        ("listing", &[home.as_str()][..]),
        ("households", &["3", "2"][..]),
        ("day", &["2026-12-01"][..]),
    ];
    let read = |code, given: &[(&str, &[&str])]| {
        Interest::read(council(code), id(kind, 2), &fields(kind, given))
    };
    let interest = read(OTHER, &given).unwrap();
    assert_eq!(interest.households, 2);
    let ended = [&given[..], &[("withdrawn", &["true"][..])]].concat();
    assert_eq!(read(OTHER, &ended), None);

    let open = listing(&[("nominations_open_to", &["region"])]);
    assert!(interest.counts_for(&open));
    assert!(!interest.counts_for(&listing(&[])));
    assert!(!read(OWNER, &given).unwrap().counts_for(&open));
    let mut another = open;
    another.id = id(RecordKind::Listing, 9);
    assert!(!interest.counts_for(&another));
}

#[test]
fn a_listing_is_no_interest_and_the_other_way_round() {
    let none = RecordFields::new();
    let (a, b) = (id(RecordKind::Interest, 1), id(RecordKind::Listing, 1));
    assert_eq!(Listing::read(council(OWNER), a, &none), None);
    assert_eq!(Interest::read(council(OWNER), b, &none), None);
}
