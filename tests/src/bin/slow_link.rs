//! A network that is slow and loses things: `slow_link SEED LISTEN=TO…` takes datagrams at each
//! LISTEN, loses one in twenty, and hands the others to its TO 40 ms later; the same on the way
//! back. It ends when its standard input does, so that it does not outlive the test.
//!
//! It stands between network namespaces that have no other way to each other (`tests/netns`).
//! The kernel's netem would do the same, where there is one: many kernels are built without.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use system_tests::harness::Random;

/// How late each datagram is.
const DELAY: Duration = Duration::from_millis(40);
/// Of so many datagrams one is lost.
const LOST_OF: u64 = 20;
/// Datagrams under way; more are lost, as at any router.
const UNDER_WAY: usize = 4096;
/// Addresses that may send to one node: every node has one, and they come back.
const SENDERS: usize = 64;
/// No datagram of QUIC here is longer.
const DATAGRAM: usize = 2048;

struct Late {
    due: Instant,
    through: Arc<UdpSocket>,
    to: SocketAddr,
    bytes: Vec<u8>,
}

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let seed: u64 = args
        .next()
        .context("usage: slow_link SEED LISTEN=TO…")?
        .parse()?;
    for (nth, pair) in (1u64..).zip(args) {
        let (listen, to) = pair.split_once('=').context("not LISTEN=TO")?;
        let (listen, to) = (UdpSocket::bind(listen)?, to.parse()?);
        thread::spawn(move || forward(Arc::new(listen), to, seed.wrapping_mul(nth)));
    }
    // Whoever waits for this line may send from now on.
    println_ready();
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink())?;
    Ok(())
}

#[allow(clippy::print_stdout, reason = "the one line that the test waits for")]
fn println_ready() {
    println!("ready");
}

/// Everything for one node: from whoever sends to `listen`, and back.
fn forward(listen: Arc<UdpSocket>, to: SocketAddr, seed: u64) {
    let mut random = Random::new(seed);
    let (late, due) = sync_channel(UNDER_WAY);
    thread::spawn(move || deliver(&due));
    let mut senders: HashMap<SocketAddr, Arc<UdpSocket>> = HashMap::new();
    let mut buffer = [0; DATAGRAM];
    loop {
        // Where a link is down, the kernel says so at the socket; it comes up again.
        let Ok((length, from)) = listen.recv_from(&mut buffer) else {
            continue;
        };
        if !senders.contains_key(&from) && senders.len() < SENDERS {
            let Ok(socket) = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)) else {
                continue;
            };
            let socket = Arc::new(socket);
            let (back, listen, late) = (Arc::clone(&socket), Arc::clone(&listen), late.clone());
            let random = Random::new(random.number());
            thread::spawn(move || answer(&back, &listen, from, &late, random));
            senders.insert(from, socket);
        }
        if let Some(through) = senders.get(&from) {
            let bytes = buffer.get(..length).unwrap_or_default();
            send_late(&late, through, to, bytes, &mut random);
        }
    }
}

/// What the node sends back to one sender.
fn answer(
    back: &UdpSocket,
    listen: &Arc<UdpSocket>,
    to: SocketAddr,
    late: &SyncSender<Late>,
    mut random: Random,
) {
    let mut buffer = [0; DATAGRAM];
    loop {
        if let Ok((length, _)) = back.recv_from(&mut buffer) {
            let bytes = buffer.get(..length).unwrap_or_default();
            send_late(late, listen, to, bytes, &mut random);
        }
    }
}

fn send_late(
    late: &SyncSender<Late>,
    through: &Arc<UdpSocket>,
    to: SocketAddr,
    bytes: &[u8],
    random: &mut Random,
) {
    if random.below(LOST_OF) == 0 {
        return;
    }
    let _ = late.try_send(Late {
        due: Instant::now() + DELAY,
        through: Arc::clone(through),
        to,
        bytes: bytes.to_vec(),
    });
}

/// All are equally late, so they are due in the order in which they came.
fn deliver(due: &Receiver<Late>) {
    for datagram in due {
        thread::sleep(datagram.due.saturating_duration_since(Instant::now()));
        let _ = datagram.through.send_to(&datagram.bytes, datagram.to);
    }
}
