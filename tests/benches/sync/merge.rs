//! Reconnecting and admission, held against automerge's own sync and its own apply: state
//! machines alone, without network and disk, on both sides.

use std::collections::BTreeSet;
use std::time::Instant;

use automerge::sync::{State, SyncDoc};
use automerge::{Automerge, Change};
use smp_node::engine::clock;
use smp_protocol::document::{Document, Frontier, Unit};
use smp_protocol::ids::{DocumentKind, DocumentName, RecordId};
use smp_protocol::roster::Roster;
use smp_protocol::schema::Edit;
use smp_protocol::session::Member;
use system_tests::harness::Random;

use crate::data::{self, Council};
use crate::net::Net;
use crate::region::{EMPTY, HOLDER, Region};
use crate::report::Figure;

/// Records that go into one entry of a document that was imported.
pub(crate) const IMPORTED: usize = 40;
/// The same of one that was written record by record.
pub(crate) const ONE_BY_ONE: usize = 1;

/// What a reconnect took.
pub(crate) struct Reconnect {
    pub(crate) bytes: u64,
    /// From the first word until the side that was behind had everything.
    pub(crate) round_trips: f64,
    /// The same from the first question.
    pub(crate) from_question: f64,
}

/// A council's node that wrote a register, and the records in it.
struct Author {
    member: Member,
    register: DocumentName,
    records: Vec<RecordId>,
}

impl Author {
    /// A council's node that wrote so many records, so many to an entry.
    fn of(
        region: &Region,
        council: &Council,
        (records, per_entry): (usize, usize),
        random: &mut Random,
    ) -> Self {
        let mut member = region.member(HOLDER);
        let edits: Vec<Edit> = (0..records).map(|_| data::host(random, council)).collect();
        for part in edits.chunks(per_entry) {
            write(&mut member, part.to_vec());
        }
        Self {
            member,
            register: DocumentKind::HostRegister.of(council.code),
            records: edits.iter().map(Edit::record).collect(),
        }
    }

    fn document(&self) -> &Document {
        self.member.document(self.register).unwrap()
    }
}

fn write(member: &mut Member, edits: Vec<Edit>) {
    let edits = [(DocumentKind::HostRegister, edits)];
    member.write(&edits, clock()).unwrap();
    member.take_outputs();
}

fn one_field(records: &[RecordId], random: &mut Random) -> Edit {
    let record = records[random.below(records.len() as u64) as usize];
    data::edit_of(record, random)
}

/// Two nodes that agreed about one document meet again after one of them wrote on.
pub(crate) fn reconnect(
    region: &Region,
    councils: &[Council],
    (records, entries): (usize, usize),
    per_entry: usize,
    random: &mut Random,
) -> (Reconnect, Reconnect) {
    let author = Author::of(region, &councils[HOLDER], (records, per_entry), random);
    let Author {
        mut member,
        register,
        records,
    } = author;
    let reader = councils[EMPTY].code;
    member.accept_reader(reader, true, clock()).unwrap();
    member.take_outputs();
    let members = vec![member, region.member(EMPTY)];
    let who = vec![region.proven(HOLDER, false), region.proven(EMPTY, false)];
    let mut net = Net::new(members, who, clock());
    net.connect(0, 1);
    net.second();
    net.settle();
    let frontier = |net: &Net, of: usize| net.members[of].document(register).unwrap().frontier();
    assert_eq!(frontier(&net, 0), frontier(&net, 1), "they agree before");
    net.disconnect(0, 1);
    let before = net.members[0].document(register).unwrap().save();
    for _ in 0..entries {
        write(&mut net.members[0], vec![one_field(&records, random)]);
    }
    let after = net.members[0].document(register).unwrap().save();
    net.count_anew();
    net.connect(1, 0);
    let (mut trips, mut from_question) = (0, 0);
    while frontier(&net, 0) != frontier(&net, 1) {
        assert!(net.trip(), "they come to agree");
        trips += 1;
        from_question += u8::from(net.asked);
    }
    net.settle();
    let ours = Reconnect {
        bytes: net.bytes,
        round_trips: f64::from(trips) / 2.0,
        from_question: f64::from(from_question) / 2.0,
    };
    (ours, reconnect_automerge(&after, &before))
}

fn reconnect_automerge(ahead: &[u8], behind: &[u8]) -> Reconnect {
    let mut sides = [ahead, behind].map(|bytes| (Automerge::load(bytes).unwrap(), State::new()));
    let (mut bytes, mut trips, mut arrived) = (0, 0, None);
    loop {
        let said = sides
            .each_mut()
            .map(|(document, state)| document.generate_sync_message(state));
        if said.iter().all(Option::is_none) {
            break;
        }
        trips += 1;
        for (to, message) in [1, 0].into_iter().zip(said) {
            if let Some(message) = message {
                bytes += message.clone().encode().len() as u64;
                let (document, state) = &mut sides[to];
                document.receive_sync_message(state, message).unwrap();
            }
        }
        if sides[0].0.get_heads() == sides[1].0.get_heads() {
            arrived.get_or_insert(trips);
        }
    }
    let round_trips = f64::from(arrived.unwrap()) / 2.0;
    Reconnect {
        bytes,
        round_trips,
        from_question: round_trips,
    }
}

/// The time of one-field entries in one batch, per entry in microseconds: ours through gate
/// and replica, and automerge's own apply of the same changes.
pub(crate) fn admission(
    region: &Region,
    council: &Council,
    (records, entries, rounds): (usize, usize, usize),
    random: &mut Random,
) -> (Figure, Figure, Figure) {
    let mut author = Author::of(region, council, (records, IMPORTED), random);
    let roster = author.member.roster().clone();
    let place = author.document().place().clone();
    let mut held = Frontier::default();
    let base = units_after(author.document(), &mut held, &roster);
    let saved = author.document().save();
    for _ in 0..entries {
        let edit = one_field(&author.records, random);
        write(&mut author.member, vec![edit]);
    }
    let new = units_after(author.document(), &mut held, &roster);
    let changes = changes_since(&author.document().save(), &saved);
    let [mut ours, mut theirs, mut ratio] = std::array::from_fn(|_| Figure::default());
    let micros = |begun: Instant| begun.elapsed().as_secs_f64() * 1e6 / entries as f64;
    for _ in 0..rounds {
        let mut document = Document::new(place.clone());
        let judged = document.judge(base.clone(), &roster);
        document.execute(judged).unwrap();
        let units = new.clone();
        let begun = Instant::now();
        let judged = document.judge(units, &roster);
        document.execute(judged).unwrap();
        let mine = micros(begun);
        assert_eq!(document.heads(), author.document().heads());

        let mut document = Automerge::load(&saved).unwrap();
        let changes = changes.clone();
        let begun = Instant::now();
        document.apply_changes(changes).unwrap();
        let automerge = micros(begun);
        ours.add(mine);
        theirs.add(automerge);
        ratio.add(mine / automerge);
    }
    (ours, theirs, ratio)
}

fn units_after(document: &Document, held: &mut Frontier, roster: &Roster) -> Vec<Unit> {
    let mut units = Vec::new();
    loop {
        let batch = document.batch_after(held, &BTreeSet::new(), roster);
        if batch.is_empty() {
            return units;
        }
        units.extend(batch);
    }
}

fn changes_since(after: &[u8], before: &[u8]) -> Vec<Change> {
    let before = Automerge::load(before).unwrap();
    let after = Automerge::load(after).unwrap();
    after.get_changes(&before.get_heads())
}
