//! Rosters that are not to be believed, and one that is and has run out.

use std::cell::RefCell;

use serde_json::json;
use smp_certs::{EnrolmentRequest, Passphrase, WorkFactor, roster_to_text};
use smp_protocol::ids::Hash;
use smp_protocol::roster::{Roster, SignedRoster};
use smp_protocol::session::message::Control;
use smp_protocol::time::UnixSeconds;
use smp_protocol::{codec, limits};
use system_tests::harness::wait::AGREEMENT;
use system_tests::harness::{PASSPHRASE, free_ports};

use super::support::identity::now;
use super::support::peer::{Scripted, framed};
use super::support::{C, add_puppet};
use super::*;

/// The region's newest roster, and the one before it.
fn newest_two(region: &Region) -> (SignedRoster, SignedRoster) {
    let rosters = region.authority().join("rosters");
    let mut paths: Vec<_> = std::fs::read_dir(rosters)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    paths.sort();
    let read = |path| smp_certs::roster_from_text(&std::fs::read_to_string(path).unwrap()).unwrap();
    let newest = read(paths.pop().unwrap());
    (newest, read(paths.pop().unwrap()))
}

fn opened(region: &Region) -> smp_certs::Region {
    smp_certs::Region::open(&region.authority()).unwrap()
}

#[test]
fn a_roster_that_is_not_the_regions_newest_changes_nothing() {
    let (scene, puppet) = Scene::with(|region| add_puppet(region, C));
    let (to, port) = (&scene.node, scene.port);
    let (newest, older) = newest_two(&scene.region);
    let a = &scene.region[A];
    let held = || a.api().get("/v1/status").unwrap().ok()["roster"].clone();
    let before = held();

    // Altered by one bit, and signed by a key that is not the authority's.
    let mut forged = newest.clone();
    forged.signature.0[7] ^= 1;
    let mut own: Roster = codec::decode(&newest.bytes.0, limits::ROSTER_BYTES).unwrap();
    let version = own.version + 1;
    (own.version, own.authority) = (version, puppet.signing.public());
    let own = SignedRoster::sign(&own, &puppet.signing).unwrap();
    let shown = RefCell::new(vec![forged, own]);
    scene.offend(
        "bad_roster",
        "the signature is not the region authority's",
        || async {
            let roster = shown.borrow_mut().pop().unwrap();
            let hello = Control::Hello(puppet.hello(version, Hash([1; 32])));
            let mut peer = Scripted::open(&puppet, to, port, &framed(&hello.encode())).await;
            peer.say(&Control::Roster(roster)).await;
            assert_eq!(peer.closed().await, 6);
        },
    );
    scene.offend("roster", "is held already", || async {
        let mut peer = Scripted::greet(&puppet, to, port).await;
        peer.say(&Control::Roster(older.clone())).await;
    });
    // By hand it is no better.
    let offered = json!({ "text": roster_to_text(&older) });
    let answer = a.api().post("/v1/roster", &offered).unwrap();
    assert_eq!(answer.status, 400, "{answer:?}");
    assert_eq!(held(), before);
}

/// A region that was made so long ago that its roster has run out, with A, B and C in it.
fn expired_region() -> (Region, Identity) {
    let then = UnixSeconds(now().0 - limits::ROSTER_LIFETIME_SECONDS - 3600);
    let mut region = Region::empty();
    std::fs::remove_dir_all(region.authority()).unwrap();
    let mut authority = smp_certs::Region::init(
        &region.authority(),
        "north-east".parse().unwrap(),
        "North East Migration Partnership",
        &Passphrase::new(PASSPHRASE),
        WorkFactor::NONE,
        then,
    )
    .unwrap();
    let mut nodes: Vec<Node> = [A, B, C]
        .iter()
        .zip(free_ports(3))
        .map(|(council, port)| region.init(council, port))
        .collect();
    for _ in 0..2 {
        // The second time each gets the newest roster, with all three in it.
        for node in &nodes {
            let request = std::fs::read_to_string(node.dir.join("request.txt")).unwrap();
            let request = EnrolmentRequest::from_text(&request).unwrap();
            let bundle = authority.enrol(&request, "A council", then).unwrap();
            let file = node.dir.join("bundle.txt");
            std::fs::write(&file, bundle.to_text()).unwrap();
            node.join(&file);
        }
    }
    let puppet = Identity::of(&nodes.pop().unwrap());
    region.nodes = nodes;
    (region, puppet)
}

#[test]
fn past_the_rosters_expiry_sync_stops_and_a_renewal_heals_it() {
    let (mut region, puppet) = expired_region();
    region.start_all();
    let (a, b) = (&region[A], &region[B]);
    let to = Identity::of(a);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let who = puppet.node.short();
    let roster = opened(&region).roster().clone();
    for _ in 0..2 {
        let before = refused(a, "roster_expired");
        runtime.block_on(async {
            let hello = Control::Hello(puppet.hello(roster.version, roster.hash()));
            let peer = Scripted::open(&puppet, &to, a.port, &framed(&hello.encode())).await;
            assert_eq!(peer.closed().await, 5);
            for frame in peer.frames() {
                assert!(
                    matches!(Control::decode(&frame), Ok(Control::Hello(_))),
                    "{frame:?}"
                );
            }
        });
        until(SOON, "it is counted", || {
            match refused(a, "roster_expired") {
                now if now > before => Ok(()),
                now => Err(now.to_string()),
            }
        });
    }
    let told = |line: &&str| line.contains(&who) && line.contains("`smp roster renew`");
    let log = a.log();
    assert_eq!(log.lines().filter(told).count(), 1, "{log}");

    // Local work goes on, and status says what to do.
    let place = json!({ "fields": { "rooms": "1", "people": "1", "state": "open" } });
    let stored = a.api().post("/v1/records/place", &place).unwrap().ok();
    assert_eq!(stored["held_by"], 0);
    let status = a.api().get("/v1/status").unwrap().ok();
    assert_eq!(status["roster"]["state"], "expired");
    assert!(
        status["advice"][0]["next"]
            .as_str()
            .unwrap()
            .contains("smp roster renew")
    );

    let passphrase = Passphrase::new(PASSPHRASE);
    let renewed = opened(&region)
        .unlock(&passphrase)
        .unwrap()
        .renew(now())
        .unwrap();
    let offered = json!({ "text": roster_to_text(renewed.signed()) });
    a.api().post("/v1/roster", &offered).unwrap().ok();
    region.wait_agreed(AGREEMENT);
    let places = b
        .api()
        .get(&format!("/v1/records/place?council={A}"))
        .unwrap()
        .ok();
    assert_eq!(places.as_array().map(Vec::len), Some(1));
}
