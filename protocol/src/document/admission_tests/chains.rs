//! Steps 2 to 4: the right place, no gap, no fork, and a signature that counts.

use super::fixture::*;
use crate::document::{Cause, Document, Unit};
use crate::ids::{DocumentKind, Hash, Incarnation, Signature};
use crate::limits;

fn good() -> Unit {
    unit(3, vec![step(&[create(100)]), step(&[create(101)])])
}

#[test]
fn replayed_into_another_region_document_or_generation() {
    let there: [fn(&mut Unit); 5] = [
        |u| u.place.region = "south-west".parse().unwrap(),
        |u| u.place.document = DocumentKind::HousingList.of(council(0)),
        |u| u.place.document = DocumentKind::RematchingPool.of(council(1)),
        |u| u.place.generation = 0,
        |u| u.place.generation = 2,
    ];
    let other_generation = |found| Cause::OtherGeneration { found, held: 1 };
    let causes = [
        Cause::OtherRegion,
        Cause::OtherDocument,
        Cause::OtherDocument,
        other_generation(0),
        other_generation(2),
    ];
    for (elsewhere, cause) in there.into_iter().zip(causes) {
        // Signed for that place, shown here.
        let mut bad = good();
        elsewhere(&mut bad);
        let bad = signed(bad, 3);
        let expected = proven(cause, last_hash(&bad));
        assert_refused(furnished().0, &bad, &expected);
        // Signed for this place, and relabelled on the way.
        let mut relabelled = good();
        elsewhere(&mut relabelled);
        let expected = unproven(Cause::BadSignature);
        assert_refused(furnished().0, &relabelled, &expected);
    }
    // Valid in its own place, shown here with the label of this one.
    let mut moved = good();
    moved.place.generation = 2;
    let mut moved = signed(moved, 3);
    moved.place.generation = 1;
    assert_refused(furnished().0, &moved, &unproven(Cause::BadSignature));
}

#[test]
fn a_gap() {
    let (document, units) = furnished();
    let last = last_hash(&units[1]);
    let next = unit_from(0, 3, last, vec![step(&[create(100)])]);
    assert_admitted(&document, &next);
    let bad = unit_from(0, 4, last_hash(&next), vec![step(&[create(101)])]);
    assert_refused(document, &bad, &unproven(Cause::Gap { held: 3 }));
    // With what was missing, in one batch, it is as good as any.
    let (mut document, _) = furnished();
    admit(&mut document, vec![next, bad]);
}

#[test]
fn a_gap_at_the_start_of_a_chain() {
    let first = unit(3, vec![step(&[create(100)])]);
    let bad = unit_from(3, 1, last_hash(&first), vec![step(&[create(101)])]);
    let expected = unproven(Cause::Gap { held: 0 });
    assert_refused(furnished().0, &bad, &expected);
}

#[test]
fn a_fork_at_each_held_sequence() {
    let (_, units) = furnished();
    let before = [ZERO, last_hash(&units[0]), units[1].hashes()[0]];
    for (sequence, previous) in (0..).zip(before) {
        let bad = unit_from(0, sequence, previous, vec![step(&[create(100)])]);
        let expected = unproven(Cause::Fork { sequence });
        assert_refused(furnished().0, &bad, &expected);
        // The same without the author's signature says nothing about the author.
        let mut forged = bad;
        forged.signature = Signature([7; 64]);
        assert_refused(furnished().0, &forged, &unproven(Cause::BadSignature));
    }
}

#[test]
fn a_fork_that_shows_only_in_the_hash_before_it() {
    let bad = unit_from(0, 3, Hash([5; 32]), vec![step(&[create(100)])]);
    let expected = unproven(Cause::Fork { sequence: 3 });
    assert_refused(furnished().0, &bad, &expected);
}

#[test]
fn a_fork_behind_entries_that_are_held() {
    let (_, units) = furnished();
    let mut bad = units[1].clone();
    bad.steps[1] = step(&[create(100)]);
    bad.steps.push(step(&[create(101)]));
    let bad = signed(bad, 0);
    let expected = unproven(Cause::Fork { sequence: 1 });
    assert_refused(furnished().0, &bad, &expected);
}

#[test]
fn of_two_histories_in_one_batch_the_first_is_admitted() {
    let one = good();
    let other = unit(3, vec![step(&[create(100)]), step(&[create(102)])]);
    let shorter = unit(3, vec![step(&[create(103)])]);
    for bad in [other, shorter] {
        let (document, _) = furnished();
        let judged = document.judge(vec![one.clone(), bad], &roster());
        assert_eq!(judged.refused.len(), 1);
        assert_eq!(judged.refused[0].cause, Cause::Fork { sequence: 0 });
        let admitted: Vec<Hash> = judged.units().map(last_hash).collect();
        assert_eq!(admitted, [last_hash(&one)]);
    }
}

#[test]
fn signed_by_who_may_not_write() {
    let elsewhere = |node: u8| signed(unit(node, vec![step(&[create(100)])]), node);
    for node in [OTHER_COUNCIL, STRANGER] {
        let expected = unproven(Cause::NotAWriter);
        assert_refused(furnished().0, &elsewhere(node), &expected);
    }
}

#[test]
fn signed_by_another_key_than_the_chains() {
    // Another node of the same council, another council's, and nobody's.
    for signer in [1, OTHER_COUNCIL, STRANGER] {
        let bad = signed(good(), signer);
        assert_refused(furnished().0, &bad, &unproven(Cause::BadSignature));
    }
}

#[test]
fn altered_anywhere_after_it_was_signed() {
    let alterations: [fn(&mut Unit); 9] = [
        |u| u.signature.0[0] ^= 1,
        |u| u.signature.0[63] ^= 1,
        |u| u.steps[0] = step(&[create(102)]),
        |u| u.steps[1].edits = step(&[create(102)]).edits,
        |u| u.steps[0].dependencies = vec![Hash([4; 32])],
        |u| u.steps[0].schema.0 = 2,
        |u| u.chain.incarnation = Incarnation([2; 8]),
        |u| u.steps.swap(0, 1),
        |u| drop(u.steps.pop()),
    ];
    assert_admitted(&furnished().0, &good());
    for (n, alter) in alterations.into_iter().enumerate() {
        let mut bad = good();
        alter(&mut bad);
        assert!(bad != good(), "alteration {n}");
        assert_refused(furnished().0, &bad, &unproven(Cause::BadSignature));
    }
    // Without any, it is for a cut to name its end, and there is none here.
    let mut bare = good();
    bare.signature = Signature([0; 64]);
    assert_refused(furnished().0, &bare, &unproven(Cause::Unsigned));
    // The chain of another node of the council, with this one's signature.
    let mut taken_over = good();
    taken_over.chain = chain(2, 9);
    assert_refused(furnished().0, &taken_over, &unproven(Cause::BadSignature));
}

#[test]
fn an_altered_dependency() {
    let (document, units) = furnished();
    let after = |hash: Hash| {
        let mut step = step(&[create(100)]);
        step.dependencies = vec![hash];
        unit(3, vec![step])
    };
    let good = after(last_hash(&units[0]));
    assert_admitted(&document, &good);
    let mut bad = good;
    bad.steps[0].dependencies = vec![last_hash(&units[2])];
    assert_refused(document, &bad, &unproven(Cause::BadSignature));
}

#[test]
fn repeats_are_neither_refused_nor_admitted() {
    let (document, units) = furnished();
    for repeated in &units {
        let judged = document.judge(vec![repeated.clone()], &roster());
        assert!(judged.is_empty() && judged.refused.is_empty());
    }
}

/// One entry on each of so many chains of node 0.
fn full_of_chains(count: usize) -> Vec<Unit> {
    (0..count)
        .map(|n| {
            let mut unit = unit(0, vec![step(&[create(n as u64)])]);
            unit.chain.incarnation = Incarnation((n as u64 + 1000).to_be_bytes());
            signed(unit, 0)
        })
        .collect()
}

#[test]
fn a_chain_too_many() {
    let mut units = full_of_chains(limits::CHAINS_PER_DOCUMENT + 1);
    let bad = units.pop().unwrap();
    let mut document: Document = document();
    let goes_on = {
        let mut next = unit_from(0, 1, last_hash(&units[0]), vec![step(&[create(5000)])]);
        next.chain = units[0].chain;
        signed(next, 0)
    };
    // In one batch, and against what is held; chains that are there go on.
    let mut batch = units.clone();
    batch.extend([bad.clone(), goes_on.clone()]);
    let judged = document.judge(batch, &roster());
    assert_eq!(judged.refused.len(), 1);
    assert_eq!(judged.refused[0].cause, Cause::Chains);
    assert_eq!(judged.refused[0].proven, None);
    assert_eq!(judged.units().count(), limits::CHAINS_PER_DOCUMENT + 1);
    admit(&mut document, units);
    let before = state(&document);
    let judged = document.judge(vec![bad, goes_on.clone()], &roster());
    assert_eq!(judged.refused.len(), 1);
    assert_eq!(judged.refused[0].cause, Cause::Chains);
    let admitted: Vec<Hash> = judged.units().map(last_hash).collect();
    assert_eq!(admitted, [last_hash(&goes_on)]);
    assert!(before == state(&document));
}
