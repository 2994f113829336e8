//! Bytes that nobody honest sends: no decoder panics, none takes more memory than the
//! limits allow, and a member that is fed with them still serves others.
//!
//! The corpus is one valid message of every kind and what messages are made of. Every
//! mutation follows from a seed, which a failure prints. Memory is counted by the global
//! allocator of this one test, so the tests take turns.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails where these do"
)]

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard};

use common::*;
use peak_alloc::PeakAlloc;
use smp_protocol::codec;
use smp_protocol::document::{ChainId, Frontier, Header, Reach, Unit};
use smp_protocol::ids::{DocumentKind, Incarnation};
use smp_protocol::limits;
use smp_protocol::roster::{Roster, SignedRoster};
use smp_protocol::schema::Edit;
use smp_protocol::session::message::{Answer, Control, Holds, Want};
use smp_protocol::session::{Member, Output, PeerId, PullId, StreamId};
use smp_protocol::statements::{Acceptance, Freshness};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

static TURNS: Mutex<()> = Mutex::new(());

fn turn() -> MutexGuard<'static, ()> {
    TURNS
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// What is taken on the word of lengths in the input before their bytes turn out not to be
/// there: one text or run of bytes up to the largest limit of any message, and for each list
/// inside another, of which there are four at most, what serde reserves (1 MiB).
const CLAIMED: usize = limits::BATCH_BYTES + (4 << 20);

/// What one decoder may take at its peak. What was read is at most ten times its bytes
/// there (an empty step is 3 bytes on the wire and 56 in memory, and the codec counts it as
/// 18 against the same limit), and its re-encoding is as long as the input.
const PEAK: usize = CLAIMED + 10 * limits::BATCH_BYTES + limits::BATCH_FRAME_BYTES;

/// The same for a message that came without compression and is this long.
fn peak_for(bytes: usize) -> usize {
    CLAIMED + 40 * bytes
}

/// A decoder, by name.
type Decoder = (&'static str, fn(&[u8]) -> bool);

const CONTROL: Decoder = ("control", |b| Control::decode(b).is_ok());
const WANT: Decoder = ("want", |b| Want::decode(b).is_ok());
const ANSWER: Decoder = ("answer", |b| Answer::decode(b).is_ok());

fn reads<T: serde::de::DeserializeOwned + serde::Serialize>(bytes: &[u8], limit: usize) -> bool {
    codec::decode::<T>(bytes, limit).is_ok()
}

const DECODERS: [Decoder; 11] = [
    CONTROL,
    WANT,
    ANSWER,
    ("roster", |b| reads::<Roster>(b, limits::ROSTER_BYTES)),
    ("signed roster", |b| {
        reads::<SignedRoster>(b, limits::CONTROL_FRAME_BYTES)
    }),
    ("unit", |b| reads::<Unit>(b, limits::BATCH_BYTES)),
    ("header", |b| reads::<Header>(b, limits::ENTRY_BYTES)),
    ("edits", |b| reads::<Vec<Edit>>(b, limits::ENTRY_BYTES)),
    ("freshness", |b| reads::<Freshness>(b, limits::ENTRY_BYTES)),
    ("acceptance", |b| {
        reads::<Acceptance>(b, limits::ENTRY_BYTES)
    }),
    ("decompression", |b| {
        codec::decompress(b, limits::BATCH_BYTES).is_ok()
    }),
];

/// One valid input of each decoder at least: name of the decoder, and bytes.
fn corpus() -> Vec<(&'static str, Vec<u8>)> {
    let mut corpus: Vec<(&str, Vec<u8>)> = Vec::new();
    corpus.extend(controls().iter().map(|(_, m)| ("control", m.encode())));
    corpus.push(("want", want().encode()));
    corpus.extend(answers().iter().map(|(_, m)| ("answer", m.encode())));
    corpus.push(("roster", codec::encode(&roster())));
    corpus.push(("signed roster", codec::encode(&signed_roster())));
    corpus.push(("unit", codec::encode(&unit())));
    corpus.push(("unit", codec::encode(&depending_unit())));
    corpus.push(("header", codec::encode(&header())));
    corpus.push(("edits", codec::encode(&other_edits())));
    corpus.push(("edits", codec::encode(&vec![create_place(1)])));
    corpus.push(("freshness", codec::encode(&freshness())));
    corpus.push(("acceptance", codec::encode(&acceptance())));
    corpus.push(("decompression", codec::compress(&codec::encode(&roster()))));
    corpus
}

/// Runs a decoder and says whether it took the bytes; a panic or too much memory fails
/// with `what`.
fn decode(decoder: &Decoder, bytes: &[u8], bound: usize, what: &dyn Fn() -> String) -> bool {
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    let read = catch_unwind(|| decoder.1(bytes));
    let peak = MEMORY.peak_usage().saturating_sub(before);
    let Ok(read) = read else {
        panic!("the decoder of {} panicked: {}", decoder.0, what());
    };
    assert!(
        peak <= bound,
        "the decoder of {} took {peak} bytes where {bound} are allowed: {}",
        decoder.0,
        what()
    );
    read
}

/// A length of 2^60 and one of 2^32 - 1 and one of 4 MiB, as the codec writes them.
const CLAIMS: [&[u8]; 4] = [
    &[253, 0, 0, 0, 0, 0, 0, 0, 0x10],
    &[253, 255, 255, 255, 255, 255, 255, 255, 255],
    &[252, 255, 255, 255, 255],
    &[252, 0, 0, 0x3f, 0],
];

/// One to four mutations of one input, some of them with pieces of another.
fn mutated(dice: &mut fastrand::Rng, input: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..dice.usize(1..=4) {
        let at = dice.usize(0..=bytes.len());
        match dice.u8(0..7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << dice.u8(0..8),
            1 => bytes.truncate(at),
            2 => {
                let noise: Vec<u8> = (0..dice.usize(1..20)).map(|_| dice.u8(..)).collect();
                bytes.splice(at..at, noise);
            }
            3 => {
                let claim = CLAIMS[dice.usize(0..CLAIMS.len())];
                let end = (at + dice.usize(0..2)).min(bytes.len());
                bytes.splice(at..end, claim.iter().copied());
            }
            4 if !other.is_empty() => {
                let from = dice.usize(0..other.len());
                let to = dice.usize(from..=other.len());
                let end = dice.usize(at..=bytes.len());
                bytes.splice(at..end, other[from..to].iter().copied());
            }
            5 if at < bytes.len() => bytes[at] = dice.u8(..),
            _ => {
                let end = dice.usize(at..=bytes.len()).min(at + 64);
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
        }
    }
    bytes
}

fn seed() -> u64 {
    std::env::var("SMP_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(1)
}

const MUTATIONS: usize = 400_000;

#[test]
fn no_mutation_makes_a_decoder_panic_or_take_more_memory_than_it_may() {
    let _turn = turn();
    let corpus = corpus();
    for (name, bytes) in &corpus {
        let decoder = DECODERS.iter().find(|d| d.0 == *name).unwrap();
        assert!(decode(decoder, bytes, PEAK, &|| "unaltered".to_owned()));
    }
    let seed = seed();
    let mut dice = fastrand::Rng::with_seed(seed);
    let mut read = 0;
    for n in 0..MUTATIONS {
        let (name, input) = &corpus[dice.usize(0..corpus.len())];
        let (_, other) = &corpus[dice.usize(0..corpus.len())];
        let bytes = mutated(&mut dice, input, other);
        let what = || format!("mutation {n} of SMP_SEED={seed}");
        // Its own decoder, and now and then one of another kind of message.
        let decoder = if dice.u8(0..8) == 0 {
            &DECODERS[dice.usize(0..DECODERS.len())]
        } else {
            DECODERS.iter().find(|d| d.0 == *name).unwrap()
        };
        // What compression hides from the length is bounded by the limit alone.
        let hidden = matches!(decoder.0, "answer" | "decompression");
        let bound = if hidden { PEAK } else { peak_for(bytes.len()) };
        read += usize::from(decode(decoder, &bytes, bound, &what));
    }
    // Some are harmless, or nothing was tested; most are refused.
    assert!((100..MUTATIONS / 2).contains(&read), "{read} were read");
}

#[test]
fn no_length_is_believed_wherever_it_stands() {
    let _turn = turn();
    for (name, input) in corpus().iter().filter(|(_, input)| input.len() < 2048) {
        let decoder = DECODERS.iter().find(|d| d.0 == *name).unwrap();
        for at in 0..input.len() {
            for claim in CLAIMS {
                for over in [0, 1] {
                    let mut bytes = input.clone();
                    bytes.splice(at..(at + over).min(input.len()), claim.iter().copied());
                    let bound = if *name == "answer" || *name == "decompression" {
                        PEAK
                    } else {
                        peak_for(bytes.len())
                    };
                    decode(decoder, &bytes, bound, &|| format!("a claim at byte {at}"));
                }
            }
        }
    }
}

/// As many empty things as fit: the most memory for the fewest bytes.
fn crowds() -> Vec<(&'static str, Vec<u8>)> {
    let counted = |count: u32, each: &[u8]| {
        let mut out = vec![252];
        out.extend(count.to_le_bytes());
        for _ in 0..count {
            out.extend(each);
        }
        out
    };
    let mut unit = codec::encode(&signed_unit(Vec::new()));
    // The count of its steps stands before its signature.
    let steps_at = unit.len() - 65;
    assert_eq!(unit[steps_at], 0);
    unit.splice(steps_at..=steps_at, counted(1_000_000, &[0, 1, 0]));
    let mut answer = vec![17];
    let mut units = vec![1];
    units.extend(&unit);
    answer.extend(codec::compress(&units));
    vec![
        ("unit", unit),
        ("answer", answer),
        ("edits", counted(800, &[1, 3, 0, 0, 0])),
        ("roster", counted(100_000, &[0, 0, 0])),
    ]
}

#[test]
fn crowds_and_bombs_stop_at_the_limits() {
    let _turn = turn();
    for (name, bytes) in crowds() {
        let decoder = DECODERS.iter().find(|d| d.0 == name).unwrap();
        decode(decoder, &bytes, PEAK, &|| {
            "a crowd of small things".to_owned()
        });
    }
    // 1 GiB of zeroes would be a frame of about 32 KB; so many are enough.
    let zeroes = vec![0u8; 64 << 20];
    let mut bomb = vec![17];
    bomb.extend(codec::compress(&zeroes));
    drop(zeroes);
    assert!(bomb.len() < 16 << 10);
    assert!(!decode(&ANSWER, &bomb, PEAK, &|| "a bomb".to_owned()));
    // A bomb of many frames in a row.
    let one = codec::compress(&vec![0u8; 1 << 20]);
    let mut row = vec![17];
    row.extend(one.repeat(100));
    assert!(!decode(&ANSWER, &row, PEAK, &|| "a row of bombs".to_owned()));
}

/// A well-formed message with so many chains.
fn crowded(chains: u64) -> (Vec<u8>, Vec<u8>) {
    let chain = |n: u64| ChainId {
        node: key(0).node_id(),
        incarnation: Incarnation(n.to_be_bytes()),
    };
    let reach = |entries| Reach {
        entries,
        last: ZERO,
    };
    let holds = Control::Holds(Holds {
        document: pool(0),
        generation: 1,
        chains: (0..chains).map(|n| (chain(n), n)).collect(),
        frontier: ZERO,
        entries: 1,
    });
    let want = Want {
        frontier: Frontier((0..chains).map(|n| (chain(n), reach(n))).collect()),
        ..want()
    };
    (holds.encode(), want.encode())
}

#[test]
fn a_frame_over_its_limit_is_not_read() {
    let _turn = turn();
    let (holds, want) = crowded(8_000);
    assert!(decode(&CONTROL, &holds, PEAK, &|| "within".to_owned()));
    assert!(decode(&WANT, &want, PEAK, &|| "within".to_owned()));
    let (holds, want) = crowded(30_000);
    for (decoder, frame) in [(&CONTROL, holds), (&WANT, want)] {
        assert!(frame.len() > limits::CONTROL_FRAME_BYTES);
        let read = decode(decoder, &frame, 1 << 10, &|| "too long".to_owned());
        assert!(!read, "{}: {} bytes", decoder.0, frame.len());
    }
}

const GOOD: PeerId = PeerId(0);

/// A member, and a good peer that pulls what it writes.
struct Pair {
    member: Member,
    good: Member,
}

impl Pair {
    fn new() -> Self {
        let mut pair = Self {
            member: member(0),
            good: member(1),
        };
        pair.member.connected(GOOD, authenticated(1), START);
        pair.good.connected(GOOD, authenticated(0), START);
        converse(&mut pair.member, &mut pair.good, GOOD, START);
        pair
    }

    /// The member still writes, and the good peer has it at once.
    fn assert_serves(&mut self, n: u8) {
        let edits = vec![create_place(n)];
        self.member
            .write(&[(DocumentKind::RematchingPool, edits)], START)
            .unwrap();
        converse(&mut self.member, &mut self.good, GOOD, START);
        let heads = |m: &Member| m.document(pool(0)).map(|d| (d.heads(), d.entry_count()));
        assert!(heads(&self.good).is_some_and(|(_, entries)| entries > 0));
        assert_eq!(heads(&self.member), heads(&self.good));
    }
}

/// What the peer of council 2 says before it turns hostile.
struct Manners {
    hello: Vec<u8>,
    summary: Vec<u8>,
}

/// The peer sends these bytes on each kind of stream.
fn feed(member: &mut Member, peer: PeerId, manners: &Manners, bytes: &[u8], way: usize) {
    member.connected(peer, authenticated(2), START);
    member.control(peer, &manners.hello, START);
    match way {
        0 => member.control(peer, bytes, START),
        1 => member.asked(peer, StreamId(peer.0), bytes, START),
        _ => {
            // It says that it has something, is asked for it, and answers.
            member.control(peer, &manners.summary, START);
            let pulls: Vec<PullId> = member
                .take_outputs()
                .iter()
                .filter_map(|output| match output {
                    Output::Ask { pull, .. } => Some(*pull),
                    _ => None,
                })
                .collect();
            assert!(!pulls.is_empty(), "nothing was asked for");
            for pull in pulls {
                member.answered(pull, bytes, START);
            }
        }
    }
}

const FED: usize = 50_000;

#[test]
fn a_member_survives_every_mutation_and_serves_others_all_the_while() {
    let _turn = turn();
    let seed = seed().wrapping_add(1);
    let mut dice = fastrand::Rng::with_seed(seed);
    let ways: [Vec<Vec<u8>>; 3] = [
        controls().iter().map(|(_, m)| m.encode()).collect(),
        vec![want().encode()],
        answers().iter().map(|(_, m)| m.encode()).collect(),
    ];
    // A frontier that nobody reaches, whatever is admitted: there is always reason to ask.
    let mut promises = summary();
    for document in &mut promises.documents {
        document.frontier = ZERO;
    }
    let manners = Manners {
        hello: hello(2).encode(),
        summary: Control::Summary(promises).encode(),
    };
    let mut pair = Pair::new();
    pair.assert_serves(0);
    let before = pair.member.document(pool(0)).unwrap().entry_count();
    let mut closed = 0;
    for n in 0..FED {
        let way = dice.usize(0..ways.len());
        let input = &ways[way][dice.usize(0..ways[way].len())];
        let other = &ways[dice.usize(0..3)][0];
        let bytes = mutated(&mut dice, input, other);
        let peer = PeerId(1 + n as u64);
        let member = AssertUnwindSafe(&mut pair.member);
        MEMORY.reset_peak_usage();
        let held = MEMORY.current_usage();
        let manners = &manners;
        let fed = catch_unwind(move || {
            let AssertUnwindSafe(member) = { member };
            feed(member, peer, manners, &bytes, way);
        });
        assert!(fed.is_ok(), "input {n} of SMP_SEED={}", seed - 1);
        let peak = MEMORY.peak_usage().saturating_sub(held);
        assert!(peak <= PEAK, "input {n}: {peak} bytes");
        let outputs = pair.member.take_outputs();
        assert!(!outputs.iter().any(|o| matches!(o, Output::Rebuild(_))));
        let ended = |o: &Output| matches!(o, Output::Close { peer: p, .. } if *p == peer);
        closed += usize::from(outputs.iter().any(ended));
        pair.member.disconnected(peer, START);
        // What else it meant to say goes to the good peer, and what follows from it is done
        // before the next, or a pull from the good peer stands in the way of the one fed.
        hand_over(outputs, &mut pair);
        converse(&mut pair.member, &mut pair.good, GOOD, START);
        if n % 1000 == 0 {
            pair.assert_serves(u8::try_from(10 + n / 1000).unwrap());
        }
    }
    assert!(closed > FED / 4, "{closed} connections were closed");
    // Nothing that was mutated was admitted: what is there was written here, or is what
    // the corpus holds, signed by this council's own key.
    let document = pair.member.document(pool(0)).unwrap();
    let corpus_entries = 3;
    assert!(document.entry_count() <= before + FED / 1000 + corpus_entries);
    pair.assert_serves(200);
}

fn hand_over(outputs: Vec<Output>, pair: &mut Pair) {
    for output in outputs {
        match output {
            Output::Send { peer: GOOD, frame } => pair.good.control(GOOD, &frame, START),
            Output::Ask {
                peer: GOOD,
                pull,
                frame,
            } => pair.good.asked(GOOD, StreamId(pull.0), &frame, START),
            Output::Close { peer: GOOD, reason } => panic!("the good peer was closed: {reason}"),
            _ => {}
        }
    }
}
