//! Waiting for a condition with a deadline, and never for a time.

use std::time::{Duration, Instant};

/// Until a node answers: opening the store of a test takes far less, on a busy machine too.
pub const START: Duration = Duration::from_secs(30);
/// Until readers agree after the last change: anti-entropy's round, and a busy machine.
pub const AGREEMENT: Duration = Duration::from_secs(60);
/// Between two looks at a condition.
const LOOK: Duration = Duration::from_millis(20);

/// Looks again and again until the condition gives a value, and fails with what was missing
/// at the last look once the time is over.
///
/// # Panics
/// At the deadline.
#[track_caller]
pub fn until<T>(
    within: Duration,
    what: &str,
    mut condition: impl FnMut() -> Result<T, String>,
) -> T {
    let deadline = Instant::now() + within;
    loop {
        match condition() {
            Ok(value) => return value,
            Err(missing) if Instant::now() >= deadline => {
                panic!("not within {within:?}: {what}\nat the last look: {missing}");
            }
            Err(_) => std::thread::sleep(LOOK),
        }
    }
}
