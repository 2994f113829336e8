//! Two histories of one key, and the cut that ends them: evidence that nobody else can make,
//! a closed key, and one outcome whatever came first.

use std::collections::{BTreeMap, BTreeSet};

use super::admission_tests::fixture::*;
use super::cut::UNSIGNED;
use super::{Cause, Document, Evidence, Frontier, Reach, Unit};
use crate::ids::{Hash, Incarnation};
use crate::limits;
use crate::roster::{Cut, Roster};

/// The furnished document, and units of node 0 that part from it at their first, second and
/// third entry.
fn parted() -> (Document, Vec<Unit>) {
    let (document, units) = furnished();
    let before = [ZERO, last_hash(&units[0]), units[1].hashes()[0]];
    let others = (0..)
        .zip(before)
        .map(|(first, previous)| unit_from(0, first, previous, vec![step(&[create(100)])]));
    (document, others.collect())
}

fn evidence() -> Evidence {
    let (document, others) = parted();
    document.evidence_against(&others[1]).unwrap()
}

/// The roster with a cut of node 0 on its first chain.
fn with_cut(chains: Vec<(Incarnation, Reach)>) -> Roster {
    let key = key(0);
    Roster {
        version: 2,
        previous: Hash([1; 32]),
        targets: Vec::new(),
        cuts: vec![Cut {
            document: place().document,
            generation: 1,
            node: key.node_id(),
            signing: key.public(),
            chains,
        }],
        ..roster()
    }
}

fn cut_at(entries: u64, last: Hash) -> Roster {
    with_cut(vec![(Incarnation([1; 8]), Reach { entries, last })])
}

#[test]
fn two_histories_are_evidence_wherever_they_part() {
    let (document, others) = parted();
    for (sequence, other) in (0..).zip(&others) {
        let evidence = document.evidence_against(other).unwrap();
        assert!(evidence.holds(&key(0).public()));
        assert_eq!(evidence.parting(), Some(sequence));
    }
    // What shows only in the hash before it.
    let later = unit_from(0, 3, Hash([5; 32]), vec![step(&[create(100)])]);
    let evidence = document.evidence_against(&later).unwrap();
    assert!(evidence.holds(&key(0).public()));
    assert_eq!(evidence.parting(), Some(2));
    // The same history is none.
    let (_, units) = furnished();
    assert!(units.iter().all(|u| document.evidence_against(u).is_none()));
}

#[test]
fn evidence_that_is_one_change_away_does_not_hold() {
    let good = evidence();
    let key = key(0).public();
    assert!(good.holds(&key));
    let alterations: [fn(&mut Evidence); 12] = [
        |e| e.branches.swap(0, 1),
        |e| e.branches[1] = e.branches[0].clone(),
        |e| e.branches[0].signature.0[0] ^= 1,
        |e| e.branches[1].signature.0[9] ^= 1,
        |e| e.branches[0].previous = Hash([4; 32]),
        |e| e.branches[1].first += 1,
        |e| e.branches[0].steps.clear(),
        |e| e.branches[1].steps[0].edits = Hash([4; 32]),
        |e| e.branches[0].steps[0].dependencies = vec![Hash([4; 32])],
        |e| e.branches[1].steps[0].schema.0 = 2,
        |e| e.place.generation = 2,
        |e| e.chain.incarnation = Incarnation([2; 8]),
    ];
    for (n, alter) in alterations.into_iter().enumerate() {
        let mut bad = good.clone();
        alter(&mut bad);
        assert!(!bad.holds(&key), "alteration {n}");
    }
    assert!(!good.holds(&super::admission_tests::fixture::key(1).public()));
    // Both signed, and one continues the other: no two histories.
    let (document, units) = furnished();
    let next = unit_from(0, 3, last_hash(&units[1]), vec![step(&[create(100)])]);
    assert!(document.evidence_against(&next).is_none());
}

#[test]
fn the_gate_hands_out_what_evidence_is_made_of() {
    let (document, others) = parted();
    let judged = document.judge(others.clone(), &roster());
    assert_eq!(judged.refused.len(), 3);
    assert_eq!(judged.forks, [others[0].clone()]);
    // Nothing that its author did not sign.
    let mut forged = others[0].clone();
    forged.signature.0[0] ^= 1;
    assert_eq!(document.judge(vec![forged], &roster()).forks, []);
}

#[test]
fn a_closed_key_adds_nothing_and_loses_nothing() {
    let (mut document, units) = furnished();
    let before = state(&document);
    assert!(document.close(evidence()));
    assert!(!document.close(evidence()));
    assert!(before == state(&document));
    let node = key(0).node_id();
    assert_eq!(document.closed(node), Some(&evidence()));
    // What continues the chain, and what begins another.
    let next = unit_from(0, 3, last_hash(&units[1]), vec![step(&[create(100)])]);
    let mut elsewhere = unit(0, vec![step(&[create(101)])]);
    elsewhere.chain = chain(0, 9);
    let (_, others) = parted();
    for bad in [next, signed(elsewhere, 0), others[1].clone()] {
        let (mut document, _) = furnished();
        document.close(evidence());
        assert_refused(document, &bad, &unproven(Cause::Closed));
    }
    // What is held may come again.
    let judged = document.judge(units, &roster());
    assert!(judged.is_empty() && judged.refused.is_empty());
}

#[test]
fn a_cut_lets_in_what_leads_to_it_and_nothing_beyond() {
    let (_, units) = furnished();
    let second = units[1].hashes()[0];
    let cut = cut_at(2, second);
    let mut replica = document();
    // The unit of the second and third entry comes down to the second, without a signature.
    let judged = replica.judge(units[..2].to_vec(), &cut);
    assert_eq!(judged.refused, []);
    let admitted: Vec<Unit> = judged.units().cloned().collect();
    assert_eq!(last_hash(&admitted[1]), second);
    assert_eq!(admitted[1].signature, UNSIGNED);
    replica.execute(judged).unwrap();
    assert_eq!(replica.entries_of(chain(0, 1)), 2);
    // It can be served, and is taken by its hash.
    let batch = replica.batch_after(&mut Frontier::default(), &BTreeSet::new(), &cut);
    let mut other = document();
    let judged = other.judge(batch.clone(), &cut);
    assert_eq!(judged.refused, []);
    other.execute(judged).unwrap();
    assert_eq!(other.heads(), replica.heads());
    // By one with an older roster it is refused, and held against nobody.
    let judged = document().judge(batch, &roster());
    let [refusal] = &judged.refused[..] else {
        panic!("{judged:?}");
    };
    assert_eq!(refusal.cause, Cause::Unsigned);
    assert!(!refusal.is_a_fault());
    // Beyond it, on another branch, or on another chain: nothing.
    let next = unit_from(0, 2, second, vec![step(&[create(100)])]);
    let other = unit_from(0, 1, last_hash(&units[0]), vec![step(&[create(100)])]);
    let mut elsewhere = unit(0, vec![step(&[create(101)])]);
    elsewhere.chain = chain(0, 9);
    for bad in [next, other, signed(elsewhere, 0)] {
        let judged = replica.judge(vec![bad], &cut);
        assert!(judged.is_empty());
        assert_eq!(judged.refused[0].cause, Cause::BeyondCut);
        assert_eq!(judged.forks, []);
    }
    // Another hash than the cut names needs its signature like any.
    let mut bare = units[0].clone();
    bare.signature = UNSIGNED;
    let judged = document().judge(vec![bare], &cut);
    assert_eq!(judged.refused[0].cause, Cause::Unsigned);
}

#[test]
fn a_cut_that_names_no_chain_drops_all_of_the_key_and_what_stands_on_it() {
    let (document, _) = furnished();
    let cut = with_cut(Vec::new());
    let ends = document.beyond(&cut);
    assert_eq!(ends, BTreeMap::from([(chain(0, 1), 0)]));
    let remade = document.remake(&ends, &cut).unwrap();
    // The entry of node 1 depends on one of node 0.
    assert_eq!(remade.document.entry_count(), 0);
    assert_eq!(remade.fell, 4);
}

#[test]
fn what_is_made_again_holds_what_came_before_the_cut() {
    let (document, units) = furnished();
    let cut = cut_at(1, last_hash(&units[0]));
    let remade = document.remake(&document.beyond(&cut), &cut).unwrap();
    let mut expected = super::admission_tests::fixture::document();
    admit(&mut expected, vec![units[0].clone(), units[2].clone()]);
    assert!(state(&remade.document) == state(&expected));
    let stored: Vec<Unit> = remade.batches.concat();
    let mut restored = super::admission_tests::fixture::document();
    let judged = restored.judge_stored(stored, &cut);
    assert_eq!(judged.refused, []);
    restored.execute(judged).unwrap();
    assert!(state(&restored) == state(&expected));
    assert!(restored.beyond(&cut).is_empty());
}

#[test]
fn the_wrong_history_below_a_cut_gives_way_to_the_one_that_leads_to_it() {
    let (mut document, _) = furnished();
    let (_, others) = parted();
    let other = &others[1];
    let end = unit_from(
        0,
        2,
        last_hash(other),
        vec![step(&[create(101)]), step(&[create(102)])],
    );
    let cut = cut_at(4, last_hash(&end));
    assert!(document.beyond(&cut).is_empty(), "it may still lead there");
    let run = vec![other.clone(), end];
    // A part of the run proves nothing.
    assert!(document.disproved(&run[..1], &cut).is_empty());
    let ends = document.disproved(&run, &cut);
    assert_eq!(ends, BTreeMap::from([(chain(0, 1), 1)]));
    document = document.remake(&ends, &cut).unwrap().document;
    let judged = document.judge(run, &cut);
    assert_eq!(judged.refused, []);
    document.execute(judged).unwrap();
    assert_eq!(document.entries_of(chain(0, 1)), 4);
}

#[test]
fn a_statement_names_marks_and_the_last_entries_within_its_room() {
    let mut document = document();
    let mut previous = ZERO;
    for first in 0..600 {
        let unit = unit_from(0, first, previous, vec![step(&[create(first)])]);
        previous = last_hash(&unit);
        admit(&mut document, vec![unit]);
    }
    let node = key(0).node_id();
    let points = document.points(node, limits::VOUCHED_HASHES);
    let [(_, reaches)] = &points[..] else {
        panic!("{points:?}");
    };
    let entries: Vec<u64> = reaches.iter().map(|reach| reach.entries).collect();
    assert_eq!(entries, [vec![256], (345..=600).collect()].concat());
    let [(_, newest)] = &document.points(node, 1)[..] else {
        panic!("one chain");
    };
    assert_eq!(newest.len(), 1);
    assert_eq!(newest[0].entries, 600);
}
