//! Step 6: what one council can make every reader store has an end.
//!
//! The records of these tests are created again and again under a few ids: the quota
//! counts what was signed, and the merge engine has little to do.

use super::fixture::*;
use crate::codec;
use crate::document::{Cause, Document, Step, Unit};
use crate::ids::{Hash, RecordId, RecordKind};
use crate::limits;
use crate::schema::{Edit, FieldId, Value};

/// An entry that creates so many records.
fn creating(count: u64) -> Step {
    let edits: Vec<Edit> = (0..count).map(|_| create(1)).collect();
    step(&edits)
}

/// Units of steps, from the start of the chain of `node`.
fn chain_of(node: u8, steps: Vec<Step>) -> Vec<Unit> {
    let (mut first, mut previous) = (0, ZERO);
    steps
        .chunks(usize::try_from(limits::UNIT_ENTRIES).unwrap())
        .map(|steps| {
            let unit = unit_from(node, first, previous, steps.to_vec());
            (first, previous) = (unit.end(), last_hash(&unit));
            unit
        })
        .collect()
}

fn after(dependencies: &[&Unit], mut step: Step) -> Unit {
    let mut hashes: Vec<Hash> = dependencies.iter().map(|unit| last_hash(unit)).collect();
    hashes.sort_unstable();
    step.dependencies = hashes;
    unit(3, vec![step])
}

#[test]
fn records_over_the_quota_of_one_chain() {
    let per_entry = 100;
    let whole = limits::RECORDS_PER_DOCUMENT / per_entry - 1;
    let units = chain_of(0, (0..whole).map(|_| creating(per_entry)).collect());
    let last = units.last().unwrap();
    let build = || {
        let mut document = document();
        admit(&mut document, units.clone());
        document
    };
    let next = |count| unit_from(0, last.end(), last_hash(last), vec![creating(count)]);
    let document = build();
    assert_admitted(&document, &next(per_entry));
    let bad = next(per_entry + 1);
    let expected = proven(Cause::Quota, last_hash(&bad));
    assert_refused(document, &bad, &expected);
}

#[test]
fn records_over_the_quota_of_an_entry_and_its_ancestors() {
    let per_entry = 125;
    let entries = limits::RECORDS_PER_DOCUMENT / 2 / per_entry;
    let halves: Vec<Vec<Unit>> = [0, 1]
        .into_iter()
        .map(|node| chain_of(node, (0..entries).map(|_| creating(per_entry)).collect()))
        .collect();
    let mut document = document();
    admit(&mut document, halves.concat());
    let ends: Vec<&Unit> = halves.iter().filter_map(|units| units.last()).collect();
    // One half and a record, or both and none, are within it; both and one record are not.
    assert_admitted(&document, &after(&ends[..1], creating(1)));
    let none = step(&[Edit::Update {
        record: record(1),
        fields: vec![(FieldId(1), Some(Value::Integer(5)))],
    }]);
    assert_admitted(&document, &after(&ends, none));
    let bad = after(&ends, creating(1));
    let expected = proven(Cause::Quota, last_hash(&bad));
    assert_refused(document, &bad, &expected);
}

/// An entry of exactly so many bytes, at most a full one: office mailboxes of no record.
fn of_bytes(bytes: usize) -> Step {
    let edit = |length: usize| Edit::Update {
        record: RecordId::new(RecordKind::Contact, [1; 15]),
        fields: vec![(
            FieldId(1),
            Some(Value::Mailbox(
                format!("placements@{}.example.org", "a".repeat(length))
                    .try_into()
                    .unwrap(),
            )),
        )],
    };
    let mut edits = Vec::new();
    let size = |edits: &[Edit]| codec::encode(&edits).len();
    while size(&edits) + 2 * size(&[edit(50)]) < bytes {
        edits.push(edit(50));
    }
    edits.push(edit(1));
    let rest = bytes - size(&edits);
    edits.pop();
    edits.push(edit(1 + rest));
    let step = step(&edits);
    assert_eq!(step.edits.0.len(), bytes);
    step
}

#[test]
fn bytes_over_the_quota() {
    let full = of_bytes(limits::ENTRY_BYTES);
    let count = usize::try_from(limits::DOCUMENT_BYTES).unwrap() / limits::ENTRY_BYTES;
    let mut steps = vec![full; count - 1];
    steps.push(of_bytes(limits::ENTRY_BYTES - 100));
    let units = chain_of(0, steps);
    let mut document: Document = document();
    admit(&mut document, units.clone());
    let last = units.last().unwrap();
    // The chain is full to a hundred bytes, so what merges it may add that many.
    assert_admitted(&document, &after(&[last], of_bytes(100)));
    let bad = after(&[last], of_bytes(101));
    let expected = proven(Cause::Quota, last_hash(&bad));
    assert_refused(document, &bad, &expected);
}
