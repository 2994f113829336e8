//! Move-on homes between two councils: one lists, the other is interested, the first offers and
//! lets; and what neither may do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::fs;

use serde_json::Value;
use system_tests::harness::wait::AGREEMENT;
use system_tests::harness::{Client, Node, Region, until};

const OWNER: &str = "E08000021";
const OTHER: &str = "E08000037";
const THIRD: &str = "E08000024";

const HOMES: &str = "\
reference,tenure,area,bedrooms,rent_pence_per_month,local_housing_allowance_pence_per_month,\
nominations_open_to,nominations_councils,state,landlord,address\n\
H-1,private_rented,E08000021,2,95050,90000,region,,,Zebulon Fictional,1 Nowhere Street\n\
H-2,social_rented,E08000021,1,48000,52000,owner,,,,\n\
H-3,private_rented,E08000021,3,88000,,councils,E08000037,,,\n";

/// The homes of the region by their rent, as a node shows them.
fn home(node: &Client, rent: u64) -> Value {
    let homes = node.list(&["housing", "homes"]);
    let found = homes
        .iter()
        .find(|home| home["rent_pence_per_month"] == rent);
    found.cloned().unwrap_or_else(|| panic!("{homes:#?}"))
}

fn id(value: &Value) -> String {
    value["id"].as_str().unwrap().to_owned()
}

fn stored(node: &Client, what: &[&str]) -> String {
    node.json(what)["records"][0].as_str().unwrap().to_owned()
}

#[track_caller]
fn until_home(node: &Client, rent: u64, what: &str, is: impl Fn(&Value) -> bool) {
    until(AGREEMENT, &format!("{what} at {}", node.council), || {
        let home = home(node, rent);
        is(&home).then_some(()).ok_or_else(|| home.to_string())
    });
}

/// Insists that it is refused, with exit code 4, for this reason and with this to do.
#[track_caller]
fn refused(node: &Client, what: &[&str], why: &str, next: &str) {
    let said = node.smp(what).exits(4).err;
    assert!(said.contains(why) && said.contains(next), "{said}");
}

fn started() -> Region {
    let mut region = Region::of(&[OWNER, OTHER, THIRD]);
    region.start_all();
    let file = region.file("homes.csv", HOMES);
    region[OWNER].smp(&["housing", "import", &file]).ok();
    region.wait_agreed(AGREEMENT);
    region
}

#[test]
fn one_lists_the_other_is_interested_and_the_first_offers_and_lets() {
    let mut region = started();
    let (owner, other) = (&region[OWNER], &region[OTHER]);
    // The rent against the allowance, the same for both.
    for node in [owner, other] {
        for (rent, above) in [(95_050, 5_050), (48_000, -4_000)] {
            let above_allowance = &home(node, rent)["above_allowance_pence_per_month"];
            assert_eq!(*above_allowance, above);
        }
        assert!(home(node, 88_000)["above_allowance_pence_per_month"].is_null());
    }
    let open = other.list(&["housing", "homes", "--open"]);
    let rents: Vec<u64> = open
        .iter()
        .map(|h| h["rent_pence_per_month"].as_u64().unwrap())
        .collect();
    assert!(rents.len() == 2 && !rents.contains(&48_000), "{rents:?}");
    let within = other.list(&["housing", "homes", "--within-allowance"]);
    assert_eq!(within.len(), 1);
    let words = other.smp(&["housing", "homes"]).ok().out;
    assert!(
        words.contains("£50.50 above") && words.contains("£40.00 under"),
        "{words}"
    );

    let listing = id(&home(other, 95_050));
    let state = ["housing", "interest", &listing, "--households", "2"];
    let interest = stored(other, &state);
    until_home(owner, 95_050, "the interest arrives", |home| {
        home["interested"][0] == OTHER && home["households"] == 2
    });
    let seen = owner.list(&["housing", "interests", "--listing", &listing]);
    assert_eq!((seen.len(), &seen[0]["council"]), (1, &OTHER.into()));
    assert_eq!(
        (&seen[0]["id"], &seen[0]["counts"]),
        (&interest.into(), &true.into())
    );

    owner.json(&["housing", "offer", &listing, "--council", OTHER]);
    assert_eq!(home(owner, 95_050)["offered_to"], OTHER);
    until_home(other, 95_050, "under offer", |home| {
        home["state"] == "under_offer"
    });
    assert!(
        home(other, 95_050)["offered_to"].is_null(),
        "the vault alone knows"
    );
    // It falls through, is offered again, to a household of its own, and let.
    owner.json(&["housing", "reopen", &listing]);
    assert!(home(owner, 95_050)["offered_to"].is_null());
    owner.json(&["housing", "offer", &listing]);
    assert!(
        home(owner, 95_050)["offered_to"].is_null(),
        "what was offered once is forgotten"
    );
    owner.json(&["housing", "offer", &listing, "--council", OTHER]);
    owner.json(&["housing", "offer", &listing]);
    assert!(
        home(owner, 95_050)["offered_to"].is_null(),
        "offered to another household while it is under offer"
    );
    owner.json(&["housing", "offer", &listing, "--council", OTHER]);
    owner.json(&["housing", "let", &listing]);
    until_home(other, 95_050, "let", |home| home["state"] == "let");
    assert_eq!(home(owner, 95_050)["offered_to"], OTHER);

    // What is personal, and to whom it was offered, is on no other council's disk.
    let dirs = [OWNER, OTHER].map(|council| region[council].dir.clone());
    region.nodes.iter_mut().for_each(Node::stop);
    let holds = |dir: &std::path::Path, what: &[u8]| {
        let files = fs::read_dir(dir.join("data")).unwrap();
        let mut files = files
            .map(|file| file.unwrap().path())
            .filter(|path| path.is_file());
        files.any(|path| {
            fs::read(path)
                .unwrap()
                .windows(what.len())
                .any(|part| part == what)
        })
    };
    for what in ["Zebulon", "offered_to"] {
        assert!(
            holds(&dirs[0], what.as_bytes()),
            "{what} is not found where it is"
        );
        assert!(!holds(&dirs[1], what.as_bytes()), "{what}");
    }
}

#[test]
fn steps_that_are_not_in_the_table_are_refused() {
    let region = started();
    let owner = &region[OWNER];
    let listing = id(&home(owner, 95_050));
    let listing = listing.as_str();
    let offer = format!("smp housing offer {listing}");
    refused(
        owner,
        &["housing", "let", listing],
        "let does not follow",
        &offer,
    );
    let set_let = ["housing", "edit", listing, "--set", "state=let"];
    refused(owner, &set_let, "it is available", &offer);
    refused(
        owner,
        &["housing", "reopen", listing],
        "available already",
        "housing homes",
    );
    owner.json(&["housing", "withdraw", listing]);
    let reopen = format!("smp housing reopen {listing}");
    refused(
        owner,
        &["housing", "offer", listing],
        "it is withdrawn",
        &reopen,
    );
    owner.json(&["housing", "reopen", listing]);
    owner.json(&["housing", "offer", listing]);
    owner.json(&["housing", "let", listing]);
    for word in ["reopen", "withdraw", "offer"] {
        refused(
            owner,
            &["housing", word, listing],
            "it is let",
            "smp housing add --help",
        );
    }
    // A file may pass over steps, and brings nothing back that is let; a whole list that leaves
    // it out does not withdraw it.
    let back = HOMES.replace(
        "H-1,private_rented,E08000021,2,95050,90000,region,,,",
        "H-1,private_rented,E08000021,2,95050,90000,region,,available,",
    );
    let back = region.file("back.csv", &back);
    for dry in [vec!["--dry-run"], vec![]] {
        let import = [vec!["housing", "import", back.as_str()], dry].concat();
        refused(owner, &import, "it is let", "smp housing add --help");
    }
    let rest: String = HOMES
        .lines()
        .filter(|line| !line.starts_with("H-1") && !line.starts_with("H-2"))
        .map(|line| format!("{line}\n"))
        .collect();
    let rest = region.file(
        "rest.csv",
        &rest.replace("councils,E08000037,,", "councils,E08000037,let,"),
    );
    let done = owner.json(&["housing", "import", &rest, "--complete"]);
    assert_eq!(
        (&done["updated"], &done["withdrawn"]),
        (&1.into(), &1.into())
    );
    let states = [95_050, 48_000, 88_000].map(|rent| home(owner, rent)["state"].clone());
    assert_eq!(states, ["let", "withdrawn", "let"]);
    // Another council's listing is its own to decide of.
    let other = &region[OTHER];
    refused(
        other,
        &["housing", "offer", listing],
        "this council has no",
        "housing list",
    );
}

#[test]
fn interest_is_refused_where_nominations_are_closed() {
    let region = started();
    let (owner, other, third) = (&region[OWNER], &region[OTHER], &region[THIRD]);
    let [all, closed, named] = [95_050, 48_000, 88_000].map(|rent| id(&home(owner, rent)));
    let interest = |listing: &str| -> Vec<String> {
        let words = ["housing", "interest", listing, "--households", "1"];
        words.map(str::to_owned).to_vec()
    };
    let refuse = |node: &Client, listing: &str, why: &str, next: &str| {
        let words = interest(listing);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        refused(node, &words, why, next);
    };
    refuse(
        other,
        &closed,
        "its own council alone",
        "smp housing homes --open",
    );
    refuse(
        third,
        &named,
        "the councils that it names",
        "ask Newcastle upon Tyne",
    );
    refuse(owner, &all, "this council's own list", "smp housing offer");
    let nobody = format!("listing-{}", "a".repeat(24));
    refuse(other, &nobody, &nobody, "smp housing homes");
    for listing in [&all, &named] {
        let words = interest(listing);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        other.json(&words);
    }
    refuse(other, &all, "already", "smp housing edit interest-");

    // An offer is to a council that is interested; and the owner may think again about whom it
    // lets nominate.
    until_home(owner, 88_000, "the interest arrives", |home| {
        home["interested"][0] == OTHER
    });
    let offer = ["housing", "offer", &named, "--council", THIRD];
    refused(
        owner,
        &offer,
        "Sunderland has stated no interest",
        "smp housing interests --listing",
    );
    let narrow = [
        "housing",
        "edit",
        &named,
        "--set",
        "nominations_open_to=owner",
    ];
    owner.json(&narrow);
    assert_eq!(home(owner, 88_000)["interested"], Value::Array(Vec::new()));
    let seen = owner.list(&["housing", "interests", "--listing", &named]);
    assert_eq!(seen[0]["counts"], false);
    let offer = ["housing", "offer", &named, "--council", OTHER];
    refused(
        owner,
        &offer,
        "Gateshead has stated no interest",
        "smp housing interests --listing",
    );

    // It ends, and may be stated again while the home can be had.
    let mine = other.list(&["housing", "interests", "--listing", &all]);
    other.json(&["housing", "end-interest", mine[0]["id"].as_str().unwrap()]);
    until_home(owner, 95_050, "the interest ends", |home| {
        home["households"] == 0
    });
    owner.json(&["housing", "withdraw", &all]);
    until_home(other, 95_050, "withdrawn", |home| {
        home["state"] == "withdrawn"
    });
    refuse(other, &all, "it is withdrawn", "smp housing homes --open");
}

#[test]
fn a_file_that_brings_a_home_back_forgets_to_whom_it_was_offered() {
    let region = started();
    let (owner, other) = (&region[OWNER], &region[OTHER]);
    let listing = id(&home(owner, 95_050));
    other.json(&["housing", "interest", &listing, "--households", "1"]);
    until_home(owner, 95_050, "the interest arrives", |home| {
        home["households"] == 1
    });
    owner.json(&["housing", "offer", &listing, "--council", OTHER]);
    assert_eq!(home(owner, 95_050)["offered_to"], OTHER);
    // State and vault change in one row.
    for (state, landlord) in [
        ("available", "Quentin Fictional"),
        ("under_offer", "Ada Example"),
    ] {
        let file = HOMES.replace(
            ",region,,,Zebulon Fictional",
            &format!(",region,,{state},{landlord}"),
        );
        let file = region.file("again.csv", &file);
        owner.json(&["housing", "import", &file]);
        let shown = owner.json(&["housing", "show", &listing, "--personal"]);
        assert_eq!(shown["personal"]["landlord"], landlord);
        assert!(home(owner, 95_050)["offered_to"].is_null(), "{state}");
    }
    assert_eq!(home(owner, 95_050)["state"], "under_offer");
}
