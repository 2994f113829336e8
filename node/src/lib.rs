//! The smp-sync node: one council's daemon, with its own store.

pub mod config;
pub mod daemon;
pub mod http;
pub mod import;
pub mod logging;
pub mod membership;
pub mod service;
pub mod setup;
pub mod store;
