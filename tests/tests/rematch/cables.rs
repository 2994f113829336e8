//! Cables between nodes on loopback that can be pulled: every node is dialled at a relay of its
//! own, and a node that is cut off neither gets nor sends a datagram through any of them.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread;

/// No datagram of QUIC here is longer.
const DATAGRAM: usize = 2048;

/// Which nodes are cut off, by the port on which each listens.
#[derive(Clone, Default)]
pub(crate) struct Cables(Arc<Mutex<Vec<u16>>>);

impl Cables {
    /// A relay at `endpoint` for the node that listens at `listen`. It goes with the process.
    pub(crate) fn lay(&self, endpoint: SocketAddr, listen: SocketAddr) {
        let (relay, cables) = (UdpSocket::bind(endpoint).unwrap(), self.clone());
        thread::spawn(move || cables.carry(Arc::new(relay), listen));
    }

    pub(crate) fn cut(&self, listen: u16) {
        self.0.lock().unwrap().push(listen);
    }

    pub(crate) fn mend(&self) {
        self.0.lock().unwrap().clear();
    }

    fn is_cut(&self, one: u16, other: u16) -> bool {
        let cut = self.0.lock().unwrap();
        cut.contains(&one) || cut.contains(&other)
    }

    fn carry(&self, relay: Arc<UdpSocket>, listen: SocketAddr) {
        let mut senders: HashMap<SocketAddr, UdpSocket> = HashMap::new();
        let mut buffer = [0; DATAGRAM];
        loop {
            let Ok((length, from)) = relay.recv_from(&mut buffer) else {
                continue;
            };
            let onward = senders.entry(from).or_insert_with(|| {
                let onward = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
                let (back, relay, cables) = (
                    onward.try_clone().unwrap(),
                    Arc::clone(&relay),
                    self.clone(),
                );
                thread::spawn(move || cables.answer(&back, &relay, from, listen.port()));
                onward
            });
            if !self.is_cut(from.port(), listen.port()) {
                let _ = onward.send_to(&buffer[..length], listen);
            }
        }
    }

    fn answer(&self, back: &UdpSocket, relay: &UdpSocket, to: SocketAddr, listen: u16) {
        let mut buffer = [0; DATAGRAM];
        loop {
            if let Ok((length, _)) = back.recv_from(&mut buffer)
                && !self.is_cut(to.port(), listen)
            {
                let _ = relay.send_to(&buffer[..length], to);
            }
        }
    }
}
