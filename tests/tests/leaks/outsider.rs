//! A member that is no reader of a register gets no byte of it, whatever it asks for and
//! whatever it says.
//!
//! A and B are real processes, and B reads A's register. C is a member too, with its own keys
//! and certificate, and the region even names it as a reader, but A has not accepted it. What
//! C says is written here: it asks both for the register in every way that the protocol has,
//! claims to hold it, and forges the acceptance that it lacks.

use std::collections::BTreeMap;

use smp_protocol::document::{ChainId, Frontier, Place, Reach, Step, Unit};
use smp_protocol::ids::{DocumentKind, DocumentName, Hash, Incarnation};
use smp_protocol::schema;
use smp_protocol::session::message::{
    Agreement, Answer, Control, DocumentSummary, Holds, NoAnswer, Push, Summary, Want,
};
use smp_protocol::statements::{Acceptance, AcceptanceBody, Freshness, FreshnessBody};
use system_tests::harness::PASSPHRASE;
use system_tests::harness::wait::AGREEMENT;

use super::support::identity::{Identity, now};
use super::support::peer::Scripted;
use super::*;

/// What C knows of A without being let in: it is all in the roster.
struct Outsider {
    me: Identity,
    owner: Identity,
    register: DocumentName,
}

impl Outsider {
    fn place(&self, generation: u64) -> Place {
        Place {
            region: self.me.region.clone(),
            document: self.register,
            generation,
        }
    }

    fn chain(&self) -> ChainId {
        let incarnation = Incarnation([7; 8]);
        ChainId {
            node: self.owner.node,
            incarnation,
        }
    }

    /// Every question about the register, each one change away from an honest one.
    fn questions(&self) -> Vec<Want> {
        let want = |generation, frontier: Frontier| Want {
            document: self.register,
            generation,
            frontier,
            refused: Vec::new(),
        };
        let reach = Reach {
            entries: 1,
            last: Hash([3; 32]),
        };
        let claims = Frontier(BTreeMap::from([(self.chain(), reach)]));
        let empty = Frontier::default;
        let mut questions: Vec<Want> = [0, 1, 2, u64::MAX].map(|g| want(g, empty())).into();
        questions.push(want(1, claims));
        let refused: Vec<Hash> = (0..=255).map(|byte| Hash([byte; 32])).collect();
        questions.push(Want {
            refused,
            ..want(1, empty())
        });
        questions
    }

    /// The statement that A would have to make, signed by C: as C, and in A's name.
    fn forged(&self) -> [Acceptance; 2] {
        [self.me.node, self.owner.node].map(|node| {
            let body = AcceptanceBody {
                region: self.me.region.clone(),
                document: self.register,
                counter: u64::MAX,
                readers: vec![self.me.council],
                issued: now(),
                node,
            };
            Acceptance::sign(body, &self.me.signing)
        })
    }

    /// Summaries that claim to hold the register, with and without forged statements.
    fn claims(&self) -> Vec<Control> {
        let freshness = FreshnessBody {
            place: self.place(1),
            node: self.owner.node,
            at: now(),
            counter: u64::MAX,
            frontier: Hash([5; 32]),
        };
        let item = |acceptance: Option<Acceptance>| DocumentSummary {
            document: self.register,
            generation: 1,
            frontier: Hash([5; 32]),
            heads: Hash([6; 32]),
            entries: 1000,
            freshness: Some(Freshness::sign(freshness.clone(), &self.me.signing)),
            acceptance,
        };
        let [first, second] = self.forged().map(Some);
        [None, first, second]
            .map(|acceptance| {
                let documents = vec![item(acceptance)];
                Control::Summary(Summary {
                    reply: true,
                    documents,
                })
            })
            .into()
    }

    /// Entries of the register in A's name, and word that C holds them.
    fn pushes(&self) -> Vec<Control> {
        let step = Step::new(Vec::new(), schema::NEWEST, &[]);
        let mut unit = Unit {
            place: self.place(1),
            chain: self.chain(),
            first: 0,
            previous: Hash([0; 32]),
            steps: vec![step],
            signature: smp_protocol::ids::Signature([0; 64]),
        };
        unit.signature = Unit::sign(unit.hashes()[0], &self.me.signing);
        let holds = Holds {
            document: self.register,
            generation: 1,
            chains: vec![(self.chain(), 1)],
            frontier: Hash([5; 32]),
            entries: 1,
        };
        let units = vec![unit];
        vec![
            Control::Push(Push {
                units,
                freshness: None,
            }),
            Control::Holds(holds),
        ]
    }
}

/// Runs the whole script against one node; gives every frame that C heard from it.
async fn script(outsider: &Outsider, to: &Identity, port: u16) -> Vec<Vec<u8>> {
    let mut peer = Scripted::greet(&outsider.me, to, port).await;
    let mut heard = Vec::new();
    for round in 0..2 {
        for want in outsider.questions() {
            let answer = peer.ask(&want).await;
            let no = Answer::No(NoAnswer::NotAReader);
            assert_eq!(answer, [no.encode()], "round {round}, {want:?}");
            heard.extend(answer);
        }
        let said = outsider.claims().into_iter().chain(outsider.pushes());
        for message in said {
            let seen = peer.frames().len();
            peer.say(&message).await;
            // The node takes one message after another: its answer to the last says that it
            // has dealt with all before.
            let (reply, digest) = (true, Hash([1; 32]));
            peer.say(&Control::Agreement(Agreement { reply, digest }))
                .await;
            let summary = |m: &Control| matches!(m, Control::Summary(Summary { reply: true, .. }));
            peer.hears_since(seen, "an answer to a digest", summary)
                .await;
        }
    }
    heard.extend(peer.frames());
    heard
}

/// What C may read is given to it over the very same connection.
async fn ask_for_the_pool(outsider: &Outsider, to: &Identity, port: u16) -> Vec<Vec<u8>> {
    let peer = Scripted::greet(&outsider.me, to, port).await;
    let want = Want {
        document: DocumentKind::RematchingPool.of(outsider.owner.council),
        generation: 1,
        frontier: Frontier::default(),
        refused: Vec::new(),
    };
    peer.ask(&want).await
}

#[test]
fn who_is_no_reader_gets_no_byte_of_a_register() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut region = Region::of(&[A, B]);
    let me = support::add_puppet(&mut region, C);
    region.start_all();
    // The region names both as readers of A's register; A accepts B alone.
    let passphrase = smp_certs::Passphrase::new(PASSPHRASE);
    let authority = smp_certs::Region::open(&region.authority()).unwrap();
    let register = DocumentKind::HostRegister.of(A.parse().unwrap());
    let named = [B.parse().unwrap(), C.parse().unwrap()];
    let mut unlocked = authority.unlock(&passphrase).unwrap();
    let roster = unlocked.propose_readers(register, &named, now()).unwrap();
    let offer = json!({ "text": smp_certs::roster_to_text(roster.signed()) });
    region[A].api().post("/v1/roster", &offer).unwrap().ok();
    let decision = json!({ "reader": B, "accept": true });
    region[A].api().post("/v1/readers", &decision).unwrap().ok();
    let place = support::write_place(&region[A]);
    import(&region[A], &markers::by_template(RecordKind::Host, 1));
    region.wait_agreed(AGREEMENT);
    let hosts = ids(&region[A], "host", A);
    assert_eq!(ids(&region[B], "host", A), hosts);

    let owner = Identity::of(&region[A]);
    let outsider = Outsider {
        me,
        owner,
        register,
    };
    for council in [A, B] {
        let to = Identity::of(&region[council]);
        let port = region[council].port;
        let heard = runtime.block_on(script(&outsider, &to, port));
        assert_nothing_of(register, &hosts, &heard);
        // A write to the register while C is connected is not passed to C either: the next
        // script's frames would have it, as this one's have the pool's place.
        let frames = runtime.block_on(ask_for_the_pool(&outsider, &to, port));
        let plain: Vec<Haystack> = frames.iter().map(|f| Haystack::new(&opened(f))).collect();
        assert!(
            plain.iter().any(|frame| frame.has_bytes(&raw(&place))),
            "at {council}"
        );
        assert_refused_and_said(&region[council], register);
    }
    runtime.block_on(hears_no_write(&outsider, &region));
    assert_eq!(ids(&region[B], "host", A), hosts);
}

/// C stays connected to both while A writes to its register and B gets it.
async fn hears_no_write(outsider: &Outsider, region: &Region) {
    let mut peers = Vec::new();
    for council in [A, B] {
        let node = &region[council];
        peers.push(Scripted::greet(&outsider.me, &Identity::of(node), node.port).await);
    }
    let hosts = ids(&region[A], "host", A);
    let path = format!("/v1/record/{}", hosts.first().unwrap());
    let edit = json!({ "fields": { "hosting_duration": "24" }, "replicated": true });
    let stored = region[A].api().send(
        "PATCH",
        &path,
        "application/json",
        edit.to_string().as_bytes(),
    );
    assert!(stored.unwrap().ok()["held_by"].as_u64() >= Some(1));
    // What every member reads does arrive, after it.
    support::write_place(&region[A]);
    let pool = DocumentKind::RematchingPool.of(outsider.owner.council);
    for peer in &peers[..1] {
        peer.hears("a place", |message| match message {
            Control::Push(push) => push.units.iter().any(|unit| unit.place.document == pool),
            _ => false,
        })
        .await;
    }
    for peer in &peers {
        assert_nothing_of(outsider.register, &hosts, &peer.frames());
    }
}

fn assert_nothing_of(register: DocumentName, hosts: &BTreeSet<String>, heard: &[Vec<u8>]) {
    for frame in heard {
        assert!(!documents_of(frame).contains(&register), "{frame:?}");
        let plain = Haystack::new(&opened(frame));
        assert!(!hosts.iter().any(|id| plain.has_bytes(&raw(id))));
        // The roster names the register's readers to every member; nothing else names it.
        let is_roster = matches!(Control::decode(frame), Ok(Control::Roster(_)));
        assert!(
            is_roster || !plain.has_text(&register.to_string()),
            "{frame:?}"
        );
        assert_clean("a frame to C", &plain);
    }
    assert!(!heard.is_empty());
}

/// The node counted what C tried, and told its operator once.
fn assert_refused_and_said(node: &Node, register: DocumentName) {
    let status = node.api().get("/v1/status").unwrap().ok();
    let refused = &status["refused"];
    assert!(refused["not_a_reader"].as_u64() >= Some(12), "{refused}");
    assert!(refused["statement"].as_u64() >= Some(4), "{refused}");
    let log = node.log();
    let asked = format!("it asked for {register}, which it may not read");
    assert_eq!(log.matches(&asked).count(), 1, "{log}");
    let forged = format!("a statement about {register} does not hold");
    assert_eq!(log.matches(&forged).count(), 1, "{log}");
}
