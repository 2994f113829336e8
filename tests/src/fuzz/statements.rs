//! What councils sign beside their entries: who is accepted as a reader, how fresh a document
//! is, what a node holds of a key. None gives anybody a right that the roster does not.

use smp_protocol::codec;
use smp_protocol::ids::{DocumentKind, NodeId};
use smp_protocol::limits;
use smp_protocol::roster::{Ground, Roster, SignedRoster, cut_from};
use smp_protocol::session::message::{Control, DocumentSummary, Summary};
use smp_protocol::session::{Output, PeerId};
use smp_protocol::statements::{Acceptance, Freshness, Vouching};

use super::Seeds;
use super::common::{
    START, ZERO, acceptance, authority, council, freshness, greet, key, member, pool, register,
    roster, vouching,
};

const PEER: PeerId = PeerId(7);

/// A byte that says which statement it is (128 and 1), whether it is signed again (2) and by
/// which council (from 4 on); then the statement.
pub(super) fn statement(data: &[u8]) {
    let Some((how, bytes)) = data.split_first() else {
        return;
    };
    let key = (how & 2 != 0).then(|| key((how >> 2) % 3));
    if how & 128 != 0 {
        let Ok(read) = codec::decode::<Vouching>(bytes, limits::VOUCHING_BYTES) else {
            return;
        };
        assert_eq!(codec::encode(&read), bytes);
        vouch(key.map_or(read.clone(), |key| Vouching::sign(read.body, &key)));
    } else if how & 1 == 0 {
        let Ok(read) = codec::decode::<Acceptance>(bytes, limits::ENTRY_BYTES) else {
            return;
        };
        assert_eq!(codec::encode(&read), bytes);
        accept(key.map_or(read.clone(), |key| Acceptance::sign(read.body, &key)));
    } else {
        let Ok(read) = codec::decode::<Freshness>(bytes, limits::ENTRY_BYTES) else {
            return;
        };
        assert_eq!(codec::encode(&read), bytes);
        freshen(key.map_or(read.clone(), |key| Freshness::sign(read.body, &key)));
    }
}

fn is_writer(roster: &Roster, document: smp_protocol::ids::DocumentName, node: NodeId) -> bool {
    let listed = roster.node(node);
    listed.is_some_and(|(member, _)| member.council == document.council)
}

fn accept(statement: Acceptance) {
    let roster = roster();
    let document = statement.body.document;
    let holds = statement.holds(&roster);
    if holds {
        assert!(is_writer(&roster, document, statement.body.node), "P-1");
        assert_eq!(document.kind, DocumentKind::HostRegister);
    }
    assert!(!statement.replaces(&statement));
    let known = acceptance();
    let wins = holds && document == register(0) && statement.replaces(&known);
    // Councils 1 and 2 are told of both; only council 1 is a named reader.
    for reader in [1, 2] {
        let mut member = member(reader);
        greet(&mut member, PEER, 0, START);
        for said in [&known, &statement] {
            let told = told(said.body.document, None, Some(said.clone()));
            member.control(PEER, &told.encode(), START);
        }
        assert_no_rebuild(&member.take_outputs());
        assert!(!member.may_read(register(0), council(2)), "P-9");
        if reader == 1 {
            let kept = if wins { &statement } else { &known };
            assert_eq!(member.accepted(register(0)), kept.body.readers);
        }
    }
}

fn freshen(statement: Freshness) {
    let roster = roster();
    let body = statement.body.clone();
    if statement.holds(&roster, START) {
        assert!(is_writer(&roster, body.place.document, body.node), "P-1");
        assert!(body.at <= START.plus(limits::CLOCK_SKEW_SECONDS));
    }
    assert!(!statement.is_later(&statement));
    let mut member = member(1);
    greet(&mut member, PEER, 0, START);
    let told = told(body.place.document, Some(statement), None);
    member.control(PEER, &told.encode(), START);
    assert_no_rebuild(&member.take_outputs());
    member.tick(START.plus(limits::FRESHNESS_SECONDS));
    assert_no_rebuild(&member.take_outputs());
    assert!(
        member
            .document(pool(0))
            .is_none_or(|d| d.entry_count() == 0)
    );
}

/// Alone it is no ground for a cut but by the admin's word, and then the roster that has the
/// cut is one that nodes take.
fn vouch(statement: Vouching) {
    let mut roster = roster();
    let (document, of) = (statement.body.place.document, statement.body.of);
    let all = std::slice::from_ref(&statement);
    assert!(
        cut_from(&roster, document, of, all, Ground::Two).is_err(),
        "P-48"
    );
    if let Ok(cut) = cut_from(&roster, document, of, all, Ground::One(&statement)) {
        assert!(statement.holds(&roster).is_some());
        assert_ne!(statement.body.by, of);
        roster.cuts = vec![cut];
        // What it names may be more than any chain may have; then it is refused by name.
        if let Err(error) = SignedRoster::sign(&roster, &authority()) {
            assert!(!error.to_string().is_empty());
        }
    }
}

fn told(
    document: smp_protocol::ids::DocumentName,
    freshness: Option<Freshness>,
    acceptance: Option<Acceptance>,
) -> Control {
    Control::Summary(Summary {
        reply: false,
        documents: vec![DocumentSummary {
            document,
            generation: 1,
            frontier: ZERO,
            heads: ZERO,
            entries: 0,
            freshness,
            acceptance,
        }],
    })
}

fn assert_no_rebuild(outputs: &[Output]) {
    let rebuilds = |output: &Output| matches!(output, Output::Rebuild(_));
    assert!(!outputs.iter().any(rebuilds), "{outputs:?}");
}

pub(super) fn seeds() -> Seeds {
    let (accepts, fresh) = (codec::encode(&acceptance()), codec::encode(&freshness()));
    let mut taken_back = acceptance().body;
    taken_back.counter += 1;
    taken_back.readers.clear();
    let taken_back = codec::encode(&Acceptance::sign(taken_back, &key(0)));
    let vouching = codec::encode(&vouching());
    [
        ("acceptance as signed", 0, &accepts),
        ("acceptance signed again", 2, &accepts),
        ("acceptance taken back", 2, &taken_back),
        ("acceptance by another", 6, &accepts),
        ("freshness as signed", 1, &fresh),
        ("freshness signed again", 3, &fresh),
        ("vouching as signed", 128, &vouching),
        ("vouching signed again", 134, &vouching),
    ]
    .into_iter()
    .map(|(name, how, bytes)| (name.to_owned(), [&[how], bytes.as_slice()].concat()))
    .collect()
}
