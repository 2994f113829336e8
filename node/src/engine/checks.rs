//! Places whose host must take nobody any more: closed at once, as soon as a check of the host has
//! failed or run out.
//!
//! Which place is which host's is in this council's vault alone, and never leaves it. What is held or
//! taken for a case is not closed under it: the officers of both councils are told, and decide. The
//! household's council is told that it is so, and not which check or why.

use std::collections::{BTreeMap, BTreeSet};

use smp_protocol::casework::{closing, decider_of};
use smp_protocol::checks::{Check, Lack, lacks};
use smp_protocol::ids::{CouncilCode, DocumentKind, RecordId, RecordKind};
use smp_protocol::session::Durable;
use smp_protocol::time::Day;

use super::{Core, clock};
use crate::store::{Change, StoreError, Table};

/// The name under which the vault has the host of a place.
pub const HOST_OF_PLACE: &str = "host";

/// What the vault is to keep of a new place: whose it is.
pub fn host_of_place(place: RecordId, host: RecordId) -> Change {
    let row = BTreeMap::from([(HOST_OF_PLACE, host.to_string())]);
    Change::Put {
        table: Table::Vault,
        key: place.to_bytes().to_vec(),
        // A map of texts cannot fail to be written.
        value: serde_json::to_vec(&row).unwrap_or_default(),
    }
}

/// Hosts and checks of registers, and in whose they are.
#[derive(Default)]
pub struct Registers {
    /// The checks that count.
    pub checks: Vec<Check>,
    /// The hosts.
    pub hosts: Vec<(RecordId, CouncilCode)>,
}

impl Registers {
    /// The checks of each host.
    pub fn by_host(&self) -> BTreeMap<RecordId, Vec<&Check>> {
        let mut by_host: BTreeMap<RecordId, Vec<&Check>> = BTreeMap::new();
        for check in &self.checks {
            by_host.entry(check.host).or_default().push(check);
        }
        by_host
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
        let judged = match self.judged_places(today) {
            Ok(judged) => judged,
            Err(error) => {
                tracing::error!(%error, "places stay open, whosever they are");
                return;
            }
        };
        let by_place = judged.iter().map(|(place, _, stops)| (*place, *stops));
        let (told, failed) =
            self.decider
                .raise_concerns(&mut self.member, &by_place.collect(), clock());
        if told > 0 {
            tracing::warn!(
                councils = told,
                "told councils that the checks of a host have changed whose place they have"
            );
        }
        for (council, error) in failed {
            tracing::error!(%council, %error, "a council was not told of a host's checks");
        }
        let stopped = judged.iter().filter(|(_, _, stops)| *stops);
        let edits = stopped.filter_map(|(place, ..)| closing(&self.member, *place));
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

    /// Places of this council whose host must take nobody, with the host. Work as of
    /// `judged_places`.
    ///
    /// # Errors
    /// [`StoreError`] where the vault does not say which places are whose.
    pub fn stopped_places(&self, today: Day) -> Result<Vec<(RecordId, RecordId)>, StoreError> {
        let judged = self.judged_places(today)?.into_iter();
        let stopped = judged.filter(|(_, _, stops)| *stops);
        Ok(stopped.map(|(place, host, _)| (place, host)).collect())
    }

    /// Places of this council with their hosts, and whether the host must take nobody: those of
    /// which this node can say so, since its vault has the host and a register that it holds too.
    /// Another node of the council, or one whose registers are still to come, must give no all-clear.
    /// Work grows with the records of the registers that this council may read, once it has said of
    /// any place whose it is.
    fn judged_places(&self, today: Day) -> Result<Vec<(RecordId, RecordId, bool)>, StoreError> {
        let places = self.places_with_hosts()?;
        if places.is_empty() {
            return Ok(Vec::new());
        }
        let registers = self.registers();
        let by_host = registers.by_host();
        let held: BTreeSet<RecordId> = registers.hosts.iter().map(|(host, _)| *host).collect();
        let judged = places.into_iter().filter_map(|(place, host)| {
            let checks = by_host.get(&host).map_or(&[][..], Vec::as_slice);
            let stops = lacks(checks, today).iter().any(Lack::stops);
            (stops || held.contains(&host)).then_some((place, host, stops))
        });
        Ok(judged.collect())
    }

    /// What the registers hold that this council may read. Work grows with all their records.
    pub fn registers(&self) -> Registers {
        let own = self.member.identity().council;
        let members = self.member.roster().members.iter();
        let names = members.map(|member| DocumentKind::HostRegister.of(member.council));
        let mut all = Registers::default();
        for name in names.filter(|name| self.member.may_read(*name, own)) {
            let document = self.member.document(name);
            for (id, fields) in document.iter().flat_map(|document| document.records()) {
                match id.kind() {
                    RecordKind::Host => all.hosts.push((id, name.council)),
                    _ => all.checks.extend(Check::read(name.council, id, &fields)),
                }
            }
        }
        all
    }

    fn places_with_hosts(&self) -> Result<Vec<(RecordId, RecordId)>, StoreError> {
        let prefix = RecordId::new(RecordKind::Place, [0; 15]).to_bytes();
        let prefix = prefix.get(..1).unwrap_or_default();
        let rows = self.store().scan(Table::Vault, prefix, None, usize::MAX)?;
        let read = |(key, value): (Vec<u8>, Vec<u8>)| {
            let place = RecordId::from_bytes(key.as_slice().try_into().ok()?)?;
            // Written by this program, under a checksum.
            let row: BTreeMap<String, String> = serde_json::from_slice(&value).ok()?;
            Some((place, row.get(HOST_OF_PLACE)?.parse().ok()?))
        };
        Ok(rows.into_iter().filter_map(read).collect())
    }
}
