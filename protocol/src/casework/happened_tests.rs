//! Another council writes what follows from nothing, well signed: nobody is told.

use super::Fact;
use super::decider_tests::{Councils, HOST, hold};
use crate::events::{Kind, of_cases};
use crate::ids::{DocumentKind, RecordKind};
use crate::indicators;
use crate::schema::{Edit, FieldId, Value};
use crate::session::harness::{council, record};

#[test]
fn a_placement_that_nobody_confirmed_is_in_no_mailbox_and_no_figure() {
    let mut region = Councils::new();
    let case = region.propose(0);
    region.decide_surely(HOST, &hold(case)).unwrap();
    region.settle();
    let ledgers = region.deciders[0].ledgers(&region.net.members[0]);
    let (held, _) = ledgers.cases(council(0))[0].case.hold.unwrap();
    let at = (FieldId(1), Value::Instant(region.net.now));
    let made = |kind, n, more: Vec<(FieldId, Value)>| Edit::Create {
        record: record(kind, n),
        fields: [vec![at.clone()], more].concat(),
    };
    let of = |hold| (FieldId(2), Value::Record(hold));
    let came = (FieldId(3), Value::Boolean(true));
    let nobodys = record(RecordKind::Hold, 999);
    let mut edits = vec![made(RecordKind::Release, 1, vec![of(nobodys)])];
    for (n, hold) in [(1, held), (2, nobodys)] {
        edits.push(made(RecordKind::Placement, n, vec![of(hold)]));
        edits.push(made(RecordKind::Arrival, n, vec![of(hold), came.clone()]));
    }
    region
        .net
        .write(HOST, DocumentKind::Casework(council(0)), edits);
    region.net.run();
    let ledgers = region.deciders[0].ledgers(&region.net.members[0]);
    let happened = ledgers.happened();
    let cases = ledgers.cases(council(0));
    let told = of_cases(&happened, &cases, council(0), region.net.now);
    let kinds: Vec<Kind> = told.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [Kind::Held]);
    assert_eq!(indicators::placed(&happened), []);
    let is_placement = |fact: &Fact<_>| matches!(fact, Fact::Placement { .. });
    assert!(!happened.iter().any(|one| is_placement(&one.fact)));
}
