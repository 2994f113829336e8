//! A store that is older than what it acknowledged: a disk that lied, or a backup put back.

use std::fs;

use system_tests::harness::wait::AGREEMENT;

use super::{A, advice, ids, region, store_of, write_place};

#[test]
fn a_store_that_lost_its_tail_says_so_at_once_and_gets_it_back() {
    let mut region = region();
    region[A].stop();
    let path = store_of(&region[A]);
    let old = fs::read(&path).unwrap();
    region[A].start();
    for _ in 0..5 {
        write_place(&region[A]);
    }
    region.wait_agreed(AGREEMENT);
    let places = ids(&region[A], "place", A);
    region[A].stop();
    fs::write(&path, &old).unwrap();
    region[A].start();
    let said = advice(&region[A]);
    assert!(said.contains("lacked its last "), "{said}");
    region.wait_agreed(AGREEMENT);
    assert_eq!(ids(&region[A], "place", A), places);
    write_place(&region[A]);
    region.wait_agreed(AGREEMENT);
    // It is told for a while, and found only once.
    let log = region[A].log();
    assert_eq!(log.matches("the store has lost commits").count(), 1);
    region[A].stop();
    region[A].start();
    assert!(advice(&region[A]).contains("lacked its last "));
    let log = region[A].log();
    assert_eq!(log.matches("the store has lost commits").count(), 1);
}
