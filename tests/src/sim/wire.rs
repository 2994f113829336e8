//! The network of the simulated region: dialling, sending, arriving, closing.

use smp_protocol::limits;
use smp_protocol::session::{Authenticated, Output, PeerId};

use super::describe;
use super::link::{CONTROL_QUEUE, End, Flight, IDLE, Lane, Link, LinkId, TURNS, stream_id};
use super::node::{Dial, In, Known, LONGEST_PAUSE, SHORTEST_PAUSE};
use super::queue::{MILLI, Micros, SECOND};
use super::world::{Event, World};

/// How long a handshake may take, as in the daemon's transport.
const HANDSHAKE: Micros = 10 * SECOND;
/// How long the node with the higher id waits before it first dials.
const COURTESY: Micros = 25 * MILLI;
/// What an end calls the other before its handshake is over.
const NOBODY: PeerId = PeerId(u64::MAX);

impl World {
    /// How long something takes from one node to another.
    fn delay(&mut self, from: usize, to: usize) -> Micros {
        let usual = self.plan.latency;
        let mut delay = self.chance.between(usual / 4, usual) + self.slow[from][to];
        if self.plan.lossy && self.chance.one_in(12) {
            // Lost and sent again, perhaps more than once.
            delay += self.chance.between(1, 3) * (4 * usual + 200 * MILLI);
        }
        delay
    }

    pub(super) fn is_blocked(&self, from: usize, to: usize) -> bool {
        self.blocked[from][to] > 0
    }

    // Dialling.

    /// Begins to dial every node that the roster lists and that is not dialled yet.
    pub(super) fn dial_members(&mut self, n: usize) {
        let listed: Vec<usize> = (0..self.nodes.len())
            .filter(|to| *to != n && self.nodes[n].roster.node(self.nodes[*to].id).is_some())
            .collect();
        for to in listed {
            if self.nodes[n].dials.contains_key(&to) {
                continue;
            }
            let dial = Dial {
                pause: SHORTEST_PAUSE,
                busy: true,
            };
            self.nodes[n].dials.insert(to, dial);
            let wait = match self.nodes[n].id > self.nodes[to].id {
                true => COURTESY,
                false => 0,
            };
            let wait = wait + self.chance.between(0, 20 * MILLI);
            let process = self.nodes[n].process;
            self.queue
                .schedule(self.now + wait, Event::Dial(n, to, process));
        }
    }

    fn is_connected(&self, from: usize, to: usize) -> bool {
        let mut peers = self.nodes[from].peers.values();
        peers.any(|known| known.node == to)
    }

    pub(super) fn dial(&mut self, from: usize, to: usize, process: u64) {
        if self.nodes[from].process != process {
            return;
        }
        if self.nodes[from].roster.node(self.nodes[to].id).is_none() {
            self.nodes[from].dials.remove(&to);
            return;
        }
        if self.is_connected(from, to) {
            if let Some(dial) = self.nodes[from].dials.get_mut(&to) {
                dial.busy = false;
                dial.pause = SHORTEST_PAUSE;
            }
            return;
        }
        self.connect(from, to);
    }

    /// Tries to reach a node, connected or not.
    pub(super) fn connect(&mut self, from: usize, to: usize) {
        let process = self.nodes[from].process;
        let reached =
            self.nodes[to].running && !self.is_blocked(from, to) && !self.is_blocked(to, from);
        let trip = self.delay(from, to) + self.delay(to, from);
        let well = reached && trip < HANDSHAKE;
        let over = self.now + if well { trip } else { HANDSHAKE };
        self.queue
            .schedule(over, Event::Dialled(from, to, process, well));
    }

    pub(super) fn dialled(&mut self, from: usize, to: usize, process: u64, well: bool) {
        if self.nodes[from].process != process {
            return;
        }
        if let Some(dial) = self.nodes[from].dials.get_mut(&to) {
            dial.busy = false;
        }
        if !well || !self.nodes[to].running {
            return self.dial_again(from, to, true);
        }
        let end = |node: usize, process: u64| End {
            node,
            process,
            peer: NOBODY,
        };
        let id = LinkId(self.next_link);
        self.next_link += 1;
        let ends = [end(from, process), end(to, self.nodes[to].process)];
        self.links.insert(id, Link::new(ends));
        self.tally.count("connections");
        self.up(id, 0);
        // The other end knows a moment later.
        let later = self.now + self.chance.between(0, self.plan.latency);
        self.queue.schedule(later, Event::Up(id, 1));
    }

    /// The process at this end has the connection.
    pub(super) fn up(&mut self, id: LinkId, side: usize) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let (own, other) = (link.ends[side], link.ends[1 - side]);
        if self.nodes[own.node].process != own.process {
            return;
        }
        let node = &mut self.nodes[own.node];
        let peer = PeerId(node.next_peer);
        node.next_peer += 1;
        node.peers.insert(
            peer,
            Known {
                link: id,
                node: other.node,
                dialled: side == 0,
                since: self.now,
            },
        );
        link.ends[side].peer = peer;
        let far = &self.nodes[other.node];
        let who = Authenticated {
            node: far.id,
            council: far.council.code,
            tls: far.keys.tls,
            dialled: side == 0,
        };
        self.hand_in(own.node, In::Connected(peer, who, id));
    }

    fn dial_again(&mut self, from: usize, to: usize, after_pause: bool) {
        let jitter = self.chance.between(0, 1000);
        let process = self.nodes[from].process;
        let Some(dial) = self.nodes[from].dials.get_mut(&to) else {
            return;
        };
        if dial.busy {
            return;
        }
        dial.busy = true;
        let mut wait = MILLI;
        if after_pause {
            wait = dial.pause + dial.pause * jitter / 1000;
            dial.pause = (dial.pause * 2).min(LONGEST_PAUSE);
        }
        self.queue
            .schedule(self.now + wait, Event::Dial(from, to, process));
    }

    // Sending.

    /// Carries out what a member wants done, once it is flushed.
    pub(super) fn perform(&mut self, n: usize, effects: Vec<Output>) {
        for output in effects {
            match output {
                Output::Send { peer, frame } => {
                    if let Some(frame) = self.as_sent(n, peer, frame) {
                        self.send_control(n, peer, frame);
                    }
                }
                Output::Ask { peer, pull, frame } => self.ask(n, peer, pull, frame),
                Output::GiveUp { pull } => self.give_up(n, pull),
                Output::Answer {
                    peer,
                    stream,
                    frame,
                    last,
                } => self.answer(n, peer, stream.0, frame, last),
                Output::Close { peer, reason } => {
                    self.closes(n, peer, &reason);
                    if let Some(link) = self.link_to(n, peer) {
                        self.close_link(link, n);
                    }
                }
                Output::RosterChanged(_) => self.dial_members(n),
                Output::Note(note) => self.noted(n, &note),
                Output::Store(_) | Output::Rebuild(_) => {}
            }
        }
    }

    fn link_to(&self, n: usize, peer: PeerId) -> Option<LinkId> {
        self.nodes[n].peers.get(&peer).map(|known| known.link)
    }

    pub(super) fn send_control(&mut self, n: usize, peer: PeerId, frame: Vec<u8>) {
        let Some(id) = self.link_to(n, peer) else {
            return;
        };
        if self.send(id, n, Lane::Control, frame, false) > CONTROL_QUEUE {
            self.tally.count("closed: too slow");
            self.close_link(id, n);
        }
    }

    /// Puts a frame on its way; returns how many of its stream are.
    fn send(&mut self, id: LinkId, from: usize, lane: Lane, frame: Vec<u8>, last: bool) -> usize {
        let Some(link) = self.links.get(&id) else {
            return 0;
        };
        let side = link.side_of(from);
        let to = link.ends[1 - side].node;
        let delay = self.delay(from, to);
        self.tally.frames += 1;
        self.tally.bytes += frame.len() as u64;
        self.trace.mix(&[self.now, from as u64, to as u64]);
        self.trace.mix_bytes(&frame);
        self.trace.say(self.now, || {
            let (from, to) = (&self.nodes[from].name, &self.nodes[to].name);
            format!("{from} → {to}: {}", describe::frame(lane, &frame))
        });
        let now = self.now;
        let Some(link) = self.links.get_mut(&id) else {
            return 0;
        };
        let (at, waiting) = link.send(side, lane, Flight { frame, last }, now, delay);
        self.queue.schedule(at, Event::Deliver(id, side, lane));
        waiting
    }

    pub(super) fn ask(
        &mut self,
        n: usize,
        peer: PeerId,
        pull: smp_protocol::session::PullId,
        frame: Vec<u8>,
    ) {
        let Some(id) = self.link_to(n, peer) else {
            return;
        };
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let side = link.side_of(n);
        let Some(stream) = link.open_stream(side, pull) else {
            self.tally.count("streams over the limit");
            return;
        };
        self.nodes[n].pulls.insert(pull, id);
        self.send(id, n, Lane::Question(stream), frame, true);
    }

    fn give_up(&mut self, n: usize, pull: smp_protocol::session::PullId) {
        let Some(id) = self.nodes[n].pulls.remove(&pull) else {
            return;
        };
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let side = link.side_of(n);
        let other = link.ends[1 - side].node;
        let Some(stream) = link.stream_of(side, pull) else {
            return;
        };
        if let Some(ask) = link.asks.get_mut(&stream) {
            ask.wanted = false;
        }
        let heard = self.now + self.delay(n, other);
        self.queue.schedule(heard, Event::Stopped(id, stream));
    }

    /// The answering end hears that nobody reads on.
    pub(super) fn stopped(&mut self, id: LinkId, stream: u64) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let Some(ask) = link.end_stream(stream) else {
            return;
        };
        let end = link.ends[1 - ask.side];
        if self.nodes[end.node].process == end.process {
            self.hand_in(end.node, In::AnswerStopped(end.peer, stream_id(stream)));
        }
    }

    fn answer(&mut self, n: usize, peer: PeerId, stream: u64, frame: Vec<u8>, last: bool) {
        let Some(id) = self.link_to(n, peer) else {
            return;
        };
        let asked = self
            .links
            .get(&id)
            .is_some_and(|link| link.asks.contains_key(&stream));
        if asked && let Some(frame) = self.as_answered(n, peer, frame) {
            self.send(id, n, Lane::Answer(stream), frame, last);
        }
    }

    // Arriving.

    pub(super) fn deliver(&mut self, id: LinkId, side: usize, lane: Lane) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let (from, to) = (link.ends[side], link.ends[1 - side]);
        if self.blocked[from.node][to.node] > 0 {
            link.stalled[side].push(lane);
            return;
        }
        if to.peer == NOBODY {
            let later = self.now + self.plan.latency;
            self.queue.schedule(later, Event::Deliver(id, side, lane));
            return;
        }
        let node = &mut self.nodes[to.node];
        if node.process != to.process {
            return;
        }
        if node.turns.get(&id).copied().unwrap_or(0) >= TURNS {
            node.parked.push((id, side, lane));
            return;
        }
        let Some(Flight { frame, last }) = link.arrive(side, lane) else {
            return;
        };
        let limit = match lane {
            Lane::Answer(_) => limits::BATCH_FRAME_BYTES,
            Lane::Control | Lane::Question(_) => limits::CONTROL_FRAME_BYTES,
        };
        if frame.len() > limit {
            self.breaks_limits(to.node, from.node);
            return self.close_link(id, to.node);
        }
        self.trace.mix(&[self.now, to.node as u64]);
        match lane {
            Lane::Control => self.hand_in(to.node, In::Control(to.peer, frame, id)),
            Lane::Question(stream) => {
                if let Some(ask) = link.asks.get_mut(&stream) {
                    ask.document = describe::asked_for(&frame);
                }
                let event = In::Asked(to.peer, stream_id(stream), frame, id);
                self.hand_in(to.node, event);
            }
            Lane::Answer(stream) => self.answer_arrives(id, side, stream, frame, last),
        }
    }

    fn answer_arrives(&mut self, id: LinkId, side: usize, stream: u64, frame: Vec<u8>, last: bool) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let (from, to) = (link.ends[side], link.ends[1 - side]);
        let Some(ask) = link.asks.get(&stream) else {
            return;
        };
        let (pull, wanted) = (ask.pull, ask.wanted);
        if last {
            link.end_stream(stream);
        }
        if wanted {
            self.hand_in(to.node, In::Answered(pull, frame, id));
            if last {
                self.nodes[to.node].pulls.remove(&pull);
                self.hand_in(to.node, In::PullOver(pull));
            }
        }
        if !last && self.nodes[from.node].process == from.process {
            self.hand_in(from.node, In::Writable(from.peer, stream_id(stream)));
        }
    }

    /// What waited for a turn may arrive now.
    pub(super) fn give_turns(&mut self, n: usize) {
        for (id, side, lane) in std::mem::take(&mut self.nodes[n].parked) {
            self.queue
                .schedule(self.now, Event::Deliver(id, side, lane));
        }
    }

    // Ending.

    /// A node closes a connection; the other end hears of it unless a partition is between.
    pub(super) fn close_link(&mut self, id: LinkId, by: usize) {
        let Some(link) = self.links.remove(&id) else {
            return;
        };
        for end in link.ends.iter().filter(|end| end.peer != NOBODY) {
            let heard = match (end.node == by, self.is_blocked(by, end.node)) {
                (true, _) => self.now,
                (false, false) => self.now + self.delay(by, end.node),
                (false, true) => self.now + IDLE,
            };
            self.queue
                .schedule(heard, Event::Gone(end.node, end.process, end.peer));
        }
    }

    /// The process at one end is no more; the other end notices sooner or later.
    pub(super) fn abandon(&mut self, n: usize, noticed_within: Micros) {
        let links: Vec<LinkId> = self.nodes[n].peers.values().map(|k| k.link).collect();
        for id in links {
            let noticed = self.now + self.chance.between(MILLI, noticed_within);
            self.queue.schedule(noticed, Event::Lost(id, n));
        }
    }

    /// The node at the other end of `dead` notices that nobody answers.
    pub(super) fn lost(&mut self, id: LinkId, dead: usize) {
        let Some(link) = self.links.get(&id) else {
            return;
        };
        let other = link.ends[1 - link.side_of(dead)].node;
        self.close_link(id, other);
    }

    /// A process that cannot flush closes all that it has.
    pub(super) fn close_all(&mut self, n: usize) {
        let links: Vec<LinkId> = self.nodes[n].peers.values().map(|k| k.link).collect();
        for link in links {
            self.close_link(link, n);
        }
    }

    pub(super) fn gone(&mut self, n: usize, process: u64, peer: PeerId) {
        if self.nodes[n].process != process {
            return;
        }
        let Some(known) = self.nodes[n].peers.remove(&peer) else {
            return;
        };
        self.nodes[n].pulls.retain(|_, of| *of != known.link);
        self.nodes[n].turns.remove(&known.link);
        self.hand_in(n, In::Disconnected(peer));
        if self.is_connected(n, known.node) {
            return;
        }
        if let Some(dial) = self.nodes[n].dials.get_mut(&known.node)
            && (!known.dialled || self.now.saturating_sub(known.since) > LONGEST_PAUSE)
        {
            dial.pause = SHORTEST_PAUSE;
        }
        self.dial_again(n, known.node, known.dialled);
    }

    /// An end that has heard nothing since a partition began gives the connection up.
    pub(super) fn idle(&mut self, id: LinkId, side: usize, since: Micros) {
        let Some(link) = self.links.get(&id) else {
            return;
        };
        let (own, other) = (link.ends[side].node, link.ends[1 - side].node);
        let silent = self.now.saturating_sub(since) >= IDLE;
        if silent && self.is_blocked(other, own) {
            self.tally.count("connections idle too long");
            self.close_link(id, own);
        }
    }
}
