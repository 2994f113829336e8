//! Events on their way to people: the log that readers follow, and the hook.
//!
//! The engine says what there is to tell, and has it on disk before anybody hears of it. Nothing
//! here can hold the engine up: whoever reads slowly reads the log later, and whoever is too late
//! even for that is told so.

mod hook;
mod log;
#[cfg(test)]
mod tests;

pub use self::hook::{Deliveries, HookCommand, HookFailure};
pub use self::log::{EventLog, Follower, HookReport};
