//! `smp status`, `smp peers`.

use smp_protocol::api::{PeerStatus, Status};

use super::Context;
use crate::exit::Failure;
use crate::output::{attention, attention_failure};

pub(super) const STATUS_EXAMPLES: &str = "\
Examples:
  smp status
  smp status --check
  smp status --output json
  smp --socket /tmp/region/E08000021/smp-node.sock status";

pub(super) const PEERS_EXAMPLES: &str = "\
Examples:
  smp peers
  smp peers --output csv > peers.csv";

/// How the node stands.
#[derive(Debug, clap::Args)]
pub(super) struct StatusArgs {
    /// For monitoring: exit code 5 if anything is not in agreement or needs attention
    #[arg(long)]
    check: bool,
}

impl StatusArgs {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        let status: Status = context.client.get("/v1/status")?;
        context.show(&status)?;
        match attention(&status) {
            Some(words) if self.check => Err(attention_failure(&words)),
            _ => Ok(()),
        }
    }
}

pub(super) fn peers(context: &Context) -> Result<(), Failure> {
    let peers: Vec<PeerStatus> = context.client.get("/v1/peers")?;
    context.show(&peers)
}
