//! What each column of a file is: the mapping of every layout, in one place.
//!
//! Every column is known or it is a problem: a column that is left out silently is data
//! that someone believes to be there. A header's text is repeated in a problem only once
//! the row has shown itself to be a header, and only where it looks like a name.

use std::collections::{BTreeMap, BTreeSet};

use smp_protocol::ids::RecordKind;
use smp_protocol::schema::{self, Field, FieldId, NEWEST};

use super::problem::{Problem, Problems};
use super::sheet::{Sheet, letter};
use super::{Layout, defaults};

/// The column with the council's own id of a row.
pub const REFERENCE: &str = "reference";

/// The column with a record's own id, in an export of a list.
pub const ID: &str = "id";

/// The other columns of an export that are no fields: they say what follows from the id.
const EXPORT_DROPPED: &[&str] = &["council", "council_name", "conflicts"];

/// Columns of Share's export that say which host a row is about, the best first: rooms and
/// people belong to the accommodation.
const SHARE_KEYS: &[&str] = &["accommodation_id", "sponsor_id", "group_id"];

/// How Share's columns begin. What follows is the name of a field or of a vault column.
const SHARE_PREFIXES: &[&str] = &["accommodation_", "sponsor_", "group_"];

/// How Share's columns about guests begin. They are not the host's, and are left out.
const SHARE_PERSON: &str = "person_";

/// Columns of Share's export, after their prefix, that are known and left out.
const SHARE_DROPPED: &[&str] = &[
    "id",
    "name",
    "created_at",
    "updated_at",
    "deleted_at",
    "last_updated_at",
    "ltla_name",
    "utla",
    "utla_name",
    "region",
    "country",
    "latitude",
    "longitude",
];

/// How alike two names must be for one to be offered in place of the other.
const ALIKE: f64 = 0.6;

/// The personal columns of a kind of record. They stay in the node's own store.
pub fn vault_columns(kind: RecordKind) -> &'static [&'static str] {
    match kind {
        RecordKind::Host => &[
            "full_name",
            "email",
            "phone_number",
            "full_address",
            "postcode",
            "uprn",
            "date_of_birth",
            "dbs_certificate_number",
            "sponsor_id",
            "lead_organisation",
            "named_neighbours",
            "resettlement_plan",
            "primary_contact_full_name",
            "primary_contact_email",
            "primary_contact_phone_number",
            "comments",
        ],
        RecordKind::Listing => &["landlord", "address", "agent", "contact", "notes"],
        _ => &[],
    }
}

/// An empty file to fill in: CSV, one header row, UTF-8 with the mark that makes
/// spreadsheet programs read it as that.
pub fn template(kind: RecordKind) -> Vec<u8> {
    let mut names = vec![REFERENCE];
    names.extend(schema::fields_of(NEWEST, kind).map(|field| field.name));
    names.extend(vault_columns(kind));
    format!("\u{feff}{}\r\n", names.join(",")).into_bytes()
}

/// What a column is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Role {
    /// The reference of our template, or the id of an export.
    Reference,
    /// A shared field.
    Field(FieldId),
    /// A personal column.
    Vault(&'static str),
    /// Known, and left out.
    Dropped,
    /// No name and, if the file is sound, nothing under it.
    Unnamed,
}

/// A file's columns, understood.
pub(super) struct Header {
    pub(super) kind: RecordKind,
    pub(super) layout: Layout,
    /// Every column from the left: its name and what it is.
    pub(super) columns: Vec<(String, Role)>,
    /// The columns whose first text that is not empty is a row's reference.
    pub(super) keys: Vec<usize>,
    pub(super) dropped: Vec<String>,
}

impl Header {
    /// The fields for which there is a column. An outcode can come from the postcode.
    pub(super) fn covered(&self) -> BTreeSet<FieldId> {
        let mut covered: BTreeSet<FieldId> = self
            .columns
            .iter()
            .filter_map(|(_, role)| {
                if let Role::Field(id) = role {
                    Some(*id)
                } else {
                    None
                }
            })
            .collect();
        if self
            .columns
            .iter()
            .any(|(_, role)| *role == Role::Vault("postcode"))
        {
            covered.extend(outcode_field(self.kind).map(|field| field.id));
        }
        covered
    }

    /// The name of the column with this role, as the file has it.
    pub(super) fn name_of(&self, role: Role) -> Option<&str> {
        self.columns
            .iter()
            .find(|(_, r)| *r == role)
            .map(|(name, _)| name.as_str())
    }
}

/// The field that the first half of a postcode goes to.
pub(super) fn outcode_field(kind: RecordKind) -> Option<&'static Field> {
    schema::field_named(NEWEST, kind, "postcode_district")
}

/// Understands the header. `None` where there is a problem that leaves no column to read.
pub(super) fn understand(
    kind: RecordKind,
    sheet: &Sheet,
    problems: &mut Problems,
) -> Option<Header> {
    let names: Vec<String> = sheet.header.cells.iter().map(|cell| plain(cell)).collect();
    let layout = layout_of(kind, &names);
    let roles: Vec<Option<Role>> = names
        .iter()
        .map(|name| role_of(kind, layout, name))
        .collect();
    let keys = keys_of(layout, &names);
    let known = roles
        .iter()
        .flatten()
        .filter(|role| **role != Role::Unnamed)
        .count();
    if keys.is_empty() && known < 2 {
        // These may be somebody's name and address: no part of them is repeated.
        let expected = format!(
            "a first row with the names of the columns, such as {REFERENCE}; \
             `template` prints them all"
        );
        problems.push(Problem::of_file("no header row", expected));
        return None;
    }
    check_roles(kind, layout, &names, &roles, problems);
    if keys.is_empty() {
        let name = match layout {
            Layout::Share => "accommodation_id",
            Layout::Template | Layout::Export => REFERENCE,
        };
        let expected = "the council's own id of each row, which stays the same".to_owned();
        problems.push(Problem::of_column(name, "missing column", expected));
    }
    let roles = roles.into_iter().map(|role| role.unwrap_or(Role::Dropped));
    let columns: Vec<(String, Role)> = names.into_iter().zip(roles).collect();
    let dropped = columns
        .iter()
        .enumerate()
        .filter(|(place, (_, role))| *role == Role::Dropped && !keys.contains(place))
        .map(|(_, (name, _))| name.clone())
        .collect();
    let header = Header {
        kind,
        layout,
        columns,
        keys,
        dropped,
    };
    check_required(&header, problems);
    (!header.keys.is_empty()).then_some(header)
}

/// A header's text as a name: `Postcode district` is `postcode_district`.
fn plain(text: &str) -> String {
    text.trim().to_lowercase().replace([' ', '-'], "_")
}

fn layout_of(kind: RecordKind, names: &[String]) -> Layout {
    let of_share = |name: &String| {
        let prefixed = SHARE_PREFIXES
            .iter()
            .chain([&SHARE_PERSON])
            .any(|p| name.starts_with(p));
        prefixed && role_of(kind, Layout::Template, name).is_none()
    };
    let template = names.iter().any(|name| name == REFERENCE);
    if kind == RecordKind::Host && !template && names.iter().any(of_share) {
        Layout::Share
    } else if !template && names.iter().any(|name| name == ID) {
        Layout::Export
    } else {
        Layout::Template
    }
}

fn role_of(kind: RecordKind, layout: Layout, name: &str) -> Option<Role> {
    if name.is_empty() {
        return Some(Role::Unnamed);
    }
    if let Some(role) = own_role(kind, name) {
        return Some(role);
    }
    match layout {
        Layout::Template => (name == REFERENCE).then_some(Role::Reference),
        Layout::Export if name == ID => Some(Role::Reference),
        Layout::Export => EXPORT_DROPPED.contains(&name).then_some(Role::Dropped),
        Layout::Share => {
            if name.starts_with(SHARE_PERSON) {
                return Some(Role::Dropped);
            }
            let rest = SHARE_PREFIXES
                .iter()
                .find_map(|prefix| name.strip_prefix(prefix))?;
            own_role(kind, rest).or_else(|| SHARE_DROPPED.contains(&rest).then_some(Role::Dropped))
        }
    }
}

/// What a name is without a prefix: a field, or a column of the vault.
fn own_role(kind: RecordKind, name: &str) -> Option<Role> {
    let field = schema::field_named(NEWEST, kind, name).map(|field| Role::Field(field.id));
    field.or_else(|| {
        vault_columns(kind)
            .iter()
            .find(|own| **own == name)
            .map(|own| Role::Vault(own))
    })
}

fn keys_of(layout: Layout, names: &[String]) -> Vec<usize> {
    let keys: &[&str] = match layout {
        Layout::Template => &[REFERENCE],
        Layout::Share => SHARE_KEYS,
        Layout::Export => &[ID],
    };
    keys.iter()
        .filter_map(|key| names.iter().position(|name| name == key))
        .collect()
}

/// Columns that nothing is known about, and two that are one.
fn check_roles(
    kind: RecordKind,
    layout: Layout,
    names: &[String],
    roles: &[Option<Role>],
    problems: &mut Problems,
) {
    let mut seen: BTreeMap<Role, &String> = BTreeMap::new();
    for (place, (name, role)) in names.iter().zip(roles).enumerate() {
        let Some(role) = role else {
            let expected = match nearest(kind, layout, name) {
                Some(near) => format!("a known column: did you mean {near}? Rename or remove it"),
                None => {
                    "a known column; remove it, or rename it to one of the template's".to_owned()
                }
            };
            problems.push(Problem::of_column(
                &shown(name, place),
                "unknown column",
                expected,
            ));
            continue;
        };
        if matches!(role, Role::Dropped | Role::Unnamed) {
            continue;
        }
        if let Some(first) = seen.insert(*role, name) {
            let expected = format!("one column for it, and {first} is another");
            problems.push(Problem::of_column(name, "repeated column", expected));
        }
    }
}

/// A header as a problem may name it: its text if that looks like a column's name.
fn shown(name: &str, place: usize) -> String {
    let like_a_name = name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if like_a_name {
        name.to_owned()
    } else {
        letter(place)
    }
}

/// The known name that is most like this one, if one is.
fn nearest(kind: RecordKind, layout: Layout, name: &str) -> Option<String> {
    let own = schema::fields_of(NEWEST, kind).map(|field| field.name);
    let own = own.chain(vault_columns(kind).iter().copied());
    let known: Vec<String> = match layout {
        Layout::Template | Layout::Export => own.chain([REFERENCE]).map(str::to_owned).collect(),
        Layout::Share => own
            .flat_map(|name| {
                SHARE_PREFIXES
                    .iter()
                    .map(move |prefix| format!("{prefix}{name}"))
            })
            .collect(),
    };
    let score = |candidate: &String| strsim::normalized_damerau_levenshtein(name, candidate);
    let best = known
        .into_iter()
        .map(|candidate| (score(&candidate), candidate));
    let best = best.max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    (best.0 >= ALIKE).then_some(best.1)
}

/// A new record needs these, and only a file knows which of its rows are new.
fn check_required(header: &Header, problems: &mut Problems) {
    let covered = header.covered();
    let has_default: BTreeSet<FieldId> = defaults(header.kind)
        .into_iter()
        .map(|(id, _)| id)
        .collect();
    for field in schema::fields_of(NEWEST, header.kind).filter(|field| field.required) {
        if !covered.contains(&field.id) && !has_default.contains(&field.id) {
            let expected = schema::describe(field.accepts);
            problems.push(Problem::of_column(field.name, "missing column", expected));
        }
    }
}
