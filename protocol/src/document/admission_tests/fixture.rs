//! A council with four nodes, another council, their keys, and valid units to alter.

use std::collections::BTreeSet;

use crate::crypto::Signing;
use crate::document::{Cause, ChainId, Document, Frontier, Judged, Place, Refusal, Step, Unit};
use crate::ids::{CouncilCode, DocumentKind, Hash, Incarnation, RecordId, RecordKind, Signature};
use crate::roster::{Member, MemberNode, Roster, SealingKey};
use crate::schema::{Edit, FieldId, NEWEST, SchemaVersion, Value};
use crate::time::UnixSeconds;

/// Nodes of the document's council.
pub(in crate::document) const NODES: u8 = 4;
/// The key of the other council's node.
pub(in crate::document) const OTHER_COUNCIL: u8 = 40;
/// A key that no roster lists.
pub(in crate::document) const STRANGER: u8 = 90;

pub(in crate::document) const ZERO: Hash = Hash([0; 32]);

pub(in crate::document) fn key(n: u8) -> Signing {
    Signing::from_seed(&[n + 1; 32])
}

pub(in crate::document) fn council(n: usize) -> CouncilCode {
    format!("E0600{n:04}").parse().unwrap()
}

fn listed(n: u8) -> MemberNode {
    MemberNode {
        id: key(n).node_id(),
        signing: key(n).public(),
        tls: Hash([n; 32]),
        sealing: SealingKey::try_from(vec![0; SealingKey::BYTES]).unwrap(),
        endpoints: vec!["127.0.0.1:7400".to_owned()],
        decider: n == 0,
    }
}

pub(in crate::document) fn roster() -> Roster {
    let member = |n: usize, keys: Vec<u8>| Member {
        council: council(n),
        name: format!("Council {n}"),
        nodes: keys.into_iter().map(listed).collect(),
    };
    Roster {
        region: "north-east".parse().unwrap(),
        title: "A region for tests".to_owned(),
        version: 1,
        previous: ZERO,
        issued: UnixSeconds(1_780_000_000),
        expires: UnixSeconds(1_790_000_000),
        authority: key(200).public(),
        ca: ZERO,
        schema: NEWEST,
        members: vec![
            member(0, (0..NODES).collect()),
            member(1, vec![OTHER_COUNCIL]),
        ],
        readers: Vec::new(),
        cuts: Vec::new(),
        targets: Vec::new(),
    }
}

/// The pool of the first council.
pub(in crate::document) fn place() -> Place {
    Place {
        region: "north-east".parse().unwrap(),
        document: DocumentKind::RematchingPool.of(council(0)),
        generation: 1,
    }
}

pub(in crate::document) fn document() -> Document {
    Document::new(place())
}

pub(in crate::document) fn record(n: u64) -> RecordId {
    let mut random = [0; 15];
    random[..8].copy_from_slice(&n.to_be_bytes());
    RecordId::new(RecordKind::Place, random)
}

/// A place of two rooms and three people, open.
pub(in crate::document) fn create(n: u64) -> Edit {
    Edit::Create {
        record: record(n),
        fields: vec![
            (FieldId(1), Value::Integer(2)),
            (FieldId(2), Value::Integer(3)),
            (FieldId(15), Value::Code(0)),
        ],
    }
}

pub(in crate::document) fn chain(node: u8, incarnation: u8) -> ChainId {
    ChainId {
        node: key(node).node_id(),
        incarnation: Incarnation([incarnation; 8]),
    }
}

pub(in crate::document) fn step(edits: &[Edit]) -> Step {
    Step::new(Vec::new(), SchemaVersion(1), edits)
}

/// A signed unit at the start of the first chain of `node`.
pub(in crate::document) fn unit(node: u8, steps: Vec<Step>) -> Unit {
    unit_from(node, 0, ZERO, steps)
}

/// A signed unit of the first chain of `node`.
pub(in crate::document) fn unit_from(
    node: u8,
    first: u64,
    previous: Hash,
    steps: Vec<Step>,
) -> Unit {
    let unit = Unit {
        place: place(),
        chain: chain(node, 1),
        first,
        previous,
        steps,
        signature: Signature([0; 64]),
    };
    signed(unit, node)
}

/// The unit as it is, signed by this node: whatever was changed is its author's doing.
pub(in crate::document) fn signed(mut unit: Unit, node: u8) -> Unit {
    if let Some(last) = unit.hashes().last() {
        unit.signature = Unit::sign(*last, &key(node));
    }
    unit
}

pub(in crate::document) fn last_hash(unit: &Unit) -> Hash {
    *unit.hashes().last().unwrap()
}

/// Takes in units that must all be admitted.
pub(in crate::document) fn admit(document: &mut Document, units: Vec<Unit>) {
    let judged = document.judge(units, &roster());
    assert_eq!(judged.refused, []);
    document.execute(judged).unwrap();
}

/// A document with three entries of node 0, of which the second and third are one unit,
/// and one of node 1 that depends on the first. Returns its units too.
pub(in crate::document) fn furnished() -> (Document, Vec<Unit>) {
    let mut document = document();
    let first = unit(0, vec![step(&[create(1), create(2)])]);
    let first_hash = last_hash(&first);
    let two = vec![step(&[create(3)]), step(&[create(4)])];
    let second = unit_from(0, 1, first_hash, two);
    let after_first = Step::new(vec![first_hash], SchemaVersion(1), &[create(5)]);
    let other = unit(1, vec![after_first]);
    let units = vec![first, second, other];
    admit(&mut document, units.clone());
    (document, units)
}

/// All of a document that a refusal may not change.
#[derive(PartialEq)]
pub(in crate::document) struct State {
    frontier: Frontier,
    heads: Vec<Hash>,
    saved: Vec<u8>,
    refused: Vec<Hash>,
    records: usize,
}

pub(in crate::document) fn state(document: &Document) -> State {
    State {
        frontier: document.frontier(),
        heads: document.heads(),
        saved: document.save(),
        refused: document.refused(),
        records: document.record_count(),
    }
}

/// What the gate must say of the one bad unit of a batch.
#[derive(Clone)]
pub(in crate::document) struct Expected {
    pub(in crate::document) cause: Cause,
    pub(in crate::document) proven: Option<Hash>,
}

pub(in crate::document) fn unproven(cause: Cause) -> Expected {
    Expected {
        cause,
        proven: None,
    }
}

pub(in crate::document) fn proven(cause: Cause, entry: Hash) -> Expected {
    Expected {
        cause,
        proven: Some(entry),
    }
}

/// The bad unit alone leaves the document as it was, whether judged or carried out; among
/// units of other chains it takes none of them with it.
#[track_caller]
pub(in crate::document) fn assert_refused(mut document: Document, bad: &Unit, expected: &Expected) {
    let before = state(&document);
    let judged = document.judge(vec![bad.clone()], &roster());
    assert_only(&judged, bad, expected);
    assert!(judged.is_empty());
    assert!(before == state(&document), "judging changed the document");

    document.execute(judged).unwrap();
    let mut after = state(&document);
    assert_eq!(
        after.refused.pop(),
        expected.proven,
        "what is remembered is what is proven"
    );
    after.refused.clone_from(&before.refused);
    assert!(after == before, "a refusal changed the document");

    let bystanders = [2, 3].map(|node| {
        let mut unit = unit(node, vec![step(&[create(900 + u64::from(node))])]);
        unit.chain = chain(node, 77);
        signed(unit, node)
    });
    let batch = vec![bystanders[0].clone(), bad.clone(), bystanders[1].clone()];
    let judged = document.judge(batch, &roster());
    assert_only(&judged, bad, expected);
    let admitted: BTreeSet<Hash> = judged.units().map(last_hash).collect();
    assert_eq!(admitted, bystanders.iter().map(last_hash).collect());
    document.execute(judged).unwrap();
    assert_eq!(document.record_count(), before.records + 2);
    assert!(bystanders.iter().all(|u| document.holds(&last_hash(u))));
}

#[track_caller]
fn assert_only(judged: &Judged, bad: &Unit, expected: &Expected) {
    let refusal = Refusal {
        chain: bad.chain,
        cause: expected.cause.clone(),
        proven: expected.proven,
    };
    assert_eq!(judged.refused, [refusal]);
}

/// The gate lets this unit in: what the tests alter is valid before.
#[track_caller]
pub(in crate::document) fn assert_admitted(document: &Document, good: &Unit) {
    let judged = document.judge(vec![good.clone()], &roster());
    assert_eq!(judged.refused, []);
    assert_eq!(judged.units().count(), 1);
}
