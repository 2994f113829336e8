//! Frames of the control stream, questions and answers: decoded, and heard by a member.

use smp_protocol::document::Unit;
use smp_protocol::ids::Hash;
use smp_protocol::limits;
use smp_protocol::session::message::{Answer, Control, Want};
use smp_protocol::session::{Member, Output, PeerId, PullId, StreamId};

use super::common::{
    START, answers, controls, depending_unit, greet, member, pool, summary, unit, want,
};
use super::{Seeds, bounded};

/// What is taken on the word of lengths before their bytes turn out not to be there, see
/// `protocol/tests/hostile_bytes.rs`.
const CLAIMED: usize = limits::BATCH_BYTES + (4 << 20);

/// What reading a compressed frame may take at its peak, whatever its length.
const INFLATED: usize = CLAIMED + 10 * limits::BATCH_BYTES + limits::BATCH_FRAME_BYTES;

const PEER: PeerId = PeerId(7);

/// A frame of the control stream.
pub(super) fn control_frame(data: &[u8]) {
    let bound = CLAIMED + 40 * data.len();
    let read = bounded(bound, "a control frame", || Control::decode(data));
    if let Ok(message) = &read {
        assert_eq!(message.encode(), data, "one value, one encoding (P-2)");
    }
    let mut member = listener();
    let before = state(&member);
    member.control(PEER, data, START);
    hear(&mut member, read.is_ok(), &before);
}

/// The first frame of a stream that asks, or a frame of an answer.
pub(super) fn stream_frame(data: &[u8]) {
    let bound = CLAIMED + 40 * data.len();
    let asked = bounded(bound, "a question", || Want::decode(data));
    if let Ok(want) = &asked {
        assert_eq!(want.encode(), data, "one value, one encoding (P-2)");
    }
    let answered = bounded(INFLATED, "an answer", || Answer::decode(data));
    if let Ok(answer) = &answered {
        let again = answer.encode();
        // Of a batch there are as many forms as ways to compress it.
        let same = again == data || !answer.is_last();
        assert!(same, "one value, one encoding (P-2)");
        assert_eq!(Answer::decode(&again).as_ref(), Ok(answer));
    }
    let mut member = listener();
    let before = state(&member);
    member.asked(PEER, StreamId(1), data, START);
    hear(&mut member, asked.is_ok(), &before);
    let (mut member, pull) = asker();
    let before = state(&member);
    member.answered(pull, data, START);
    hear(&mut member, answered.is_ok(), &before);
}

/// A member of council 1 to whom council 2 has said hello.
fn listener() -> Member {
    let mut member = member(1);
    greet(&mut member, PEER, 2, START);
    let closed = |output: &Output| matches!(output, Output::Close { .. });
    assert!(!member.take_outputs().iter().any(closed));
    member
}

/// The same, after it asked for the pool of council 0.
fn asker() -> (Member, PullId) {
    let mut member = listener();
    let mut told = summary();
    told.documents.retain(|said| said.document == pool(0));
    member.control(PEER, &Control::Summary(told).encode(), START);
    let outputs = member.take_outputs();
    let pull = outputs.iter().find_map(|output| match output {
        Output::Ask { pull, .. } => Some(*pull),
        _ => None,
    });
    (member, pull.expect("it asks for what it lacks"))
}

/// What is held of the one document of which the seeds have signed entries.
fn state(member: &Member) -> (usize, Vec<Hash>) {
    let held = member.document(pool(0));
    held.map_or_else(Default::default, |d| (d.entry_count(), d.heads()))
}

/// What a frame may do: nothing but end the connection if it is none, and otherwise at most
/// bring the entries that council 0 has signed.
fn hear(member: &mut Member, read: bool, before: &(usize, Vec<Hash>)) {
    let outputs = member.take_outputs();
    let closed = outputs
        .iter()
        .any(|output| matches!(output, Output::Close { peer: PEER, .. }));
    for output in &outputs {
        assert!(!matches!(output, Output::Rebuild(_)), "{output:?}");
    }
    if !read {
        assert!(closed, "what is no message ends the connection");
        assert!(
            !outputs.iter().any(|o| matches!(o, Output::Store(_))),
            "nothing is stored of it: {outputs:?}"
        );
        assert_eq!(state(member), *before, "and nothing has changed");
    }
    let signed: usize = [unit(), depending_unit()].iter().map(entries_of).sum();
    assert!(state(member).0 <= signed, "an entry that nobody signed");
    assert!(
        member
            .document(pool(2))
            .is_none_or(|d| d.entry_count() == 0)
    );
}

fn entries_of(unit: &Unit) -> usize {
    unit.steps.len()
}

pub(super) fn control_seeds() -> Seeds {
    let named = |(name, message): (&str, Control)| (name.to_owned(), message.encode());
    controls().into_iter().map(named).collect()
}

pub(super) fn stream_seeds() -> Seeds {
    let named = |(name, message): (&str, Answer)| (name.to_owned(), message.encode());
    let mut seeds: Seeds = answers().into_iter().map(named).collect();
    seeds.push(("want".to_owned(), want().encode()));
    seeds
}
