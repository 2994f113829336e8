//! The log and its readers, and the hook with real scripts.

mod hook;
mod log;

use smp_protocol::api::Event;
use smp_protocol::events;
use smp_protocol::time::UnixSeconds;

const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

/// An event of this number.
fn event(number: u64) -> Event {
    Event::new(number, &events::Event::gap(number, NOW), NOW)
}

fn told(numbers: std::ops::RangeInclusive<u64>) -> Vec<Event> {
    let mut told: Vec<Event> = numbers.map(event).collect();
    for event in &mut told {
        event.kind = "proposal_arrived".to_owned();
    }
    told
}
