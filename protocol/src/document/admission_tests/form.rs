//! Step 1: sizes, marks and the one encoding.

use super::fixture::*;
use crate::codec::{self, Blob, CodecError};
use crate::document::{Cause, Step, Unit};
use crate::ids::Hash;
use crate::limits;
use crate::schema::{FieldId, SchemaVersion, Value};

fn steps(from: u64, count: u64) -> Vec<Step> {
    (from..from + count).map(|n| step(&[create(n)])).collect()
}

fn bare(edits: Vec<u8>) -> Step {
    Step {
        dependencies: Vec::new(),
        schema: SchemaVersion(1),
        edits: Blob(edits),
    }
}

#[test]
fn a_unit_without_entries() {
    let (document, _) = furnished();
    let bad = unit(3, Vec::new());
    assert_refused(document, &bad, &unproven(Cause::Size("no entries")));
}

#[test]
fn a_unit_that_crosses_a_mark() {
    let good = unit(3, steps(100, limits::UNIT_ENTRIES));
    let bad = unit(3, steps(100, limits::UNIT_ENTRIES + 1));
    let (document, _) = furnished();
    assert_admitted(&document, &good);
    let cause = Cause::Size("it crosses a mark");
    assert_refused(document, &bad, &unproven(cause.clone()));

    let (mut document, _) = furnished();
    admit(&mut document, vec![unit(3, steps(100, 255))]);
    let previous = document.frontier().0[&chain(3, 1)].last;
    assert_admitted(&document, &unit_from(3, 255, previous, steps(500, 1)));
    let bad = unit_from(3, 255, previous, steps(500, 2));
    assert_refused(document, &bad, &unproven(cause));
}

#[test]
fn an_entry_over_its_size() {
    // As many places as fit, then one more: edits that the schema accepts.
    let mut edits = Vec::new();
    while codec::encode(&edits).len() <= limits::ENTRY_BYTES {
        edits.push(create(edits.len() as u64));
    }
    let (document, _) = furnished();
    let bad = unit(3, vec![step(&edits)]);
    edits.pop();
    assert_admitted(&document, &unit(3, vec![step(&edits)]));
    let cause = Cause::Size("an entry is too long");
    assert_refused(document, &bad, &unproven(cause));
}

#[test]
fn a_sequence_beyond_a_chain() {
    let long = unproven(Cause::Size("the chain is too long"));
    for first in [limits::ENTRIES_PER_CHAIN, u64::MAX - 1] {
        let bad = unit_from(3, first, Hash([5; 32]), steps(100, 1));
        assert_refused(furnished().0, &bad, &long);
    }
    // At the end of numbers nothing follows the entry, so the unit has none.
    let mut bad = unit(3, steps(100, 1));
    bad.first = u64::MAX;
    let none = unproven(Cause::Size("no entries"));
    assert_refused(furnished().0, &bad, &none);
}

#[test]
fn a_first_entry_that_names_one_before_it() {
    let (document, _) = furnished();
    let bad = unit_from(3, 0, Hash([5; 32]), steps(100, 1));
    let cause = Cause::Size("the first entry names one before it");
    assert_refused(document, &bad, &unproven(cause));
}

#[test]
fn edits_that_are_not_in_their_one_encoding() {
    let good = codec::encode(&[create(100)].as_slice());
    // Fields are 1 + 16 bytes in: their number, and each field's, has one form.
    let mut padded = good.clone();
    assert_eq!(padded[18], 3, "three fields");
    padded.splice(18..19, [251, 3, 0]);
    let mut trailing = good.clone();
    trailing.push(0);
    let mut cut = good.clone();
    cut.pop();
    let mut unknown_variant = good.clone();
    unknown_variant[1] = 2;
    let cases = [
        (padded, CodecError::NotCanonical),
        (trailing, CodecError::NotCanonical),
        (cut, CodecError::Malformed),
        (unknown_variant, CodecError::Malformed),
        (Vec::new(), CodecError::Malformed),
    ];
    let (document, _) = furnished();
    assert_admitted(&document, &unit(3, vec![bare(good)]));
    for (edits, error) in cases {
        let (document, _) = furnished();
        let bad = unit(3, vec![bare(edits)]);
        let expected = proven(Cause::Encoding(error), last_hash(&bad));
        assert_refused(document, &bad, &expected);
    }
}

#[test]
fn the_entry_that_is_at_fault_is_the_one_that_is_named() {
    let (document, _) = furnished();
    let fault = step(&[crate::schema::Edit::Update {
        record: record(1),
        fields: vec![(FieldId(1), Some(Value::Boolean(true)))],
    }]);
    let bad: Unit = unit(3, vec![step(&[create(100)]), fault, step(&[create(101)])]);
    let judged = document.judge(vec![bad.clone()], &roster());
    assert_eq!(judged.refused[0].proven, Some(bad.hashes()[1]));
}

#[test]
fn an_altered_unit_proves_nothing_about_its_author() {
    // The same edits, out of one encoding, but not what was signed.
    let (document, _) = furnished();
    let mut bad = unit(3, steps(100, 1));
    bad.steps[0].edits.0.push(0);
    assert_refused(document, &bad, &unproven(Cause::BadSignature));
}
