//! Rosters: believed only if the authority signed them, newer only by their number, and never
//! such that what one node believes another refuses.

use smp_protocol::codec::{self, Blob};
use smp_protocol::crypto::{self, Tag};
use smp_protocol::ids::Hash;
use smp_protocol::limits;
use smp_protocol::roster::{Installed, Roster, SignedRoster};
use smp_protocol::session::message::Control;
use smp_protocol::session::{Output, PeerId};

use super::common::{
    START, authority, council, greet, key, member, region, register, roster as first, signed_roster,
};
use super::{Seeds, bounded};

const PEER: PeerId = PeerId(7);

/// A byte that says how much is put right, then a signed roster (0), or the bytes that an
/// authority signs (1), with the names of nodes that follow from their keys (2).
pub(super) fn roster(data: &[u8]) {
    let Some((how, bytes)) = data.split_first() else {
        return;
    };
    let Some(offered) = offered(how % 3, bytes) else {
        return;
    };
    let read = || offered.clone().verify(&region(), &authority().public());
    let bound = (1 << 20) + 40 * bytes.len();
    let verified = bounded(bound, "a roster", read);
    let held = signed_roster()
        .verify(&region(), &authority().public())
        .expect("the roster held");
    let newer = match &verified {
        Err(error) => {
            assert!(!error.to_string().is_empty());
            false
        }
        Ok(roster) => {
            assert_eq!(*roster.signed(), offered);
            assert_eq!(roster.hash(), crypto::hash(Tag::Roster, &offered.bytes.0));
            let again = SignedRoster::sign(roster, &authority());
            assert_eq!(again.ok().as_ref(), Some(&offered), "admin and node agree");
            let jump = roster.version.saturating_sub(held.version);
            (1..=limits::ROSTER_VERSION_JUMP).contains(&jump)
        }
    };
    match held.consider(offered.clone()) {
        Ok(Installed::Newer(taken)) => assert!(newer && taken.version > held.version),
        Ok(Installed::Same) => assert_eq!(offered, *held.signed()),
        Err(_) => assert!(!newer),
    }
    install(&offered, newer);
}

/// Handed in by an admin, and shown by a peer.
fn install(offered: &SignedRoster, newer: bool) {
    let mut told = member(1);
    let outcome = told.offer_roster(offered.clone(), START);
    assert_eq!(outcome.is_ok_and(|taken| taken), newer);
    assert_eq!(told.roster().version > 1, newer);
    assert_no_rebuild(&told.take_outputs());
    let mut shown = member(1);
    greet(&mut shown, PEER, 0, START);
    shown.control(PEER, &Control::Roster(offered.clone()).encode(), START);
    assert_no_rebuild(&shown.take_outputs());
    assert_eq!(shown.roster().version > 1, newer, "P-7");
    // Whatever it says, a council that has accepted nobody is read by nobody else.
    assert!(!shown.may_read(register(0), council(2)));
    shown.tick(START.plus(limits::ROUND_SECONDS));
    assert_no_rebuild(&shown.take_outputs());
}

fn assert_no_rebuild(outputs: &[Output]) {
    let rebuilds = |output: &Output| matches!(output, Output::Rebuild(_));
    assert!(!outputs.iter().any(rebuilds), "{outputs:?}");
}

fn offered(how: u8, bytes: &[u8]) -> Option<SignedRoster> {
    let sign = |bytes: Vec<u8>| SignedRoster {
        signature: authority().sign(Tag::Roster, &bytes),
        bytes: Blob(bytes),
    };
    match how {
        0 => codec::decode(bytes, limits::CONTROL_FRAME_BYTES).ok(),
        1 => Some(sign(bytes.to_vec())),
        _ => {
            let mut roster: Roster = codec::decode(bytes, limits::ROSTER_BYTES).ok()?;
            for node in roster.members.iter_mut().flat_map(|m| &mut m.nodes) {
                node.id = crypto::node_id(&node.signing);
            }
            Some(sign(codec::encode(&roster)))
        }
    }
}

pub(super) fn seeds() -> Seeds {
    let next = Roster {
        version: 2,
        previous: Hash([1; 32]),
        ..first()
    };
    let mut two_nodes = next.clone();
    let mut standby = two_nodes.members[0].nodes[0].clone();
    standby.signing = key(9).public();
    standby.id = key(9).node_id();
    standby.tls = Hash([99; 32]);
    standby.decider = false;
    two_nodes.members[0].nodes.push(standby);
    two_nodes.members[0].nodes.sort_by_key(|node| node.id);
    let mut without = next.clone();
    without.members.truncate(1);
    without.readers.clear();
    let cases = [
        ("as signed", 0, codec::encode(&signed_roster())),
        ("bytes", 1, codec::encode(&first())),
        ("the next", 2, codec::encode(&next)),
        ("two nodes", 2, codec::encode(&two_nodes)),
        ("without this node", 1, codec::encode(&without)),
    ];
    cases
        .into_iter()
        .map(|(name, how, bytes)| (name.to_owned(), [&[how], bytes.as_slice()].concat()))
        .collect()
}
