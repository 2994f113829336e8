//! The smp-sync node: one council's daemon, with its own store.

pub mod demo;
pub mod http;
pub mod import;
pub mod service;
pub mod store;
