//! The store of a whole node, through what machines do: files damaged at rest, a tail that the
//! disk forgot, a disk that fills up and empties, the power going. Real processes, and two other
//! councils that hold what this one shared.
//!
//! The seed is new for each run and printed; set `STORAGE_SEED` to have the same choices again.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stderr)]

mod damage;
mod full;
mod lost;
mod mounted;
mod power;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};
use system_tests::harness::wait::AGREEMENT;
use system_tests::harness::{Node, Region};

const A: &str = "E08000021";
const B: &str = "E08000037";
const C: &str = "E08000024";

/// Hosts in the register of A.
const HOSTS: usize = 40;

/// A region of three whose first council has a register, open to the second, and places.
fn region() -> Region {
    let mut region = Region::of(&[A, B, C]);
    region.start_all();
    region.open_register(A, B);
    let mut csv = String::from("reference,accommodation_type,current_capacity,status,full_name\n");
    for n in 0..HOSTS {
        csv.push_str(&format!("H-{n},sponsor,{},checking,Made Up {n}\n", n % 5));
    }
    let report = region[A].api().import("host", "hosts.csv", csv.as_bytes());
    assert_eq!(report.unwrap().ok()["created"], json!(HOSTS));
    for _ in 0..20 {
        write_place(&region[A]);
    }
    region.wait_agreed(AGREEMENT);
    region
}

fn write_place(node: &Node) -> String {
    let body = json!({ "fields": { "rooms": "1", "people": "2", "state": "open" } });
    let stored = node.api().post("/v1/records/place", &body).unwrap().ok();
    stored["records"][0].as_str().unwrap().to_owned()
}

fn store_of(node: &Node) -> PathBuf {
    node.dir.join("data/store.redb")
}

/// The ids of a council's records of a kind, as a node lists them.
fn ids(node: &Node, kind: &str, council: &str) -> Vec<String> {
    let path = format!("/v1/records/{kind}?council={council}");
    let records = node.api().get(&path).unwrap().ok();
    let id = |record: &Value| record["id"].as_str().unwrap().to_owned();
    records.as_array().unwrap().iter().map(id).collect()
}

/// The names that a node's own vault holds, by host.
fn names(node: &Node) -> BTreeMap<String, String> {
    let hosts = ids(node, "host", A).into_iter();
    let named = hosts.filter_map(|id| {
        let path = format!("/v1/record/{id}?personal=true");
        let host = node.api().get(&path).unwrap().ok();
        let name = host["personal"]["full_name"].as_str()?.to_owned();
        Some((id, name))
    });
    named.collect()
}

/// What `smp status` says is wrong, in one text.
fn advice(node: &Node) -> String {
    let status = node.api().get("/v1/status").unwrap().ok();
    status["advice"].to_string()
}
