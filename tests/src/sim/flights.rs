//! Members joined by a network without faults, on which every frame is counted.
//!
//! Each pair of nodes is as far apart as a hash of it says, always; so frames of one path keep
//! their order. A flush takes five milliseconds, and what follows from it waits for it.

use smp_protocol::ids::{BootId, CouncilCode, DocumentKind, DocumentName};
use smp_protocol::roster::VerifiedRoster;
use smp_protocol::schema::Edit;
use smp_protocol::session::{
    Authenticated, Durable, Identity, Member, Output, PeerId, PullId, StreamId,
};
use smp_protocol::time::UnixSeconds;

use super::chance::Chance;
use super::queue::{MILLI, Micros, Queue, SECOND};
use super::region::{Authority, Keys, START, all_councils, region};

/// How long a flush takes.
const FLUSH: Micros = 5 * MILLI;
/// The length that goes before each frame on a stream.
const LENGTH: u64 = 4;
/// What UDP, IP and QUIC add to a frame that goes alone, as most of these do.
const AROUND: u64 = 70;

enum Frame {
    Control(Vec<u8>),
    Want(StreamId, Vec<u8>),
    Answer(PullId, Vec<u8>),
    /// There is room on the stream for the next frame of an answer.
    Room(StreamId),
}

/// Frames, and bytes with what is around them.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Counted {
    pub(crate) frames: u64,
    pub(crate) bytes: u64,
}

impl Counted {
    pub(crate) fn since(&self, before: &Self) -> Self {
        Self {
            frames: self.frames - before.frames,
            bytes: self.bytes - before.bytes,
        }
    }
}

struct Node {
    member: Member,
    keys: Keys,
    council: CouncilCode,
    /// When its last flush is over.
    busy: Micros,
}

/// See the module's documentation.
pub(crate) struct Flights {
    nodes: Vec<Node>,
    roster: VerifiedRoster,
    queue: Queue<(usize, usize, Frame)>,
    now: Micros,
    counted: Counted,
    last_admitted: Micros,
    councils: usize,
}

impl Flights {
    /// A region of so many nodes of so many councils; if that is not given, one of each council,
    /// or more where there are fewer councils.
    pub(crate) fn of(nodes: usize, councils: Option<usize>, chance: &mut Chance) -> Self {
        let all = all_councils();
        let each = nodes.div_ceil(all.len());
        let councils = councils.unwrap_or(nodes.div_ceil(each));
        let mut authority = Authority::new(chance);
        let mut seats = Vec::new();
        for place in 0..nodes {
            let council = &all[place % councils];
            let keys = Keys::draw(chance);
            authority.enrol(council, keys.clone());
            seats.push((council.code, keys));
        }
        let signed = authority.issue(START, 1);
        let roster = authority.verify(&signed);
        let nodes = seats.into_iter().map(|(council, keys)| Node {
            member: member(council, &keys, &roster, chance),
            keys,
            council,
            busy: 0,
        });
        Self {
            nodes: nodes.collect(),
            roster,
            queue: Queue::new(),
            now: 0,
            counted: Counted::default(),
            last_admitted: 0,
            councils,
        }
    }

    pub(crate) fn nodes(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn councils(&self) -> usize {
        self.councils
    }

    pub(crate) fn council(&self, n: usize) -> CouncilCode {
        self.nodes[n].council
    }

    pub(crate) fn now(&self) -> Micros {
        self.now
    }

    pub(crate) fn counted(&self) -> Counted {
        self.counted
    }

    /// When a member last took entries in.
    pub(crate) fn last_admitted(&self) -> Micros {
        self.last_admitted
    }

    fn clock(&self) -> UnixSeconds {
        START.plus(self.now / SECOND)
    }

    pub(crate) fn connect_all(&mut self) {
        for a in 0..self.nodes.len() {
            for b in a + 1..self.nodes.len() {
                self.connect(a, b);
            }
        }
    }

    fn connect(&mut self, a: usize, b: usize) {
        let now = self.clock();
        for (own, other, dialled) in [(a, b, true), (b, a, false)] {
            let who = Authenticated {
                node: self.nodes[other].member.node(),
                council: self.nodes[other].council,
                tls: self.nodes[other].keys.tls,
                dialled,
            };
            self.nodes[own]
                .member
                .connected(PeerId(other as u64), who, now);
            self.collect(own);
        }
    }

    /// All connections of a node end, and it comes back with all that it held.
    pub(crate) fn restart(&mut self, n: usize) {
        let now = self.clock();
        let others: Vec<usize> = (0..self.nodes.len()).filter(|other| *other != n).collect();
        for other in &others {
            for (own, peer) in [(n, *other), (*other, n)] {
                self.nodes[own]
                    .member
                    .disconnected(PeerId(peer as u64), now);
                self.collect(own);
            }
        }
        self.run();
        for other in others {
            self.connect(n, other);
        }
    }

    pub(crate) fn write(&mut self, n: usize, kind: DocumentKind, edits: Vec<Edit>) {
        let now = self.clock();
        let written = self.nodes[n].member.write(&[(kind, edits)], now);
        written.expect("a council's own write");
        self.collect(n);
    }

    /// So much time passes for everybody.
    pub(crate) fn pass(&mut self, time: Micros) {
        let end = self.now + time;
        while self.now < end {
            self.now += SECOND;
            let now = self.clock();
            for n in 0..self.nodes.len() {
                self.nodes[n].member.tick(now);
                self.collect(n);
            }
            self.run();
        }
    }

    /// Delivers until nothing is under way.
    pub(crate) fn run(&mut self) {
        while let Some((at, (from, to, frame))) = self.queue.next() {
            self.now = self.now.max(at);
            let now = self.clock();
            let (member, peer) = (&mut self.nodes[to].member, PeerId(from as u64));
            match frame {
                Frame::Control(bytes) => member.control(peer, &bytes, now),
                Frame::Want(stream, bytes) => member.asked(peer, stream, &bytes, now),
                Frame::Answer(pull, bytes) => member.answered(pull, &bytes, now),
                Frame::Room(stream) => member.writable(peer, stream, now),
            }
            self.collect(to);
        }
    }

    fn collect(&mut self, from: usize) {
        let outputs = self.nodes[from].member.take_outputs();
        let stores = |output: &Output| matches!(output, Output::Store(_));
        let node = &mut self.nodes[from];
        node.busy = node.busy.max(self.now);
        if outputs.iter().any(stores) {
            node.busy += FLUSH;
        }
        let leaves = node.busy;
        for output in outputs {
            match output {
                Output::Store(Durable::Batch { .. }) => self.last_admitted = leaves,
                Output::Send { peer, frame } => {
                    self.send(leaves, from, peer, Frame::Control(frame));
                }
                Output::Ask { peer, pull, frame } => {
                    // The asker's number of a pull, which no other of its questions has.
                    self.send(leaves, from, peer, Frame::Want(StreamId(pull.0), frame));
                }
                Output::Answer {
                    peer,
                    stream,
                    frame,
                    last,
                } => {
                    self.send(leaves, from, peer, Frame::Answer(PullId(stream.0), frame));
                    if !last {
                        let to = index(peer);
                        self.queue.schedule(leaves, (to, from, Frame::Room(stream)));
                    }
                }
                Output::Close { reason, .. } => panic!("closed: {reason}"),
                Output::Rebuild(why) => panic!("{why}"),
                _ => {}
            }
        }
    }

    fn send(&mut self, leaves: Micros, from: usize, peer: PeerId, frame: Frame) {
        let to = index(peer);
        if let Frame::Control(bytes) | Frame::Want(_, bytes) | Frame::Answer(_, bytes) = &frame {
            self.counted.frames += 1;
            self.counted.bytes += bytes.len() as u64 + LENGTH + AROUND;
        }
        let (low, high) = (from.min(to) as u64, from.max(to) as u64);
        let spread = (low.wrapping_mul(0x9e37_79b9) ^ high.wrapping_mul(0x85eb_ca6b)) % 20;
        let arrives = leaves + (10 + spread) * MILLI;
        self.queue.schedule(arrives, (from, to, frame));
    }

    /// Whether all hold the same of a document, and something.
    pub(crate) fn agree(&self, document: DocumentName) -> bool {
        let held = |node: &Node| node.member.document(document).map(|d| d.frontier());
        let first = self.nodes.first().and_then(held);
        first.as_ref().is_some_and(|f| !f.0.is_empty())
            && self.nodes.iter().all(|node| held(node) == first)
    }

    /// How many documents the first node knows of.
    pub(crate) fn documents(&self) -> usize {
        let known = |document: &DocumentName| {
            let first = self.nodes.first();
            first.is_some_and(|node| node.member.document(*document).is_some())
        };
        self.roster.documents().filter(known).count()
    }
}

fn index(peer: PeerId) -> usize {
    usize::try_from(peer.0).expect("a node's place")
}

fn member(
    council: CouncilCode,
    keys: &Keys,
    roster: &VerifiedRoster,
    chance: &mut Chance,
) -> Member {
    let identity = Identity {
        region: region(),
        council,
        key: keys.signing.clone(),
        boot: BootId(chance.bytes()),
    };
    Member::new(identity, roster.clone(), chance.number(), START)
}
