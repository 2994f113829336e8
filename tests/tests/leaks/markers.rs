//! Files of made-up hosts and homes in which every personal cell is a value that stands
//! nowhere else.

use std::collections::BTreeMap;

use smp_node::import::{template, vault_columns};
use smp_protocol::ids::RecordKind;

/// What every personal value and every reference contains. A search for these finds all of
/// them; the test checks that it would. They are long enough that random bytes, such as
/// signatures, do not contain one by accident.
pub(crate) const STEMS: [&str; 8] = [
    "zqmarker",
    "01632 960",
    "01632960",
    "ne99 9z",
    "ne999z",
    "109999000",
    "1907-03-",
    "/03/1907",
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
    days: u32,
    letters: u8,
}

impl Values {
    fn new(file: &'static str, version: u32) -> Self {
        let (start, days, letters) = match (file, version) {
            ("host", 1) => (0, 1, b'A'),
            ("host", _) => (100, 5, b'E'),
            ("share", 1) => (200, 9, b'I'),
            ("share", _) => (300, 15, b'K'),
            _ => (400 + 100 * version, 0, 0),
        };
        Self {
            file,
            version,
            next: start,
            days,
            letters,
        }
    }

    /// A value that a person could have typed into the column.
    fn of(&mut self, column: &str) -> String {
        self.next += 1;
        let n = self.next;
        let word = format!("zqmarker{}v{}n{n}", self.file, self.version);
        if column.ends_with("date_of_birth") {
            let day = self.days;
            self.days += 1;
            return match self.file {
                "share" => format!("{day:02}/03/1907"),
                _ => format!("1907-03-{day:02}"),
            };
        }
        if column.ends_with("postcode") {
            self.letters += 1;
            return format!("NE99 9Z{}", char::from(self.letters - 1));
        }
        match column {
            name if name.ends_with("email") => format!("{word}@example.org"),
            name if name.ends_with("phone_number") => format!("01632 960{:03}", n % 1000),
            name if name.ends_with("uprn") => format!("109999000{n:04}"),
            _ => format!("{word} Fictional"),
        }
    }
}

/// Our template with every column of the vault filled in.
pub(crate) fn by_template(kind: RecordKind, version: u32) -> File {
    let (name, label) = match kind {
        RecordKind::Host => ("hosts.csv", "host"),
        _ => ("homes.csv", "home"),
    };
    let header = String::from_utf8(template(kind)).unwrap();
    let columns: Vec<&str> = header
        .trim_start_matches('\u{feff}')
        .trim()
        .split(',')
        .collect();
    let mut values = Values::new(label, version);
    let mut kept = Vec::new();
    let mut csv = header.clone();
    for row in 1..=4 {
        let reference = format!("zqmarker-{label}-{row}");
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
    let mut values = Values::new("share", version);
    let (mut kept, mut dropped) = (Vec::new(), Vec::new());
    let mut csv = format!(
        "accommodation_id,accommodation_type,accommodation_hosting_duration,{},{}\n",
        columns.join(","),
        GUEST.join(",")
    );
    for host in 1..=2 {
        let reference = format!("zqmarker-share-{host}");
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
        .filter(|(value, count)| **count > 1 && !value.starts_with("zqmarker-"))
        .collect();
    assert!(twice.is_empty(), "{twice:?}");
}
