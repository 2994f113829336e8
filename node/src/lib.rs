//! The smp-sync node: one council's daemon, with its own store.

pub mod config;
pub mod daemon;
pub mod demo;
pub mod desk;
pub mod engine;
pub mod events;
mod geography;
pub mod http;
pub mod import;
pub mod logging;
pub mod membership;
pub mod service;
pub mod setup;
pub mod shared;
pub mod store;
pub mod transport;
