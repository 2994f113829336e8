//! Who may come in at all: asked in every handshake, answered from the roster that holds.

use std::fmt;
use std::sync::Arc;

use smp_certs::PeerIdentity;
use smp_certs::tls::{Gate, Refusal, Verdict, judge};
use smp_protocol::time::UnixSeconds;

use crate::shared::Shared;

/// The gate of a running node.
pub(super) struct RosterGate {
    shared: Arc<Shared>,
    /// Whose handshakes it sees, for the log.
    who: String,
}

impl RosterGate {
    /// A gate that follows the roster.
    pub(super) fn new(shared: Arc<Shared>, who: String) -> Self {
        Self { shared, who }
    }
}

impl fmt::Debug for RosterGate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RosterGate")
    }
}

impl Gate for RosterGate {
    fn judge(&self, peer: &PeerIdentity) -> Verdict {
        if peer.node == self.shared.me() {
            return Verdict::Refused(Refusal::Itself);
        }
        judge(&self.shared.roster(), peer)
    }

    fn now(&self) -> UnixSeconds {
        self.shared.now()
    }

    fn refused(&self, reason: Refusal) {
        self.shared
            .refused("certificate", &self.who, &reason.to_string());
    }
}
