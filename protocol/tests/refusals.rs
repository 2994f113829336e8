//! What is proven to be its author's fault is told to peers, who stop sending it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails where these do"
)]

mod common;

use common::*;
use smp_protocol::codec;
use smp_protocol::document::{Cause, Frontier, Reach, Step};
use smp_protocol::ids::DocumentKind;
use smp_protocol::schema::{Edit, SchemaVersion};
use smp_protocol::session::message::{Answer, Control, DocumentSummary, Push, Summary, Want};
use smp_protocol::session::{Member, Note, Output, PeerId, PullId, StreamId};

const LINK: PeerId = PeerId(1);

fn wants(outputs: &[Output]) -> Vec<(PullId, Want)> {
    outputs
        .iter()
        .filter_map(|output| match output {
            Output::Ask { pull, frame, .. } => Some((*pull, Want::decode(frame).unwrap())),
            _ => None,
        })
        .collect()
}

#[test]
fn a_proven_refusal_is_told_in_the_next_want_and_not_asked_for_again() {
    let mut reader = member(1);
    greet(&mut reader, LINK, 0, START);
    // The author signs an entry that edits nothing, after a good one on another chain.
    let bad = signed_unit(vec![Step::new(Vec::new(), SchemaVersion(1), &[])]);
    let bad_hash = *bad.hashes().last().unwrap();
    reader.take_outputs();
    let push = Control::Push(Push {
        units: vec![bad.clone()],
        freshness: None,
    });
    reader.control(LINK, &push.encode(), START);
    let outputs = reader.take_outputs();
    let proven = outputs.iter().find_map(|output| match output {
        Output::Note(Note::Refused { refusal, .. }) => Some(refusal.clone()),
        _ => None,
    });
    let proven = proven.unwrap();
    assert!(matches!(proven.cause, Cause::Schema(_)));
    assert_eq!(proven.proven, Some(bad_hash));
    assert!(!outputs.iter().any(|o| matches!(o, Output::Store(_))));

    // The author says that it holds that entry: the reader asks, and says what it refuses.
    let theirs = Frontier(
        [(
            bad.chain,
            Reach {
                entries: 1,
                last: bad_hash,
            },
        )]
        .into(),
    );
    let digest = theirs.digest(&place(pool(0)));
    let said = Control::Summary(Summary {
        reply: false,
        documents: vec![DocumentSummary {
            document: pool(0),
            generation: 1,
            frontier: digest,
            heads: digest,
            entries: 1,
            freshness: None,
            acceptance: None,
        }],
    });
    reader.control(LINK, &said.encode(), START);
    let asked = wants(&reader.take_outputs());
    let [(pull, want)] = asked.as_slice() else {
        panic!("one question, not {}", asked.len());
    };
    assert_eq!(want.refused, [bad_hash]);
    // There is nothing else to send, and the reader does not ask for it for ever.
    reader.answered(*pull, &Answer::End(theirs).encode(), START);
    for second in 1..300 {
        let now = START.plus(second);
        reader.control(LINK, &said.encode(), now);
        reader.tick(now);
        assert!(wants(&reader.take_outputs()).is_empty(), "second {second}");
    }
}

fn answer(author: &mut Member, want: &Want) -> Vec<Answer> {
    let stream = StreamId(7);
    author.take_outputs();
    author.asked(LINK, stream, &want.encode(), START);
    let mut frames = Vec::new();
    loop {
        let mut last_one = true;
        for output in author.take_outputs() {
            if let Output::Answer { frame, last, .. } = output {
                frames.push(Answer::decode(&frame).unwrap());
                last_one = last;
            }
        }
        if last_one {
            return frames;
        }
        author.writable(LINK, stream, START);
    }
}

#[test]
fn what_a_peer_refuses_is_not_sent_and_all_else_is() {
    let mut author = member(0);
    let write = |author: &mut Member, edit: Edit| {
        author
            .write(&[(DocumentKind::RematchingPool, vec![edit])], START)
            .unwrap();
    };
    // Two chains: what was stored of another process start, and this one's own.
    let stored = signed_unit(vec![Step::new(
        Vec::new(),
        SchemaVersion(1),
        &[create_place(3)],
    )]);
    let refused = *stored.hashes().last().unwrap();
    author
        .restore(smp_protocol::session::Durable::Batch {
            document: pool(0),
            generation: 1,
            ordinal: 0,
            units: vec![stored.clone()],
        })
        .unwrap();
    greet(&mut author, LINK, 1, START);
    let mut want = Want {
        frontier: Frontier::default(),
        refused: Vec::new(),
        ..want()
    };
    write(&mut author, create_place(4));
    let sent = |frames: &[Answer]| -> Vec<_> {
        frames
            .iter()
            .flat_map(|frame| match frame {
                Answer::Batch(units) => units.clone(),
                _ => Vec::new(),
            })
            .map(|unit| unit.chain)
            .collect()
    };
    assert_eq!(sent(&answer(&mut author, &want)).len(), 2);
    // What was written on top of the refused entry cannot be sent without it.
    want.refused = vec![refused];
    let frames = answer(&mut author, &want);
    assert_eq!(sent(&frames), []);
    assert!(matches!(frames.as_slice(), [Answer::End(_)]));
    // A refusal of an entry on top of it leaves the entry itself.
    let own = author.document(pool(0)).unwrap().frontier();
    let newest = own.0.iter().find(|(chain, _)| **chain != stored.chain);
    want.refused = vec![newest.unwrap().1.last];
    assert_eq!(sent(&answer(&mut author, &want)), [stored.chain]);
    assert!(codec::encode(&want).len() < 1024);
}
