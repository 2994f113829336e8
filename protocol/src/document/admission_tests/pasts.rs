//! Step 5: dependencies are held, and in their one form.

use super::fixture::*;
use crate::document::{Cause, Document, Step, Unit};
use crate::ids::Hash;
use crate::limits;
use crate::schema::SchemaVersion;

/// A valid entry of node 3 but for its dependencies.
fn after(mut dependencies: Vec<Hash>, sorted: bool) -> Unit {
    if sorted {
        dependencies.sort_unstable();
    }
    unit(
        3,
        vec![Step::new(dependencies, SchemaVersion(1), &[create(100)])],
    )
}

fn wrong(why: &'static str) -> Expected {
    unproven(Cause::Dependencies(why))
}

/// Heads of three chains that know nothing of one another.
fn three_heads() -> (Document, Vec<Hash>) {
    let mut document = document();
    let units: Vec<Unit> = (0..3)
        .map(|node| unit(node, vec![step(&[create(u64::from(node))])]))
        .collect();
    admit(&mut document, units.clone());
    let mut heads: Vec<Hash> = units.iter().map(last_hash).collect();
    heads.sort_unstable();
    (document, heads)
}

#[test]
fn a_missing_dependency() {
    let (document, units) = furnished();
    assert_admitted(&document, &after(vec![last_hash(&units[1])], true));
    let unknown = Hash([5; 32]);
    for dependencies in [vec![unknown], vec![unknown, last_hash(&units[1])]] {
        let bad = after(dependencies, true);
        let expected = unproven(Cause::MissingDependency);
        assert_refused(furnished().0, &bad, &expected);
    }
}

#[test]
fn a_dependency_that_is_refused_takes_with_it_what_depends_on_it() {
    let (mut document, _) = furnished();
    let mut bad = unit(2, vec![step(&[create(100)])]);
    let on_it = after(vec![last_hash(&bad)], true);
    bad.signature.0[0] ^= 1;
    let good = unit_from(1, 0, ZERO, vec![step(&[create(101)])]);
    let good = {
        let mut on_a_new_chain = good;
        on_a_new_chain.chain = chain(1, 9);
        signed(on_a_new_chain, 1)
    };
    let before = state(&document);
    let batch = vec![on_it.clone(), bad.clone(), good.clone()];
    let judged = document.judge(batch, &roster());
    let mut causes: Vec<(Cause, Option<Hash>)> = judged
        .refused
        .iter()
        .map(|r| (r.cause.clone(), r.proven))
        .collect();
    causes.sort_by_key(|(cause, _)| cause.to_string());
    assert_eq!(
        causes,
        [
            (Cause::MissingDependency, None),
            (Cause::BadSignature, None)
        ]
    );
    assert_eq!(judged.units().cloned().collect::<Vec<_>>(), [good]);
    assert!(before == state(&document));
    document.execute(judged).unwrap();
    assert!(!document.holds(&last_hash(&on_it)));
    assert_eq!(document.refused(), []);
}

#[test]
fn dependencies_out_of_order_or_twice() {
    let (document, heads) = three_heads();
    assert_admitted(&document, &after(heads.clone(), true));
    let reversed: Vec<Hash> = heads.iter().rev().copied().collect();
    let twice = vec![heads[0], heads[0], heads[1]];
    for dependencies in [reversed, twice] {
        let bad = after(dependencies, false);
        assert_refused(three_heads().0, &bad, &wrong("they are not ascending"));
    }
}

#[test]
fn a_dependency_of_its_own_chain() {
    let (document, units) = furnished();
    let last = last_hash(&units[1]);
    let on = |dependency| {
        let step = Step::new(vec![dependency], SchemaVersion(1), &[create(100)]);
        unit_from(0, 3, last, vec![step])
    };
    assert_admitted(&document, &on(last_hash(&units[2])));
    for own in [last_hash(&units[0]), last] {
        let expected = wrong("one is of the same chain");
        assert_refused(furnished().0, &on(own), &expected);
    }
}

#[test]
fn a_dependency_that_is_an_ancestor() {
    let (document, units) = furnished();
    let (first, last, other) = (
        last_hash(&units[0]),
        last_hash(&units[1]),
        last_hash(&units[2]),
    );
    // Node 1's entry has node 0's first in its past, and not its last.
    assert_admitted(&document, &after(vec![last, other], true));
    let expected = wrong("one is an ancestor of another");
    for dependencies in [vec![first, other], vec![first, last]] {
        let bad = after(dependencies, true);
        assert_refused(furnished().0, &bad, &expected);
    }
    // Of its own predecessor.
    let step = Step::new(vec![first], SchemaVersion(1), &[create(100)]);
    let bad = unit_from(1, 1, other, vec![step]);
    assert_refused(furnished().0, &bad, &expected);
    // Inside a unit none is named.
    let mut later = after(vec![last], true);
    later
        .steps
        .push(Step::new(vec![first], SchemaVersion(1), &[create(101)]));
    let bad = signed(later, 3);
    let expected = unproven(Cause::Size(
        "an entry with dependencies is not the first of its unit",
    ));
    assert_refused(furnished().0, &bad, &expected);
}

#[test]
fn more_dependencies_than_an_entry_may_name() {
    let many = |document: &mut Document| -> Vec<Hash> {
        let units: Vec<Unit> = (0..=limits::ENTRY_DEPENDENCIES)
            .map(|n| {
                let mut unit = unit(0, vec![step(&[create(n as u64)])]);
                unit.chain = chain(0, u8::try_from(n).unwrap() + 100);
                signed(unit, 0)
            })
            .collect();
        admit(document, units.clone());
        units.iter().map(last_hash).collect()
    };
    let mut document = document();
    let heads = many(&mut document);
    let fits = heads[..limits::ENTRY_DEPENDENCIES].to_vec();
    assert_admitted(&document, &after(fits, true));
    let bad = after(heads, true);
    let expected = unproven(Cause::Size("too many dependencies"));
    assert_refused(document, &bad, &expected);
}
