//! The smp-sync node: one council's daemon, with its own store.

pub mod import;
pub mod store;
