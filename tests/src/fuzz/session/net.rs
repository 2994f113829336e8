//! Three members joined by queues, with a disk each, and what can be done to them.

use std::collections::{BTreeMap, VecDeque};

use smp_protocol::document::Document;
use smp_protocol::ids::{BootId, DocumentKind, DocumentName, Hash, RecordKind};
use smp_protocol::limits;
use smp_protocol::schema::{Edit, FieldType, NEWEST, Value, fields_of};
use smp_protocol::session::message::{Answer, Control};
use smp_protocol::session::{
    Authenticated, CloseReason, Durable, Identity, Member, Output, PeerId, PullId, Receipt,
    StreamId, WriteError,
};
use smp_protocol::time::UnixSeconds;

use crate::fuzz::common::{START, authority, council, key, record, region, signed_roster};

/// How many members there are. Council 1 is a named reader of the register of council 0.
pub(super) const MEMBERS: usize = 3;

/// So many frames are kept to be repeated.
const KEPT: usize = 64;
/// A conversation that does not end by itself is a defect.
const DELIVERIES: usize = 20_000;

/// Something on its way to a member, over a link.
#[derive(Clone)]
enum Delivery {
    Control(Vec<u8>),
    Asked(StreamId, Vec<u8>),
    Answer(PullId, Vec<u8>),
    Writable(StreamId),
    Gone,
}

pub(super) struct Net {
    members: Vec<Member>,
    disks: Vec<Vec<Durable>>,
    boots: [u8; MEMBERS],
    links: BTreeMap<PeerId, (usize, usize)>,
    queue: VecDeque<(usize, PeerId, Delivery)>,
    kept: Vec<Vec<u8>>,
    acknowledged: Vec<Receipt>,
    /// Whether anything happened that no network between honest members does.
    tampered: bool,
    now: UnixSeconds,
    next_link: u64,
    next_record: u8,
}

fn index(n: usize) -> u8 {
    u8::try_from(n).unwrap_or(u8::MAX)
}

fn member(n: usize, boot: u8) -> Member {
    let identity = Identity {
        region: region(),
        council: council(index(n)),
        key: key(index(n)),
        boot: BootId([boot; 8]),
    };
    let roster = signed_roster().verify(&region(), &authority().public());
    let seed = u64::from(boot) << 32 | (n as u64) << 24;
    Member::new(identity, roster.expect("the roster"), seed, START)
}

impl Net {
    pub(super) fn new() -> Self {
        Self {
            members: (0..MEMBERS).map(|n| member(n, 1)).collect(),
            disks: vec![Vec::new(); MEMBERS],
            boots: [1; MEMBERS],
            links: BTreeMap::new(),
            queue: VecDeque::new(),
            kept: Vec::new(),
            acknowledged: Vec::new(),
            tampered: false,
            now: START,
            next_link: 0,
            next_record: 0,
        }
    }

    /// `a` dials `b`.
    pub(super) fn connect(&mut self, a: usize, b: usize) {
        if a == b {
            return;
        }
        let link = PeerId(self.next_link);
        self.next_link += 1;
        self.links.insert(link, (a, b));
        for (own, other, dialled) in [(a, b, true), (b, a, false)] {
            let who = Authenticated {
                node: key(index(other)).node_id(),
                council: council(index(other)),
                tls: Hash([index(other); 32]),
                dialled,
            };
            self.members[own].connected(link, who, self.now);
            self.collect(own);
        }
    }

    /// One of the links there are; none where there are none.
    fn link(&self, choice: usize) -> Option<(PeerId, (usize, usize))> {
        let found = self.links.iter().nth(choice % self.links.len().max(1));
        found.map(|(link, ends)| (*link, *ends))
    }

    pub(super) fn disconnect(&mut self, choice: usize) {
        if let Some((link, ends)) = self.link(choice) {
            self.cut(link, ends);
        }
    }

    fn cut(&mut self, link: PeerId, (a, b): (usize, usize)) {
        self.links.remove(&link);
        for n in [a, b] {
            self.members[n].disconnected(link, self.now);
            self.collect(n);
        }
    }

    pub(super) fn tick(&mut self, seconds: u64) {
        // What is not delivered in time is no fault of the peer's.
        self.tampered |= !self.queue.is_empty();
        self.now = self.now.plus(seconds);
        for n in 0..MEMBERS {
            self.members[n].tick(self.now);
            self.collect(n);
        }
    }

    pub(super) fn write(&mut self, n: usize, kind: DocumentKind, records: usize) {
        let edits = (0..records).map(|_| self.edit(kind)).collect();
        let written = self.members[n].write(&[(kind, edits)], self.now);
        // The store is flushed before anybody hears of it, here by `collect`.
        self.collect(n);
        match written {
            Ok(receipts) => self.acknowledged.extend(receipts),
            // One council's key was cut from its pool by the roster that all begin with.
            Err(WriteError::KeyCut(_) | WriteError::KeyClosed(_)) => {}
            Err(error) => panic!("a council may write its own: {error}"),
        }
    }

    fn edit(&mut self, kind: DocumentKind) -> Edit {
        let record_kind = match kind {
            DocumentKind::HostRegister => RecordKind::Host,
            DocumentKind::RematchingPool => RecordKind::Place,
            DocumentKind::HousingList => RecordKind::Listing,
            DocumentKind::Casework(_) => RecordKind::Proposal,
        };
        // Records come round again, so that the same one is written in several chains.
        self.next_record = self.next_record.wrapping_add(1);
        let fields = fields_of(NEWEST, record_kind).filter(|field| field.required);
        Edit::Create {
            record: record(record_kind, self.next_record),
            fields: fields.map(|f| (f.id, value(f.accepts))).collect(),
        }
    }

    pub(super) fn accept(&mut self, owner: usize, reader: usize, accepts: bool) {
        let reader = council(index(reader));
        let said = self.members[owner].accept_reader(reader, accepts, self.now);
        if let Err(error) = said {
            let closed = matches!(error, WriteError::KeyCut(_) | WriteError::KeyClosed(_));
            assert!(closed, "a council says who reads its register: {error}");
        }
        self.collect(owner);
    }

    /// The process of `n` stops where it stands and starts with what is on its disk.
    pub(super) fn restart(&mut self, n: usize) {
        let Some(boot) = self.boots[n].checked_add(1) else {
            return;
        };
        self.boots[n] = boot;
        let mut fresh = member(n, boot);
        for durable in self.disks[n].clone() {
            fresh.restore(durable).expect("what it stored itself");
        }
        fresh.restored();
        self.members[n] = fresh;
        self.collect(n);
        let touches = |(_, (a, b)): &(&PeerId, &(usize, usize))| *a == n || *b == n;
        let links: Vec<_> = self.links.iter().filter(touches).collect();
        let links: Vec<_> = links.into_iter().map(|(l, e)| (*l, *e)).collect();
        for (link, ends) in links {
            self.cut(link, ends);
        }
    }

    pub(super) fn lose(&mut self) {
        self.tampered |= self.queue.pop_front().is_some();
    }

    pub(super) fn repeat(&mut self) {
        if let Some(first) = self.queue.front().cloned() {
            self.tampered = true;
            self.queue.push_back(first);
        }
    }

    pub(super) fn delay(&mut self) {
        if let Some(first) = self.queue.pop_front() {
            self.tampered = true;
            self.queue.push_back(first);
        }
    }

    /// One byte of the next frame is another, or the frame ends there, or has more bytes.
    pub(super) fn alter(&mut self, at: u8, how: u8, with: u8) {
        let Some((_, _, delivery)) = self.queue.front_mut() else {
            return;
        };
        let (Delivery::Control(frame) | Delivery::Asked(_, frame) | Delivery::Answer(_, frame)) =
            delivery
        else {
            return;
        };
        self.tampered = true;
        let at = usize::from(at) * frame.len().max(1) / 256;
        match how % 4 {
            0 => frame.truncate(at),
            1 => frame.insert(at.min(frame.len()), with),
            2 => drop(frame.splice(at..at, [253, with, 0, 0, 0, 0, 0, 0, 16])),
            _ => {
                if let Some(byte) = frame.get_mut(at) {
                    *byte ^= with;
                }
            }
        }
    }

    /// A frame that no member sent, on the stream that `way` says.
    pub(super) fn inject(&mut self, choice: usize, way: u8, frame: Vec<u8>) {
        let Some((link, (a, b))) = self.link(choice) else {
            return;
        };
        self.tampered = true;
        let to = if way & 1 == 0 { a } else { b };
        let delivery = match way >> 1 & 3 {
            0 | 1 => Delivery::Control(frame),
            2 => Delivery::Asked(StreamId(1 << 40 | u64::from(way)), frame),
            _ => Delivery::Answer(PullId(u64::from(way)), frame),
        };
        self.queue.push_front((to, link, delivery));
        self.deliver(1);
    }

    pub(super) fn replay(&mut self, choice: usize, way: u8, frame: usize) {
        if let Some(frame) = self.kept.get(frame % self.kept.len().max(1)).cloned() {
            self.inject(choice, way, frame);
        }
    }

    /// Delivers so much of what is under way, and what follows from it.
    pub(super) fn deliver(&mut self, count: usize) {
        for delivered in 0..count {
            let Some((to, link, delivery)) = self.queue.pop_front() else {
                return;
            };
            assert!(delivered < DELIVERIES, "the conversation does not end");
            self.hand(to, link, delivery);
            self.collect(to);
        }
    }

    fn hand(&mut self, to: usize, link: PeerId, delivery: Delivery) {
        let now = self.now;
        let member = &mut self.members[to];
        if !self.links.contains_key(&link) {
            if matches!(delivery, Delivery::Gone) {
                member.disconnected(link, now);
            }
            return;
        }
        match delivery {
            Delivery::Control(frame) => {
                if self.kept.len() < KEPT {
                    self.kept.push(frame.clone());
                }
                member.control(link, &frame, now);
            }
            Delivery::Asked(stream, frame) => member.asked(link, stream, &frame, now),
            Delivery::Answer(pull, frame) => member.answered(pull, &frame, now),
            Delivery::Writable(stream) => member.writable(link, stream, now),
            Delivery::Gone => member.disconnected(link, now),
        }
    }

    /// Carries out what a member wants done.
    fn collect(&mut self, own: usize) {
        for output in self.members[own].take_outputs() {
            match output {
                Output::Store(durable) => self.disks[own].push(durable),
                Output::Send { peer, frame } => {
                    self.send(own, peer, &frame.clone(), Delivery::Control(frame));
                }
                Output::Ask { peer, pull, frame } => {
                    let asked = Delivery::Asked(StreamId(pull.0), frame.clone());
                    self.send(own, peer, &frame, asked);
                }
                Output::Answer {
                    peer,
                    stream,
                    frame,
                    last,
                } => {
                    let answer = Delivery::Answer(PullId(stream.0), frame.clone());
                    self.send(own, peer, &frame, answer);
                    if !last {
                        self.queue
                            .push_back((own, peer, Delivery::Writable(stream)));
                    }
                }
                Output::Close { peer, reason } => self.closed(own, peer, &reason),
                Output::Rebuild(why) => panic!("{why}"),
                Output::Note(_) | Output::GiveUp { .. } | Output::RosterChanged(_) => {}
            }
        }
    }

    fn other(&self, link: PeerId, own: usize) -> Option<usize> {
        let (a, b) = self.links.get(&link)?;
        Some(if *a == own { *b } else { *a })
    }

    fn send(&mut self, own: usize, link: PeerId, frame: &[u8], delivery: Delivery) {
        if let Some(to) = self.other(link, own) {
            assert_may_read(to, frame);
            self.queue.push_back((to, link, delivery));
        }
    }

    /// Honest members part only where a connection is one too many, or was too slow.
    fn closed(&mut self, own: usize, link: PeerId, reason: &CloseReason) {
        use CloseReason::{Duplicate, TooMany};
        let harmless = matches!(reason, Duplicate | TooMany);
        assert!(
            self.tampered || harmless,
            "dropped an honest peer: {reason}"
        );
        if let Some(other) = self.other(link, own) {
            self.queue.push_back((other, link, Delivery::Gone));
        }
        self.links.remove(&link);
    }

    /// Every link breaks and is made again, and nothing happens to frames any more.
    pub(super) fn heal(&mut self) {
        self.queue.clear();
        for (link, ends) in std::mem::take(&mut self.links) {
            self.cut(link, ends);
        }
        // A member that closed a link alone had forgotten it, and the other now learns it.
        for n in 0..MEMBERS {
            for link in (0..self.next_link).map(PeerId) {
                self.members[n].disconnected(link, self.now);
            }
            self.collect(n);
        }
        self.queue.clear();
        self.tampered = false;
        for (a, b) in [(0, 1), (1, 2), (2, 0)] {
            self.connect(a, b);
        }
        self.deliver(usize::MAX);
        let rounds = 3 * limits::ROUND_SECONDS;
        for _ in 0..rounds {
            if self.differing().is_none() {
                return;
            }
            self.tick(1);
            self.deliver(usize::MAX);
        }
    }

    /// A document and two members that may read it and hold different things of it.
    fn differing(&self) -> Option<(DocumentName, usize)> {
        let documents = (0..MEMBERS).flat_map(|owner| {
            let owned = |kind: DocumentKind| (kind.of(council(index(owner))), owner);
            DocumentKind::OF_EACH.map(owned)
        });
        documents
            .flat_map(|(name, owner)| (0..MEMBERS).map(move |reader| (name, owner, reader)))
            .filter(|(name, owner, reader)| {
                self.members[*owner].may_read(*name, council(index(*reader)))
            })
            .find(|(name, owner, reader)| self.heads(*owner, *name) != self.heads(*reader, *name))
            .map(|(name, _, reader)| (name, reader))
    }

    fn heads(&self, n: usize, name: DocumentName) -> Vec<Hash> {
        let held = self.members[n]
            .document(name)
            .filter(|d| d.entry_count() > 0);
        held.map(Document::heads).unwrap_or_default()
    }

    pub(super) fn assert_kept_and_agreed(&self) {
        assert_eq!(self.differing(), None, "readers do not agree");
        for receipt in &self.acknowledged {
            let owner = (0..MEMBERS).find(|n| council(index(*n)) == receipt.document.council);
            let owner = &self.members[owner.expect("a member wrote it")];
            let held = owner.document(receipt.document);
            let held = held.map_or(0, |document| document.entries_of(receipt.chain));
            assert!(held >= receipt.entries, "an acknowledged write is lost");
        }
        for (n, member) in self.members.iter().enumerate() {
            for view in member.document_views() {
                let name = view.name;
                let owner = (0..MEMBERS).find(|n| council(index(*n)) == name.council);
                let Some(owner) = owner else {
                    panic!("member {n} holds a document of nobody");
                };
                let (own, held) = (self.members[owner].document(name), member.document(name));
                for (chain, reach) in held.map(Document::frontier).unwrap_or_default().0 {
                    let written = own.map_or(0, |own| own.entries_of(chain));
                    assert!(reach.entries <= written, "entries that nobody wrote");
                }
            }
        }
    }
}

/// A value that the field accepts.
fn value(accepts: FieldType) -> Value {
    match accepts {
        FieldType::Boolean => Value::Boolean(true),
        FieldType::Integer { min, .. } => Value::Integer(min),
        FieldType::Code(_) => Value::Code(0),
        FieldType::CodeSet(_) => Value::Codes(vec![0]),
        FieldType::Day => Value::Day("2026-04-01".parse().expect("a day")),
        FieldType::Week => Value::Week("2026-W14".parse().expect("a week")),
        FieldType::Outcode => Value::Outcode("LS6".to_owned().try_into().expect("an outcode")),
        FieldType::Instant => Value::Instant(UnixSeconds(1)),
        FieldType::Record(kind) => Value::Record(record(kind, 1)),
        FieldType::RecordSet { kind, .. } => Value::Records(vec![record(kind, 1)]),
        FieldType::Council => Value::Council(council(0)),
        FieldType::CouncilSet { .. } => Value::Councils(vec![council(0)]),
        FieldType::LanguageSet { .. } => {
            Value::Languages(vec!["uk".to_owned().try_into().expect("a language")])
        }
        FieldType::Mailbox => {
            let text = "placements@example.org".to_owned();
            Value::Mailbox(text.try_into().expect("a mailbox"))
        }
        FieldType::Telephone => {
            let text = "01632 960123".to_owned();
            Value::Telephone(text.try_into().expect("a telephone"))
        }
    }
}

/// A council that said that it is accepted is told that it is not (P-30): an acceptance, and
/// nothing of the document.
fn is_leave(frame: &[u8]) -> bool {
    let Ok(Control::Summary(summary)) = Control::decode(frame) else {
        return false;
    };
    let mut items = summary.documents.iter();
    items.all(|item| (item.generation, item.entries, &item.freshness) == (0, 0, &None))
}

/// Only council 1 may ever be told of a register that is not its own, that of council 0.
fn assert_may_read(to: usize, frame: &[u8]) {
    if is_leave(frame) {
        return;
    }
    let inflated = match Answer::decode(frame) {
        Ok(Answer::Batch(units)) => smp_protocol::codec::encode(&units),
        _ => Vec::new(),
    };
    for owner in (0..MEMBERS).filter(|owner| *owner != to && (*owner, to) != (0, 1)) {
        let name = DocumentKind::HostRegister
            .of(council(index(owner)))
            .to_string();
        for bytes in [frame, &inflated] {
            let told = bytes.windows(name.len()).any(|w| w == name.as_bytes());
            assert!(!told, "{name} goes to member {to}, who may not read it");
        }
    }
}
