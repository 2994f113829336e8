//! Entries at the gate: units as a peer sends them, some put right so far that the next check
//! is reached. Nothing that the gate refuses leaves a trace, and what it admits reaches
//! another replica whole.

use std::collections::{BTreeMap, BTreeSet};

use smp_protocol::codec;
use smp_protocol::document::{ChainId, Document, Frontier, Judged, Step, Unit};
use smp_protocol::ids::{Hash, Incarnation, Signature};
use smp_protocol::limits;
use smp_protocol::schema::{Edit, FieldId, NEWEST, Value};

use super::Seeds;
use super::common::{
    ZERO, create_place, depending_unit, document, key, other_edits, place, pool, record, roster,
    unit,
};
use smp_protocol::ids::RecordKind;

/// More units than this are no new case, only slower.
const UNITS: usize = 32;

/// How a unit is put right: a byte of the input before the units.
struct Mending(u8);

impl Mending {
    const LINK: u8 = 1;
    const DEPEND: u8 = 2;
    const SIGN: u8 = 4;
    const LAST_OF_BATCH: u8 = 8;

    fn asks(&self, what: u8) -> bool {
        self.0 & what != 0
    }

    /// The council whose node writes it; none leaves the unit's own.
    fn author(&self) -> Option<u8> {
        (self.0 >> 4 & 3).checked_sub(1)
    }

    /// The same for the process start.
    fn incarnation(&self) -> Option<Incarnation> {
        (self.0 >> 6).checked_sub(1).map(|n| Incarnation([n; 8]))
    }
}

/// A byte for each of eight units, then the units.
pub(super) fn entries(data: &[u8]) {
    let (mendings, rest) = data.split_at(data.len().min(8));
    let Ok(units) = codec::decode::<Vec<Unit>>(rest, limits::BATCH_BYTES) else {
        return;
    };
    let mut ends: BTreeMap<ChainId, (u64, Hash)> = BTreeMap::new();
    let mut held = Document::new(place(pool(0)));
    let mut batch = Vec::new();
    let cycle = mendings.iter().cycle();
    for (mut unit, mending) in units.into_iter().take(UNITS).zip(cycle) {
        let mending = Mending(*mending);
        mend(&mut unit, &mending, &mut ends);
        batch.push(unit);
        if mending.asks(Mending::LAST_OF_BATCH) {
            admit(&mut held, std::mem::take(&mut batch));
        }
    }
    admit(&mut held, batch);
    assert_reaches_another(&held);
}

fn mend(unit: &mut Unit, mending: &Mending, ends: &mut BTreeMap<ChainId, (u64, Hash)>) {
    if let Some(author) = mending.author() {
        unit.chain.node = key(author).node_id();
    }
    if let Some(incarnation) = mending.incarnation() {
        unit.chain.incarnation = incarnation;
    }
    if mending.asks(Mending::LINK) {
        (unit.first, unit.previous) = ends.get(&unit.chain).copied().unwrap_or((0, ZERO));
    }
    if mending.asks(Mending::DEPEND)
        && let Some(step) = unit.steps.first_mut()
    {
        let others = ends.iter().filter(|(chain, _)| **chain != unit.chain);
        let heads: BTreeSet<Hash> = others.map(|(_, (_, last))| *last).collect();
        step.dependencies = heads.into_iter().collect();
    }
    let Some(last) = unit.hashes().last().copied() else {
        return;
    };
    if mending.asks(Mending::SIGN) {
        unit.signature = Unit::sign(last, &key(mending.author().unwrap_or(0)));
    }
    ends.insert(unit.chain, (unit.end(), last));
}

/// What can be seen of a document.
fn seen(document: &Document) -> (Frontier, Vec<Hash>, usize, Vec<Hash>) {
    let frontier = document.frontier();
    let (heads, refused) = (document.heads(), document.refused());
    (frontier, heads, document.record_count(), refused)
}

/// The way of every entry into a document.
fn admit(document: &mut Document, units: Vec<Unit>) {
    let roster = roster();
    let before = seen(document);
    let judged = document.judge(units.clone(), &roster);
    assert_eq!(seen(document), before, "judging changes nothing");
    let admitted: Vec<Unit> = judged.units().cloned().collect();
    for refusal in &judged.refused {
        let text = refusal.cause.to_string();
        assert!(!text.is_empty() && text.len() < 400, "{text}");
    }
    document.execute(judged).expect("the merge engine takes it");
    let writer = key(0).node_id();
    for unit in &admitted {
        assert_eq!(unit.place, place(pool(0)), "of this document");
        assert_eq!(unit.chain.node, writer, "by its council (P-1)");
        for step in &unit.steps {
            assert!(step.decode_edits().is_ok(), "with edits");
        }
        for hash in unit.hashes() {
            assert!(document.holds(&hash), "what is admitted is held");
        }
    }
    let after = seen(document);
    assert!(after.0.covers(&before.0), "nothing is lost");
    if admitted.is_empty() {
        assert_eq!((&after.0, &after.1), (&before.0, &before.1));
    }
    let Judged { .. } = assert_nothing_new(document, admitted);
    assert_eq!(seen(document), after);
}

/// Entries that are held are not admitted a second time.
fn assert_nothing_new(document: &Document, admitted: Vec<Unit>) -> Judged {
    let again = document.judge(admitted, &roster());
    assert!(again.is_empty(), "admitted twice");
    assert_eq!(again.refused, [], "what is held is not refused");
    again
}

/// A replica that asks for everything ends with the same document.
fn assert_reaches_another(document: &Document) {
    let mut other = Document::new(place(pool(0)));
    let mut shown = Frontier::default();
    loop {
        let batch = document.batch_after(&mut shown, &BTreeSet::new(), &roster());
        if batch.is_empty() {
            break;
        }
        let judged = other.judge(batch, &roster());
        assert_eq!(judged.refused, [], "what is held here is admitted there");
        other.execute(judged).expect("the merge engine takes it");
    }
    assert_eq!(other.frontier(), document.frontier());
    assert_eq!(
        other.heads(),
        document.heads(),
        "equal entries, equal heads"
    );
    assert!(other.records().eq(document.records()));
}

/// A unit that only mending makes admissible.
fn loose(steps: Vec<Vec<Edit>>) -> Unit {
    let steps = steps
        .iter()
        .map(|edits| Step::new(Vec::new(), NEWEST, edits));
    Unit {
        place: place(pool(0)),
        chain: ChainId {
            node: key(0).node_id(),
            incarnation: Incarnation([1; 8]),
        },
        first: 0,
        previous: ZERO,
        steps: steps.collect(),
        signature: Signature([0; 64]),
    }
}

pub(super) fn seeds() -> Seeds {
    let clear = vec![Edit::Update {
        record: record(RecordKind::Place, 1),
        fields: vec![(FieldId(1), Some(Value::Integer(3))), (FieldId(5), None)],
    }];
    let first = loose(vec![vec![create_place(1)], other_edits()]);
    let cases: [(&str, [u8; 8], Vec<Unit>); 6] = [
        ("as signed", [0; 8], vec![unit(), depending_unit()]),
        ("out of order", [0; 8], vec![depending_unit(), unit()]),
        (
            "one chain",
            [0b0101_1101; 8],
            vec![first.clone(), loose(vec![clear.clone()])],
        ),
        (
            "three chains that depend on one another",
            [0x57, 0x97, 0xd7, 0x57, 0x97, 0xd7, 0x57, 0x97],
            vec![
                first.clone(),
                loose(vec![vec![create_place(2)]]),
                loose(vec![clear.clone()]),
                loose(vec![vec![create_place(3)], clear.clone()]),
            ],
        ),
        (
            "chains apart",
            [0x5d, 0x9d, 0xdd, 0x5d, 0x9d, 0xdd, 0x5d, 0x5f],
            vec![first.clone(), first.clone(), first, loose(vec![clear])],
        ),
        (
            "of another council",
            [0b0110_1101; 8],
            vec![loose(vec![vec![create_place(4)]])],
        ),
    ];
    // The document of the fixture is admitted, so that a seed that is refused is noticed.
    assert!(document().entry_count() > 0);
    cases
        .into_iter()
        .map(|(name, mendings, units)| {
            let data = [&mendings[..], &codec::encode(&units)].concat();
            (name.to_owned(), data)
        })
        .collect()
}
