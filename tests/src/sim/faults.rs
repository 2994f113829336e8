//! What goes wrong: drawn one after another, and mended after a while.

use super::build;
use super::link::{IDLE, LinkId};
use super::node::In;
use super::queue::{MILLI, Micros, SECOND};
use super::world::{Event, World};

/// How far a clock that is only somewhat wrong may be off.
const BOUNDED_SKEW: u64 = 300;
/// How far a clock that is wildly wrong may be off: two years.
const WILD_SKEW: u64 = 730 * 86_400;

/// A kind of fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Trouble {
    /// Some nodes and the others do not reach each other.
    Partition,
    /// What some nodes send does not reach the others.
    OneWay,
    /// A path becomes slow.
    Slow,
    /// A connection breaks.
    Break,
    /// A second connection to a node that is connected.
    Duplicate,
    /// A process is killed.
    Crash,
    /// A process stops in order and starts again.
    Restart,
    /// A disk is full.
    DiskFull,
    /// A disk becomes slow.
    DiskSlow,
    /// A node's disk is replaced by an old copy of it.
    OldCopy,
    /// A clock is set a little wrong.
    Skew,
    /// A clock is set wildly wrong.
    WildSkew,
    /// A council writes many entries one after another.
    Burst,
}

impl Trouble {
    pub(crate) const ALL: [Self; 13] = [
        Self::Partition,
        Self::OneWay,
        Self::Slow,
        Self::Break,
        Self::Duplicate,
        Self::Crash,
        Self::Restart,
        Self::DiskFull,
        Self::DiskSlow,
        Self::OldCopy,
        Self::Skew,
        Self::WildSkew,
        Self::Burst,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Partition => "partitions",
            Self::OneWay => "one-way partitions",
            Self::Slow => "slow paths",
            Self::Break => "broken connections",
            Self::Duplicate => "duplicated connections",
            Self::Crash => "crashes",
            Self::Restart => "restarts",
            Self::DiskFull => "full disks",
            Self::DiskSlow => "slow disks",
            Self::OldCopy => "old copies brought back",
            Self::Skew => "clocks a little wrong",
            Self::WildSkew => "clocks wildly wrong",
            Self::Burst => "bursts of writes",
        }
    }
}

/// How a fault is mended, or something that was planned comes about.
#[derive(Clone, Debug)]
pub(super) enum Undo {
    /// What goes from one node to another is held up no longer.
    Unblock(Vec<(usize, usize)>),
    /// A path is as fast as the others.
    Quick(usize, usize),
    /// A process starts again.
    Start(usize),
    /// There is room on a disk.
    Room(usize),
    /// A disk is as fast as it was planned.
    Fast(usize),
    /// A clock is right.
    Clock(usize),
    /// A node is enrolled.
    Join(usize),
    /// A node runs the newer build from now on.
    Upgrade(usize),
    /// The admin has records written in the newer schema.
    RaiseSchema,
}

impl World {
    pub(super) fn schedule_trouble(&mut self) {
        if !self.plan.troubles.is_empty() {
            let pause = self.chance.between(SECOND, self.plan.trouble_pause);
            self.queue.schedule(self.now + pause, Event::Trouble);
        }
    }

    pub(super) fn trouble(&mut self) {
        if self.healed.is_some() {
            return;
        }
        self.schedule_trouble();
        let Some(trouble) = self.chance.pick(&self.plan.troubles).copied() else {
            return;
        };
        let n = self.chance.below(self.nodes.len());
        if !self.nodes[n].running {
            return;
        }
        self.tally.count(trouble.word());
        self.say(n, trouble.word());
        // A copy is taken now and then, so that there is an old one to bring back.
        if self.chance.one_in(2) && self.nodes[n].copies.len() < 4 {
            let copy = self.nodes[n].disk.clone();
            self.nodes[n].copies.push(copy);
        }
        self.strike(trouble, n);
    }

    fn strike(&mut self, trouble: Trouble, n: usize) {
        let lasts = self.chance.between(SECOND, 90 * SECOND);
        let end = self.now + lasts;
        match trouble {
            Trouble::Partition | Trouble::OneWay => {
                let pairs = self.some_pairs(trouble == Trouble::OneWay);
                self.block(&pairs);
                self.queue.schedule(end, Event::Over(Undo::Unblock(pairs)));
            }
            Trouble::Slow => {
                let other = self.chance.below(self.nodes.len());
                self.slow[n][other] = self.chance.between(100 * MILLI, 9 * SECOND);
                self.queue.schedule(end, Event::Over(Undo::Quick(n, other)));
            }
            Trouble::Break => {
                let links: Vec<LinkId> = self.links.keys().copied().collect();
                if let Some(link) = self.chance.pick(&links).copied() {
                    self.close_link(link, n);
                }
            }
            Trouble::Duplicate => {
                let peers: Vec<usize> = self.nodes[n].peers.values().map(|k| k.node).collect();
                if let Some(other) = self.chance.pick(&peers).copied() {
                    self.connect(n, other);
                }
            }
            Trouble::Crash => self.crash(n, lasts),
            Trouble::Restart => {
                self.close_all(n);
                self.nodes[n].stop();
                self.queue
                    .schedule(self.now + lasts / 10, Event::Over(Undo::Start(n)));
            }
            Trouble::DiskFull => {
                self.nodes[n].disk_is_full = true;
                self.queue.schedule(end, Event::Over(Undo::Room(n)));
            }
            Trouble::DiskSlow => {
                self.nodes[n].flush = 4 * SECOND;
                self.queue.schedule(end, Event::Over(Undo::Fast(n)));
            }
            Trouble::OldCopy => self.bring_back_old_copy(n, lasts),
            Trouble::Skew | Trouble::WildSkew => self.set_clock(n, trouble, end),
            Trouble::Burst => self.burst(n),
        }
    }

    fn set_clock(&mut self, n: usize, trouble: Trouble, end: Micros) {
        let most = match trouble {
            Trouble::WildSkew => WILD_SKEW,
            _ => BOUNDED_SKEW,
        };
        self.nodes[n].skew = self.chance.between(0, 2 * most) as i64 - most as i64;
        self.queue.schedule(end, Event::Over(Undo::Clock(n)));
    }

    fn burst(&mut self, n: usize) {
        let council = self.nodes[n].council.code;
        if !self.authority.is_member(council) || !self.nodes[n].is_honest() {
            return;
        }
        let kind = *self
            .chance
            .pick(&smp_protocol::ids::DocumentKind::OF_EACH)
            .expect("a kind");
        // Now and then past a mark, which is at 256.
        let count = match self.chance.below(12) {
            0 => self.chance.between(257, 300),
            _ => self.chance.between(10, 40),
        };
        for _ in 0..count {
            let edits = super::edits::some_edits(super::build::OLD, kind, &[], 1, &mut self.chance);
            self.tally.count("writes");
            self.hand_in(n, In::Write(kind, edits));
        }
    }

    /// Pairs between some nodes and the others, in one direction or both.
    fn some_pairs(&mut self, one_way: bool) -> Vec<(usize, usize)> {
        let all: Vec<usize> = (0..self.nodes.len()).collect();
        let side = self.chance.some(&all);
        let mut pairs = Vec::new();
        for a in &side {
            for b in all.iter().filter(|b| !side.contains(b)) {
                pairs.push((*a, *b));
                if !one_way {
                    pairs.push((*b, *a));
                }
            }
        }
        pairs
    }

    fn block(&mut self, pairs: &[(usize, usize)]) {
        for (from, to) in pairs {
            self.blocked[*from][*to] += 1;
        }
        let now = self.now;
        for (id, link) in &self.links {
            for side in 0..2 {
                let (own, other) = (link.ends[side].node, link.ends[1 - side].node);
                if pairs.contains(&(other, own)) {
                    let event = Event::Idle(*id, side, now);
                    self.queue.schedule(now + IDLE, event);
                }
            }
        }
    }

    fn unblock(&mut self, pairs: &[(usize, usize)]) {
        for (from, to) in pairs {
            self.blocked[*from][*to] = self.blocked[*from][*to].saturating_sub(1);
        }
        let mut resumed = Vec::new();
        for (id, link) in &mut self.links {
            for side in 0..2 {
                let (from, to) = (link.ends[side].node, link.ends[1 - side].node);
                if self.blocked[from][to] == 0 {
                    let stalled = std::mem::take(&mut link.stalled[side]);
                    resumed.extend(stalled.into_iter().map(|lane| (*id, side, lane)));
                }
            }
        }
        for (id, side, lane) in resumed {
            let soon = self.now + self.plan.latency;
            self.queue.schedule(soon, Event::Deliver(id, side, lane));
        }
    }

    /// A process is killed; what it was flushing is on disk, or is not.
    fn crash(&mut self, n: usize, lasts: Micros) {
        if self.chance.one_in(2)
            && !self.nodes[n].disk_is_full
            && let Some(batch) = self.nodes[n].flushing.take()
        {
            self.nodes[n].disk.commit(batch.durables);
        }
        self.abandon(n, IDLE);
        self.nodes[n].stop();
        let up = self.now + lasts / self.chance.between(1, 20);
        self.queue.schedule(up, Event::Over(Undo::Start(n)));
    }

    /// The disk as it was at some moment, under the same keys.
    fn bring_back_old_copy(&mut self, n: usize, lasts: Micros) {
        let which = self.chance.below(self.nodes[n].copies.len());
        let Some(copy) = self.nodes[n].copies.get(which).cloned() else {
            return;
        };
        self.abandon(n, IDLE);
        self.nodes[n].stop();
        self.nodes[n].disk = copy;
        self.rolled_back(n);
        let up = self.now + lasts / 5;
        self.queue.schedule(up, Event::Over(Undo::Start(n)));
        // Its officers are at work before it has heard from anybody.
        for later in 1..4 {
            self.queue.schedule(up + later * MILLI, Event::Decide(n));
        }
    }

    pub(super) fn over(&mut self, undo: Undo) {
        match undo {
            Undo::Unblock(pairs) => self.unblock(&pairs),
            Undo::Quick(from, to) => self.slow[from][to] = 0,
            Undo::Start(n) if !self.nodes[n].running && self.has_joined(n) => self.start(n),
            Undo::Start(_) => {}
            Undo::Room(n) => self.nodes[n].disk_is_full = false,
            Undo::Fast(n) => self.nodes[n].flush = self.plan.seats[n].flush,
            Undo::Clock(n) => self.nodes[n].skew = self.plan.seats[n].skew,
            Undo::Join(n) => self.join(n),
            Undo::Upgrade(n) => self.upgrade(n),
            Undo::RaiseSchema => self.raise_schema(),
        }
    }

    /// The operator stops a node, and starts the newer build.
    fn upgrade(&mut self, n: usize) {
        if self.nodes[n].build == build::NEW {
            return;
        }
        self.tally.count("nodes upgraded");
        self.say(n, "is upgraded");
        self.nodes[n].build = build::NEW;
        if self.nodes[n].running {
            self.abandon(n, IDLE);
            self.start(n);
        }
    }

    fn has_joined(&self, n: usize) -> bool {
        let node = &self.nodes[n];
        node.joined.node(node.id).is_some()
    }

    /// All faults stop: what is broken is mended, and only what never worked stays so.
    pub(super) fn heal(&mut self) {
        self.healed = Some(self.now);
        self.say(0, "all faults stop");
        let mut still = vec![vec![0; self.nodes.len()]; self.nodes.len()];
        for (a, b) in &self.plan.apart {
            still[*a][*b] = 1;
            still[*b][*a] = 1;
        }
        self.blocked = still;
        self.unblock(&[]);
        for n in 0..self.nodes.len() {
            self.slow[n].fill(0);
            self.over(Undo::Room(n));
            self.over(Undo::Fast(n));
            self.over(Undo::Clock(n));
            self.over(Undo::Upgrade(n));
            self.over(Undo::Start(n));
        }
        if self.plan.raise.is_some() {
            self.raise_schema();
        }
        self.settle_rosters();
        self.queue.schedule(self.now + 5 * SECOND, Event::Look);
    }
}
