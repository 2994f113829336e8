//! Told with the flush, once, and from a log that is bounded on disk as in memory.

use std::sync::Arc;

use smp_protocol::limits;
use smp_protocol::time::UnixSeconds;

use super::super::restore::{StoreLocation, open};
use super::super::tests::{flush, node};
use super::super::{Core, Mishap, clock};
use super::{LOG, TOLD, rows};
use crate::shared::Shared;

/// Something to tell: so many losses of the store, a second apart.
fn happen(shared: &Shared, count: u64) {
    let now = clock();
    let lost = (0..count).map(|n| Mishap::Lost {
        at: UnixSeconds(now.0 - n),
        commits: None,
    });
    shared.set_mishaps(lost.collect());
}

/// Looks at everything, as if the time for it had come.
fn look(core: &mut Core) {
    core.watcher.node_looked = UnixSeconds(0);
    core.tell_events();
}

fn remembered(shared: &Shared) -> Vec<(u64, String)> {
    let mut reader = shared.events().follow(Some(0)).unwrap();
    let all = std::iter::from_fn(|| reader.ready());
    all.map(|event| (event.number, event.id.clone())).collect()
}

fn restart(location: &StoreLocation, shared: &Arc<Shared>, core: Core) -> Core {
    drop(core);
    open(location, shared).unwrap()
}

#[test]
fn nobody_hears_before_the_flush_and_what_was_told_is_not_told_again() {
    let dir = tempfile::tempdir().unwrap();
    let (location, shared) = node(dir.path());
    let mut core = open(&location, &shared).unwrap();
    let before = shared.events().newest();
    happen(&shared, 1);
    let mishaps = shared.mishaps();
    look(&mut core);
    assert_eq!(
        (shared.events().newest(), remembered(&shared)),
        (before, vec![])
    );

    // Killed before the flush: it is told after the start.
    let mut core = restart(&location, &shared, core);
    shared.set_mishaps(mishaps.clone());
    look(&mut core);
    flush(&mut core);
    let told = remembered(&shared);
    assert_eq!(told.len(), 1);
    assert!(told[0].0 > before && shared.events().newest() == told[0].0);

    // Killed after it: it is in the log under its number, and is not told again.
    let mut core = restart(&location, &shared, core);
    assert_eq!(remembered(&shared), told);
    shared.set_mishaps(mishaps);
    look(&mut core);
    flush(&mut core);
    assert_eq!(remembered(&shared), told);
    // Whatever comes now has a higher number, also where this store is put back to what it was.
    happen(&shared, 3);
    look(&mut core);
    flush(&mut core);
    let more = remembered(&shared);
    assert!(more.len() >= 3 && more[1..].iter().all(|(number, _)| *number > told[0].0));
}

#[test]
fn what_the_hook_is_done_with_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let (location, shared) = node(dir.path());
    let mut core = open(&location, &shared).unwrap();
    happen(&shared, 2);
    look(&mut core);
    flush(&mut core);
    // At first it begins with what comes, and with no less after a kill.
    let newest = shared.events().newest();
    assert_eq!(core.hook_is_behind().unwrap(), newest);
    flush(&mut core);
    happen(&shared, 5);
    look(&mut core);
    flush(&mut core);
    let mut core = restart(&location, &shared, core);
    assert_eq!(core.hook_is_behind().unwrap(), newest);
    let first = remembered(&shared)[0].0;
    core.hook_delivered(first);
    flush(&mut core);
    let mut core = restart(&location, &shared, core);
    assert_eq!(core.hook_is_behind().unwrap(), first);
    core.forget_hook();
    flush(&mut core);
    assert_eq!(core.hook_is_behind().unwrap(), shared.events().newest());
}

#[test]
fn the_log_is_bounded_and_says_from_where_it_goes() {
    let dir = tempfile::tempdir().unwrap();
    let (location, shared) = node(dir.path());
    let mut core = open(&location, &shared).unwrap();
    let all = limits::EVENT_LOG as u64 + 7;
    happen(&shared, all);
    let looks = all.div_ceil(limits::EVENTS_AT_ONCE as u64);
    for _ in 0..looks {
        look(&mut core);
        flush(&mut core);
    }
    let told = remembered(&shared);
    assert_eq!(told.len(), limits::EVENT_LOG);
    let rows_of = |core: &Core, prefix: &[u8]| rows(core.store(), prefix).unwrap().len();
    assert_eq!(rows_of(&core, LOG), limits::EVENT_LOG);
    assert_eq!(rows_of(&core, TOLD) as u64, all);
    let core = restart(&location, &shared, core);
    assert_eq!(remembered(&shared), told);
    // Whoever saw the first that was dropped, and no more, has missed some.
    let mut late = shared.events().follow(Some(told[0].0 - 2)).unwrap();
    assert_eq!(late.ready().unwrap().kind, "gap");
    assert_eq!(late.ready().unwrap().number, told[0].0);
    drop(core);
}

#[test]
fn what_is_no_longer_so_is_forgotten_in_time_and_what_is_stays() {
    let dir = tempfile::tempdir().unwrap();
    let (location, shared) = node(dir.path());
    let mut core = open(&location, &shared).unwrap();
    happen(&shared, 4);
    look(&mut core);
    flush(&mut core);
    let still = shared.mishaps()[..1].to_vec();
    shared.set_mishaps(still);
    core.forget_events(clock());
    flush(&mut core);
    assert_eq!(rows(core.store(), TOLD).unwrap().len(), 4);
    core.forget_events(clock().plus(limits::EVENT_MEMORY_SECONDS + 60));
    flush(&mut core);
    assert_eq!(rows(core.store(), TOLD).unwrap().len(), 1);
}

#[test]
fn a_memory_that_a_clock_in_the_future_began_silences_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (location, shared) = node(dir.path());
    let mut core = open(&location, &shared).unwrap();
    flush(&mut core);
    // As the first start leaves it whose clock was ten years ahead.
    let later = clock().0 + 10 * 365 * 86_400;
    core.also_store([super::put(
        super::SINCE.to_vec(),
        later.to_be_bytes().to_vec(),
    )]);
    flush(&mut core);
    let mut core = restart(&location, &shared, core);
    happen(&shared, 1);
    look(&mut core);
    flush(&mut core);
    assert_eq!(remembered(&shared).len(), 1);
}
