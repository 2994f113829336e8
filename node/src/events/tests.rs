//! The log and its readers, and the hook with real scripts.

mod hook;
mod log;

use std::future::Future;
use std::time::Duration;

use smp_protocol::api::Event;
use smp_protocol::events;
use smp_protocol::time::UnixSeconds;

const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

/// Waits for what must come; a test that would wait for ever fails.
async fn soon<T>(what: &str, work: impl Future<Output = T>) -> T {
    let limit = Duration::from_secs(30);
    tokio::time::timeout(limit, work).await.expect(what)
}

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
