//! What a change costs the region: a number of frames for each member, not for each pair of them.
//! (What comparing costs afterwards: `after_a_change_a_dozen_peers_are_asked_and_not_all`.)

use smp_protocol::limits;
use system_tests::sim;

#[test]
fn an_entry_costs_each_member_a_few_frames_however_many_there_are() {
    for nodes in [12, 48] {
        let region = sim::grow(nodes, None, 1, false);
        let others = (region.nodes - 1) as f64;
        // The author's push, its confirmation, and each reader's passing on to two, which is
        // confirmed to nobody, since who has it already takes nothing in.
        let bound = others * (2.0 + limits::PASS_ON_TO as f64);
        let frames = region.entry.frames;
        assert!(frames <= bound, "{frames} frames of {nodes} nodes");
        assert!(frames >= 2.0 * others, "{frames} frames of {nodes} nodes");
    }
}
