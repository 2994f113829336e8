//! The member's clock (P-8): the machine's, never behind the newest roster.
//!
//! Machines start with wrong clocks and are put right while they run. What is timed here (a
//! stalled pull, the next round) takes as long as it takes all the same: it must never wait
//! for a time that was only ever on a wrong clock.

use super::Member;
use crate::time::UnixSeconds;

impl Member {
    /// Moves the clock to what the machine's shows.
    pub(super) fn at(&mut self, clock: UnixSeconds) {
        let passed = clock.since(self.clock);
        let was_set_back = clock < self.clock;
        self.clock = clock;
        let roster = self.roster.issued;
        let now = match clock >= roster || was_set_back {
            true => clock.max(roster),
            // Behind the roster it goes on from there, at the machine's pace.
            false => self.now.max(roster).plus(passed),
        };
        let back = self.now.since(now);
        self.now = now;
        if back > 0 {
            self.set_back(back);
        }
    }

    /// The clock was so many seconds ahead: whatever was noted by it moves along.
    fn set_back(&mut self, seconds: u64) {
        let back = |at: &mut UnixSeconds| *at = UnixSeconds(at.0.saturating_sub(seconds));
        back(&mut self.changed);
        back(&mut self.next_round);
        self.unsettled_since.iter_mut().for_each(back);
        for pull in self.pulls.values_mut() {
            back(&mut pull.began);
            back(&mut pull.moved);
        }
        self.stalls.values_mut().for_each(|(_, last)| back(last));
        for holding in self.holdings.values_mut() {
            back(&mut holding.changed);
            back(&mut holding.looked_at);
        }
        for peer in self.peers.values_mut() {
            back(&mut peer.connected);
            let noted = [&mut peer.compared, &mut peer.asked, &mut peer.unanswered];
            noted.into_iter().flatten().for_each(back);
            for seen in peer.seen.values_mut() {
                back(&mut seen.at);
                back(&mut seen.not_before);
            }
        }
    }
}
