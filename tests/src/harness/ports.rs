//! UDP ports on loopback that nobody uses.

use std::net::{Ipv4Addr, UdpSocket};

use super::Random;

/// Below the ports that the system gives to sockets that name none, so that a port does not
/// go to a stranger while its node is down.
const FIRST: u64 = 12_000;
/// How many there are to choose from.
const COUNT: u64 = 20_000;

/// `count` different ports, each free a moment ago. Chosen at random, so that tests side by
/// side do not meet.
///
/// # Panics
/// Where hardly any is free.
pub fn free_ports(count: usize) -> Vec<u16> {
    let mut random = Random::new(Random::seed("SYSTEM_TESTS_PORTS"));
    // Held until all are found, so that they differ.
    let mut held = Vec::new();
    let mut tries = 0;
    while held.len() < count {
        tries += 1;
        assert!(tries < 100 * count, "no free UDP ports on 127.0.0.1");
        let port = u16::try_from(FIRST + random.below(COUNT)).expect("below 65536");
        if let Ok(socket) = UdpSocket::bind((Ipv4Addr::LOCALHOST, port)) {
            held.push((port, socket));
        }
    }
    held.into_iter().map(|(port, _)| port).collect()
}
