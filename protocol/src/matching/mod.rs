//! Matching: which places would do for which requests, how well, and why not (docs/MATCHING.md).
//!
//! Everything follows from what the pools hold and from where councils and postcode districts
//! lie, in whole numbers and without a clock: so every node that holds the same pools suggests
//! the same. It suggests; an officer decides.

mod assign;
mod distance;
mod fit;
mod read;
mod score;

#[cfg(test)]
mod tests;

pub use assign::{Assignment, Unmatched, assign};
pub use distance::{Geography, Point};
pub use fit::{Ask, Exclusion, exclusions, to_ask};
pub use read::{Place, Request, Urgency};
pub use score::{Reason, Scored, rank_places, rank_requests, score};
