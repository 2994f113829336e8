//! `smp-node demo`: a region of real councils and made-up people, whole, on one machine.
//!
//! Every node is a full one, with its own directory, keys, store and QUIC endpoint on
//! loopback, and everything is written through the calls that the local API makes. Nothing
//! here has a way around the protocol: what the demo shows is what a region would do.

mod chance;
mod councils;
mod error;
#[cfg(test)]
mod fake;
mod hosts;
mod load;
mod local;
mod people;
mod pool;
mod program;
mod records;
mod region;
mod rematch;
mod report;
mod restart;
mod run;
#[cfg(test)]
mod tests;
mod watch;

use std::path::PathBuf;

pub use councils::RegionChoiceError;
pub use error::DemoError;
pub use local::Local;
pub use program::{Program, Site};
pub use report::Outcome;
pub use run::run;

use crate::store::EngineKind;

/// The seed of a demo that names none; any other would do.
const SEED: u64 = 2026;

/// What `smp-node demo` is told.
#[derive(Clone, Debug, clap::Args)]
pub struct DemoArgs {
    /// The region, by its name, slug or partnership's code.
    #[arg(long, default_value = councils::DEFAULT_REGION)]
    pub region: String,
    /// Only so many councils, those with most arrivals.
    #[arg(long, value_name = "N")]
    pub councils: Option<usize>,
    /// Makes other people; the same seed makes the same ones again.
    #[arg(long, default_value_t = SEED)]
    pub seed: u64,
    /// Print the outcome as JSON, as the last line.
    #[arg(long)]
    pub json: bool,
    /// Keep the region in this directory, which must be new or empty.
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
    /// The store's engine: redb or sled.
    #[arg(long, default_value = "redb", value_parser = parse_engine)]
    pub engine: EngineKind,
}

fn parse_engine(text: &str) -> Result<EngineKind, String> {
    let known = [EngineKind::Redb, EngineKind::Sled];
    known
        .into_iter()
        .find(|engine| engine.as_str() == text)
        .ok_or_else(|| "give redb or sled".to_owned())
}
