//! Our side: whole nodes in this process, over QUIC on loopback, flushing to redb.

use std::path::Path;
use std::time::{Duration, Instant};

use smp_node::daemon::Daemon;
use smp_node::engine::EngineHandle;
use smp_node::store::{Change, EngineKind, Open, Table};
use smp_protocol::ids::{DocumentKind, DocumentName, Hash, RecordId};
use smp_protocol::schema::Edit;
use smp_protocol::session::Receipt;
use system_tests::harness::Random;

use crate::data::{self, Council};
use crate::feed::feed;
use crate::region::{EMPTY, HOLDER, Region, start};
use crate::report::Figure;

/// Entries in which each council writes its register.
pub(crate) const ENTRIES: usize = 20;

/// Between two looks at whether a node holds everything.
const LOOK: Duration = Duration::from_micros(500);

/// After which the last acknowledgements are on the wire.
const TAIL: Duration = Duration::from_millis(100);

/// A node that holds the whole region, and what it holds.
pub(crate) struct Holder {
    pub(crate) daemon: Daemon,
    pub(crate) documents: Vec<DocumentName>,
    /// What automerge saves of each document.
    pub(crate) saved: Vec<Vec<u8>>,
    /// A record of the holder's own register.
    pub(crate) records: Vec<RecordId>,
    entries: usize,
    digests: Vec<Hash>,
}

impl Holder {
    /// Starts the first node and has every council write its register and hand it over.
    pub(crate) async fn make(region: &Region, councils: &[Council], seed: u64) -> Self {
        let daemon = start(&region.node_dir(HOLDER, "holder")).await;
        let engine = daemon.engine();
        let accepted = [councils[HOLDER].code, councils[EMPTY].code];
        for (index, council) in councils.iter().enumerate() {
            let edits = data::register(council, seed);
            if index == HOLDER {
                write_parts(&engine, &edits).await;
                let reader = councils[EMPTY].code;
                engine
                    .write(move |core| core.member.accept_reader(reader, true, now()))
                    .await
                    .unwrap()
                    .unwrap();
                continue;
            }
            let mut author = region.member(index);
            for reader in accepted {
                author.accept_reader(reader, true, now()).unwrap();
            }
            let mut receipt = None;
            for part in parts(&edits) {
                let edits = vec![(DocumentKind::HostRegister, part.to_vec())];
                receipt = author.write(&edits, now()).unwrap().pop();
            }
            author.take_outputs();
            let author_is = region.proven(index, false);
            let node_is = region.proven(HOLDER, true);
            let receipt = receipt.unwrap();
            let number = index as u64;
            feed(&engine, number, &mut author, author_is, node_is, &receipt).await;
        }
        let documents = region.registers();
        let (saved, digests, entries) = held(&engine, &documents).await;
        let own = data::register(&councils[HOLDER], seed);
        Self {
            daemon,
            documents,
            saved,
            digests,
            entries,
            records: own.iter().map(Edit::record).collect(),
        }
    }

    /// Bytes that automerge saves of all documents.
    pub(crate) fn saved_bytes(&self) -> usize {
        self.saved.iter().map(Vec::len).sum()
    }
}

fn now() -> smp_protocol::time::UnixSeconds {
    smp_node::engine::clock()
}

/// The edits in [`ENTRIES`] parts, each of which fits an entry.
fn parts(edits: &[Edit]) -> impl Iterator<Item = &[Edit]> {
    (0..ENTRIES).map(|part| {
        let at = |part| edits.len() * part / ENTRIES;
        &edits[at(part)..at(part + 1)]
    })
}

async fn write_parts(engine: &EngineHandle, edits: &[Edit]) {
    for part in parts(edits) {
        write(engine, part.to_vec()).await;
    }
}

/// Writes to the register of the node's council. Returns once it is on disk.
async fn write(engine: &EngineHandle, edits: Vec<Edit>) -> Receipt {
    let edits = vec![(DocumentKind::HostRegister, edits)];
    let written = engine
        .write(move |core| core.member.write(&edits, now()))
        .await;
    written.unwrap().unwrap().pop().unwrap()
}

async fn held(
    engine: &EngineHandle,
    documents: &[DocumentName],
) -> (Vec<Vec<u8>>, Vec<Hash>, usize) {
    let documents = documents.to_vec();
    engine
        .ask(move |core| {
            let held = documents.iter().map(|name| {
                let document = core.member.document(*name).unwrap();
                let digest = document.frontier().digest(document.place());
                (document.save(), digest, document.entry_count())
            });
            let (mut saved, mut digests, mut entries) = (Vec::new(), Vec::new(), 0);
            for (bytes, digest, count) in held {
                saved.push(bytes);
                digests.push(digest);
                entries += count;
            }
            (saved, digests, entries)
        })
        .await
        .unwrap()
}

async fn entries_at(engine: &EngineHandle, documents: &[DocumentName]) -> usize {
    let documents = documents.to_vec();
    let counted = engine.ask(move |core| {
        let counts = documents
            .iter()
            .map(|name| core.member.document(*name).map_or(0, |d| d.entry_count()));
        counts.sum()
    });
    counted.await.unwrap()
}

/// What a cold start took.
pub(crate) struct ColdStart {
    /// From the start of an empty node until it holds everything, on disk.
    pub(crate) time: Duration,
    /// UDP payload both ways, handshake included.
    pub(crate) bytes: u64,
}

/// Starts an empty node, and measures until it holds what the holder holds.
pub(crate) async fn cold_start(region: &Region, holder: &Holder, round: usize) -> ColdStart {
    let dir = region.node_dir(EMPTY, &format!("empty-{round}"));
    let begun = Instant::now();
    let daemon = start(&dir).await;
    let engine = daemon.engine();
    while entries_at(&engine, &holder.documents).await < holder.entries {
        tokio::time::sleep(LOOK).await;
    }
    let time = begun.elapsed();
    tokio::time::sleep(TAIL).await;
    let (sent, received) = daemon.meter().traffic(region.node(HOLDER));
    let (_, digests, _) = held(&engine, &holder.documents).await;
    assert_eq!(digests, holder.digests, "it holds the same");
    daemon.stop().await;
    std::fs::remove_dir_all(&dir).unwrap();
    ColdStart {
        time,
        bytes: sent + received,
    }
}

/// One edit after another at the holder, each until the reader has it on disk. In
/// milliseconds.
pub(crate) async fn edits(
    holder: &Holder,
    reader: &Daemon,
    random: &mut Random,
    count: usize,
) -> Figure {
    let (from, to) = (holder.daemon.engine(), reader.engine());
    let mut figure = Figure::default();
    for _ in 0..count {
        let record = holder.records[random.below(holder.records.len() as u64) as usize];
        let edit = data::edit_of(record, random);
        let begun = Instant::now();
        let receipt = write(&from, vec![edit]).await;
        // The reader answers after the flush of whatever came before the question.
        loop {
            let arrived = to.ask(move |core| {
                let document = core.member.document(receipt.document);
                document.map_or(0, |d| d.entries_of(receipt.chain))
            });
            if arrived.await.unwrap() >= receipt.entries {
                break;
            }
        }
        figure.add(begun.elapsed().as_secs_f64() * 1e3);
    }
    figure
}

/// Flushes of a store like the nodes', each of a row like an edit's. In milliseconds.
pub(crate) fn flushes(dir: &Path, count: usize) -> Figure {
    let dir = dir.join("flushes");
    std::fs::create_dir_all(&dir).unwrap();
    let mut store = smp_node::store::open(EngineKind::Redb, &dir, Open::Create).unwrap();
    let mut figure = Figure::default();
    for n in 0..count {
        let put = Change::Put {
            table: Table::Log,
            key: n.to_be_bytes().to_vec(),
            value: vec![1; 400],
        };
        let begun = Instant::now();
        store.commit(&[put]).unwrap();
        figure.add(begun.elapsed().as_secs_f64() * 1e3);
    }
    drop(store);
    std::fs::remove_dir_all(&dir).unwrap();
    figure
}

/// Waits until the node holds everything that the holder does.
pub(crate) async fn until_whole(node: &Daemon, holder: &Holder) {
    let engine = node.engine();
    let all = entries_at(&holder.daemon.engine(), &holder.documents).await;
    while entries_at(&engine, &holder.documents).await < all {
        tokio::time::sleep(LOOK).await;
    }
}
