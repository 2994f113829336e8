//! Members that break the rules of the conversation: unknown kinds, frames that are too long,
//! a bomb in an answer.

use smp_protocol::codec;
use smp_protocol::ids::{DocumentKind, Hash};
use smp_protocol::limits;
use smp_protocol::session::message::{Control, DocumentSummary, Summary};

use super::support::peer::{Scripted, framed};
use super::support::{C, add_puppet};
use super::*;

/// Session code of a message that is none.
const BAD_MESSAGE: u64 = 7;
/// Transport code of a frame that is too long.
const BAD_FRAME: u64 = 101;

#[test]
fn who_breaks_the_rules_of_the_conversation_is_cut_off() {
    let (scene, puppet) = Scene::with(|region| add_puppet(region, C));
    let (to, port) = (&scene.node, scene.port);
    let greet = || Scripted::greet(&puppet, to, port);
    let before = peak(&scene.region[A]);

    scene.offend("bad_message", "message kind 99 is not known", || async {
        let mut peer = greet().await;
        peer.say_bytes(&framed(&[99, 1, 2, 3])).await;
        assert_eq!(peer.closed().await, BAD_MESSAGE);
    });
    scene.offend("bad_message", "message kind 98 is not known", || async {
        let peer = greet().await;
        assert!(peer.ask_bytes(&framed(&[98])).await.is_empty());
        assert_eq!(peer.closed().await, BAD_MESSAGE);
    });
    scene.offend("bad_message", "message kind 97 is not known", || async {
        let mut peer = greet().await;
        bait(&mut peer, &puppet, 1).await;
        peer.answer_next(&framed(&[97])).await;
        assert_eq!(peer.closed().await, BAD_MESSAGE);
    });
    let limit = limits::CONTROL_FRAME_BYTES as u32;
    for announced in [u32::MAX, limit + 1] {
        let reason = format!("on a control stream: a frame of {announced} bytes");
        scene.offend("frame", &reason, || async {
            let mut peer = greet().await;
            peer.say_bytes(&announced.to_be_bytes()).await;
            assert_eq!(peer.closed().await, BAD_FRAME);
        });
    }
    scene.offend(
        "frame",
        &format!("on a question: a frame of {} bytes", limit + 2),
        || async {
            let peer = greet().await;
            assert!(peer.ask_bytes(&(limit + 2).to_be_bytes()).await.is_empty());
            assert_eq!(peer.closed().await, BAD_FRAME);
        },
    );
    let limit = limits::BATCH_FRAME_BYTES as u32;
    scene.offend(
        "frame",
        &format!("on a stream of answers: a frame of {} bytes", limit + 1),
        || async {
            let mut peer = greet().await;
            bait(&mut peer, &puppet, 2).await;
            peer.answer_next(&(limit + 1).to_be_bytes()).await;
            assert_eq!(peer.closed().await, BAD_FRAME);
        },
    );
    scene.offend(
        "bad_message",
        "a message of kind 17: compressed data",
        || async {
            let mut peer = greet().await;
            bait(&mut peer, &puppet, 3).await;
            peer.answer_next(&framed(&bomb())).await;
            assert_eq!(peer.closed().await, BAD_MESSAGE);
        },
    );
    // Neither what was announced nor what was packed was made room for.
    let grown = peak(&scene.region[A]) - before;
    assert!(grown < 32 << 20, "{grown} bytes more than before");
}

/// Claims to hold entries of the puppet's own pool, so that the node asks for them.
async fn bait(peer: &mut Scripted, me: &Identity, different: u8) {
    let item = DocumentSummary {
        document: DocumentKind::RematchingPool.of(me.council),
        generation: 1,
        frontier: Hash([different; 32]),
        heads: Hash([0; 32]),
        entries: 1,
        freshness: None,
        acceptance: None,
    };
    let documents = vec![item];
    peer.say(&Control::Summary(Summary {
        reply: false,
        documents,
    }))
    .await;
}

/// A frame of some KiB that would fill 64 MiB, sixteen times the limit.
fn bomb() -> Vec<u8> {
    let packed = codec::compress(&vec![0; 64 << 20]);
    assert!(packed.len() < 64 << 10, "{}", packed.len());
    [&[17], packed.as_slice()].concat()
}

/// The most memory that a node's process ever had, in bytes.
fn peak(node: &Node) -> u64 {
    let path = format!("/proc/{}/status", node.pid().unwrap());
    let status = std::fs::read_to_string(path).unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<u64>()
        .unwrap()
        << 10
}
