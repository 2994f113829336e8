//! What a third council learns of a case: that a place and a request are held and then taken.
//!
//! A has a place, B a household. Every fact that the two write to each other is taken from the
//! frames between them, and then looked for in all that C was sent, holds and answers.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;
use smp_protocol::document::Unit;
use smp_protocol::ids::{DocumentKind, DocumentName, RecordId};
use smp_protocol::session::message::{Answer, Control};
use system_tests::harness::wait::{AGREEMENT, until};
use system_tests::harness::{Node, Region};

use super::support::search::{Haystack, files_under};
use super::support::tap::Tape;
use super::support::{A, B, C};
use super::{documents_of, every_answer, frames, opened, tapped_region, wait_every_line};

fn new(node: &Node, what: &[&str]) -> String {
    let stored = node.json(&[&["pool"], what].concat());
    stored["records"][0].as_str().unwrap().to_owned()
}

/// The state of a place or request, as a node's pool shows it.
fn state(node: &Node, id: &str) -> Result<String, String> {
    let all = node.list(&["pool", "list", "all"]);
    let found = all.iter().find(|one| one["id"] == *id);
    let state = found.and_then(|one| one["fields"]["state"][0].as_str());
    state.map(str::to_owned).ok_or_else(|| format!("{all:?}"))
}

fn until_at_c(region: &Region, id: &str, wanted: &str) {
    until(AGREEMENT, &format!("C sees {id} {wanted}"), || {
        let state = state(&region[C], id)?;
        (state == wanted).then_some(()).ok_or(state)
    });
}

/// A case from proposal to booking. Returns its id.
fn book(region: &Region) -> String {
    let place = new(&region[A], &["place", "--rooms", "2", "--people", "3"]);
    let request = [
        "request",
        "--people",
        "2",
        "--adults",
        "2",
        "--rooms-needed",
        "1",
    ];
    let request = new(&region[B], &[&request[..], &["--urgency", "soon"]].concat());
    region.wait_agreed(AGREEMENT);
    let case = region[B].json(&["cases", "propose", &request, &place]);
    let case = case["case"]["id"].as_str().unwrap().to_owned();
    let stage = |council: &str, wanted: &str| {
        until(AGREEMENT, &format!("{council} sees {wanted}"), || {
            let cases: Vec<Value> = region[council].list(&["cases", "list"]);
            let seen = cases.first().map(|case| case["stage"].clone());
            (seen == Some(wanted.into()))
                .then_some(())
                .ok_or(format!("{seen:?}"))
        });
    };
    stage(A, "proposed");
    region[A].json(&["cases", "hold", &case]);
    until_at_c(region, &place, "held");
    stage(B, "held");
    region[B].json(&["cases", "confirm", &case]);
    stage(B, "placed");
    until_at_c(region, &place, "taken");
    until_at_c(region, &request, "taken");
    // What they say beside is between the two as well.
    region[B].json(&["cases", "ask", &case, "risk_information"]);
    until(AGREEMENT, "A is asked", || {
        let shown = region[A].json(&["cases", "show", &case]);
        let asked = shown["questions"]
            .as_array()
            .is_some_and(|all| all.len() == 1);
        asked.then_some(()).ok_or_else(|| shown.to_string())
    });
    let answer = ["cases", "answer", &case, "risk_information", "by_telephone"];
    region[A].json(&answer);
    let end = ["cases", "end", &case, "--on", "2027-01-31"];
    region[A].json(&[&end[..], &["--reason", "overcrowding"]].concat());
    case
}

fn units(frame: &[u8]) -> Vec<Unit> {
    match (Control::decode(frame), Answer::decode(frame)) {
        (Ok(Control::Push(push)), _) => push.units,
        (_, Ok(Answer::Batch(units))) => units,
        _ => Vec::new(),
    }
}

/// The records of the two councils' casework with each other, from what went between them.
fn facts(tapes: &[Tape], between: &[DocumentName; 2]) -> BTreeSet<RecordId> {
    let frames = tapes.iter().flat_map(|tape| frames(&tape.bytes));
    let units = frames.flat_map(|frame| units(&opened(frame)));
    let units = units.filter(|unit| between.contains(&unit.place.document));
    let steps = units.flat_map(|unit| unit.steps);
    let edits = steps.flat_map(|step| step.decode_edits().unwrap());
    edits.map(|edit| edit.record()).collect()
}

#[test]
fn a_third_council_learns_of_a_case_only_what_the_pool_shows() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let guard = runtime.enter();
    let (mut region, taps) = tapped_region();
    region.start_all();
    wait_every_line(&taps);
    let case = book(&region);
    region.wait_agreed(AGREEMENT);
    assert_eq!(
        region[C].list(&["cases", "list", "--all"]),
        Vec::<Value>::new()
    );
    let answers = every_answer(&region[C], &BTreeSet::from([case.clone()]));
    region.nodes.iter_mut().for_each(Node::stop);
    drop(guard);

    let code = |council: &str| council.parse().unwrap();
    let between =
        [(A, B), (B, A)].map(|(by, with)| DocumentKind::Casework(code(with)).of(code(by)));
    let tapes = taps.tapes().all();
    let facts = facts(&tapes, &between);
    assert!(facts.contains(&case.parse().unwrap()));
    // Proposal, hold, confirmation, placement, enquiry, answer, end; openings and comparisons.
    assert!(facts.len() >= 9, "{facts:?}");
    // The search finds them where they are: in what the two sent each other.
    let between_them = tapes
        .iter()
        .filter(|tape| [tape.from, tape.to].iter().all(|end| *end != code(C)));
    let sent: Vec<u8> = between_them
        .flat_map(|tape| frames(&tape.bytes))
        .flat_map(opened)
        .collect();
    let sent = Haystack::new(&sent);
    assert!(facts.iter().all(|fact| sent.has_bytes(&fact.to_bytes())));
    let clean = |what: &str, haystack: &Haystack| {
        for fact in &facts {
            let named = haystack.has_text(&fact.to_string());
            assert!(
                !named && !haystack.has_bytes(&fact.to_bytes()),
                "{fact} is in {what}"
            );
        }
    };
    for (path, body) in answers.iter().filter(|(path, _)| !path.contains(&case)) {
        clean(path, &Haystack::new(body.to_string().as_bytes()));
    }
    for path in files_under(&region[C].dir) {
        clean(
            &path.display().to_string(),
            &Haystack::new(&fs::read(&path).unwrap()),
        );
    }
    for tape in tapes
        .iter()
        .filter(|tape| tape.to == code(C) || tape.from == code(C))
    {
        let what = format!("what {} sent to {}", tape.from, tape.to);
        for frame in frames(&tape.bytes) {
            clean(&what, &Haystack::new(&opened(frame)));
            let told = documents_of(frame);
            assert!(
                !told.iter().any(|document| between.contains(document)),
                "{what}: {told:?}"
            );
        }
    }
}
