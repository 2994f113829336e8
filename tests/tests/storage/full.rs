//! A disk that fills up: reading goes on, nothing acknowledged is lost, and writing goes on by
//! itself once there is room, without a restart.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use serde_json::json;
use system_tests::harness::wait::AGREEMENT;
use system_tests::harness::{copy_tree, until};

use super::mounted::Mounted;
use super::{A, HOSTS, advice, ids, names, region, write_place};

/// Fills a file system to its last byte.
fn fill(file: &Path) {
    let mut file = File::create(file).unwrap();
    for size in [1 << 20, 1 << 12, 1] {
        while file.write_all(&vec![1; size]).is_ok() {}
    }
}

#[test]
fn a_full_disk_stops_the_writing_and_nothing_else() {
    let mut region = region();
    region[A].stop();
    let (data, aside) = (region[A].dir.join("data"), region[A].dir.join("aside"));
    fs::rename(&data, &aside).unwrap();
    fs::create_dir(&data).unwrap();
    let mounted = match Mounted::memory(&data, 48) {
        Ok(mounted) => mounted,
        Err(why) => return eprintln!("NOT RUN: {why}"),
    };
    copy_tree(&aside, &data);
    region[A].start();
    region.wait_agreed(AGREEMENT);
    let pid = region[A].pid();

    // Twice: slowly, so that it is noticed in time, and at once, in the middle of writes.
    for _ in 0..2 {
        let filler = data.join("filler");
        fill(&filler);
        let body = json!({ "fields": { "rooms": "1", "people": "2", "state": "open" } });
        let refused = || {
            let answer = region[A].api().post("/v1/records/place", &body).unwrap();
            match answer.status {
                503 => Ok(answer.body.to_string()),
                _ => Err(format!("{answer:?}")),
            }
        };
        let why = until(AGREEMENT, "writes are refused", refused);
        // What was written until then stands, here and, once there is room, everywhere.
        let told = || match advice(&region[A]) {
            said if said.contains("MiB left") => Ok(()),
            said => Err(said),
        };
        until(AGREEMENT, "status says so", told);
        assert!(why.contains("store") || why.contains("disk"), "{why}");
        let places = ids(&region[A], "place", A);
        assert_eq!(ids(&region[A], "host", A).len(), HOSTS);
        assert_eq!(names(&region[A]).len(), HOSTS);

        fs::remove_file(&filler).unwrap();
        let wrote = || {
            let answer = region[A].api().post("/v1/records/place", &body).unwrap();
            match answer.status {
                200..300 => Ok(()),
                _ => Err(format!("{answer:?}")),
            }
        };
        until(AGREEMENT, "writing goes on by itself", wrote);
        region.wait_agreed(AGREEMENT);
        let now = ids(&region[A], "place", A);
        assert_eq!(now.len(), places.len() + 1);
        assert!(places.iter().all(|place| now.contains(place)));
        assert!(!advice(&region[A]).contains("MiB left"));
        assert_eq!(region[A].pid(), pid, "it was not started again");
    }
    write_place(&region[A]);
    region[A].stop();
    drop(mounted);
}
