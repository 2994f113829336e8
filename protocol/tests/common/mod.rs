//! A small region for the tests of this directory: keys, a roster, valid messages of every
//! kind, and members that are fed by hand. Everything follows from constants, so that the
//! bytes are the same in every run.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use smp_protocol::crypto::Signing;
use smp_protocol::document::{
    ChainId, Document, Evidence, Frontier, Header, Place, Reach, Step, Unit,
};
use smp_protocol::ids::{
    BootId, CouncilCode, DocumentKind, DocumentName, Hash, Incarnation, RecordId, RecordKind,
    RegionName, Signature,
};
use smp_protocol::roster::{
    CheckTarget, Cut, Member as RosterMember, MemberNode, NamedReaders, Roster, SealingKey,
    SignedRoster,
};
use smp_protocol::schema::{Edit, FieldId, NEWEST, SchemaVersion, Value};
use smp_protocol::session::message::{
    Agreement, Answer, Control, DocumentSummary, Hello, Holds, NoAnswer, Push, Summary, VERSION,
    Want,
};
use smp_protocol::session::{Authenticated, Identity, Member, Output, PeerId};
use smp_protocol::statements::{
    Acceptance, AcceptanceBody, Freshness, FreshnessBody, Vouching, VouchingBody,
};
use smp_protocol::time::UnixSeconds;

pub(crate) const START: UnixSeconds = UnixSeconds(1_780_000_000);
pub(crate) const ZERO: Hash = Hash([0; 32]);

pub(crate) fn key(n: u8) -> Signing {
    Signing::from_seed(&[n + 1; 32])
}

pub(crate) fn authority() -> Signing {
    Signing::from_seed(&[200; 32])
}

pub(crate) fn region() -> RegionName {
    "north-east".parse().unwrap()
}

pub(crate) fn council(n: u8) -> CouncilCode {
    format!("E060000{n:02}").parse().unwrap()
}

pub(crate) fn pool(n: u8) -> DocumentName {
    DocumentKind::RematchingPool.of(council(n))
}

pub(crate) fn register(n: u8) -> DocumentName {
    DocumentKind::HostRegister.of(council(n))
}

pub(crate) fn place(document: DocumentName) -> Place {
    Place {
        region: region(),
        document,
        generation: 1,
    }
}

/// Members 0 to 2 with one node each; the second is a named reader of the first's register.
pub(crate) fn roster() -> Roster {
    let member = |n: u8| RosterMember {
        council: council(n),
        name: format!("Council {n}"),
        nodes: vec![MemberNode {
            id: key(n).node_id(),
            signing: key(n).public(),
            tls: Hash([n; 32]),
            sealing: SealingKey::try_from(vec![n; SealingKey::BYTES]).unwrap(),
            endpoints: vec![format!("node-{n}.example.org:7400")],
            decider: true,
        }],
    };
    Roster {
        region: region(),
        title: "A region for tests".to_owned(),
        version: 1,
        previous: ZERO,
        issued: START,
        expires: START.plus(86_400 * 300),
        authority: authority().public(),
        ca: Hash([9; 32]),
        schema: NEWEST,
        members: (0..3).map(member).collect(),
        readers: vec![NamedReaders {
            document: register(0),
            councils: vec![council(1)],
        }],
        targets: vec![CheckTarget {
            check: 3,
            days: Some(14),
        }],
        cuts: vec![Cut {
            document: pool(2),
            generation: 1,
            node: key(2).node_id(),
            signing: key(2).public(),
            chains: vec![(
                Incarnation([7; 8]),
                Reach {
                    entries: 3,
                    last: Hash([8; 32]),
                },
            )],
        }],
    }
}

pub(crate) fn signed_roster() -> SignedRoster {
    SignedRoster::sign(&roster(), &authority()).unwrap()
}

pub(crate) fn member(n: u8) -> Member {
    let identity = Identity {
        region: region(),
        council: council(n),
        key: key(n),
        boot: BootId([n; 8]),
    };
    let roster = signed_roster()
        .verify(&region(), &authority().public())
        .unwrap();
    Member::new(identity, roster, u64::from(n), START)
}

pub(crate) fn authenticated(n: u8) -> Authenticated {
    Authenticated {
        node: key(n).node_id(),
        council: council(n),
        tls: Hash([n; 32]),
        dialled: false,
    }
}

pub(crate) fn hello(n: u8) -> Control {
    Control::Hello(Hello {
        version: VERSION,
        region: region(),
        node: key(n).node_id(),
        boot: BootId([n; 8]),
        roster_version: 1,
        roster_hash: roster_hash(),
        schema: NEWEST,
    })
}

fn roster_hash() -> Hash {
    signed_roster()
        .verify(&region(), &authority().public())
        .unwrap()
        .hash()
}

/// Connects a peer to a member and says its hello.
pub(crate) fn greet(member: &mut Member, peer: PeerId, n: u8, now: UnixSeconds) {
    member.connected(peer, authenticated(n), now);
    member.control(peer, &hello(n).encode(), now);
}

/// Hands what each of two connected members says to the other, until both are silent.
pub(crate) fn converse(a: &mut Member, b: &mut Member, link: PeerId, now: UnixSeconds) {
    loop {
        let (said, answered) = (carry(a, b, link, now), carry(b, a, link, now));
        if !said && !answered {
            return;
        }
    }
}

fn carry(from: &mut Member, to: &mut Member, link: PeerId, now: UnixSeconds) -> bool {
    let outputs = from.take_outputs();
    let mut moved = false;
    for output in outputs {
        match output {
            Output::Send { peer, frame } if peer == link => to.control(link, &frame, now),
            Output::Ask { peer, pull, frame } if peer == link => {
                let stream = smp_protocol::session::StreamId(pull.0);
                to.asked(link, stream, &frame, now);
            }
            Output::Answer {
                peer,
                stream,
                frame,
                last,
            } if peer == link => {
                to.answered(smp_protocol::session::PullId(stream.0), &frame, now);
                if !last {
                    from.writable(link, stream, now);
                }
            }
            Output::Close { peer, reason } if peer == link => panic!("closed: {reason}"),
            Output::Rebuild(why) => panic!("{why}"),
            _ => continue,
        }
        moved = true;
    }
    moved
}

pub(crate) fn record(kind: RecordKind, n: u8) -> RecordId {
    RecordId::new(kind, [n; 15])
}

/// A place with a value of most types.
pub(crate) fn create_place(n: u8) -> Edit {
    Edit::Create {
        record: record(RecordKind::Place, n),
        fields: vec![
            (FieldId(1), Value::Integer(2)),
            (FieldId(2), Value::Integer(3)),
            (FieldId(3), Value::Code(1)),
            (FieldId(4), Value::Council(council(0))),
            (
                FieldId(5),
                Value::Outcode("LS6".to_owned().try_into().unwrap()),
            ),
            (FieldId(6), Value::Day("2026-04-01".parse().unwrap())),
            (FieldId(11), Value::Boolean(true)),
            (FieldId(15), Value::Code(0)),
        ],
    }
}

/// A request, an office's contact, and an update that clears a field: the other types.
pub(crate) fn other_edits() -> Vec<Edit> {
    vec![
        Edit::Create {
            record: record(RecordKind::Request, 7),
            fields: vec![
                (FieldId(1), Value::Integer(4)),
                (FieldId(2), Value::Integer(2)),
                (FieldId(3), Value::Integer(3)),
                (FieldId(8), Value::Councils(vec![council(1), council(2)])),
                (FieldId(9), Value::Week("2026-W14".parse().unwrap())),
                (FieldId(11), Value::Code(1)),
                (FieldId(12), Value::Record(record(RecordKind::Place, 1))),
                (FieldId(13), Value::Code(0)),
            ],
        },
        Edit::Create {
            record: record(RecordKind::Contact, 8),
            fields: vec![
                (
                    FieldId(1),
                    Value::Mailbox("placements@example.org".to_owned().try_into().unwrap()),
                ),
                (
                    FieldId(2),
                    Value::Telephone("01632 960123".to_owned().try_into().unwrap()),
                ),
                (FieldId(3), Value::Codes(vec![0, 1, 4])),
            ],
        },
        Edit::Update {
            record: record(RecordKind::Place, 1),
            fields: vec![(FieldId(1), Some(Value::Integer(4))), (FieldId(5), None)],
        },
    ]
}

pub(crate) fn chain(n: u8) -> ChainId {
    ChainId {
        node: key(n).node_id(),
        incarnation: Incarnation([n + 10; 8]),
    }
}

/// Two signed entries of council 0 on its pool.
pub(crate) fn unit() -> Unit {
    let step = |edits: &[Edit]| Step::new(Vec::new(), SchemaVersion(1), edits);
    signed_unit(vec![step(&[create_place(1)]), step(&other_edits())])
}

pub(crate) fn signed_unit(steps: Vec<Step>) -> Unit {
    let mut unit = Unit {
        place: place(pool(0)),
        chain: chain(0),
        first: 0,
        previous: ZERO,
        steps,
        signature: Signature([0; 64]),
    };
    if let Some(last) = unit.hashes().last() {
        unit.signature = Unit::sign(*last, &key(0));
    }
    unit
}

/// An entry of another chain, with a dependency.
pub(crate) fn depending_unit() -> Unit {
    let seen = *unit().hashes().last().unwrap();
    let step = Step::new(vec![seen], SchemaVersion(1), &[create_place(2)]);
    let mut unit = signed_unit(vec![step]);
    unit.chain.incarnation = Incarnation([99; 8]);
    if let Some(last) = unit.hashes().last() {
        unit.signature = Unit::sign(*last, &key(0));
    }
    unit
}

pub(crate) fn header() -> Header {
    Header {
        place: place(pool(0)),
        chain: chain(0),
        sequence: 1,
        previous: unit().hashes()[0],
        dependencies: vec![Hash([3; 32]), Hash([4; 32])],
        schema: SchemaVersion(1),
        edits: Hash([5; 32]),
    }
}

pub(crate) fn frontier() -> Frontier {
    let reach = |unit: &Unit| Reach {
        entries: unit.end(),
        last: *unit.hashes().last().unwrap(),
    };
    let units = [unit(), depending_unit()];
    Frontier(units.iter().map(|u| (u.chain, reach(u))).collect())
}

pub(crate) fn freshness() -> Freshness {
    let body = FreshnessBody {
        place: place(pool(0)),
        node: key(0).node_id(),
        at: START.plus(60),
        counter: 3,
        frontier: frontier().digest(&place(pool(0))),
    };
    Freshness::sign(body, &key(0))
}

pub(crate) fn acceptance() -> Acceptance {
    let body = AcceptanceBody {
        region: region(),
        document: register(0),
        counter: 2,
        readers: vec![council(1)],
        issued: START.plus(30),
        node: key(0).node_id(),
    };
    Acceptance::sign(body, &key(0))
}

pub(crate) fn summary() -> Summary {
    let entry = |document, freshness, acceptance| DocumentSummary {
        document,
        generation: 1,
        frontier: frontier().digest(&place(document)),
        heads: Hash([7; 32]),
        entries: 3,
        freshness,
        acceptance,
    };
    Summary {
        reply: true,
        documents: vec![
            entry(register(0), None, Some(acceptance())),
            entry(pool(0), Some(freshness()), None),
        ],
    }
}

pub(crate) fn want() -> Want {
    Want {
        document: pool(0),
        generation: 1,
        frontier: frontier(),
        refused: vec![Hash([6; 32])],
    }
}

/// One message of each kind of the control stream, by name.
pub(crate) fn controls() -> Vec<(&'static str, Control)> {
    vec![
        ("hello", hello(0)),
        ("roster", Control::Roster(signed_roster())),
        ("summary", Control::Summary(summary())),
        (
            "agreement",
            Control::Agreement(Agreement {
                reply: true,
                digest: Hash([8; 32]),
            }),
        ),
        (
            "push",
            Control::Push(Push {
                units: vec![unit(), depending_unit()],
                freshness: Some(freshness()),
            }),
        ),
        (
            "holds",
            Control::Holds(Holds {
                document: pool(0),
                generation: 1,
                chains: vec![(chain(0), 2)],
                frontier: frontier().digest(&place(pool(0))),
                entries: 3,
            }),
        ),
        ("evidence", Control::Evidence(evidence())),
    ]
}

/// Two histories of the second council's node, which part at their second entry.
pub(crate) fn evidence() -> Evidence {
    let history = |n: u8| {
        let step = |edits: &[Edit]| Step::new(Vec::new(), SchemaVersion(1), edits);
        let mut unit = signed_unit(vec![step(&[create_place(1)]), step(&[create_place(n)])]);
        unit.place = place(pool(1));
        unit.chain = chain(1);
        if let Some(last) = unit.hashes().last() {
            unit.signature = Unit::sign(*last, &key(1));
        }
        unit
    };
    let mut document = Document::new(place(pool(1)));
    let judged = document.judge(vec![history(2)], &roster());
    document.execute(judged).unwrap();
    document.evidence_against(&history(3)).unwrap()
}

/// What the second council's node holds of the first's node.
pub(crate) fn vouching() -> Vouching {
    let points = |unit: &Unit| {
        let hashes = unit.hashes();
        let points = (1..).zip(hashes);
        let reach = |(entries, last)| Reach { entries, last };
        (unit.chain.incarnation, points.map(reach).collect())
    };
    let body = VouchingBody {
        place: place(pool(0)),
        of: key(0).node_id(),
        by: key(1).node_id(),
        at: START.plus(90),
        chains: vec![points(&unit()), points(&depending_unit())],
    };
    Vouching::sign(body, &key(1))
}

/// One frame of each kind of answer, by name.
pub(crate) fn answers() -> Vec<(&'static str, Answer)> {
    vec![
        (
            "answer batch",
            Answer::Batch(vec![unit(), depending_unit()]),
        ),
        ("answer end", Answer::End(frontier())),
        ("answer not a reader", Answer::No(NoAnswer::NotAReader)),
        (
            "answer other generation",
            Answer::No(NoAnswer::OtherGeneration),
        ),
        ("answer busy", Answer::No(NoAnswer::Busy { retry_after: 2 })),
    ]
}

/// The pool of council 0 with the units of the corpus.
pub(crate) fn document() -> Document {
    let mut document = Document::new(place(pool(0)));
    let judged = document.judge(vec![unit(), depending_unit()], &roster());
    assert_eq!(judged.refused, []);
    document.execute(judged).unwrap();
    document
}
