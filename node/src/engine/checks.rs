//! Places whose host must take nobody any more: closed at once, as soon as a check of the host has
//! failed or run out.
//!
//! Which place is which host's is in this council's vault alone, and never leaves it. What is held or
//! taken for a case is not closed under it: its officers are told, and decide.

use std::collections::{BTreeMap, BTreeSet};

use smp_protocol::casework::{closing, decider_of};
use smp_protocol::checks::{Check, Lack, lacks};
use smp_protocol::ids::{DocumentKind, RecordId, RecordKind};
use smp_protocol::session::Durable;
use smp_protocol::time::Day;

use super::{Core, clock};
use crate::store::{Change, Table};

/// The name under which the vault has the host of a place.
const HOST: &str = "host";

/// What the vault is to keep of a new place: whose it is.
pub fn host_of_place(place: RecordId, host: RecordId) -> Change {
    let row = BTreeMap::from([(HOST, host.to_string())]);
    Change::Put {
        table: Table::Vault,
        key: place.to_bytes().to_vec(),
        // A map of texts cannot fail to be written.
        value: serde_json::to_vec(&row).unwrap_or_default(),
    }
}

/// Whether something that is being stored may be for a place to be closed.
pub(super) fn is_moved_by(durable: &Durable) -> bool {
    match durable {
        Durable::Batch { document, .. } | Durable::Rewritten { document, .. } => matches!(
            document.kind,
            DocumentKind::HostRegister | DocumentKind::RematchingPool
        ),
        Durable::Roster(_) => true,
        _ => false,
    }
}

impl Core {
    /// Closes the open places of hosts that must take nobody. The decider's alone: it is the one that
    /// holds them for cases.
    pub(super) fn close_places(&mut self, today: Day) {
        let own = self.member.identity().council;
        if decider_of(&self.member, own) != Some(self.member.node()) {
            return;
        }
        let stopped = self.stopped_places(today);
        let edits = stopped
            .iter()
            .filter_map(|(place, _)| closing(&self.member, *place));
        let edits: Vec<_> = edits.collect();
        let count = edits.len();
        if count == 0 {
            return;
        }
        match self
            .member
            .write(&[(DocumentKind::RematchingPool, edits)], clock())
        {
            Ok(_) => tracing::warn!(
                places = count,
                "closed places: a check of their host failed or ran out"
            ),
            Err(error) => tracing::error!(%error, "places stay open whose host must take nobody"),
        }
    }

    /// Places of this council whose host must take nobody, with the host. Work grows with the records
    /// of the registers that this council may read, once it has said of any place whose it is.
    pub fn stopped_places(&self, today: Day) -> Vec<(RecordId, RecordId)> {
        let places = self.places_with_hosts();
        let hosts: BTreeSet<RecordId> = places.iter().map(|(_, host)| *host).collect();
        if hosts.is_empty() {
            return Vec::new();
        }
        let mut checks: BTreeMap<RecordId, Vec<Check>> = BTreeMap::new();
        let own = self.member.identity().council;
        let members = self.member.roster().members.iter();
        let registers = members.map(|member| DocumentKind::HostRegister.of(member.council));
        for name in registers.filter(|name| self.member.may_read(*name, own)) {
            let document = self.member.document(name);
            let records = document.iter().flat_map(|document| document.records());
            let read = records.filter_map(|(id, fields)| Check::read(name.council, id, &fields));
            for check in read.filter(|check| hosts.contains(&check.host)) {
                checks.entry(check.host).or_default().push(check);
            }
        }
        let must_stop = |host: &RecordId| {
            let of_host: Vec<&Check> = checks.get(host).into_iter().flatten().collect();
            lacks(&of_host, today).iter().any(Lack::stops)
        };
        places
            .into_iter()
            .filter(|(_, host)| must_stop(host))
            .collect()
    }

    /// What the vault says of places. One that cannot be read is left out: the store says so itself.
    fn places_with_hosts(&self) -> Vec<(RecordId, RecordId)> {
        let prefix = RecordId::new(RecordKind::Place, [0; 15]).to_bytes();
        let prefix = prefix.get(..1).unwrap_or_default();
        let rows = self.store().scan(Table::Vault, prefix, None, usize::MAX);
        let read = |(key, value): (Vec<u8>, Vec<u8>)| {
            let place = RecordId::from_bytes(key.as_slice().try_into().ok()?)?;
            let row: BTreeMap<String, String> = serde_json::from_slice(&value).ok()?;
            Some((place, row.get(HOST)?.parse().ok()?))
        };
        rows.unwrap_or_default()
            .into_iter()
            .filter_map(read)
            .collect()
    }
}
