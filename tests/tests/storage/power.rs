//! The power goes: the node is killed while it writes, the block device is copied as it stands
//! at that moment, and the node is started on the copy. What was acknowledged is in it.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use system_tests::harness::wait::AGREEMENT;
use system_tests::harness::{Node, Random, copy_tree};

use super::mounted::{Mounted, system};
use super::{A, HOSTS, advice, ids, names, region, write_place};

/// The power goes so many times.
const CUTS: usize = 6;

/// Places that are acknowledged before a cut, at the most.
const WRITES: u64 = 12;

/// The process ends so many microseconds into a storm of writes, at the most.
const INTO_WRITES: u64 = 30_000;

/// Kills a node in the middle of writes that it does not acknowledge to anyone who asks later.
fn kill_while_it_writes(node: &mut Node, microseconds: u64) {
    let (api, over) = (node.api(), AtomicBool::new(false));
    thread::scope(|scope| {
        let over = &over;
        scope.spawn(move || {
            let body = json!({ "fields": { "rooms": "1", "people": "2", "state": "open" } });
            while !over.load(Ordering::SeqCst) {
                let _ = api.post("/v1/records/place", &body);
            }
        });
        let until = Instant::now() + Duration::from_micros(microseconds);
        while Instant::now() < until {
            thread::yield_now();
        }
        node.kill();
        over.store(true, Ordering::SeqCst);
    });
}

/// Takes a file system as it is on its device.
fn copy_device(from: &Path, to: &Path) -> Result<(), String> {
    fs::copy(from, to)
        .map(drop)
        .map_err(|error| error.to_string())
}

fn make_image(path: &Path) -> Result<(), String> {
    let file = File::create(path).map_err(|error| error.to_string())?;
    file.set_len(64 << 20).map_err(|error| error.to_string())?;
    system(Command::new("mkfs.ext4").arg("-q").arg(path))
}

#[test]
fn what_was_acknowledged_survives_the_power_going() {
    let seed = Random::seed("STORAGE_SEED");
    eprintln!("STORAGE_SEED={seed}");
    let mut random = Random::new(seed);
    let mut region = region();
    region[A].stop();
    let (data, aside) = (region[A].dir.join("data"), region[A].dir.join("aside"));
    fs::rename(&data, &aside).unwrap();
    fs::create_dir(&data).unwrap();
    let (mut image, mut next) = (region.dir().join("disk-0"), region.dir().join("disk-1"));
    let mounted = make_image(&image).and_then(|()| Mounted::image(&data, &image));
    let mut mounted = match mounted {
        Ok(mounted) => mounted,
        Err(why) => return eprintln!("NOT RUN: {why}"),
    };
    copy_tree(&aside, &data);
    system(Command::new("sync").arg("-f").arg(&data)).unwrap();
    for cut in 0..CUTS {
        region[A].start();
        region.wait_agreed(AGREEMENT);
        // Alone, so that nobody else holds what it writes now: it has to be on its own disk.
        let others: Vec<String> = region
            .nodes
            .iter()
            .map(|node| node.council.clone())
            .collect();
        for other in others.iter().filter(|council| *council != A) {
            region[other.as_str()].stop();
        }
        for _ in 0..random.below(WRITES) {
            write_place(&region[A]);
        }
        let acknowledged = ids(&region[A], "place", A);
        kill_while_it_writes(&mut region[A], random.below(INTO_WRITES));
        // What the system's memory holds and the device does not is not in the copy.
        copy_device(&image, &next).unwrap();
        drop(mounted);
        mounted = Mounted::image(&data, &next).unwrap();
        std::mem::swap(&mut image, &mut next);
        region[A].start();
        let held = ids(&region[A], "place", A);
        let lost = acknowledged.iter().filter(|place| !held.contains(place));
        assert_eq!(lost.count(), 0, "cut {cut}");
        assert_eq!(names(&region[A]).len(), HOSTS, "cut {cut}");
        let said = advice(&region[A]);
        assert!(!said.contains("set aside"), "cut {cut}: {said}");
        for other in others.iter().filter(|council| *council != A) {
            region[other.as_str()].start();
        }
        region.wait_agreed(AGREEMENT);
        region[A].stop();
    }
}
