//! Members joined by queues instead of a network, for the tests of this module.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::*;
use crate::crypto::Signing;
use crate::ids::{BootId, DocumentKind, Hash, RecordId, RecordKind, RegionName};
use crate::roster::{Member as RosterMember, MemberNode, NamedReaders, Roster, SealingKey};
use crate::schema::{self, Edit, FieldType, SchemaVersion, Value};
use crate::time::{Day, UnixSeconds};

pub(crate) const START: UnixSeconds = UnixSeconds(1_780_000_000);

pub(crate) fn council(n: usize) -> CouncilCode {
    format!("E0600{n:04}").parse().unwrap()
}

pub(crate) fn node_key(n: usize) -> Signing {
    Signing::from_seed(&[u8::try_from(n).unwrap() + 1; 32])
}

pub(crate) fn authority() -> Signing {
    Signing::from_seed(&[200; 32])
}

pub(crate) fn region() -> RegionName {
    "north-east".parse().unwrap()
}

fn roster_member(n: usize) -> RosterMember {
    let key = node_key(n);
    RosterMember {
        council: council(n),
        name: format!("Council {n}"),
        nodes: vec![MemberNode {
            id: key.node_id(),
            signing: key.public(),
            tls: Hash([u8::try_from(n).unwrap(); 32]),
            sealing: SealingKey::try_from(vec![0; SealingKey::BYTES]).unwrap(),
            endpoints: vec!["127.0.0.1:7400".to_owned()],
            decider: true,
        }],
    }
}

pub(crate) fn roster(version: u64, members: usize, readers: &[(usize, usize)]) -> Roster {
    let mut named: BTreeMap<DocumentName, BTreeSet<CouncilCode>> = BTreeMap::new();
    for (owner, reader) in readers {
        let document = DocumentKind::HostRegister.of(council(*owner));
        named.entry(document).or_default().insert(council(*reader));
    }
    Roster {
        region: region(),
        title: "A region for tests".to_owned(),
        version,
        previous: Hash([u8::from(version > 1); 32]),
        issued: START,
        expires: START.plus(86_400 * 300),
        authority: authority().public(),
        ca: Hash([9; 32]),
        schema: SchemaVersion(1),
        members: (0..members).map(roster_member).collect(),
        readers: named
            .into_iter()
            .map(|(document, councils)| NamedReaders {
                document,
                councils: councils.into_iter().collect(),
            })
            .collect(),
        cuts: Vec::new(),
        targets: Vec::new(),
    }
}

pub(crate) fn signed(roster: &Roster) -> SignedRoster {
    SignedRoster::sign(roster, &authority()).unwrap()
}

/// A value that the field accepts; `n` chooses which.
pub(crate) fn value(accepts: FieldType, n: u64) -> Value {
    let pick = |len: usize| u8::try_from(n as usize % len).unwrap();
    match accepts {
        FieldType::Boolean => Value::Boolean(n.is_multiple_of(2)),
        FieldType::Integer { min, max } => Value::Integer(min + (n as i64) % (max - min + 1)),
        FieldType::Code(codes) => Value::Code(pick(codes.len())),
        FieldType::CodeSet(codes) => Value::Codes(vec![pick(codes.len())]),
        FieldType::Day => Value::Day(Day(20_000 + (n % 1000) as i32)),
        FieldType::Week => Value::Week(Day(20_000 + (n % 1000) as i32).week()),
        FieldType::Outcode => Value::Outcode(format!("LS{}", n % 29 + 1).try_into().unwrap()),
        FieldType::Instant => Value::Instant(UnixSeconds(n)),
        FieldType::Record(kind) => Value::Record(record(kind, n)),
        FieldType::RecordSet { kind, .. } => Value::Records(vec![record(kind, n)]),
        FieldType::Council => Value::Council(council((n % 9) as usize)),
        FieldType::CouncilSet { .. } => Value::Councils(vec![council((n % 9) as usize)]),
        FieldType::LanguageSet { .. } => {
            Value::Languages(vec!["uk".to_owned().try_into().unwrap()])
        }
        FieldType::Mailbox => {
            Value::Mailbox("placements@example.org".to_owned().try_into().unwrap())
        }
        FieldType::Telephone => Value::Telephone("01632 960123".to_owned().try_into().unwrap()),
    }
}

pub(crate) fn record(kind: RecordKind, n: u64) -> RecordId {
    let mut random = [0; 15];
    random[..8].copy_from_slice(&n.to_be_bytes());
    RecordId::new(kind, random)
}

pub(crate) fn create(kind: RecordKind, n: u64) -> Edit {
    let fields = schema::fields_of(schema::NEWEST, kind);
    Edit::Create {
        record: record(kind, n),
        fields: fields
            .map(|field| (field.id, value(field.accepts, n)))
            .collect(),
    }
}

/// What a member's store would hold.
pub(crate) type Disk = Vec<Durable>;

pub(crate) struct Net {
    pub(crate) members: Vec<Member>,
    pub(crate) disks: Vec<Disk>,
    pub(crate) closed: Vec<(usize, CloseReason)>,
    pub(crate) notes: Vec<(usize, Note)>,
    /// Every frame that was delivered: from, to, bytes.
    pub(crate) traffic: Vec<(usize, usize, Vec<u8>)>,
    pub(crate) now: UnixSeconds,
    /// Members that read what they are sent, and answer nothing.
    silent: Vec<usize>,
    links: BTreeMap<PeerId, (usize, usize)>,
    queue: VecDeque<(usize, Delivery)>,
    next: u64,
}

enum Delivery {
    Control(PeerId, usize, Vec<u8>),
    Asked(PeerId, StreamId, usize, Vec<u8>),
    Answer(PullId, usize, Vec<u8>),
    Writable(PeerId, StreamId),
    Gone(PeerId),
}

impl Net {
    pub(crate) fn new(rosters: &[SignedRoster]) -> Self {
        let members: Vec<Member> = rosters
            .iter()
            .enumerate()
            .map(|(n, r)| member(n, r, 1))
            .collect();
        Self {
            disks: members.iter().map(|_| Disk::new()).collect(),
            members,
            closed: Vec::new(),
            notes: Vec::new(),
            traffic: Vec::new(),
            now: START,
            silent: Vec::new(),
            links: BTreeMap::new(),
            queue: VecDeque::new(),
            next: 0,
        }
    }

    /// Connects `a`, who dials, to `b`. Both ends of a link have the same number.
    pub(crate) fn connect(&mut self, a: usize, b: usize) -> PeerId {
        let peer = PeerId(self.next);
        self.next += 1;
        self.links.insert(peer, (a, b));
        for (own, other, dialled) in [(a, b, true), (b, a, false)] {
            let who = Authenticated {
                node: self.members[other].node(),
                council: self.members[other].identity().council,
                tls: Hash([u8::try_from(other).unwrap(); 32]),
                dialled,
            };
            let now = self.now;
            self.members[own].connected(peer, who, now);
            self.collect(own);
        }
        peer
    }

    pub(crate) fn connect_all(&mut self) {
        for a in 0..self.members.len() {
            for b in a + 1..self.members.len() {
                self.connect(a, b);
            }
        }
    }

    pub(crate) fn disconnect(&mut self, peer: PeerId) {
        if let Some((a, b)) = self.links.remove(&peer) {
            for n in [a, b] {
                self.members[n].disconnected(peer, self.now);
                self.collect(n);
            }
        }
    }

    /// The process of `n` starts again with what is on its disk.
    pub(crate) fn restart(&mut self, n: usize, roster: &SignedRoster, boot: u8) {
        let links: Vec<PeerId> = self
            .links
            .iter()
            .filter(|(_, (a, b))| *a == n || *b == n)
            .map(|(id, _)| *id)
            .collect();
        for link in links {
            self.disconnect(link);
        }
        let mut fresh = member(n, roster, boot);
        for durable in &self.disks[n] {
            fresh.restore(durable.clone()).unwrap();
        }
        fresh.restored();
        self.members[n] = fresh;
        self.collect(n);
    }

    pub(crate) fn write(&mut self, n: usize, kind: DocumentKind, edits: Vec<Edit>) -> Receipt {
        let receipt = self.members[n].write(&[(kind, edits)], self.now).unwrap();
        self.collect(n);
        receipt[0]
    }

    pub(crate) fn tick(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.now = self.now.plus(1);
            for n in 0..self.members.len() {
                self.members[n].tick(self.now);
                self.collect(n);
            }
            self.run();
        }
    }

    /// From now on these answer no question.
    pub(crate) fn silence(&mut self, members: &[usize]) {
        self.silent = members.to_vec();
    }

    /// Whether an answer is on its way to this member.
    pub(crate) fn answer_is_under_way_to(&self, asker: usize) -> bool {
        let is_answer = |(to, delivery): &(usize, Delivery)| {
            *to == asker && matches!(delivery, Delivery::Answer(..))
        };
        self.queue.iter().any(is_answer)
    }

    /// Delivers until nothing is under way.
    pub(crate) fn run(&mut self) {
        self.deliver_until(|_| false);
    }

    /// Delivers until something is so, or nothing is under way.
    pub(crate) fn deliver_until(&mut self, is_so: impl Fn(&Self) -> bool) {
        let mut steps = 0;
        while !is_so(self) {
            let Some((to, delivery)) = self.queue.pop_front() else {
                return;
            };
            steps += 1;
            assert!(steps < 2_000_000, "the conversation does not end");
            let now = self.now;
            let live = |links: &BTreeMap<PeerId, (usize, usize)>, p: &PeerId| links.contains_key(p);
            match delivery {
                Delivery::Control(p, from, frame) if live(&self.links, &p) => {
                    self.traffic.push((from, to, frame.clone()));
                    self.members[to].control(p, &frame, now);
                }
                Delivery::Asked(p, s, from, frame) if live(&self.links, &p) => {
                    self.traffic.push((from, to, frame.clone()));
                    self.members[to].asked(p, s, &frame, now);
                }
                Delivery::Answer(pull, from, frame) => {
                    self.traffic.push((from, to, frame.clone()));
                    self.members[to].answered(pull, &frame, now);
                }
                Delivery::Writable(p, s) => self.members[to].writable(p, s, now),
                Delivery::Gone(p) => self.members[to].disconnected(p, now),
                Delivery::Control(..) | Delivery::Asked(..) => {}
            }
            self.collect(to);
        }
    }

    pub(crate) fn collect(&mut self, own: usize) {
        for output in self.members[own].take_outputs() {
            match output {
                Output::Store(durable) => self.disks[own].push(durable),
                Output::Send { peer, frame } => {
                    let to = self.other(peer, own);
                    self.queue
                        .push_back((to, Delivery::Control(peer, own, frame)));
                }
                Output::Ask { peer, pull, frame } => {
                    let to = self.other(peer, own);
                    self.queue
                        .push_back((to, Delivery::Asked(peer, StreamId(pull.0), own, frame)));
                }
                Output::Answer {
                    peer,
                    stream,
                    frame,
                    last,
                } => {
                    if self.silent.contains(&own) {
                        continue;
                    }
                    let to = self.other(peer, own);
                    self.queue
                        .push_back((to, Delivery::Answer(PullId(stream.0), own, frame)));
                    if !last {
                        self.queue
                            .push_back((own, Delivery::Writable(peer, stream)));
                    }
                }
                Output::Close { peer, reason } => {
                    let to = self.other(peer, own);
                    self.closed.push((own, reason));
                    self.links.remove(&peer);
                    self.queue.push_back((to, Delivery::Gone(peer)));
                }
                Output::Note(note) => self.notes.push((own, note)),
                Output::Rebuild(why) => panic!("{why}"),
                Output::GiveUp { .. } | Output::RosterChanged(_) => {}
            }
        }
    }

    fn other(&self, peer: PeerId, own: usize) -> usize {
        let (a, b) = self.links.get(&peer).copied().unwrap_or((own, own));
        if a == own { b } else { a }
    }

    /// Whether all these members hold the same of a document, and something.
    pub(crate) fn agree(&self, document: DocumentName, who: &[usize]) -> bool {
        let heads: Vec<Vec<Hash>> = who
            .iter()
            .map(|n| {
                self.members[*n]
                    .document(document)
                    .map(crate::document::Document::heads)
            })
            .map(Option::unwrap_or_default)
            .collect();
        !heads[0].is_empty() && heads.iter().all(|h| *h == heads[0])
    }
}

pub(crate) fn member(n: usize, roster: &SignedRoster, boot: u8) -> Member {
    let identity = Identity {
        region: region(),
        council: council(n),
        key: node_key(n),
        boot: BootId([boot; 8]),
    };
    let roster = roster
        .clone()
        .verify(&region(), &authority().public())
        .unwrap();
    Member::new(identity, roster, (n as u64) << 8 | u64::from(boot), START)
}
