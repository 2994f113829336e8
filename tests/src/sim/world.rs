//! The simulated region: its nodes, its network, its clock, and the loop over its events.

use std::collections::BTreeMap;

use smp_protocol::casework::Decider;
use smp_protocol::ids::DocumentKind;
use smp_protocol::roster::SignedRoster;
use smp_protocol::session::{Output, PeerId, Receipt};

use super::chance::Chance;
use super::check::{Ledger, Violation};
use super::faults::Undo;
use super::link::{Lane, Link, LinkId};
use super::node::{Batch, In, Node};
use super::plan::Plan;
use super::queue::{MILLI, Micros, Queue, SECOND};
use super::region::{Authority, Keys};
use super::report::Tally;
use super::trace::Trace;
use super::{Switches, build, edits};

/// Events that the engine handles before a flush, as in the daemon.
const BATCH: usize = 256;

/// What is still to happen.
pub(super) enum Event {
    /// A second passes for a process.
    Tick(usize, u64),
    /// A process has something to handle.
    Work(usize, u64),
    /// The flush of a process is over.
    Flushed(usize, u64),
    /// A frame that this end sent may arrive.
    Deliver(LinkId, usize, Lane),
    /// The handshake is over for this end.
    Up(LinkId, usize),
    /// A process hears that a connection is gone.
    Gone(usize, u64, PeerId),
    /// The other end of a process that is no more notices it.
    Lost(LinkId, usize),
    /// The asker does not read the answer on.
    Stopped(LinkId, u64),
    /// A process looks whether it has to dial.
    Dial(usize, usize, u64),
    /// An attempt to reach a node came to its end.
    Dialled(usize, usize, u64, bool),
    /// A partition has lasted so long that an end gives the connection up.
    Idle(LinkId, usize, Micros),
    /// Somebody edits something.
    Write(usize),
    /// A placement officer is at work.
    Officer(usize),
    /// And does one thing.
    Decide(usize),
    /// A liar does something.
    Lie(usize),
    /// The next trouble is drawn.
    Trouble,
    /// A trouble is over.
    Over(Undo),
    /// The region's admin or a council's officer does something.
    Administer,
    /// All faults stop.
    Heal,
    /// Is all as it must be?
    Look,
}

/// The region.
pub(super) struct World {
    pub(super) plan: Plan,
    pub(super) switches: Switches,
    pub(super) chance: Chance,
    pub(super) now: Micros,
    pub(super) queue: Queue<Event>,
    pub(super) nodes: Vec<Node>,
    pub(super) links: BTreeMap<LinkId, Link>,
    pub(super) next_link: u64,
    /// How many partitions hold up what goes from one node to another.
    pub(super) blocked: Vec<Vec<u32>>,
    /// What a slow path adds, from one node to another.
    pub(super) slow: Vec<Vec<Micros>>,
    pub(super) authority: Authority,
    /// Every roster that the authority let out of its hands, oldest first.
    pub(super) rosters: Vec<SignedRoster>,
    /// Two rosters of one version are about, and no later one yet.
    pub(super) twins: bool,
    /// The authority has left out numbers of rosters once.
    pub(super) has_jumped: bool,
    pub(super) ledger: Ledger,
    pub(super) trace: Trace,
    pub(super) tally: Tally,
    pub(super) violation: Option<Violation>,
    /// When all faults stopped.
    pub(super) healed: Option<Micros>,
    pub(super) done: bool,
}

impl World {
    pub(super) fn new(plan: Plan, switches: Switches, mut chance: Chance, readable: bool) -> Self {
        let mut authority = Authority::new(&mut chance);
        let seats: Vec<(usize, Keys)> = plan
            .seats
            .iter()
            .map(|seat| (seat.council, Keys::draw(&mut chance)))
            .collect();
        for ((council, keys), seat) in seats.iter().zip(&plan.seats) {
            if seat.joins.is_none() {
                authority.enrol(&plan.councils[*council], keys.clone());
            }
        }
        for (owner, reader) in &plan.readers {
            let (owner, reader) = (plan.councils[*owner].code, plan.councils[*reader].code);
            if authority.is_member(owner) && authority.is_member(reader) {
                authority.name_reader(owner, reader, true);
            }
        }
        let first = authority.issue(super::region::START, 1);
        let joined = authority.verify(&first);
        let mut nodes: Vec<Node> = Vec::new();
        for (council, keys) in seats {
            let council = plan.councils[council].clone();
            let of_council = nodes.iter().filter(|n| n.council.code == council.code);
            let name = match of_council.count() {
                0 => council.name.clone(),
                others => format!("{} ({})", council.name, others + 1),
            };
            nodes.push(Node::new(name, council, keys, joined.clone()));
        }
        let count = nodes.len();
        Self {
            switches,
            chance,
            now: 0,
            queue: Queue::new(),
            nodes,
            links: BTreeMap::new(),
            next_link: 0,
            blocked: vec![vec![0; count]; count],
            slow: vec![vec![0; count]; count],
            authority,
            rosters: vec![first],
            twins: false,
            has_jumped: false,
            ledger: Ledger::default(),
            trace: Trace::new(readable),
            tally: Tally::default(),
            violation: None,
            healed: None,
            done: false,
            plan,
        }
    }

    /// Runs until all is as it must be, or something is not.
    pub(super) fn run(&mut self) {
        self.begin();
        while let Some((at, event)) = self.queue.next() {
            self.now = at;
            self.tally.events += 1;
            self.dispatch(event);
            if self.done || self.violation.is_some() {
                return;
            }
        }
    }

    fn begin(&mut self) {
        for (a, b) in self.plan.apart.clone() {
            self.blocked[a][b] += 1;
            self.blocked[b][a] += 1;
        }
        for n in 0..self.nodes.len() {
            self.nodes[n].liar = self.plan.liar(n);
            self.nodes[n].flush = self.plan.seats[n].flush;
            self.nodes[n].skew = self.plan.seats[n].skew;
            self.nodes[n].upkeep = self.plan.upkeep;
            if let Some(at) = self.plan.seats[n].old_until {
                self.nodes[n].build = build::OLD;
                self.queue.schedule(at, Event::Over(Undo::Upgrade(n)));
            }
            match self.plan.seats[n].joins {
                None => self.start(n),
                Some(at) => self.queue.schedule(at, Event::Over(Undo::Join(n))),
            }
            let first = self.chance.between(SECOND, 20 * SECOND);
            self.queue.schedule(first, Event::Write(n));
            self.queue.schedule(first + SECOND, Event::Officer(n));
            if !self.nodes[n].is_honest() {
                self.queue.schedule(first, Event::Lie(n));
            }
        }
        self.accept_named_readers();
        self.schedule_trouble();
        self.schedule_administration();
        if let Some(at) = self.plan.raise {
            self.queue.schedule(at, Event::Over(Undo::RaiseSchema));
        }
        self.queue.schedule(self.plan.faults_end, Event::Heal);
    }

    fn dispatch(&mut self, event: Event) {
        match event {
            Event::Tick(n, process) => self.tick(n, process),
            Event::Work(n, process) => self.work(n, process),
            Event::Flushed(n, process) => self.flushed(n, process),
            Event::Deliver(link, side, lane) => self.deliver(link, side, lane),
            Event::Up(link, side) => self.up(link, side),
            Event::Gone(n, process, peer) => self.gone(n, process, peer),
            Event::Lost(link, dead) => self.lost(link, dead),
            Event::Stopped(link, stream) => self.stopped(link, stream),
            Event::Dial(from, to, process) => self.dial(from, to, process),
            Event::Dialled(from, to, process, well) => self.dialled(from, to, process, well),
            Event::Idle(link, side, since) => self.idle(link, side, since),
            Event::Write(n) => self.write(n),
            Event::Officer(n) => self.officer(n),
            Event::Decide(n) => self.decide_something(n),
            Event::Lie(n) => self.lie(n),
            Event::Trouble => self.trouble(),
            Event::Over(undo) => self.over(undo),
            Event::Administer => self.administer(),
            Event::Heal => self.heal(),
            Event::Look => self.look(),
        }
    }

    /// The process of a node starts with what is on its disk.
    pub(super) fn start(&mut self, n: usize) {
        self.nodes[n].start();
        self.open(n);
        let process = self.nodes[n].process;
        let first_tick = self.now + self.chance.between(0, SECOND);
        self.queue.schedule(first_tick, Event::Tick(n, process));
        self.dial_members(n);
    }

    /// Makes the member of a running process from its disk.
    fn open(&mut self, n: usize) {
        let now = self.now;
        if let Err(error) = self.nodes[n].open(now, &mut self.chance) {
            let what = format!("cannot take back what is on its disk: {error}");
            return self.violate("promise 3", self.told(n, &what));
        }
        self.say(n, "starts with what is on its disk");
        self.check_acknowledged(n);
    }

    fn tick(&mut self, n: usize, process: u64) {
        if self.nodes[n].process != process {
            return;
        }
        self.queue
            .schedule(self.now + SECOND, Event::Tick(n, process));
        self.hand_in(n, In::Tick);
    }

    /// Puts something into a node's inbox.
    pub(super) fn hand_in(&mut self, n: usize, event: In) {
        let node = &mut self.nodes[n];
        if !node.running {
            return;
        }
        if let Some(link) = event.turn() {
            *node.turns.entry(link).or_default() += 1;
        }
        node.inbox.push_back(event);
        self.tally.inbox = self.tally.inbox.max(node.inbox.len() as u64);
        self.wake(n);
    }

    fn wake(&mut self, n: usize) {
        let node = &mut self.nodes[n];
        if node.flushing.is_none() && !node.work_is_due {
            node.work_is_due = true;
            let soon = self.now + MILLI / 20;
            self.queue.schedule(soon, Event::Work(n, node.process));
        }
    }

    fn work(&mut self, n: usize, process: u64) {
        if self.nodes[n].process != process {
            return;
        }
        self.nodes[n].work_is_due = false;
        if self.nodes[n].flushing.is_some() {
            return;
        }
        let mut batch = Batch::default();
        let mut ticked = false;
        for _ in 0..BATCH {
            let Some(event) = self.nodes[n].inbox.pop_front() else {
                break;
            };
            ticked |= matches!(event, In::Tick);
            self.handle(n, event, &mut batch);
            if self.violation.is_some() {
                return;
            }
        }
        if ticked || batch.durables.iter().any(Decider::is_moved_by) {
            let now = self.nodes[n].clock(self.now);
            self.nodes[n].tend(now);
            self.collect(n, true, &mut batch);
        }
        self.give_turns(n);
        self.flush(n, batch);
    }

    fn handle(&mut self, n: usize, event: In, batch: &mut Batch) {
        let now = self.nodes[n].clock(self.now);
        if let Some(link) = event.turn() {
            let turns = self.nodes[n].turns.entry(link).or_default();
            *turns = turns.saturating_sub(1);
        }
        if self.nodes[n].member.is_none() {
            match event {
                In::Tick if !self.nodes[n].disk_is_full => self.open(n),
                In::Connected(_, _, link) => self.close_link(link, n),
                _ => {}
            }
            return;
        }
        let is_write = matches!(event, In::Write(..) | In::WriteAgain(_));
        let decides = matches!(event, In::Wish(_) | In::Without(_));
        let own = is_write || decides || matches!(event, In::Tick | In::Accept(..));
        match self.nodes[n].handle(event, now) {
            Ok(receipts) => batch.receipts.extend(receipts),
            Err(why) if is_write => self.check_refused_write(n, &why),
            Err(_) => {}
        }
        self.collect(n, own, batch);
        self.check_load(n);
    }

    /// Takes the member's outputs: what is to be stored into the batch, the rest behind it.
    fn collect(&mut self, n: usize, own: bool, batch: &mut Batch) {
        let Some(member) = self.nodes[n].member.as_mut() else {
            return;
        };
        let outputs = member.take_outputs();
        self.tally.outputs = self.tally.outputs.max(outputs.len() as u64);
        for output in outputs {
            self.watch(n, own, &output);
            match output {
                Output::Store(durable) => batch.durables.push(durable),
                Output::Rebuild(why) => self.violate("promise 4", why),
                other => batch.effects.push(other),
            }
        }
    }

    fn flush(&mut self, n: usize, mut batch: Batch) {
        if self.switches.performs_before_flush {
            let effects = std::mem::take(&mut batch.effects);
            let receipts = std::mem::take(&mut batch.receipts);
            self.acknowledge(n, &receipts);
            self.perform(n, effects);
        }
        if batch.durables.is_empty() {
            self.perform(n, batch.effects);
            if !self.nodes[n].inbox.is_empty() {
                self.wake(n);
            }
            return;
        }
        let longest = self.nodes[n].flush;
        let over = self.now + self.chance.between(longest / 4, longest);
        let process = self.nodes[n].process;
        self.nodes[n].flushing = Some(batch);
        self.queue.schedule(over, Event::Flushed(n, process));
    }

    fn flushed(&mut self, n: usize, process: u64) {
        if self.nodes[n].process != process {
            return;
        }
        let Some(batch) = self.nodes[n].flushing.take() else {
            return;
        };
        if self.nodes[n].disk_is_full {
            self.say(n, "cannot flush: the disk is full");
            self.tally.count("flushes failed");
            self.nodes[n].member = None;
            self.close_all(n);
        } else {
            self.trace.mix(&[n as u64, batch.durables.len() as u64]);
            self.nodes[n].disk.commit(batch.durables);
            self.acknowledge(n, &batch.receipts);
            self.perform(n, batch.effects);
        }
        if !self.nodes[n].inbox.is_empty() {
            self.wake(n);
        }
    }

    /// The officer hears "stored".
    fn acknowledge(&mut self, n: usize, receipts: &[Receipt]) {
        for receipt in receipts {
            self.tally.count("writes acknowledged");
            self.trace.say(self.now, || {
                let name = &self.nodes[n].name;
                let Receipt {
                    document, entries, ..
                } = receipt;
                format!("{name}: stored {document} up to entry {entries}")
            });
            self.ledger.acknowledged(n, *receipt);
        }
    }

    fn write(&mut self, n: usize) {
        if self.healed.is_some() {
            return;
        }
        let (pause, count) = self.plan.next_write(n, &mut self.chance);
        self.queue.schedule(self.now + pause, Event::Write(n));
        let council = self.nodes[n].council.code;
        if self.nodes[n].member.is_none() || !self.authority.is_member(council) {
            return;
        }
        let kind = DocumentKind::OF_EACH[self.chance.below(3)];
        let document = kind.of(council);
        let member = self.nodes[n].member.as_ref();
        let held = member.and_then(|member| member.document(document));
        let known: Vec<_> = held.map_or(Vec::new(), |held| {
            held.records().map(|(id, _)| id).take(40).collect()
        });
        let version = self.nodes[n].roster.schema;
        let edits = edits::some_edits(version, kind, &known, count, &mut self.chance);
        self.tally.count("writes");
        self.hand_in(n, In::Write(kind, edits));
    }

    /// A node as its key's number in the world.
    pub(super) fn node_of(&self, id: smp_protocol::ids::NodeId) -> Option<usize> {
        self.nodes.iter().position(|node| node.id == id)
    }

    pub(super) fn say(&mut self, n: usize, what: &str) {
        self.trace.mix(&[self.now, n as u64, what.len() as u64]);
        let name = &self.nodes[n].name;
        self.trace.say(self.now, || format!("{name}: {what}"));
    }

    pub(super) fn violate(&mut self, rule: &'static str, what: String) {
        let violation = Violation { rule, what };
        self.trace.say(self.now, || {
            format!("VIOLATION of {}: {}", violation.rule, violation.what)
        });
        self.violation.get_or_insert(violation);
    }
}
