//! What status says of the hook.

use smp_protocol::api::{Advice, Status};

use super::Desk;
use super::status::ADVICE;
use crate::events::HookReport;

impl Desk {
    /// Adds what is to be done about the hook: first, since nobody hears of the rest by it.
    pub(super) fn with_hook(&self, mut status: Status) -> Status {
        let advice = advice(&self.shared.events().hook());
        status.advice.splice(0..0, advice);
        status.advice.truncate(ADVICE);
        status
    }
}

/// How to hand the hook one event by hand.
fn by_hand(number: u64) -> String {
    let before = number.saturating_sub(1);
    format!(
        "`smp watch --once --output json --after {before}` prints it on its first line: hand the hook \
         that, as the node's user, and see what it says. `smp-node check-config` says whether it may \
         be run"
    )
}

fn advice(report: &HookReport) -> Vec<Advice> {
    let mut out = Vec::new();
    if let Some((number, why, tries)) = &report.failing {
        out.push(Advice {
            problem: format!(
                "the events hook fails: {why}; event {number} was tried {tries} times, and later ones \
                 wait for it"
            ),
            next: by_hand(*number),
        });
    }
    if let Some((number, why)) = &report.last_given_up {
        out.push(Advice {
            problem: format!(
                "the events hook was given up for {} events since the node started, the last one \
                 {number}: {why}",
                report.given_up
            ),
            next: format!(
                "`smp watch --once` shows what nobody was told; {}",
                by_hand(*number)
            ),
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hook_that_fails_and_one_that_was_given_up_are_told_apart() {
        assert_eq!(advice(&HookReport::default()), []);
        let report = HookReport {
            failing: Some((8, "it ended with exit status: 3".to_owned(), 2)),
            given_up: 4,
            last_given_up: Some((7, "it took too long".to_owned())),
        };
        let said = advice(&report);
        assert_eq!(said.len(), 2);
        assert!(said[0].problem.contains("exit status: 3") && said[0].problem.contains("event 8"));
        assert!(said[0].next.contains("--after 7"), "{}", said[0].next);
        assert!(said[1].problem.contains("4 events"), "{}", said[1].problem);
        assert!(said[1].next.contains("--after 6"), "{}", said[1].next);
    }
}
