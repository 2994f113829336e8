//! Made-up people: names, telephones, addresses that nobody could take for somebody's.
//!
//! Names are put together from words that say what they are. Telephones are from the
//! numbers that Ofcom keeps for drama (01632 960xxx, 07700 900xxx), mail goes to
//! example.org, streets are sample streets, and the second half of a postcode uses a
//! letter that no real one has. None of it is ever in a shared record.

use fastrand::Rng;
use smp_protocol::ids::CouncilCode;
use smp_protocol::schema::Outcode;
use smp_protocol::time::Day;

use super::chance;

const FIRST_NAMES: &[&str] = &[
    "Demo",
    "Sample",
    "Example",
    "Testa",
    "Mock",
    "Specimen",
    "Pretend",
    "Trial",
    "Dummy",
    "Imaginary",
    "Proto",
    "Fixture",
    "Madeup",
    "Invented",
    "Notional",
    "Practice",
];
const LAST_NAMES: &[&str] = &[
    "Placeholder",
    "Exampleton",
    "Fictionby",
    "Mockworth",
    "Testingham",
    "Sampleford",
    "Pretendley",
    "Dummyhurst",
    "Madeupson",
    "Inventham",
    "Notrealby",
    "Specimenwick",
    "Trialcott",
    "Fixtureham",
    "Nobodyson",
    "Imaginby",
];
const STREETS: &[&str] = &[
    "Sample Street",
    "Example Road",
    "Specimen Lane",
    "Placeholder Avenue",
    "Demo Terrace",
    "Fictional Way",
    "Imaginary Close",
    "Testing Grove",
    "Madeup Gardens",
    "Pretend Crescent",
];
const ORGANISATIONS: &[&str] = &[
    "Sample Welcome Group",
    "Example Friends of Newcomers",
    "Specimen Community Trust",
    "Placeholder Faith Hall",
    "Imaginary Campus",
    "Pretend Lodge",
];

/// The numbers that Ofcom keeps for drama: what comes before the last three digits.
const LANDLINE: &str = "01632 960";
const MOBILE: &str = "07700 900";

/// The youngest and the oldest made-up host's day of birth: 1945 to 2000.
const FIRST_BIRTHDAY: Day = Day(-9_131);
const BIRTHDAYS: i32 = 20_088;

/// A made-up person, or an organisation's contact.
pub(super) struct Person {
    pub(super) full_name: String,
    pub(super) email: String,
    pub(super) phone_number: String,
    pub(super) full_address: String,
    /// Empty where the council has no postcode districts.
    pub(super) postcode: String,
    pub(super) date_of_birth: String,
}

/// Makes one. `who` and `number` make the mailbox theirs alone.
pub(super) fn person(
    rng: &mut Rng,
    council: CouncilCode,
    who: &str,
    number: u32,
    outcode: Option<&Outcode>,
) -> Person {
    let code = council.as_str().to_ascii_lowercase();
    Person {
        full_name: name(rng),
        email: format!("{who}-{code}-{number}@example.org"),
        phone_number: telephone(rng),
        full_address: address(rng),
        postcode: outcode.map_or_else(String::new, |outcode| postcode(rng, outcode)),
        date_of_birth: chance::day(rng, FIRST_BIRTHDAY, BIRTHDAYS).to_string(),
    }
}

/// A name that is nobody's.
pub(super) fn name(rng: &mut Rng) -> String {
    let first = chance::one(rng, FIRST_NAMES);
    format!("{first} {}", chance::one(rng, LAST_NAMES))
}

/// A telephone that never rings.
pub(super) fn telephone(rng: &mut Rng) -> String {
    let range = chance::pick(rng, &[(3, MOBILE), (1, LANDLINE)]);
    format!("{range}{:03}", rng.u32(0..1000))
}

/// A placement team's office line that never rings.
pub(super) fn office_line(rng: &mut Rng) -> String {
    format!("{LANDLINE}{:03}", rng.u32(0..1000))
}

/// An address that is nowhere.
pub(super) fn address(rng: &mut Rng) -> String {
    format!("{} {}", rng.u32(1..200), chance::one(rng, STREETS))
}

/// An organisation that does not exist.
pub(super) fn organisation(rng: &mut Rng) -> &'static str {
    chance::one(rng, ORGANISATIONS)
}

/// A real district and a made-up rest: no postcode's second half has a V in it.
fn postcode(rng: &mut Rng, outcode: &Outcode) -> String {
    format!("{outcode} {}VV", rng.u32(0..10))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Whether a text is a telephone that Ofcom keeps for drama.
    pub(in crate::demo) fn never_rings(text: &str) -> bool {
        [LANDLINE, MOBILE].into_iter().any(|range| {
            text.strip_prefix(range)
                .is_some_and(|rest| rest.len() == 3 && rest.bytes().all(|b| b.is_ascii_digit()))
        })
    }

    /// Whether a text is a name from the lists.
    pub(in crate::demo) fn is_nobody(text: &str) -> bool {
        text.split_once(' ')
            .is_some_and(|(first, last)| FIRST_NAMES.contains(&first) && LAST_NAMES.contains(&last))
    }

    #[test]
    fn nobody_is_made() {
        let mut rng = Rng::with_seed(1);
        let council = "E06000001".parse().unwrap();
        let outcode = Outcode::try_from("TS24".to_owned()).unwrap();
        for number in 0..500 {
            let made = person(&mut rng, council, "host", number, Some(&outcode));
            assert!(is_nobody(&made.full_name), "{}", made.full_name);
            assert!(never_rings(&made.phone_number), "{}", made.phone_number);
            assert!(made.email.ends_with("@example.org"));
            assert!(made.postcode.starts_with("TS24 ") && made.postcode.ends_with("VV"));
            let year: u32 = made.date_of_birth[..4].parse().unwrap();
            assert!((1945..=2000).contains(&year), "{year}");
            assert!(never_rings(&office_line(&mut rng)));
        }
        let nowhere = person(&mut rng, council, "host", 1, None);
        assert!(nowhere.postcode.is_empty());
    }
}
