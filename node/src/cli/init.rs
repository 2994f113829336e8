//! `smp-node init`: makes a node, and the request that its region's admin enrols.

use anyhow::Context;
use smp_certs::{EnrolmentRequest, NodeKeys};
use smp_node::setup::{NodeDir, SetupError};
use smp_node::store::EngineKind;

use super::{Exit, Failed, InitArgs};

pub(super) fn run(args: InitArgs) -> Result<(), Failed> {
    super::check_endpoints(&args.endpoints)?;
    let keys = NodeKeys::generate().context("no keys were made")?;
    let request = EnrolmentRequest::new(&keys, args.region, args.council, args.endpoints)
        .context("no enrolment request was made")?;
    let node = NodeDir::new(&args.dir);
    let text = request.to_text();
    let made = node.make(&keys, args.listen, EngineKind::default(), Some(&text));
    made.map_err(|error| match error {
        SetupError::Exists { .. } => Exit::Refused.with(error),
        error => Exit::Attention.with(error),
    })?;
    tell(&node, &request);
    Ok(())
}

fn tell(node: &NodeDir, request: &EnrolmentRequest) {
    println!(
        "Made a node of {} for region {}:\n  \
         configuration  {}\n  \
         private keys   {} (they never leave this machine)\n  \
         data           {}\n  \
         request        {}\n\n\
         Fingerprint of the request:\n  {}\n\n\
         Next: send {} to the region's admin, who runs `smp member enrol` and compares the\n\
         fingerprint with you by telephone. With the bundle that comes back, run\n  \
         smp-node join --config {} BUNDLE",
        request.council,
        request.region,
        node.config.display(),
        node.keys.display(),
        node.data.display(),
        node.request.display(),
        request.fingerprint(),
        node.request.display(),
        node.config.display(),
    );
}
