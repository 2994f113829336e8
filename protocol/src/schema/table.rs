//! The table of fields: the one place that says what a shared record may hold.
//!
//! A field's number is on the wire: it is never changed and never used again. No field
//! takes free text, and none may be added that names a person or describes health, faith,
//! ethnicity or offence. `must` marks only what a record makes no sense without, since a
//! required field can never be made optional for entries that are already signed.
//!
//! A check has no `failure` field in this version. Failure codes are for area partners
//! only, and a register may also be read by neighbours under an agreement: until a document
//! has readers of just that kind, `failed` has to be enough. Number 9 of a check is kept
//! for it.

mod codes;

use super::FieldType::{
    Boolean, Code, CodeSet, Council, CouncilSet, Day, Instant, Integer, LanguageSet, Mailbox,
    Outcode, Record, RecordSet, Telephone, Week,
};
use super::{Field, FieldId, FieldType};
use crate::ids::{DocumentKind, RecordKind};
use crate::limits;

const fn number(min: i64, max: i64) -> FieldType {
    Integer { min, max }
}

/// Rooms of one home; the government's form ends at 20.
const ROOMS: i64 = 20;
/// People at one host: a large institution.
const PEOPLE: i64 = 40;
/// Five years, the longest stay that a scheme allows for.
const MONTHS: i64 = 60;
/// £20,000 a month: beyond any home that a council would list.
const PENCE: i64 = 2_000_000;
/// Times that one place or request is ever locked: many a day, for years.
const LOCKS: i64 = 1_000_000;
/// Councils of one set: more says "anywhere", which is said by leaving it out.
const AREAS: FieldType = CouncilSet { max: 8 };

macro_rules! required {
    (must) => {
        true
    };
    (may) => {
        false
    };
}

macro_rules! table {
    ($($record:ident { $($id:literal $need:ident $name:ident $accepts:expr => $meaning:literal;)* })*) => {
        &[$($(Field {
            record: RecordKind::$record,
            id: FieldId($id),
            name: stringify!($name),
            accepts: $accepts,
            required: required!($need),
            meaning: $meaning,
        },)*)*]
    };
}

/// Schema version 1.
pub const FIELDS_V1: &[Field] = table! {
    Host {
        1 may sponsor_type Code(codes::SPONSOR_TYPE) => "who offers: a household, a group with a lead charity or company, an institution, a council";
        2 must accommodation_type Code(codes::ACCOMMODATION_TYPE) => "in the sponsor's home, self-contained, or for a time only";
        3 may postcode_district Outcode => "the first half of the postcode; never more";
        4 may ltla Council => "the lower-tier or unitary council in which it lies";
        5 may number_of_single_rooms number(0, ROOMS) => "single rooms offered";
        6 may number_of_double_rooms_available number(0, ROOMS) => "double rooms offered";
        7 may current_capacity number(0, PEOPLE) => "people who could be taken now";
        8 may availability_start_date Day => "first day on which guests could come";
        9 may availability_end_date Day => "last day of the offer";
        10 may hosting_duration number(1, MONTHS) => "months that the host offers";
        11 may is_available_for_rematch Boolean => "whether the host would take a household whose placement ended";
        12 may who_can_you_accommodate Code(codes::WHO_CAN_YOU_ACCOMMODATE) => "whom the host can take";
        13 may step_free_access Boolean => "whether it can be reached without steps";
        14 may wheelchair_accessible Boolean => "whether a wheelchair can be used throughout";
        15 may allow_pet Boolean => "whether pets are welcome";
        16 may family_friendly Boolean => "whether it suits children";
        17 may smoke_free Boolean => "whether nobody smokes there";
        18 may languages LanguageSet { max: 8 } => "languages that the host speaks";
        19 may routes CodeSet(codes::ROUTE) => "arrival routes that the host accepts";
        20 must status Code(codes::HOST_STATUS) => "where the host stands; ready follows from the checks and is never typed in";
    }
    Check {
        1 must host Record(RecordKind::Host) => "the host that is checked, in this register or an area partner's";
        2 must check Code(codes::CHECK) => "what is checked";
        3 must status Code(codes::CHECK_STATUS) => "where the check stands";
        4 may level Code(codes::CHECK_LEVEL) => "how deep a DBS check goes";
        5 may started_on Day => "day on which it was begun";
        6 may due_on Day => "day by which it should be done";
        7 may done_on Day => "day on which it was done";
        8 may valid_until Day => "last day on which its outcome counts";
        10 may withdrawn Boolean => "whether the record was made in error and does not count";
    }
    Place {
        1 must rooms number(1, ROOMS) => "rooms that are bookable";
        2 must people number(1, PEOPLE) => "people who can be placed";
        3 may accommodation_type Code(codes::ACCOMMODATION_TYPE) => "in the sponsor's home, self-contained, or for a time only";
        4 may area Council => "the lower-tier or unitary council in which it lies";
        5 may postcode_district Outcode => "the first half of the postcode, if the council chooses to say it";
        6 may available_from Day => "first day on which a household could come";
        7 may available_until Day => "last day of the offer";
        8 may hosting_months number(1, MONTHS) => "months that are offered";
        9 may step_free_access Boolean => "whether it can be reached without steps";
        10 may wheelchair_accessible Boolean => "whether a wheelchair can be used throughout";
        11 may allow_pet Boolean => "whether pets are welcome";
        12 may family_friendly Boolean => "whether it suits children";
        13 may smoke_free Boolean => "whether nobody smokes there";
        14 may emergency Boolean => "whether a household could come tonight";
        15 must state Code(codes::POOL_STATE) => "whether it can be booked";
    }
    Request {
        1 must people number(1, PEOPLE) => "people of the household";
        2 must adults number(1, PEOPLE) => "adults among them; children alone are never pooled";
        3 must rooms_needed number(1, ROOMS) => "rooms needed, worked out by the council that holds the household";
        4 may with_children Boolean => "whether there are children";
        5 may step_free_access Boolean => "whether the home must be reached without steps";
        6 may wheelchair_accessible Boolean => "whether a wheelchair must be usable throughout";
        7 may pets Boolean => "whether a pet comes along";
        8 may wanted_areas AREAS => "councils where the household would go; none means anywhere";
        9 may needed_by Week => "week by which a place is needed";
        10 may not_before Week => "week before which a move does not suit";
        11 must urgency Code(codes::URGENCY) => "how soon the household must move";
        12 may reserved_for Record(RecordKind::Place) => "the place, where host and household have named each other";
        13 must state Code(codes::POOL_STATE) => "whether it can be matched";
        14 may continues Record(RecordKind::Request) => "the request from which this one goes on: a part of it, or the household's next";
    }
    Contact {
        1 must mailbox Mailbox => "the placement team's role mailbox, never a person's";
        2 may telephone Telephone => "the placement team's office line";
        3 may office_days CodeSet(codes::WEEKDAY) => "days on which it is answered";
        4 may opens_at Code(codes::OFFICE_TIME) => "from when it is answered";
        5 may closes_at Code(codes::OFFICE_TIME) => "until when it is answered";
        6 may withdrawn Boolean => "whether it is no longer in use";
    }
    Listing {
        1 must tenure Code(codes::TENURE) => "on what terms the home is let";
        2 may area Council => "the lower-tier or unitary council in which it lies";
        3 must bedrooms number(0, 10) => "bedrooms; 0 is a studio";
        4 may maximum_household number(1, 20) => "people who may live there";
        5 may rent_pence_per_month number(0, PENCE) => "rent, in pence a month";
        6 may local_housing_allowance_pence_per_month number(0, PENCE) => "local housing allowance for it, in pence a month";
        7 may deposit_scheme Boolean => "whether a deposit scheme can be used";
        8 may rent_guarantee Boolean => "whether the council guarantees the rent";
        9 may discretionary_housing_payment Boolean => "whether a discretionary housing payment can be had";
        10 may step_free_access Boolean => "whether it can be reached without steps";
        11 may wheelchair_accessible Boolean => "whether a wheelchair can be used throughout";
        12 may allow_pet Boolean => "whether pets are allowed";
        13 may available_from Day => "first day of a tenancy";
        14 may available_until Day => "last day of the offer";
        15 may nominations_open_to Code(codes::NOMINATIONS) => "who may nominate a household: its owner, the region, or the councils named";
        16 may nominations_councils AREAS => "the councils that may nominate, where they are named";
        17 must state Code(codes::LISTING_STATE) => "where the listing stands";
    }
    Interest {
        1 must listing Record(RecordKind::Listing) => "the listing, in another council's list";
        2 must households number(1, 100) => "households for which it would suit";
        3 must day Day => "day on which the interest was stated";
        4 may withdrawn Boolean => "whether the interest has ended";
    }
    Opening {
        1 must at Instant => "when the decider began to write";
        2 may previous Record(RecordKind::Opening) => "the opening that it goes on from";
        3 may without_answer Boolean => "an officer decided to go on without the counterpart's answer";
    }
    Comparison {
        1 must at Instant => "when the counterpart's decider answered";
        2 must opening Record(RecordKind::Opening) => "the opening before which all is held";
    }
    Proposal {
        1 must at Instant => "when it was made";
        2 must request Record(RecordKind::Request) => "the request, in the writing council's pool";
        3 must places RecordSet { kind: RecordKind::Place, max: limits::PLACES_OF_PROPOSAL } => "the places that would do, in the counterpart's pool";
    }
    Hold {
        1 must at Instant => "when the place was locked";
        2 must proposal Record(RecordKind::Proposal) => "the case";
        3 must place Record(RecordKind::Place) => "the place that is locked";
        4 must number number(1, LOCKS) => "how many times the place was locked, this one counted";
        5 must until Instant => "from when on its council lets go, if nothing is confirmed";
        6 may agreed_by_phone Boolean => "whether it was agreed by telephone and written down later";
    }
    Confirmation {
        1 must at Instant => "when the request was locked";
        2 must proposal Record(RecordKind::Proposal) => "the case";
        3 must hold Record(RecordKind::Hold) => "the hold that is confirmed";
        4 must request Record(RecordKind::Request) => "the request that is locked";
        5 must number number(1, LOCKS) => "how many times the request was locked, this one counted";
    }
    Placement {
        1 must at Instant => "when it was made";
        2 must hold Record(RecordKind::Hold) => "the hold";
    }
    Arrival {
        1 must at Instant => "when it was written";
        2 must hold Record(RecordKind::Hold) => "the hold";
        3 must arrived Boolean => "whether the household came";
    }
    Release {
        1 must at Instant => "when the lock ended";
        2 must hold Record(RecordKind::Hold) => "the hold";
        3 may reason Code(codes::REASON) => "why";
    }
    Withdrawal {
        1 must at Instant => "when the case ended";
        2 must proposal Record(RecordKind::Proposal) => "the case";
        3 may reason Code(codes::REASON) => "why";
    }
    Decline {
        1 must at Instant => "when it was declined";
        2 must proposal Record(RecordKind::Proposal) => "the case";
        3 may reason Code(codes::REASON) => "why";
    }
    Ended {
        1 must at Instant => "when it was written";
        2 must proposal Record(RecordKind::Proposal) => "the case";
        3 must on Day => "the last day of the booking; no lock ends by it";
        4 may reason Code(codes::REASON) => "why";
    }
    Transfer {
        1 must at Instant => "when it was written";
        2 must proposal Record(RecordKind::Proposal) => "the case";
        3 must on Day => "first day on which the host council is responsible, once both have written the same";
    }
    Enquiry {
        1 must at Instant => "when it was asked";
        2 must proposal Record(RecordKind::Proposal) => "the case";
        3 must question Code(codes::QUESTION) => "what is asked";
    }
    Answer {
        1 must at Instant => "when it was answered";
        2 must enquiry Record(RecordKind::Enquiry) => "what was asked";
        3 must answer Code(codes::ANSWER) => "the answer";
    }
    Consent {
        1 must at Instant => "when it was written";
        2 must proposal Record(RecordKind::Proposal) => "the case";
        3 must on Day => "day on which the writing council's host or household said so";
        4 must method Code(codes::CONSENT_METHOD) => "how they said so";
        5 must given Boolean => "whether they agreed, or took it back";
    }
    Concern {
        1 must at Instant => "when it was written";
        2 must hold Record(RecordKind::Hold) => "the hold of the place";
        3 must stands Boolean => "whether a check of its host has failed or run out, or does no more";
    }
};

/// The kinds of record that a document of this kind holds.
pub fn kinds_of(document: DocumentKind) -> &'static [RecordKind] {
    match document {
        DocumentKind::HostRegister => &[RecordKind::Host, RecordKind::Check],
        DocumentKind::RematchingPool => {
            &[RecordKind::Place, RecordKind::Request, RecordKind::Contact]
        }
        DocumentKind::HousingList => &[RecordKind::Listing, RecordKind::Interest],
        DocumentKind::Casework(_) => RecordKind::CASEWORK,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn fields_are_numbered_and_named_once_and_ascend() {
        for kind in RecordKind::ALL {
            let of_kind: Vec<&Field> = FIELDS_V1.iter().filter(|f| f.record == kind).collect();
            assert!(of_kind.is_sorted_by(|a, b| a.id < b.id), "{kind}");
            assert!(
                of_kind.first().is_some_and(|f| f.id == FieldId(1)),
                "{kind}"
            );
            assert!(of_kind.len() <= limits::FIELDS_PER_RECORD, "{kind}");
            assert!(of_kind.iter().any(|f| f.required), "{kind}");
            let names: BTreeSet<&str> = of_kind.iter().map(|f| f.name).collect();
            assert_eq!(names.len(), of_kind.len(), "{kind}");
        }
    }

    #[test]
    fn every_kind_is_in_exactly_one_document() {
        let casework = DocumentKind::Casework("E08000032".parse().unwrap());
        let mut kinds: Vec<RecordKind> = DocumentKind::OF_EACH
            .into_iter()
            .chain([casework])
            .flat_map(kinds_of)
            .copied()
            .collect();
        kinds.sort();
        assert_eq!(kinds, RecordKind::ALL);
    }

    #[test]
    fn codes_are_plain_and_unique_and_bounds_make_sense() {
        for field in FIELDS_V1 {
            match field.accepts {
                Code(codes) | CodeSet(codes) => {
                    let unique: BTreeSet<&str> = codes.iter().copied().collect();
                    assert_eq!(unique.len(), codes.len(), "{}", field.name);
                    assert!(codes.len() <= usize::from(u8::MAX), "{}", field.name);
                    let plain =
                        |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_:".contains(&b);
                    assert!(codes.iter().all(|c| c.bytes().all(plain)), "{}", field.name);
                }
                Integer { min, max } => assert!(min < max, "{}", field.name),
                CouncilSet { max } | LanguageSet { max } | RecordSet { max, .. } => {
                    assert!((1..=limits::SET_ITEMS).contains(&max), "{}", field.name);
                }
                _ => {}
            }
        }
    }

    #[test]
    fn a_mailbox_and_a_telephone_are_a_contacts_alone() {
        for field in FIELDS_V1 {
            if matches!(field.accepts, Mailbox | Telephone) {
                assert_eq!(field.record, RecordKind::Contact, "{}", field.name);
            }
        }
    }
}
