//! Replicas converge: whatever the causal order, the split and the repeats, all that hold
//! the same entries have the same automerge heads.
//!
//! A history is random but decided by its steps: nodes of one council write on their own
//! replicas and merge one another's entries at random. Each replica that is then made from
//! the units is held to the frontier and the heads of one that merged everything.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::Index;

use super::admission_tests::fixture::{
    NODES, ZERO, admit, create, document, key, place, record, roster,
};
use super::{Cause, ChainId, Document, Frontier, Refusal, Step, Unit};
use crate::ids::{Hash, Incarnation};
use crate::limits;
use crate::schema::{Edit, FieldId, NEWEST, Value};

/// One thing that happens in a history.
#[derive(Clone, Debug)]
enum Happening {
    /// A node writes these edits.
    Write { node: usize, edits: Vec<Edit> },
    /// A node takes in all that another holds.
    Merge { from: usize, into: usize },
    /// A node starts again, and so goes on under another chain.
    Restart { node: usize },
}

/// Few records and few values, so that histories conflict, repeat and undo one another.
pub(super) fn edit() -> impl Strategy<Value = Edit> {
    let id = 0u64..6;
    let rooms = (0u8..3).prop_map(|n| (FieldId(1), Some(Value::Integer(i64::from(n) + 1))));
    let pets =
        proptest::option::of(any::<bool>()).prop_map(|yes| (FieldId(11), yes.map(Value::Boolean)));
    let state = (0u8..4).prop_map(|code| (FieldId(15), Some(Value::Code(code))));
    let one = prop_oneof![rooms, pets, state];
    prop_oneof![
        1 => id.clone().prop_map(create),
        3 => (id, one).prop_map(|(n, field)| Edit::Update {
            record: record(n),
            fields: vec![field],
        }),
    ]
}

fn happening(nodes: usize) -> impl Strategy<Value = Happening> {
    let write = (0..nodes, prop::collection::vec(edit(), 1..6))
        .prop_map(|(node, edits)| Happening::Write { node, edits });
    let merge = (0..nodes, 0..nodes).prop_map(|(from, into)| Happening::Merge { from, into });
    let restart = (0..nodes).prop_map(|node| Happening::Restart { node });
    prop_oneof![6 => write, 4 => merge, 1 => restart]
}

fn history() -> impl Strategy<Value = Vec<Happening>> {
    (2..=usize::from(NODES)).prop_flat_map(|nodes| prop::collection::vec(happening(nodes), 1..60))
}

/// What the history made: every unit as its author pushed it, and a replica of all.
struct Made {
    pushed: Vec<Unit>,
    whole: Document,
}

fn everything_of(source: &Document, into: &mut Document) {
    let mut held = into.frontier();
    loop {
        let batch = source.batch_after(&mut held, &BTreeSet::new(), &roster());
        if batch.is_empty() {
            return;
        }
        admit(into, batch);
    }
}

fn play(history: &[Happening]) -> Made {
    let mut replicas: Vec<Document> = (0..NODES).map(|_| document()).collect();
    let mut incarnations = vec![1u8; usize::from(NODES)];
    let mut pushed = Vec::new();
    for happening in history {
        match happening {
            Happening::Write { node, edits } => {
                let key = key(u8::try_from(*node).unwrap());
                let chain = ChainId {
                    node: key.node_id(),
                    incarnation: Incarnation([incarnations[*node]; 8]),
                };
                let units = replicas[*node].author(chain, edits, NEWEST, &key);
                admit(&mut replicas[*node], units.clone());
                pushed.extend(units);
            }
            Happening::Merge { from, into } if from != into => {
                let mut target = std::mem::replace(&mut replicas[*into], document());
                everything_of(&replicas[*from], &mut target);
                replicas[*into] = target;
            }
            Happening::Merge { .. } => {}
            Happening::Restart { node } => incarnations[*node] += 1,
        }
    }
    let mut whole = document();
    for replica in &replicas {
        everything_of(replica, &mut whole);
    }
    Made { pushed, whole }
}

fn assert_equal(replica: &Document, whole: &Document) {
    let digest = |document: &Document| document.frontier().digest(&place());
    assert_eq!(digest(replica), digest(whole));
    assert_eq!(replica.heads(), whole.heads());
    assert_eq!(replica.record_count(), whole.record_count());
    assert_eq!(
        replica.records().collect::<BTreeMap<_, _>>(),
        whole.records().collect::<BTreeMap<_, _>>()
    );
}

/// Delivers in any order: what comes too early is refused for want of more, and comes
/// again.
fn deliver(batches: Vec<Vec<Unit>>) -> Document {
    let mut replica = document();
    let mut left = batches;
    // The merged state is put away now and then, and made again when it is needed.
    let mut left_over = (0..3).cycle();
    while !left.is_empty() {
        let held = replica.entry_count();
        let mut late = Vec::new();
        for batch in left {
            let judged = replica.judge(batch.clone(), &roster());
            for refusal in &judged.refused {
                assert!(refusal.is_for_want_of_more(), "{refusal:?}");
            }
            if !judged.refused.is_empty() {
                late.push(batch);
            }
            replica.execute(judged).unwrap();
            if left_over.next().unwrap_or(0) == 0 {
                replica.let_go();
                assert_eq!(replica.live_bytes(), 0);
            }
        }
        assert!(
            late.is_empty() || replica.entry_count() > held,
            "nothing more is admitted"
        );
        left = late;
    }
    replica
}

/// The units in an order drawn from `picks`, cut into batches, some of them repeated.
fn shuffled(units: &[Unit], picks: &[(Index, u8)]) -> Vec<Vec<Unit>> {
    let mut left: Vec<Unit> = units.to_vec();
    let mut batches: Vec<Vec<Unit>> = vec![Vec::new()];
    for (pick, choice) in picks.iter().cycle() {
        if left.is_empty() {
            break;
        }
        let unit = left.remove(pick.index(left.len()));
        if choice % 4 == 0 {
            batches.push(Vec::new());
        }
        if choice % 7 == 0 {
            // Again later, in a batch of its own or at the end of everything.
            batches.insert(batches.len() / 2, vec![unit.clone()]);
        }
        if let Some(batch) = batches.last_mut() {
            batch.push(unit);
        }
    }
    // Within a batch, units of one chain stand in the order of their sequences.
    for batch in &mut batches {
        batch.sort_by_key(|unit| unit.first);
    }
    batches
}

/// A replica that was given these units, the first of what was pushed.
fn part_of(whole: &Document, units: &[Unit]) -> Document {
    let mut part = document();
    for unit in units {
        admit(&mut part, vec![unit.clone()]);
    }
    assert!(whole.frontier().covers(&part.frontier()));
    part
}

/// The units of a replica in the order of its log.
fn log_of(whole: &Document) -> Vec<Unit> {
    let mut held = Frontier::default();
    let mut log = Vec::new();
    loop {
        let batch = whole.batch_after(&mut held, &BTreeSet::new(), &roster());
        if batch.is_empty() {
            return log;
        }
        log.extend(batch);
    }
}

fn taken_back(log: &[Unit]) -> Document {
    let mut document = document();
    // Two units of one chain do not stand in one batch of a log.
    for unit in log {
        let judged = document.judge_stored(vec![unit.clone()], &roster());
        document.take_back(judged).unwrap();
    }
    document
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn any_causal_order_any_split_and_repeats_end_in_the_same_heads(
        history in history(),
        picks in prop::collection::vec(any::<(Index, u8)>(), 1..80),
        cut in any::<Index>(),
    ) {
        let Made { pushed, whole } = play(&history);
        prop_assert_eq!(whole.entry_count(), pushed.iter().map(|u| u.steps.len()).sum::<usize>());

        // As they were pushed, one by one, in an order of chance.
        assert_equal(&deliver(shuffled(&pushed, &picks)), &whole);

        // As one batch, whatever its order of chains.
        let mut at_once = shuffled(&pushed, &picks).concat();
        at_once.sort_by_key(|unit| unit.first);
        assert_equal(&deliver(vec![at_once]), &whole);

        // As the answer to one that holds nothing: one stream, all of it admitted.
        let mut pulled = document();
        everything_of(&whole, &mut pulled);
        assert_equal(&pulled, &whole);

        // Pulled from replicas that held more and more of it, whose units are cut where each
        // had a signature, between what was pushed. Two cuts of one chain never travel in
        // one batch, since a batch is one push or one peer's answer.
        let mut batches = shuffled(&pushed, &picks);
        for quarter in 1..4 {
            let held = part_of(&whole, &pushed[..pushed.len() * quarter / 4]);
            let answer = held.batch_after(&mut Frontier::default(), &BTreeSet::new(), &roster());
            batches.insert(cut.index(batches.len() + 1), answer);
        }
        assert_equal(&deliver(batches), &whole);

        // A replica that has some already, and asks for the rest.
        let mut partly = part_of(&whole, &pushed[..cut.index(pushed.len() + 1)]);
        everything_of(&whole, &mut partly);
        assert_equal(&partly, &whole);

        // Taken back from a log, with a snapshot of the first part of it.
        let log = log_of(&whole);
        let first = taken_back(&log[..cut.index(log.len() + 1)]).snapshot().unwrap();
        let mut again = taken_back(&log);
        let of = again.offer_snapshot(first.clone());
        prop_assert!(of.is_some_and(|of| of <= again.entry_count()));
        assert_equal(&again, &whole);
        if of != Some(0) {
            prop_assert_eq!(document().offer_snapshot(first), None);
        }

        // What automerge saves, it loads again as the same document.
        for replica in [&whole, &pulled, &partly] {
            prop_assert_eq!(replica.live().unwrap().reloaded_heads(), replica.heads());
        }
    }
}

/// Entries of two chains, each of which depends on the other's before.
fn braided(rounds: usize) -> (Vec<Unit>, Document) {
    let mut whole = document();
    let mut pushed = Vec::new();
    for round in 0..rounds {
        for node in [0u8, 1] {
            let key = key(node);
            let chain = ChainId {
                node: key.node_id(),
                incarnation: Incarnation([1; 8]),
            };
            let n = (2 * round) as u64 + u64::from(node);
            let units = whole.author(chain, &[create(n)], NEWEST, &key);
            admit(&mut whole, units.clone());
            pushed.extend(units);
        }
    }
    (pushed, whole)
}

#[test]
fn chains_that_depend_on_each_other_come_in_one_batch() {
    let (_, whole) = braided(50);
    let batch = whole.batch_after(&mut Frontier::default(), &BTreeSet::new(), &roster());
    assert_eq!(batch.len(), 100, "an entry with dependencies begins a unit");
    for turned in [false, true] {
        let mut batch = batch.clone();
        if turned {
            batch.sort_by_key(|unit| (std::cmp::Reverse(unit.chain), unit.first));
        }
        let mut replica = document();
        admit(&mut replica, batch);
        assert_equal(&replica, &whole);
    }
    // The units of one chain alone wait for the other's, and change nothing but the first.
    for node in [0u8, 1] {
        let replica = document();
        let alone = batch.iter().filter(|u| u.chain.node == key(node).node_id());
        let judged = replica.judge(alone.cloned().collect(), &roster());
        assert_eq!(judged.units().count(), usize::from(node == 0));
        assert!(judged.refused.iter().all(Refusal::is_for_want_of_more));
    }
}

#[test]
fn a_unit_that_is_refused_takes_only_what_stands_on_it() {
    // Two chains that stand on one another, and one that stands alone; with a bad signature
    // at the bottom of the two, only the third is admitted.
    let (_, whole) = braided(20);
    let mut batch = whole.batch_after(&mut Frontier::default(), &BTreeSet::new(), &roster());
    let free_key = key(2);
    let free_chain = ChainId {
        node: free_key.node_id(),
        incarnation: Incarnation([1; 8]),
    };
    let free = document().author(free_chain, &[create(1000)], NEWEST, &free_key);
    batch.extend(free.clone());
    batch[0].signature.0[1] ^= 1;
    let mut replica = document();
    let judged = replica.judge(batch, &roster());
    let wanting = judged
        .refused
        .iter()
        .filter(|r| r.is_for_want_of_more())
        .count();
    assert_eq!((judged.refused.len(), wanting), (40, 39));
    assert!(
        judged
            .refused
            .iter()
            .any(|r| r.cause == Cause::BadSignature)
    );
    assert_eq!(judged.units().cloned().collect::<Vec<_>>(), free);
    replica.execute(judged).unwrap();
    assert_eq!(replica.record_count(), 1);
}

#[test]
fn long_chains_cross_marks_and_are_cut_there() {
    let mut author = document();
    let key = key(0);
    let chain = ChainId {
        node: key.node_id(),
        incarnation: Incarnation([1; 8]),
    };
    let mut pushed = Vec::new();
    for n in 0..600u64 {
        let units = author.author(chain, &[create(n)], NEWEST, &key);
        admit(&mut author, units.clone());
        pushed.extend(units);
    }
    let mut held = Frontier::default();
    let batch = author.batch_after(&mut held, &BTreeSet::new(), &roster());
    let ends: Vec<u64> = batch.iter().map(Unit::end).collect();
    let mark = limits::UNIT_ENTRIES;
    assert_eq!(ends, [mark, 2 * mark, 600]);
    let mut pulled = document();
    admit(&mut pulled, batch);
    assert_equal(&pulled, &author);
    assert_equal(
        &deliver(pushed.into_iter().map(|u| vec![u]).collect()),
        &author,
    );
}

#[test]
fn an_entry_that_changes_nothing_leaves_the_heads() {
    let mut replica = document();
    let key = key(0);
    let chain = ChainId {
        node: key.node_id(),
        incarnation: Incarnation([1; 8]),
    };
    let write = |replica: &mut Document, edits: &[Edit]| {
        let units = replica.author(chain, edits, NEWEST, &key);
        admit(replica, units);
    };
    write(&mut replica, &[create(1)]);
    let heads = replica.heads();
    write(&mut replica, &[create(1)]);
    let absent = Edit::Update {
        record: record(2),
        fields: vec![(FieldId(1), Some(Value::Integer(1)))],
    };
    write(&mut replica, &[absent]);
    assert_eq!((replica.entry_count(), replica.heads()), (3, heads));
    assert_eq!(replica.live().unwrap().reloaded_heads(), replica.heads());
}

/// A past that names an entry twice over would be two forms of one thing.
#[test]
fn authors_name_each_dependency_once() {
    let (pushed, whole) = braided(3);
    let named: Vec<&Step> = pushed.iter().flat_map(|unit| &unit.steps).collect();
    let mut seen: BTreeSet<Hash> = BTreeSet::from([ZERO]);
    for step in named {
        for dependency in &step.dependencies {
            assert!(seen.insert(*dependency) && whole.holds(dependency));
        }
    }
    assert_eq!(seen.len(), 6, "all but the newest entry, and nothing twice");
}

/// The roster with a cut of the first node: each of its chains that is held ends where
/// `pick` says.
fn cut_of(whole: &Document, pick: &Index) -> crate::roster::Roster {
    let node = key(0).node_id();
    let points = whole.points(node, limits::VOUCHED_HASHES);
    let chains = points.into_iter().filter_map(|(chain, reaches)| {
        let at = pick.index(reaches.len() + 1);
        Some((chain, *reaches.get(at.checked_sub(1)?)?))
    });
    crate::roster::Roster {
        targets: Vec::new(),
        cuts: vec![crate::roster::Cut {
            document: place().document,
            generation: 1,
            node,
            signing: key(0).public(),
            chains: chains.collect(),
        }],
        ..roster()
    }
}

/// Judges everything again and again under a roster, until nothing more is let in.
fn fill(replica: &mut Document, batches: &[Vec<Unit>], roster: &crate::roster::Roster) {
    loop {
        let before = replica.entry_count();
        for batch in batches {
            let judged = replica.judge(batch.clone(), roster);
            assert!(judged.refused.iter().all(|refusal| !refusal.is_a_fault()));
            replica.execute(judged).unwrap();
        }
        if replica.entry_count() == before {
            return;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn a_cut_ends_in_the_same_heads_whether_it_or_the_entries_came_first(
        history in history(),
        picks in prop::collection::vec(any::<(Index, u8)>(), 1..80),
        pick in any::<Index>(),
        when in any::<Index>(),
    ) {
        let Made { pushed, whole } = play(&history);
        let cut = cut_of(&whole, &pick);
        let batches = shuffled(&pushed, &picks);

        // Everything first, then the cut.
        let ends = whole.beyond(&cut);
        let after = whole.remake(&ends, &cut).unwrap().document;
        prop_assert!(after.beyond(&cut).is_empty());

        // The cut first, then everything.
        let mut before = document();
        fill(&mut before, &batches, &cut);
        assert_equal(&before, &after);

        // The cut in between.
        let mut between = document();
        let part = when.index(batches.len() + 1);
        fill(&mut between, &batches[..part], &roster());
        let ends = between.beyond(&cut);
        between = between.remake(&ends, &cut).unwrap().document;
        fill(&mut between, &batches, &cut);
        assert_equal(&between, &after);

        // And from one replica to another, by what each can show.
        let mut pulled = document();
        let mut held = Frontier::default();
        loop {
            let batch = between.batch_after(&mut held, &BTreeSet::new(), &cut);
            if batch.is_empty() {
                break;
            }
            let judged = pulled.judge(batch, &cut);
            prop_assert_eq!(&judged.refused, &vec![]);
            pulled.execute(judged).unwrap();
        }
        assert_equal(&pulled, &after);
    }
}
