//! Ten thousand datagrams that are nobody's.

use std::net::UdpSocket;

use super::support::peer::at;
use super::*;

const DATAGRAMS: u64 = 10_000;
/// Sent at once: what a socket's buffer holds without the node's having looked.
const BURST: u64 = 40;

/// Junk of many shapes: long and short headers, versions that nobody speaks, ids that nobody
/// made, from one byte to a full packet.
fn junk(number: u64) -> Vec<u8> {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let length = 1 + usize::try_from(number).unwrap() % 1400;
    let mut bytes: Vec<u8> = (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_be_bytes()[0]
        })
        .collect();
    // Neither version 1 nor the one that asks for other versions.
    if let Some(byte) = bytes.get_mut(1) {
        *byte |= 1;
    }
    bytes
}

#[test]
fn ten_thousand_datagrams_of_junk_cost_nobody_a_write() {
    let (scene, ()) = Scene::with(|_| ());
    let (a, b) = (&scene.region[A], &scene.region[B]);
    let socket = UdpSocket::bind(at(0)).unwrap();
    std::thread::scope(|scope| {
        let writes = scope.spawn(|| {
            for _ in 0..10 {
                write_place(b);
            }
        });
        // The kernel drops what the node does not read in time, so the next burst waits until
        // the node has counted the one before: none of them is to get lost uncounted.
        for burst in 0..DATAGRAMS / BURST {
            for number in 0..BURST {
                socket
                    .send_to(&junk(burst * BURST + number), at(scene.port))
                    .unwrap();
            }
            let sent = (burst + 1) * BURST;
            until(SOON, "a burst is counted", || {
                match refused(a, "datagram") {
                    now if now >= sent => Ok(()),
                    now => Err(format!("{now} of {sent}")),
                }
            });
        }
        writes.join().unwrap();
    });
    assert_eq!(refused(a, "datagram"), DATAGRAMS);
    assert_eq!(lines(a, "datagrams were dropped"), 1, "{}", a.log());
    assert!(
        a.log()
            .contains("have the firewall let only the members' addresses through")
    );
    assert_eq!(counts(a).len(), 1, "{:?}", counts(a));
    write_place(b);
}
