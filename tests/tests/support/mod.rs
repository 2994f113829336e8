//! What the tests of leaks and refusals share: a node's identity in the test's hands, a peer
//! that follows a script, a tap between nodes, and a search through bytes.
//!
//! The identities are those of real nodes that the test itself enrolled. Nothing here opens a
//! door in the node: it meets the same TLS and the same gate as anyone.
#![allow(dead_code, reason = "each test binary uses a part of it")]

pub(crate) mod identity;
pub(crate) mod peer;
pub(crate) mod search;
pub(crate) mod tap;

use std::fs;

use system_tests::harness::{Node, Region};

/// Three councils of the North East; the tests call them A, B and C.
pub(crate) const A: &str = "E08000021";
pub(crate) const B: &str = "E08000037";
pub(crate) const C: &str = "E08000024";

/// Changes a line of a node's configuration before it starts.
pub(crate) fn configure(node: &Node, from: &str, to: &str) {
    let text = fs::read_to_string(node.config()).unwrap();
    assert!(text.contains(from), "no {from:?} in {text}");
    fs::write(node.config(), text.replace(from, to)).unwrap();
}

/// Adds a node that runs nowhere: its keys and its certificate are the test's to use.
pub(crate) fn add_puppet(region: &mut Region, council: &str) -> identity::Identity {
    let port = system_tests::harness::free_ports(1)[0];
    region.add(council, port);
    identity::Identity::of(region.nodes.pop().as_ref().unwrap())
}

/// A write that waits until another node holds it: what a good peer does.
pub(crate) fn write_place(node: &Node) -> String {
    let body = serde_json::json!({
        "fields": { "rooms": "1", "people": "2", "state": "open" },
        "replicated": true,
    });
    let stored = node.api().post("/v1/records/place", &body).unwrap().ok();
    stored["records"][0].as_str().unwrap().to_owned()
}
