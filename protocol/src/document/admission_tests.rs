//! The gate refuses what is one change away from a valid unit, and nothing else changes.
//!
//! One file for each group of steps of admission; `fixture` makes the valid units and holds
//! the document to what it promises at every refusal.

mod bits;
mod chains;
mod edits;
pub(super) mod fixture;
mod form;
mod pasts;
mod quota;
