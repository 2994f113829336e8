//! A connection between two nodes: ordered streams, each independent of the others.
//!
//! As QUIC does, a stream keeps its own order and says nothing of that of another; loss is
//! seen as delay, and where it lasts as the end of the connection. What is held here is in
//! flight or waits to be read.

use std::collections::{BTreeMap, VecDeque};

use smp_protocol::ids::DocumentName;
use smp_protocol::session::{PeerId, PullId, StreamId};

use super::queue::Micros;

/// Control frames that may wait to be sent, as in the daemon's transport.
pub(super) const CONTROL_QUEUE: usize = 1024;
/// Streams that one side may have open for its questions, as in the daemon's transport.
pub(super) const STREAMS: usize = 15;
/// Frames of one connection that may wait for the engine, as in the daemon's transport.
pub(super) const TURNS: usize = 4;
/// How long a silent connection lives, as in the daemon's transport.
pub(super) const IDLE: Micros = 150 * super::queue::SECOND;

/// Numbers connections over the whole simulation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct LinkId(pub(super) u64);

/// One direction of one stream.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Lane {
    Control,
    /// The question on a stream that the sender opened.
    Question(u64),
    /// The answer on a stream that the receiver opened.
    Answer(u64),
}

/// One end of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    pub(super) node: usize,
    /// Which of the node's processes has it.
    pub(super) process: u64,
    /// What that process calls the other end.
    pub(super) peer: PeerId,
}

/// A frame under way; of an answer, whether it is the last.
pub(super) struct Flight {
    pub(super) frame: Vec<u8>,
    pub(super) last: bool,
}

/// A stream on which one side asks.
pub(super) struct Ask {
    /// Which end asks.
    pub(super) side: usize,
    pub(super) pull: PullId,
    /// What is asked for, once the question was read.
    pub(super) document: Option<DocumentName>,
    /// Whether the asker still reads.
    pub(super) wanted: bool,
}

/// A connection. End 0 dialled.
pub(super) struct Link {
    pub(super) ends: [End; 2],
    pub(super) asks: BTreeMap<u64, Ask>,
    next_stream: u64,
    lanes: [BTreeMap<Lane, VecDeque<Flight>>; 2],
    /// When the newest frame of a lane arrives: the next arrives no earlier.
    arrivals: [BTreeMap<Lane, Micros>; 2],
    /// Deliveries that a partition holds up, by the sending end.
    pub(super) stalled: [Vec<Lane>; 2],
}

impl Link {
    pub(super) fn new(ends: [End; 2]) -> Self {
        Self {
            ends,
            asks: BTreeMap::new(),
            next_stream: 0,
            lanes: Default::default(),
            arrivals: Default::default(),
            stalled: Default::default(),
        }
    }

    /// Which end the node's process has.
    pub(super) fn side_of(&self, node: usize) -> usize {
        usize::from(self.ends[0].node != node)
    }

    /// Opens a stream for a question, unless too many are open.
    pub(super) fn open_stream(&mut self, side: usize, pull: PullId) -> Option<u64> {
        if self.asks.values().filter(|ask| ask.side == side).count() >= STREAMS {
            return None;
        }
        let stream = self.next_stream;
        self.next_stream += 1;
        self.asks.insert(
            stream,
            Ask {
                side,
                pull,
                document: None,
                wanted: true,
            },
        );
        Some(stream)
    }

    /// Puts a frame on its way; returns when it arrives if it takes `delay`, and how many
    /// frames of that lane are under way.
    pub(super) fn send(
        &mut self,
        side: usize,
        lane: Lane,
        flight: Flight,
        now: Micros,
        delay: Micros,
    ) -> (Micros, usize) {
        let arrival = self.arrivals[side].entry(lane).or_default();
        *arrival = (*arrival).max(now + delay);
        let flights = self.lanes[side].entry(lane).or_default();
        flights.push_back(flight);
        (*arrival, flights.len())
    }

    /// The frame of a lane that arrives now.
    pub(super) fn arrive(&mut self, side: usize, lane: Lane) -> Option<Flight> {
        let flights = self.lanes[side].get_mut(&lane)?;
        let flight = flights.pop_front();
        if flights.is_empty() {
            self.lanes[side].remove(&lane);
        }
        flight
    }

    /// Ends a stream: nothing more of it arrives.
    pub(super) fn end_stream(&mut self, stream: u64) -> Option<Ask> {
        let ask = self.asks.remove(&stream)?;
        for side in 0..2 {
            for lane in [Lane::Question(stream), Lane::Answer(stream)] {
                self.lanes[side].remove(&lane);
                self.arrivals[side].remove(&lane);
            }
        }
        Some(ask)
    }

    pub(super) fn stream_of(&self, side: usize, pull: PullId) -> Option<u64> {
        let mut asks = self.asks.iter();
        asks.find(|(_, ask)| ask.side == side && ask.pull == pull)
            .map(|(stream, _)| *stream)
    }
}

/// How a stream is called at the end that answers.
pub(super) fn stream_id(stream: u64) -> StreamId {
    StreamId(stream)
}
