//! The walk-through of a rematch (docs/WALKTHROUGH.md) and the worked examples of checks, homes and
//! indicators (docs/CHECKS.md, docs/HOUSING.md, docs/INDICATORS.md), typed as they stand there at real nodes, and what these print held against
//! what they say.
//!
//! `UPDATE_DOCS=1` writes what they print into it. Ids and times are others each time: an id of the
//! document stands for one of the run from where it first appears.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use smp_protocol::ids::RecordId;
use system_tests::harness::wait::AGREEMENT;
use system_tests::harness::{Client, Region, until};

/// What follows the kind in the document's ids: of the first record of a kind, the second, and so on.
const TAILS: [&str; 7] = [
    "k4tq2mzc7wra5ynd3hbu6xge",
    "p7vd5jco2xqe6tmy4arw3lsi",
    "b3yu6hgk5nte2wzq7ifa4mrx",
    "t2wm7kzd4qhx6ancy3jgb5ru",
    "e6zs3pvn5ktb7fyq2lxo4hdc",
    "x5ja2rlw6mcg3ubq7tfz4yni",
    "h4ub6dqy2wnz7oek5rsi3tmf",
];

/// So many looks in a row print the same before it is written into the document.
const STEADY: usize = 50;

fn path(document: &str) -> PathBuf {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    docs.join(document)
}

/// A line of the document: what somebody types, what is printed, or anything else.
enum Line {
    Typed { council: String, words: Vec<String> },
    Printed,
    Other,
}

/// The document's lines, each with what it is.
fn lines(document: &str) -> Vec<(String, Line)> {
    let mut inside = false;
    let line = |text: &str| {
        if text.starts_with("```") {
            inside = text == "```console";
            return (text.to_owned(), Line::Other);
        }
        let typed = text.split_once("$ smp ").filter(|_| inside);
        let line = match typed {
            Some((council, words)) => Line::Typed {
                council: council.to_owned(),
                words: words.split_whitespace().map(str::to_owned).collect(),
            },
            None if inside => Line::Printed,
            None => Line::Other,
        };
        (text.to_owned(), line)
    };
    document.lines().map(line).collect()
}

/// Which id of the document stands for which of the run.
#[derive(Default, Clone)]
struct Names {
    of_run: BTreeMap<String, String>,
}

impl Names {
    /// The document's id for one of the run.
    fn documented(&mut self, id: &str) -> String {
        let kind = id.split_once('-').unwrap().0;
        let of_kind = self.of_run.keys().filter(|k| k.starts_with(kind)).count();
        let next = || format!("{kind}-{}", TAILS[of_kind]);
        self.of_run
            .entry(id.to_owned())
            .or_insert_with(next)
            .clone()
    }

    /// The run's id for one of the document.
    fn real(&self, documented: &str) -> String {
        let mut pairs = self.of_run.iter();
        let found = pairs.find(|(_, name)| *name == documented);
        found.map_or_else(|| documented.to_owned(), |(id, _)| id.clone())
    }

    /// What was printed, with the document's ids.
    fn in_document(&mut self, printed: &str) -> String {
        let is_id_char = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let mut out = String::new();
        let mut rest = printed;
        while !rest.is_empty() {
            let id_ends = rest.find(|c| !is_id_char(c)).unwrap_or(rest.len());
            let (word, after) = rest.split_at(id_ends);
            match word.parse::<RecordId>() {
                Ok(_) => out.push_str(&self.documented(word)),
                Err(_) => out.push_str(word),
            }
            let other_ends = after.find(is_id_char).unwrap_or(after.len());
            out.push_str(&after[..other_ends]);
            rest = &after[other_ends..];
        }
        out
    }
}

/// The words of what is printed, without what differs between runs: times, how many others hold it
/// by now, the spaces and lines of a table.
fn essence(printed: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for line in printed.lines().filter(|line| !line.is_empty()) {
        if line.starts_with("Stored on this node") {
            out.push("stored".to_owned());
            continue;
        }
        let is_drawn = |word: &&str| word.chars().all(|c| !c.is_ascii());
        let words = line.split_whitespace().filter(|word| !is_drawn(word));
        for word in words {
            let is_time = word.len() >= 20 && word.ends_with('Z') && word.contains(':');
            match word {
                _ if is_time => out.push("TIME".to_owned()),
                "ago" => {
                    out.truncate(out.len().saturating_sub(2));
                    out.push("now".to_owned());
                }
                _ => out.push(word.to_owned()),
            }
        }
    }
    out
}

fn reads(words: &[String]) -> bool {
    let reading = [
        "list",
        "show",
        "search",
        "suggest",
        "due",
        "hosts",
        "homes",
        "interests",
        "indicators",
    ];
    let mut first = words.iter().take(2);
    first.any(|word| reading.contains(&word.as_str()))
}

fn run(node: &Client, words: &[String], names: &Names) -> String {
    let words: Vec<String> = words.iter().map(|word| names.real(word)).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let ran = node.smp(&words);
    let all = format!("{}{}", ran.out, ran.err);
    all.lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect()
}

/// What a command prints, with the document's ids, once it prints what is expected; of a command
/// that changes something, what it prints the one time that it is run.
fn printed(node: &Client, words: &[String], names: &mut Names, expected: Option<&str>) -> String {
    if !reads(words) {
        return names.in_document(&run(node, words, names));
    }
    let mut last = (String::new(), 0);
    let (text, after) = until(AGREEMENT, &format!("smp {words:?}"), || {
        let mut after = names.clone();
        let text = after.in_document(&run(node, words, names));
        let done = match expected {
            Some(expected) => essence(&text) == essence(expected),
            None => {
                last.1 = if text == last.0 { last.1 + 1 } else { 0 };
                last.0.clone_from(&text);
                last.1 >= STEADY
            }
        };
        if done {
            return Ok((text, after));
        }
        Err(format!(
            "expected\n{}\nprinted\n{text}",
            expected.unwrap_or_default()
        ))
    });
    *names = after;
    text
}

/// Types a document at the nodes of a region, whose councils it calls by these names. Gives how many
/// commands that were.
fn follow(document: &str, region: &Region, councils: &[(&str, &str)]) -> usize {
    region.wait_agreed(AGREEMENT);
    let update = std::env::var_os("UPDATE_DOCS").is_some();
    let text = fs::read_to_string(path(document)).unwrap();
    let lines = lines(&text);
    let mut names = Names::default();
    let mut written = String::new();
    let mut typed = 0;
    for (at, (text, line)) in lines.iter().enumerate() {
        let Line::Typed { council, words } = line else {
            if !(update && matches!(line, Line::Printed)) {
                written.push_str(&format!("{text}\n"));
            }
            continue;
        };
        typed += 1;
        let code = councils.iter().find(|(name, _)| name == council).unwrap().1;
        let below = lines[at + 1..].iter();
        let below = below.take_while(|(_, line)| matches!(line, Line::Printed));
        let expected: String = below.map(|(text, _)| format!("{text}\n")).collect();
        region.wait_agreed(AGREEMENT);
        let wanted = (!update).then_some(expected.as_str());
        let printed = printed(&region[code], words, &mut names, wanted);
        if !update {
            assert_eq!(essence(&printed), essence(&expected), "{text}\n{printed}");
        }
        written.push_str(&format!("{text}\n{printed}"));
    }
    if update {
        fs::write(path(document), written).unwrap();
    }
    typed
}

#[test]
fn from_a_breakdown_to_a_new_home() {
    let councils = [
        ("newcastle", "E08000021"),
        ("gateshead", "E08000037"),
        ("sunderland", "E08000024"),
    ];
    let mut region = Region::of(&councils.map(|(_, code)| code));
    region.start_all();
    let typed = follow("WALKTHROUGH.md", &region, &councils);
    assert!(typed > 20, "{typed}");
}

#[test]
fn the_five_clocks_between_county_and_district() {
    let councils = [("lancashire", "E10000017"), ("burnley", "E07000117")];
    let [county, district] = councils.map(|(_, code)| code);
    let mut region = Region::of(&[county, district]);
    region.start_all();
    region.open_register(district, county);
    region.open_register(county, district);
    let hosts = "reference,accommodation_type,postcode_district,number_of_double_rooms_available\n\
                 H-1,sponsor,BB11,1\n";
    let file = region.file("hosts.csv", hosts);
    region[district].smp(&["hosts", "import", &file]).ok();
    let typed = follow("CHECKS.md", &region, &councils);
    assert!(typed > 10, "{typed}");
}

const THREE: [(&str, &str); 3] = [
    ("newcastle", "E08000021"),
    ("gateshead", "E08000037"),
    ("sunderland", "E08000024"),
];

#[test]
fn three_homes_and_a_household_that_moves_in() {
    let mut region = Region::of(&THREE.map(|(_, code)| code));
    region.start_all();
    let head = "reference,tenure,area,bedrooms,rent_pence_per_month,\
                local_housing_allowance_pence_per_month,nominations_open_to,nominations_councils\n";
    let homes = "H-1,private_rented,E08000021,2,65000,67500,region,\n\
                 H-2,social_rented,E08000021,1,48000,52000,owner,\n\
                 H-3,private_rented,E08000021,3,88000,84500,councils,E08000037\n";
    let file = region.file("homes.csv", &format!("{head}{homes}"));
    region[THREE[0].1].smp(&["housing", "import", &file]).ok();
    let typed = follow("HOUSING.md", &region, &THREE);
    assert!(typed > 10, "{typed}");
}

#[test]
fn what_a_region_may_say_of_three_places() {
    let mut region = Region::of(&THREE.map(|(_, code)| code));
    region.start_all();
    for (council, count) in [(THREE[0].1, 23), (THREE[1].1, 3)] {
        let rows = (0..count).map(|n| format!("P-{n},1,2\n"));
        let text = format!("reference,rooms,people\n{}", rows.collect::<String>());
        let file = region.file(&format!("{council}.csv"), &text);
        region[council]
            .smp(&["pool", "import", "place", &file])
            .ok();
    }
    let typed = follow("INDICATORS.md", &region, &THREE);
    assert_eq!(typed, 2);
}
