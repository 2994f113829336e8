//! What liars make up and send, unasked.

use smp_protocol::codec::Blob;
use smp_protocol::document::{ChainId, Frontier, Place, Step, Unit};
use smp_protocol::ids::{CouncilCode, DocumentKind, DocumentName, Hash, Incarnation, Signature};
use smp_protocol::schema::{NEWEST, SchemaVersion};
use smp_protocol::session::message::{
    Control, DocumentSummary, Hello, Holds, Push, Summary, VERSION, Want,
};
use smp_protocol::session::{PeerId, PullId};
use smp_protocol::statements::{Acceptance, AcceptanceBody, Freshness, FreshnessBody};

use super::edits::some_edits;
use super::liar::Habit;
use super::queue::SECOND;
use super::region::region;
use super::world::{Event, World};

/// What a flood comes to at a time: bounded, for the sake of the simulation's speed alone.
const FLOOD: usize = 24;

impl World {
    /// A liar does one of the things that it is given to.
    pub(super) fn lie(&mut self, n: usize) {
        if self.healed.is_some() {
            return;
        }
        let pause = self.chance.between(SECOND, 14 * SECOND);
        self.queue.schedule(self.now + pause, Event::Lie(n));
        let Some(liar) = &self.nodes[n].liar else {
            return;
        };
        let Some(habit) = self.chance.pick(&liar.habits).copied() else {
            return;
        };
        let peers: Vec<PeerId> = self.nodes[n].peers.keys().copied().collect();
        let Some(peer) = self.chance.pick(&peers).copied() else {
            return;
        };
        if !matches!(habit, Habit::Alter | Habit::Withhold | Habit::Stall) {
            self.tally.count(habit.word());
            self.say(n, habit.word());
        }
        match habit {
            Habit::Alter | Habit::Withhold | Habit::Stall => {}
            Habit::Forge => self.forge(n, peer),
            Habit::Replay => self.replay(n, peer),
            Habit::Fork => self.fork(n, &peers),
            Habit::Select => {
                let unit = self.own_unit(n, None);
                self.push(n, peer, vec![unit]);
            }
            Habit::Orphans => self.orphans(n, peer),
            Habit::BadEdits => self.bad_edits(n, peer),
            Habit::Junk => self.junk(n, peer),
            Habit::Storm => self.storm(n, peer),
            Habit::FalseSummaries => self.false_summary(n, peer),
            Habit::FalseHolds => self.false_holds(n, peer),
            Habit::FalseFreshness => self.false_freshness(n, peer),
            Habit::FalseAcceptance => self.false_acceptance(n, peer),
            Habit::Rosters => self.false_roster(n, peer),
        }
    }

    fn say_to(&mut self, n: usize, peer: PeerId, message: &Control) {
        self.send_control(n, peer, message.encode());
    }

    fn push(&mut self, n: usize, peer: PeerId, units: Vec<Unit>) {
        let freshness = None;
        self.say_to(n, peer, &Control::Push(Push { units, freshness }));
    }

    fn any_council(&mut self) -> CouncilCode {
        let which = self.chance.below(self.plan.councils.len());
        self.plan.councils[which].code
    }

    fn any_document(&mut self) -> DocumentName {
        let kind = DocumentKind::OF_EACH[self.chance.below(3)];
        let council = self.any_council();
        kind.of(council)
    }

    fn shared_document(&mut self, council: CouncilCode) -> DocumentName {
        let kinds = [DocumentKind::RematchingPool, DocumentKind::HousingList];
        kinds[self.chance.below(2)].of(council)
    }

    fn place(document: DocumentName) -> Place {
        Place {
            region: region(),
            document,
            generation: 1,
        }
    }

    fn step(&mut self, kind: DocumentKind) -> Step {
        let edits = some_edits(NEWEST, kind, &[], 1, &mut self.chance);
        Step::new(Vec::new(), NEWEST, &edits)
    }

    fn sign(&self, n: usize, mut unit: Unit) -> Unit {
        let last = unit.hashes().last().copied().unwrap_or(Hash([0; 32]));
        unit.signature = Unit::sign(last, &self.nodes[n].keys.signing);
        unit
    }

    /// The first entry of a chain of this node's on one of its council's documents.
    fn own_unit(&mut self, n: usize, chain: Option<(DocumentName, ChainId)>) -> Unit {
        let (document, chain) = chain.unwrap_or_else(|| self.own_chain(n));
        let step = self.step(document.kind);
        let unit = Unit {
            place: Self::place(document),
            chain,
            first: 0,
            previous: Hash([0; 32]),
            steps: vec![step],
            signature: Signature([0; 64]),
        };
        self.sign(n, unit)
    }

    fn own_chain(&mut self, n: usize) -> (DocumentName, ChainId) {
        let document = self.shared_document(self.nodes[n].council.code);
        let chain = ChainId {
            node: self.nodes[n].id,
            incarnation: Incarnation(self.chance.bytes()),
        };
        (document, chain)
    }

    fn forge(&mut self, n: usize, peer: PeerId) {
        let (_, mut chain) = self.own_chain(n);
        let council = self.any_council();
        let document = self.shared_document(council);
        let victim = self.nodes.iter().find(|node| node.council.code == council);
        if self.chance.one_in(2)
            && let Some(victim) = victim
        {
            chain.node = victim.id;
        }
        let unit = self.own_unit(n, Some((document, chain)));
        self.push(n, peer, vec![unit]);
    }

    fn replay(&mut self, n: usize, peer: PeerId) {
        let liar = self.nodes[n].liar.as_ref();
        let seen: Vec<Unit> = liar.map_or(Vec::new(), |liar| liar.seen.iter().cloned().collect());
        let Some(mut unit) = self.chance.pick(&seen).cloned() else {
            return;
        };
        match self.chance.below(4) {
            0 => unit.place.document = self.any_document(),
            1 => unit.place.generation += 1,
            2 => unit.place.region = "elsewhere".parse().expect("a region's name"),
            _ => {
                // Its own entry, rightly signed for where it does not belong.
                unit = self.own_unit(n, None);
                unit.place.generation = 2;
                unit = self.sign(n, unit);
            }
        }
        self.push(n, peer, vec![unit]);
    }

    /// Two first entries of one chain, each shown to half of the peers.
    fn fork(&mut self, n: usize, peers: &[PeerId]) {
        let chain = self.own_chain(n);
        let branches = [self.own_unit(n, Some(chain)), self.own_unit(n, Some(chain))];
        for (place, peer) in peers.iter().enumerate() {
            self.push(n, *peer, vec![branches[place % 2].clone()]);
        }
    }

    fn orphans(&mut self, n: usize, peer: PeerId) {
        for _ in 0..FLOOD {
            let mut unit = self.own_unit(n, None);
            if self.chance.one_in(2) {
                unit.first = self.chance.between(1, 200);
                unit.previous = Hash(self.chance.bytes());
            } else {
                unit.steps[0].dependencies = vec![Hash(self.chance.bytes())];
            }
            let unit = self.sign(n, unit);
            self.push(n, peer, vec![unit]);
        }
    }

    fn bad_edits(&mut self, n: usize, peer: PeerId) {
        let mut unit = self.own_unit(n, None);
        match self.chance.below(3) {
            0 => unit.steps[0].edits = Blob(self.chance.bytes::<40>().to_vec()),
            1 => unit.steps[0].schema = SchemaVersion(9),
            _ => unit.steps[0] = self.step(DocumentKind::HostRegister),
        }
        let unit = self.sign(n, unit);
        self.push(n, peer, vec![unit]);
    }

    fn junk(&mut self, n: usize, peer: PeerId) {
        let frame = match self.chance.below(4) {
            0 => self.chance.bytes::<60>().to_vec(),
            1 => vec![3; 600 << 10],
            2 => Vec::new(),
            _ => Control::Hello(Hello {
                version: VERSION,
                region: region(),
                node: self.nodes[n].id,
                boot: smp_protocol::ids::BootId(self.chance.bytes()),
                roster_version: 1,
                roster_hash: Hash([0; 32]),
                schema: NEWEST,
            })
            .encode(),
        };
        self.send_control(n, peer, frame);
    }

    fn storm(&mut self, n: usize, peer: PeerId) {
        for _ in 0..FLOOD {
            let document = self.any_document();
            let want = Want {
                document,
                generation: self.chance.between(1, 2),
                frontier: Frontier::default(),
                refused: (0..4).map(|_| Hash(self.chance.bytes())).collect(),
            };
            let pull = PullId(self.chance.number());
            self.ask(n, peer, pull, want.encode());
        }
    }

    fn false_item(&mut self, document: DocumentName) -> DocumentSummary {
        DocumentSummary {
            document,
            generation: 1,
            frontier: Hash(self.chance.bytes()),
            heads: Hash(self.chance.bytes()),
            entries: self.chance.between(1, 1 << 40),
            freshness: None,
            acceptance: None,
        }
    }

    fn false_summary(&mut self, n: usize, peer: PeerId) {
        let mut names: Vec<DocumentName> = (0..6).map(|_| self.any_document()).collect();
        names.sort_unstable();
        names.dedup();
        let documents = names.into_iter().map(|name| self.false_item(name));
        let documents = documents.collect();
        let reply = self.chance.one_in(2);
        self.say_to(n, peer, &Control::Summary(Summary { reply, documents }));
    }

    fn false_holds(&mut self, n: usize, peer: PeerId) {
        let (_, chain) = self.own_chain(n);
        let mut chains = vec![(chain, u64::MAX)];
        let liar = self.nodes[n].liar.as_ref();
        let seen = liar.map_or(Vec::new(), |liar| {
            liar.seen.iter().map(|u| (u.chain, u.end() + 9)).collect()
        });
        chains.extend(seen);
        let holds = Holds {
            document: self.any_document(),
            generation: 1,
            chains,
            frontier: Hash(self.chance.bytes()),
            entries: self.chance.number(),
        };
        self.say_to(n, peer, &Control::Holds(holds));
    }

    fn false_freshness(&mut self, n: usize, peer: PeerId) {
        let document = match self.chance.one_in(2) {
            true => self.any_document(),
            false => self.shared_document(self.nodes[n].council.code),
        };
        let now = self.nodes[n].clock(self.now);
        let body = FreshnessBody {
            place: Self::place(document),
            node: self.nodes[n].id,
            at: now.plus(self.chance.between(0, 1200)),
            counter: self.chance.number(),
            frontier: Hash(self.chance.bytes()),
        };
        let mut item = self.false_item(document);
        item.freshness = Some(Freshness::sign(body, &self.nodes[n].keys.signing));
        let (reply, documents) = (false, vec![item]);
        self.say_to(n, peer, &Control::Summary(Summary { reply, documents }));
    }

    fn false_acceptance(&mut self, n: usize, peer: PeerId) {
        let document = DocumentKind::HostRegister.of(self.any_council());
        let body = AcceptanceBody {
            region: region(),
            document,
            counter: self.chance.between(2, 1 << 40),
            readers: vec![self.nodes[n].council.code],
            issued: self.nodes[n].clock(self.now),
            node: self.nodes[n].id,
        };
        let mut item = self.false_item(document);
        item.acceptance = Some(Acceptance::sign(body, &self.nodes[n].keys.signing));
        let (reply, documents) = (true, vec![item]);
        self.say_to(n, peer, &Control::Summary(Summary { reply, documents }));
    }

    fn false_roster(&mut self, n: usize, peer: PeerId) {
        let now = self.nodes[n].clock(self.now);
        let signed = match self.chance.below(3) {
            0 => self.chance.pick(&self.rosters).cloned(),
            1 => Some(self.authority.issue_far_ahead(now)),
            _ => self.rosters.last().cloned().map(|mut roster| {
                roster.signature = Signature(self.chance.bytes());
                roster
            }),
        };
        if let Some(signed) = signed {
            self.say_to(n, peer, &Control::Roster(signed));
        }
    }
}
