//! Files of made-up hosts and homes in which every personal cell is a value that stands
//! nowhere else.

use std::collections::BTreeMap;

use smp_node::import::{template, vault_columns};
use smp_protocol::ids::RecordKind;

/// What every personal value and every reference contains. A search for these finds all of
/// them; the test checks that it would.
pub(crate) const STEMS: [&str; 8] = [
    "zqm",
    "01632 960",
    "01632960",
    "ne99 9",
    "ne999",
    "109999000",
    "1907-",
    "/1907",
];

/// Columns of Share's export about guests: read, and kept nowhere.
const GUEST: [&str; 5] = [
    "person_full_name",
    "person_email",
    "person_phone_number",
    "person_date_of_birth",
    "person_passport_number",
];

/// A file to import.
pub(crate) struct File {
    pub(crate) name: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) csv: String,
    /// What the council's own vault keeps of it, and its references.
    pub(crate) kept: Vec<String>,
    /// What is left out on the way in: nobody keeps it.
    pub(crate) dropped: Vec<String>,
}

/// Hands out values, no two alike.
struct Values {
    file: &'static str,
    version: u32,
    next: u32,
}

impl Values {
    fn new(file: &'static str, start: u32, version: u32) -> Self {
        let next = start + 300 * (version - 1);
        Self {
            file,
            version,
            next,
        }
    }

    /// A value that a person could have typed into the column.
    fn of(&mut self, column: &str) -> String {
        self.next += 1;
        let n = self.next;
        let day = (n % 28 + 1, n / 28 % 12 + 1);
        let word = format!("zqm{}v{}n{n}", self.file, self.version);
        match column.rsplit_once("date_of_birth") {
            Some(_) if self.file == "share" => return format!("{:02}/{:02}/1907", day.0, day.1),
            Some(_) => return format!("1907-{:02}-{:02}", day.1, day.0),
            None => {}
        }
        let letter = |n: u32| char::from(b'A' + u8::try_from(n % 26).unwrap());
        match column {
            name if name.ends_with("email") => format!("{word}@example.org"),
            name if name.ends_with("phone_number") => format!("01632 960{:03}", n % 1000),
            name if name.ends_with("postcode") => {
                format!("NE99 9{}{}", letter(n), letter(n / 26))
            }
            name if name.ends_with("uprn") => format!("109999000{n:04}"),
            _ => format!("{word} Fictional"),
        }
    }
}

/// Our template with every column of the vault filled in.
pub(crate) fn by_template(kind: RecordKind, version: u32) -> File {
    let (name, label, start) = match kind {
        RecordKind::Host => ("hosts.csv", "host", 0),
        _ => ("homes.csv", "home", 1200),
    };
    let header = String::from_utf8(template(kind)).unwrap();
    let columns: Vec<&str> = header
        .trim_start_matches('\u{feff}')
        .trim()
        .split(',')
        .collect();
    let mut values = Values::new(label, start, version);
    let mut kept = Vec::new();
    let mut csv = header.clone();
    for row in 1..=4 {
        let reference = format!("zqm-{label}-{row}");
        let cells: Vec<String> = columns
            .iter()
            .map(|column| match *column {
                "reference" => reference.clone(),
                column if vault_columns(kind).contains(&column) => {
                    kept.push(values.of(column));
                    kept.last().unwrap().clone()
                }
                column => shared(column, version),
            })
            .collect();
        kept.push(reference);
        csv.push_str(&cells.join(","));
        csv.push_str("\r\n");
    }
    let kind = kind.as_str();
    File {
        name,
        kind,
        csv,
        kept,
        dropped: Vec::new(),
    }
}

/// A shared field: some of them differ in the second version.
fn shared(column: &str, version: u32) -> String {
    let text = match column {
        "accommodation_type" => "sponsor",
        "status" => "hosting",
        "tenure" => "private_rented",
        "state" => "available",
        "bedrooms" if version == 1 => "2",
        "bedrooms" => "3",
        "hosting_duration" if version == 1 => "6",
        "hosting_duration" => "12",
        "languages" => "en;uk",
        _ => "",
    };
    text.to_owned()
}

/// The prefix under which Share's export has a column of the vault.
fn share_name(column: &str) -> String {
    let prefix = match column {
        "full_address" | "postcode" | "uprn" => "accommodation_",
        "lead_organisation" | "named_neighbours" | "resettlement_plan" => "group_",
        contact if contact.starts_with("primary_contact") => "group_",
        "sponsor_id" => "",
        _ => "sponsor_",
    };
    format!("{prefix}{column}")
}

/// Share's export: two hosts with two guests each, one row per guest.
pub(crate) fn by_share(version: u32) -> File {
    let columns: Vec<String> = vault_columns(RecordKind::Host)
        .iter()
        .map(|column| share_name(column))
        .collect();
    let mut values = Values::new("share", 2400, version);
    let (mut kept, mut dropped) = (Vec::new(), Vec::new());
    let mut csv = format!(
        "accommodation_id,accommodation_type,accommodation_hosting_duration,{},{}\n",
        columns.join(","),
        GUEST.join(",")
    );
    for host in 1..=2 {
        let reference = format!("zqm-share-{host}");
        let own: Vec<String> = columns.iter().map(|column| values.of(column)).collect();
        for _ in 0..2 {
            let guest: Vec<String> = GUEST.iter().map(|column| values.of(column)).collect();
            let duration = shared("hosting_duration", version);
            let row = [reference.clone(), "sponsor".to_owned(), duration];
            csv.push_str(&[row.as_slice(), &own, &guest].concat().join(","));
            csv.push('\n');
            dropped.extend(guest);
        }
        kept.extend(own);
        kept.push(reference);
    }
    File {
        name: "share.csv",
        kind: "host",
        csv,
        kept,
        dropped,
    }
}

/// Every value once, and every one of them is found by a stem.
pub(crate) fn check(files: &[File]) {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for value in files
        .iter()
        .flat_map(|file| file.kept.iter().chain(&file.dropped))
    {
        let lower = value.to_lowercase();
        assert!(STEMS.iter().any(|stem| lower.contains(stem)), "{value}");
        *seen.entry(value).or_default() += 1;
    }
    // References come again with each version of a file; nothing else comes twice.
    let twice: Vec<_> = seen
        .iter()
        .filter(|(value, count)| **count > 1 && !value.starts_with("zqm-"))
        .collect();
    assert!(twice.is_empty(), "{twice:?}");
}
