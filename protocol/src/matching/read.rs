//! Places and requests as matching needs them, read from records.
//!
//! Of a field in conflict the value that promises less counts: a suggestion should not rest on
//! what one of two officers denies.

use crate::document::RecordFields;
use crate::ids::{CouncilCode, RecordId, RecordKind};
use crate::schema::{Named, Outcode, Value};
use crate::time::{Day, Week};

/// A place in the pool.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// Its id.
    pub id: RecordId,
    /// The council whose pool it is in.
    pub council: CouncilCode,
    /// Whether it can be booked.
    pub is_open: bool,
    /// Rooms.
    pub rooms: u32,
    /// People.
    pub people: u32,
    /// The council in which it lies.
    pub area: Option<CouncilCode>,
    /// The postcode district.
    pub district: Option<Outcode>,
    /// First day.
    pub available_from: Option<Day>,
    /// Last day.
    pub available_until: Option<Day>,
    /// Months that are offered.
    pub months: Option<u32>,
    /// Whether it is so, if that is said.
    pub step_free: Option<bool>,
    /// See `step_free`.
    pub wheelchair: Option<bool>,
    /// See `step_free`.
    pub pets: Option<bool>,
    /// See `step_free`.
    pub children: Option<bool>,
    /// Whether somebody could come tonight.
    pub emergency: bool,
}

/// How soon a household must move.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Urgency {
    /// At some time.
    Planned,
    /// Soon.
    Soon,
    /// At once.
    Emergency,
}

/// A request in the pool.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// Its id.
    pub id: RecordId,
    /// The council whose pool it is in.
    pub council: CouncilCode,
    /// Whether it can be matched.
    pub is_open: bool,
    /// People of the household.
    pub people: u32,
    /// Rooms that they need.
    pub rooms: u32,
    /// Whether there are children.
    pub with_children: bool,
    /// Whether the home must be so.
    pub step_free: bool,
    /// See `step_free`.
    pub wheelchair: bool,
    /// Whether a pet comes along.
    pub pets: bool,
    /// Where they would go; empty for anywhere.
    pub wanted_areas: Vec<CouncilCode>,
    /// The week by which they need it.
    pub needed_by: Option<Week>,
    /// The week before which they do not move.
    pub not_before: Option<Week>,
    /// How soon they must move.
    pub urgency: Urgency,
    /// The place with whose host they have named each other.
    pub reserved_for: Option<RecordId>,
}

/// In conflict it is not open: it is about to be settled.
fn is_open(of: &Named<'_>) -> bool {
    of.words("state") == ["open"]
}

impl Place {
    /// Reads a place; `None` for another kind of record.
    pub fn read(council: CouncilCode, id: RecordId, fields: &RecordFields) -> Option<Self> {
        let of = Named(id.kind(), fields);
        let council_of = |value: &Value| match value {
            Value::Council(code) => Some(*code),
            _ => None,
        };
        let outcode = |value: &Value| match value {
            Value::Outcode(code) => Some(code.clone()),
            _ => None,
        };
        (id.kind() == RecordKind::Place).then(|| Self {
            id,
            council,
            is_open: is_open(&of),
            rooms: of.numbers("rooms").min().unwrap_or(0),
            people: of.numbers("people").min().unwrap_or(0),
            area: of.values("area").iter().find_map(council_of),
            district: of.values("postcode_district").iter().find_map(outcode),
            available_from: of.days("available_from").max(),
            available_until: of.days("available_until").min(),
            months: of.numbers("hosting_months").min(),
            step_free: of.promised("step_free_access"),
            wheelchair: of.promised("wheelchair_accessible"),
            pets: of.promised("allow_pet"),
            children: of.promised("family_friendly"),
            emergency: of.promised("emergency").unwrap_or(false),
        })
    }
}

impl Request {
    /// Reads a request; `None` for another kind of record.
    pub fn read(council: CouncilCode, id: RecordId, fields: &RecordFields) -> Option<Self> {
        let of = Named(id.kind(), fields);
        let areas = |value: &Value| match value {
            Value::Councils(codes) => Some(codes.clone()),
            _ => None,
        };
        let urgency = |word: &&str| match *word {
            "emergency" => Urgency::Emergency,
            "soon" => Urgency::Soon,
            _ => Urgency::Planned,
        };
        (id.kind() == RecordKind::Request).then(|| Self {
            id,
            council,
            is_open: is_open(&of),
            people: of.numbers("people").max().unwrap_or(0),
            rooms: of.numbers("rooms_needed").max().unwrap_or(0),
            with_children: of.needed("with_children"),
            step_free: of.needed("step_free_access"),
            wheelchair: of.needed("wheelchair_accessible"),
            pets: of.needed("pets"),
            wanted_areas: of
                .values("wanted_areas")
                .iter()
                .find_map(areas)
                .unwrap_or_default(),
            needed_by: of.weeks("needed_by").min(),
            not_before: of.weeks("not_before").max(),
            urgency: of
                .words("urgency")
                .iter()
                .map(urgency)
                .max()
                .unwrap_or(Urgency::Planned),
            reserved_for: of.records("reserved_for").next(),
        })
    }
}
