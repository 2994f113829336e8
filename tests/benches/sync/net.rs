//! Members joined by queues instead of a network: frames are counted, and delivered in
//! flights, so that one-way trips are counted as well. Everything that one side can say
//! without hearing more from the other goes in one flight.

use std::collections::BTreeMap;

use smp_protocol::session::{Authenticated, Member, Output, PeerId, PullId, StreamId};
use smp_protocol::time::UnixSeconds;

/// More members than any net here has.
const MOST: u64 = 1000;
/// The length before each frame on a stream.
const LENGTH: u64 = 4;

enum Frame {
    Control(Vec<u8>),
    Want(StreamId, Vec<u8>),
    Answer(PullId, Vec<u8>),
}

/// See the module's documentation.
pub(crate) struct Net {
    pub(crate) members: Vec<Member>,
    who: Vec<Authenticated>,
    pub(crate) now: UnixSeconds,
    flight: Vec<(usize, usize, Frame)>,
    pulls: BTreeMap<StreamId, PullId>,
    /// Frames, and bytes with their lengths, since the last [`Net::count_anew`].
    pub(crate) frames: u64,
    pub(crate) bytes: u64,
    /// Whether anything was asked for since then.
    pub(crate) asked: bool,
}

impl Net {
    pub(crate) fn new(members: Vec<Member>, who: Vec<Authenticated>, now: UnixSeconds) -> Self {
        Self {
            members,
            who,
            now,
            flight: Vec::new(),
            pulls: BTreeMap::new(),
            frames: 0,
            bytes: 0,
            asked: false,
        }
    }

    pub(crate) fn count_anew(&mut self) {
        (self.frames, self.bytes, self.asked) = (0, 0, false);
    }

    /// Connects two members; the first dialled.
    pub(crate) fn connect(&mut self, a: usize, b: usize) {
        for (me, other, dialled) in [(a, b, true), (b, a, false)] {
            let who = Authenticated {
                dialled,
                ..self.who[other]
            };
            self.members[me].connected(peer(me, other), who, self.now);
        }
    }

    pub(crate) fn disconnect(&mut self, a: usize, b: usize) {
        self.flight.clear();
        for (me, other) in [(a, b), (b, a)] {
            self.members[me].disconnected(peer(me, other), self.now);
            self.members[me].take_outputs();
        }
    }

    /// A second passes at every member, and what follows from it.
    pub(crate) fn second(&mut self) {
        self.now = self.now.plus(1);
        for member in &mut self.members {
            member.tick(self.now);
        }
        self.settle();
    }

    /// Delivers until nobody has anything more to say.
    pub(crate) fn settle(&mut self) {
        while self.trip() {}
    }

    /// One flight of all that is to be said now, both ways. False where that is nothing.
    pub(crate) fn trip(&mut self) -> bool {
        for from in 0..self.members.len() {
            self.collect(from);
        }
        let flight = std::mem::take(&mut self.flight);
        let any = !flight.is_empty();
        for (from, to, frame) in flight {
            let (member, peer) = (&mut self.members[to], peer(to, from));
            match frame {
                Frame::Control(bytes) => member.control(peer, &bytes, self.now),
                Frame::Want(stream, bytes) => member.asked(peer, stream, &bytes, self.now),
                Frame::Answer(pull, bytes) => member.answered(pull, &bytes, self.now),
            }
        }
        any
    }

    fn collect(&mut self, from: usize) {
        loop {
            let outputs = self.members[from].take_outputs();
            if outputs.is_empty() {
                return;
            }
            for output in outputs {
                self.carry_out(from, output);
            }
        }
    }

    fn carry_out(&mut self, from: usize, output: Output) {
        let (peer, frame) = match output {
            Output::Send { peer, frame } => (peer, Frame::Control(frame)),
            Output::Ask { peer, pull, frame } => {
                let stream = StreamId(self.pulls.len() as u64);
                self.pulls.insert(stream, pull);
                self.asked = true;
                (peer, Frame::Want(stream, frame))
            }
            Output::Answer {
                peer,
                stream,
                frame,
                last,
            } => {
                if !last {
                    self.members[from].writable(peer, stream, self.now);
                }
                (peer, Frame::Answer(self.pulls[&stream], frame))
            }
            Output::Close { reason, .. } => panic!("closed: {reason}"),
            _ => return,
        };
        let (Frame::Control(bytes) | Frame::Want(_, bytes) | Frame::Answer(_, bytes)) = &frame;
        self.frames += 1;
        self.bytes += bytes.len() as u64 + LENGTH;
        let to = usize::try_from(peer.0 % MOST).unwrap();
        self.flight.push((from, to, frame));
    }
}

/// How a member numbers its connection to another.
fn peer(me: usize, other: usize) -> PeerId {
    PeerId(me as u64 * MOST + other as u64)
}
