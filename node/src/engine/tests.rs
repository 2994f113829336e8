//! Opening a store: from snapshots where they fit, from the log alone where they do not.

use std::path::Path;
use std::sync::Arc;

use smp_certs::{EnrolmentRequest, NodeKeys, Passphrase, Region, WorkFactor};
use smp_protocol::ids::{DocumentKind, RecordId, RecordKind};
use smp_protocol::schema::{Edit, FieldType, NEWEST, Value, fields_of};
use smp_protocol::session::Upkeep;

use super::core::{Core, clock};
use super::restore::{StoreLocation, open};
use crate::shared::Shared;
use crate::store::{Change, EngineKind, Table};

/// A node of a region of its own.
pub(super) fn node(dir: &Path) -> (StoreLocation, Arc<Shared>) {
    let now = clock();
    let mut region = Region::init(
        &dir.join("authority"),
        "north-east".parse().unwrap(),
        "North East",
        &Passphrase::new("a test is no secret"),
        WorkFactor::NONE,
        now,
    )
    .unwrap();
    let keys = NodeKeys::generate().unwrap();
    let name = region.region().name().clone();
    let council = "E08000021".parse().unwrap();
    let endpoint = vec!["127.0.0.1:7400".to_owned()];
    let request = EnrolmentRequest::new(&keys, name, council, endpoint).unwrap();
    let bundle = region.enrol(&request, "Newcastle upon Tyne", now).unwrap();
    let roster = bundle.verify(&keys, now).unwrap();
    let tls = bundle.identity(&keys).unwrap();
    let location = StoreLocation {
        dir: dir.join("data"),
        engine: EngineKind::Redb,
    };
    (location, Arc::new(Shared::new(keys, tls, roster)))
}

pub(super) fn flush(core: &mut Core) {
    core.collect();
    core.flush().unwrap();
    core.perform();
}

/// Places with the fields that they must have.
fn write_places(core: &mut Core, count: u64) {
    let place = |_| {
        let mut random = [0; 15];
        fastrand::fill(&mut random);
        let required = fields_of(NEWEST, RecordKind::Place).filter(|field| field.required);
        let value = |accepts| match accepts {
            FieldType::Integer { min, .. } => Value::Integer(min),
            FieldType::Code(_) => Value::Code(0),
            FieldType::Boolean => Value::Boolean(false),
            other => panic!("{other:?}"),
        };
        Edit::Create {
            record: RecordId::new(RecordKind::Place, random),
            fields: required.map(|f| (f.id, value(f.accepts))).collect(),
        }
    };
    let edits = (0..count).map(place).collect();
    let edits: [(DocumentKind, Vec<Edit>); 1] = [(DocumentKind::RematchingPool, edits)];
    core.member.write(&edits, clock()).unwrap();
    flush(core);
}

#[test]
fn a_store_with_snapshots_is_opened_without_executing_its_log() {
    let dir = tempfile::tempdir().unwrap();
    let (location, shared) = node(dir.path());
    let pool = DocumentKind::RematchingPool.of(shared.council());
    let mut core = open(&location, &shared).unwrap();
    core.member.set_upkeep(Upkeep {
        quiet_seconds: 0,
        bytes: 1,
        ..Upkeep::default()
    });
    write_places(&mut core, 60);
    core.member.tick(clock());
    flush(&mut core);
    let heads = core.member.document(pool).unwrap().heads();
    drop(core);

    let core = open(&location, &shared).unwrap();
    let held = core.member.document(pool).unwrap();
    assert_eq!(core.member.live_bytes(), 0, "nothing was executed");
    assert_eq!((held.heads(), held.record_count()), (heads.clone(), 60));
    assert_eq!(core.member.live_bytes(), 0, "nor for what status shows");
    assert_eq!(held.records().count(), 60);
    assert!(core.member.live_bytes() > 0);
    drop(core);

    // What is written after it comes on top of it.
    let mut core = open(&location, &shared).unwrap();
    write_places(&mut core, 3);
    let heads = core.member.document(pool).unwrap().heads();
    drop(core);
    let mut core = open(&location, &shared).unwrap();
    assert_eq!(core.member.document(pool).unwrap().heads(), heads);

    // And one that cannot be read is not missed.
    let rows = core.store().scan(Table::Snapshots, b"", None, 9).unwrap();
    assert_eq!(rows.len(), 1);
    core.also_store(rows.into_iter().map(|(key, _)| Change::Put {
        table: Table::Snapshots,
        key,
        value: b"no snapshot".to_vec(),
    }));
    flush(&mut core);
    drop(core);
    let core = open(&location, &shared).unwrap();
    assert_eq!(core.member.document(pool).unwrap().heads(), heads);
    assert_eq!(core.member.document(pool).unwrap().record_count(), 63);
}
