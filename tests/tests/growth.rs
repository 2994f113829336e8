//! What a change costs the region: a number of frames for each member, not for each pair of them.

use smp_protocol::limits;
use system_tests::sim;

#[test]
fn a_change_costs_each_member_a_few_frames_however_many_there_are() {
    let [fewer, more] = [12, 36].map(|nodes| sim::grow(nodes, 1));
    for region in [&fewer, &more] {
        let others = (region.nodes - 1) as f64;
        // The author's push, its confirmation, and each reader's passing on to two, which are
        // confirmed to nobody, since who has it already admits nothing.
        let bound = others * (2.0 + limits::PASS_ON_TO as f64);
        let frames = region.entry.frames;
        assert!(frames <= bound, "{frames} frames of {} nodes", region.nodes);
    }
    // Rounds after a change: after 5, 15, 35 and 75 seconds, each a question to three peers and
    // an answer, and a summary each way where they differ.
    for region in [&fewer, &more] {
        let rounds = 4.0 * limits::ROUND_PEERS as f64;
        let bound = region.nodes as f64 * rounds * 2.0;
        let frames = region.time.expect("time is simulated").compared;
        assert!(frames <= bound, "{frames} frames of {} nodes", region.nodes);
    }
}
