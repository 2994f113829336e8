//! Texts as mail delivers them: wrapped, damaged, cut short, mislabelled.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "clippy sees only the functions marked #[test] as tests"
)]

mod common;

use common::{Home, NEWCASTLE, request};
use proptest::prelude::*;
use smp_certs::{
    ArmourError, BundleError, EnrolmentRequest, Fingerprint, JoinBundle, NodeKeys, RequestError,
    roster_from_text,
};

fn text() -> String {
    request(&NodeKeys::generate().unwrap(), "north-east", NEWCASTLE).to_text()
}

fn refused(text: &str) -> ArmourError {
    match EnrolmentRequest::from_text(text).unwrap_err() {
        RequestError::Armour(error) => error,
        other => panic!("{other}"),
    }
}

#[test]
fn what_mail_adds_does_not_matter() {
    let text = text();
    let good = EnrolmentRequest::from_text(&text).unwrap();
    let mailed = format!(
        "Dear colleague,\r\n\r\n  {}\r\n--\r\nIT",
        text.replace('\n', " \r\n  ")
    );
    assert_eq!(EnrolmentRequest::from_text(&mailed).unwrap(), good);
}

#[test]
fn damage_is_named() {
    let text = text();
    let lines: Vec<&str> = text.lines().collect();
    assert!(matches!(refused(""), ArmourError::NoBegin { .. }));
    assert!(matches!(
        refused(&lines[..9].join("\n")),
        ArmourError::NoEnd { .. }
    ));
    let without_a_line: Vec<&str> = [&lines[..9], &lines[10..]].concat();
    assert_eq!(refused(&without_a_line.join("\n")), ArmourError::Damaged);
    let mut altered = lines.clone();
    let line = altered[9].replace(|c: char| c.is_ascii_lowercase(), "A");
    altered[9] = &line;
    assert_eq!(refused(&altered.join("\n")), ArmourError::Damaged);
    let mut altered = lines.clone();
    altered[9] = "= not base 64 =";
    assert_eq!(
        refused(&altered.join("\n")),
        ArmourError::BadLine { line: 10 }
    );
    let long = format!(
        "{}\n{}",
        lines[..9].join("\n"),
        format!("{}\n", "AAAA".repeat(16)).repeat(300)
    );
    assert!(matches!(refused(&long), ArmourError::TooLong { .. }));
}

#[test]
fn a_line_for_people_must_say_what_the_contents_say() {
    let text = text();
    for (from, to, name) in [
        ("Council: E08000021", "Council: E08000037", "Council"),
        ("Region: north-east", "Region: yorkshire", "Region"),
        ("Fingerprint: ", "Fingerprint: 0", "Fingerprint"),
        (
            "Region: north-east\n",
            "Region: north-east\nUrgent: yes\n",
            "Urgent",
        ),
        ("Region: north-east\n", "", "Region"),
        (
            "Council: E08000021\n",
            "Council: E08000021\nCouncil: E08000037\n",
            "Council",
        ),
    ] {
        let altered = text.replacen(from, to, 1);
        assert_ne!(altered, text);
        assert_eq!(
            refused(&altered),
            ArmourError::WrongHeader { name: name.into() }
        );
    }
}

#[test]
fn one_kind_of_text_is_not_another() {
    let mut home = Home::new("north-east");
    let keys = NodeKeys::generate().unwrap();
    let bundle = home.enrol(&keys, NEWCASTLE).to_text();
    assert!(matches!(refused(&bundle), ArmourError::NoBegin { .. }));
    let relabelled = bundle.replace("JOIN BUNDLE", "ROSTER");
    assert!(roster_from_text(&relabelled).is_err());
    assert!(matches!(
        JoinBundle::from_text(&text()),
        Err(BundleError::Armour(ArmourError::NoBegin { .. }))
    ));
    for private in ["PRIVATE", "NODE KEYS"] {
        assert!(!bundle.contains(private));
    }
}

#[test]
fn a_fingerprint_is_read_and_typed() {
    let request = EnrolmentRequest::from_text(&text()).unwrap();
    let fingerprint = request.fingerprint();
    let shown = fingerprint.to_string();
    assert_eq!(shown.split(' ').count(), 10);
    assert!(shown.split(' ').all(|group| group.len() == 4));
    for typed in [
        shown.clone(),
        shown.replace(' ', ""),
        shown.replace(' ', "-"),
        format!("  {}\n", shown.replace(' ', " - ")),
    ] {
        assert_eq!(typed.parse(), Ok(fingerprint));
    }
    for bad in [
        "",
        "1234",
        &shown.replacen(' ', " 1", 1),
        &shown.replacen(' ', " x", 1),
    ] {
        let error = bad.parse::<Fingerprint>().unwrap_err();
        assert!(error.to_string().contains("40 digits"), "{bad}: {error}");
    }
    let other = EnrolmentRequest::from_text(&text()).unwrap();
    assert_ne!(other.fingerprint(), fingerprint);
}

#[test]
fn a_fingerprint_stands_for_the_whole_request() {
    let keys = NodeKeys::generate().unwrap();
    let good = request(&keys, "north-east", NEWCASTLE);
    let mut altered = good.clone();
    altered.endpoints = vec!["evil.example.org:4433".into()];
    assert_ne!(altered.fingerprint(), good.fingerprint());
    let mut altered = good.clone();
    altered.signature.0[0] ^= 1;
    assert_ne!(altered.fingerprint(), good.fingerprint());
}

fn framed() -> impl Strategy<Value = String> {
    let kind = prop::sample::select(vec![
        "SMP-SYNC ENROLMENT REQUEST",
        "SMP-SYNC JOIN BUNDLE",
        "SMP-SYNC ROSTER",
    ]);
    let body = prop_oneof![
        "[A-Za-z0-9+/=]{0,80}",
        "[A-Za-z]{1,10}: [ -~]{0,40}",
        Just(String::new()),
        ".{0,40}",
    ];
    (kind, prop::collection::vec(body, 0..12)).prop_map(|(kind, lines)| {
        format!(
            "-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n",
            lines.join("\n")
        )
    })
}

proptest! {
    #[test]
    fn no_text_makes_a_reader_panic(text in prop_oneof![any::<String>(), framed()]) {
        prop_assert!(EnrolmentRequest::from_text(&text).is_err());
        prop_assert!(JoinBundle::from_text(&text).is_err());
        prop_assert!(roster_from_text(&text).is_err());
        prop_assert!(text.parse::<Fingerprint>().is_err());
    }
}

#[test]
fn no_altered_character_of_a_request_passes() {
    let text = text();
    let good = EnrolmentRequest::from_text(&text).unwrap();
    for index in 0..text.len() {
        for replacement in ["A", "\n"] {
            let mut altered = text.clone();
            altered.replace_range(index..=index, replacement);
            if let Ok(read) = EnrolmentRequest::from_text(&altered) {
                assert_eq!(read, good, "character {index}");
            }
        }
    }
}
