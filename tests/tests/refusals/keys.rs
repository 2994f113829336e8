//! Keys that are not those with which a node joined: said by name, before anything is opened.

use std::fs;

use system_tests::harness::{Region, command, run};

use super::support::{A, B};

#[test]
fn keys_of_another_node_are_named_by_check_config_and_by_run() {
    let region = Region::of(&[A, B]);
    let (own, other) = (&region.nodes[0], &region.nodes[1]);
    let config = own.config();
    let config = config.to_str().unwrap();
    run(command("smp-node", &["check-config", "--config", config])).ok();
    let key = |dir: &std::path::Path| dir.join("keys").join("node.key");
    fs::copy(key(&other.dir), key(&own.dir)).unwrap();
    for verb in ["check-config", "run"] {
        let said = run(command("smp-node", &[verb, "--config", config]))
            .exits(4)
            .err;
        assert!(said.contains("are those of node"), "{verb}: {said}");
        assert!(said.contains("from their backup"), "{verb}: {said}");
    }
}
