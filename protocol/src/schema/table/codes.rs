//! The closed lists of codes that the table's fields draw from.
//!
//! What is stored is a code's place in its list, so a list only ever grows at its end, and
//! then under a new schema version. Nothing here is ever removed or moved.

/// Who offers the accommodation.
pub(super) const SPONSOR_TYPE: &[&str] = &["individual", "group", "institution", "local_authority"];

/// What kind of accommodation it is.
pub(super) const ACCOMMODATION_TYPE: &[&str] = &["sponsor", "self_contained", "temporary"];

/// Whom a host says they can take.
pub(super) const WHO_CAN_YOU_ACCOMMODATE: &[&str] = &[
    "single_adult",
    "more_than_one_adult",
    "family_with_children",
    "adult_with_children",
    "no_preference",
];

/// Arrival routes. Support does not depend on the route.
pub(super) const ROUTE: &[&str] = &[
    "homes_for_ukraine",
    "ukraine_family",
    "ukraine_extension",
    "ukrs",
    "vprs",
    "acrs",
    "arap",
    "community_sponsorship",
    "bno",
    "asylum_dispersal",
    "super_sponsor",
    "other",
];

/// Where a host stands.
pub(super) const HOST_STATUS: &[&str] = &[
    "prospective",
    "checking",
    "ready",
    "hosting",
    "paused",
    "withdrawn",
    "unsuitable",
];

/// The checks of a host.
pub(super) const CHECK: &[&str] = &[
    "sponsor_contact",
    "dbs",
    "accommodation_exists",
    "accommodation_suitable",
    "safeguarding_priority",
    "safeguarding_assessment",
    "arrival_visit",
    "welfare_visit",
];

/// Where a check stands.
pub(super) const CHECK_STATUS: &[&str] = &[
    "not_started",
    "in_progress",
    "passed",
    "failed",
    "no_longer_needed",
    "not_available",
];

/// How deep a DBS check goes.
pub(super) const CHECK_LEVEL: &[&str] = &["basic", "enhanced"];

/// Whether a place or a request can be booked.
pub(super) const POOL_STATE: &[&str] = &["open", "held", "taken", "closed"];

/// How soon a household must move.
pub(super) const URGENCY: &[&str] = &["emergency", "soon", "planned"];

/// Days on which an office answers.
pub(super) const WEEKDAY: &[&str] = &[
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

/// Quarters of an hour at which an office opens or closes. Codes, so that a time on screen
/// and in a file is the time and not a count of minutes.
#[rustfmt::skip]
pub(super) const OFFICE_TIME: &[&str] = &[
    "07:00", "07:15", "07:30", "07:45", "08:00", "08:15", "08:30", "08:45",
    "09:00", "09:15", "09:30", "09:45", "10:00", "10:15", "10:30", "10:45",
    "11:00", "11:15", "11:30", "11:45", "12:00", "12:15", "12:30", "12:45",
    "13:00", "13:15", "13:30", "13:45", "14:00", "14:15", "14:30", "14:45",
    "15:00", "15:15", "15:30", "15:45", "16:00", "16:15", "16:30", "16:45",
    "17:00", "17:15", "17:30", "17:45", "18:00", "18:15", "18:30", "18:45",
    "19:00", "19:15", "19:30", "19:45", "20:00",
];

/// On what terms a home is let.
pub(super) const TENURE: &[&str] = &[
    "private_rented",
    "social_rented",
    "institutional",
    "modular",
    "supported",
    "lodging",
];

/// Who may nominate a household for a home.
pub(super) const NOMINATIONS: &[&str] = &["owner", "region", "councils"];

/// Where a listing stands.
pub(super) const LISTING_STATE: &[&str] = &["available", "under_offer", "let", "withdrawn"];

/// Why a lock or a case ended.
pub(super) const REASON: &[&str] = &[
    "time_ran_out",
    "relationship_breakdown",
    "end_of_agreement",
    "sponsor_withdrew",
    "unsuitable_sponsor",
    "overcrowding",
    "relocation",
    "returned_to_ukraine",
    "another_country",
    "private_accommodation",
    "social_housing",
    "close_family",
    "chose_not_to_travel",
    "did_not_arrive",
    "placed_elsewhere",
    "other",
];

/// What one council asks the other of a case.
pub(super) const QUESTION: &[&str] = &[
    "school_near",
    "language_shared",
    "pets",
    "access",
    "length",
    "smoking",
    "who_lives_there",
    "risk_information",
];

/// What can be answered. What cannot be said in a code is said by telephone, and that is an answer.
pub(super) const ANSWER: &[&str] = &["yes", "no", "partly", "not_known", "by_telephone"];

/// How a host or a household agreed.
pub(super) const CONSENT_METHOD: &[&str] = &[
    "in_person",
    "by_telephone",
    "in_writing",
    "through_an_interpreter",
];
