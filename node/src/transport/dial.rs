//! Dialling: one task per node of the roster, for as long as the roster lists it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use smp_certs::tls::{SERVER_NAME, client_config};
use smp_protocol::ids::NodeId;
use tokio::task::{AbortHandle, JoinSet};

use super::gate::RosterGate;
use super::{Context, HANDSHAKE, connection, transport_config};

/// The first pause after a failure; it doubles up to [`LONGEST_PAUSE`].
const SHORTEST_PAUSE: Duration = Duration::from_millis(500);

/// The longest pause between two attempts: how late a node that comes back is noticed.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How long the node with the higher id waits before it dials: of two that start together,
/// mostly the other one has connected by then, and no second connection has to be given up.
/// A node that starts alone, which is the usual case, loses no more than this.
const COURTESY: Duration = Duration::from_millis(25);

/// Keeps one dialling task for each other node of the roster. A task ends by itself once
/// the roster does not list its node; it is never cut off, so that every connection is
/// seen to its end.
pub(super) async fn dial_members(context: Arc<Context>) {
    let mut roster = context.shared.follow_roster();
    let mut tasks = JoinSet::new();
    let mut dialling: BTreeMap<NodeId, AbortHandle> = BTreeMap::new();
    let me = context.shared.me();
    loop {
        let listed: Vec<NodeId> = {
            let roster = roster.borrow_and_update();
            let nodes = roster.members.iter().flat_map(|member| &member.nodes);
            nodes
                .map(|node| node.id)
                .filter(|node| *node != me)
                .collect()
        };
        dialling.retain(|_, task| !task.is_finished());
        for node in listed {
            dialling
                .entry(node)
                .or_insert_with(|| tasks.spawn(dial(Arc::clone(&context), node)));
        }
        while tasks.try_join_next().is_some() {}
        if roster.changed().await.is_err() {
            return;
        }
    }
}

/// Where the roster says that a node is; `None` once it does not list it.
fn endpoints(context: &Context, node: NodeId) -> Option<Vec<String>> {
    let roster = context.shared.roster();
    roster.node(node).map(|(_, node)| node.endpoints.clone())
}

/// Dials one node whenever it is not connected, for as long as the roster lists it.
async fn dial(context: Arc<Context>, node: NodeId) {
    let mut changes = context.shared.follow_changes();
    let mut pause = SHORTEST_PAUSE;
    if context.shared.me() > node {
        tokio::time::sleep(COURTESY).await;
    }
    loop {
        while context
            .shared
            .reach(node)
            .is_some_and(|reach| reach.connections > 0)
        {
            pause = SHORTEST_PAUSE;
            if changes.changed().await.is_err() {
                return;
            }
        }
        let Some(endpoints) = endpoints(&context, node) else {
            return;
        };
        let mut troubles = Vec::new();
        let mut connected = None;
        for endpoint in &endpoints {
            match connect(&context, node, endpoint).await {
                Ok(connection) => {
                    connected = Some(connection);
                    break;
                }
                Err(why) => troubles.push(format!("{endpoint}: {why}")),
            }
        }
        match connected {
            Some(connection) => {
                let begun = tokio::time::Instant::now();
                connection::serve(Arc::clone(&context), connection, true).await;
                if begun.elapsed() > LONGEST_PAUSE {
                    pause = SHORTEST_PAUSE;
                }
            }
            None => context.shared.not_reached(node, troubles.join("; ")),
        }
        // A connection that did not last is as much a failure as one that was not made.
        let jitter = pause.mul_f32(unit_at_random());
        tokio::time::sleep(pause + jitter).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// A number from 0 to 1, so that nodes that failed together do not all come back together.
fn unit_at_random() -> f32 {
    let mut byte = [0; 1];
    let _ = getrandom::fill(&mut byte);
    let [byte] = byte;
    f32::from(byte) / 255.0
}

async fn connect(
    context: &Context,
    node: NodeId,
    endpoint: &str,
) -> Result<quinn::Connection, String> {
    let mut addresses = tokio::net::lookup_host(endpoint)
        .await
        .map_err(|error| format!("its name is not known ({error})"))?;
    let ours_is_v4 = context
        .endpoint
        .local_addr()
        .is_ok_and(|address| address.is_ipv4());
    let address = addresses
        .find(|address| !ours_is_v4 || address.is_ipv4())
        .ok_or("it has no address of the kind that this node listens on")?;
    let tls = client_config(
        context.shared.tls(),
        &context.ca,
        Arc::new(RosterGate::new(
            Arc::clone(&context.shared),
            endpoint.to_owned(),
        )),
        node,
    )
    .map_err(|error| error.to_string())?;
    let crypto = quinn::crypto::rustls::QuicClientConfig::try_from(tls)
        .map_err(|error| error.to_string())?;
    let mut config = quinn::ClientConfig::new(Arc::new(crypto));
    config.transport_config(transport_config());
    let connecting = context
        .endpoint
        .connect_with(config, address, SERVER_NAME)
        .map_err(|error| error.to_string())?;
    match tokio::time::timeout(HANDSHAKE, connecting).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("no answer".to_owned()),
    }
}
