//! What settled nodes say to each other in an hour, in virtual time.

use smp_node::engine::clock;
use smp_protocol::ids::DocumentKind;

use crate::data::{self, Council};
use crate::net::Net;
use crate::region::Region;

/// What goes over one connection in an hour, both ways.
pub(crate) struct Idle {
    pub(crate) frames: f64,
    pub(crate) bytes: f64,
}

/// The first `nodes` councils of the region, each with a pool that all read.
pub(crate) fn hour(region: &Region, councils: &[Council], nodes: usize, seed: u64) -> Idle {
    let mut members: Vec<_> = (0..nodes).map(|index| region.member(index)).collect();
    for (member, council) in members.iter_mut().zip(councils) {
        let place = data::place(&mut data::of_council(council, seed));
        let edits = [(DocumentKind::RematchingPool, vec![place])];
        member.write(&edits, clock()).unwrap();
        member.take_outputs();
    }
    let who = (0..nodes)
        .map(|index| region.proven(index, false))
        .collect();
    let mut net = Net::new(members, who, clock());
    for a in 0..nodes {
        for b in a + 1..nodes {
            net.connect(a, b);
        }
    }
    // The last changes are compared, and the first hourly word is out.
    for _ in 0..600 {
        net.second();
    }
    net.count_anew();
    for _ in 0..3600 {
        net.second();
    }
    let connections = (nodes * (nodes - 1) / 2) as f64;
    Idle {
        frames: net.frames as f64 / connections,
        bytes: net.bytes as f64 / connections,
    }
}
