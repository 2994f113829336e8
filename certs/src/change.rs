//! Changes to a region, each a new signed version of its roster.
//!
//! The order is always the same: check, make, sign, write the roster durably, and only
//! then hand anything out. A crash before the write changed nothing; after it, the same
//! command again gives the same answer. Nothing here removes or replaces a key.

use std::fs::File;

use rcgen::{Issuer, KeyPair, PublicKeyData};
use smp_protocol::crypto::Signing;
use smp_protocol::ids::{CouncilCode, DocumentName, Hash, NodeId, RegionName};
use smp_protocol::limits;
use smp_protocol::roster::{
    CheckTarget, Cut, Member, MemberNode, NamedReaders, Roster, SignedRoster, VerifiedRoster,
};
use smp_protocol::time::UnixSeconds;

use crate::authority::Authority;
use crate::bundle::JoinBundle;
use crate::profile::{self, IssueError};
use crate::region::{Region, RegionError};
use crate::request::{EnrolmentRequest, RequestError};

/// Why a node was not enrolled. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// The proofs in the request fail.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// It is for another region.
    #[error(
        "the request is for region {asked}, and this is {here}; have the node's operator run \
         `smp-node init` with the right region"
    )]
    OtherRegion {
        /// The region that it asks for.
        asked: RegionName,
        /// This one.
        here: RegionName,
    },
    /// Its signing key is listed, with other keys or for another council.
    #[error(
        "node {node} is a member of {council} already, with other keys than this request's; \
         have the node's operator send the request that goes with its keys, or make a new \
         node with `smp-node init`"
    )]
    NodeListed {
        /// The node.
        node: NodeId,
        /// Its council.
        council: CouncilCode,
    },
    /// One of its keys is another node's.
    #[error(
        "the request's {key} key is that of node {node} of {council}; keys are not shared: \
         have the node's operator make new ones with `smp-node init`"
    )]
    KeyListed {
        /// `TLS` or `sealing`.
        key: &'static str,
        /// The node that has it.
        node: NodeId,
        /// Its council.
        council: CouncilCode,
    },
    /// The certificate or the roster could not be made or written.
    #[error(transparent)]
    Region(#[from] RegionError),
}

impl From<IssueError> for EnrolError {
    fn from(error: IssueError) -> Self {
        Self::Region(error.into())
    }
}

/// A region whose keys are open; no other command can change it until this is dropped.
pub struct Unlocked {
    region: Region,
    signing: Signing,
    issuer: Issuer<'static, KeyPair>,
    /// Held, not used: closing the file gives the lock up.
    _lock: File,
}

impl std::fmt::Debug for Unlocked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Unlocked({})", self.region.name())
    }
}

impl Unlocked {
    /// Brings the open keys and the region together, if they belong together.
    pub(crate) fn new(
        region: Region,
        authority: Authority,
        lock: File,
    ) -> Result<Self, RegionError> {
        let ca_key = profile::tls_key_hash(&authority.ca_key().subject_public_key_info());
        let parsed = webpki::EndEntityCert::try_from(region.ca());
        let listed = parsed
            .ok()
            .and_then(|ca| profile::tls_key_hash(&ca.subject_public_key_info()));
        if authority.signing.public() != region.authority() || listed.is_none() || ca_key != listed
        {
            return Err(region.damaged_authority());
        }
        let (signing, issuer) = authority
            .into_issuer(region.ca())
            .map_err(|_| region.damaged_authority())?;
        Ok(Self {
            region,
            signing,
            issuer,
            _lock: lock,
        })
    }

    /// The region as it stands.
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// Signs the next version with what `edit` changes; issued now, valid for 13 months.
    fn change(
        &mut self,
        now: UnixSeconds,
        edit: impl FnOnce(&mut Roster),
    ) -> Result<VerifiedRoster, RegionError> {
        let held = self.region.roster();
        if now < held.issued {
            return Err(RegionError::ClockBehind {
                issued: held.issued,
                now,
            });
        }
        let mut next: Roster = Roster::clone(held);
        edit(&mut next);
        next.version = held.version.saturating_add(1);
        next.previous = held.hash();
        next.issued = now;
        next.expires = now.plus(limits::ROSTER_LIFETIME_SECONDS);
        let next = SignedRoster::sign(&next, &self.signing)?
            .verify(self.region.name(), &self.region.authority())?;
        self.region.advance(next.clone())?;
        Ok(next)
    }

    /// Enrols the node of a request, whose fingerprint the admin has compared: issues its
    /// certificate and lists it. The first node of a council is its decider.
    ///
    /// The same request again gives a new certificate and the newest roster, without a
    /// new version: so a lost bundle or an expired certificate is made good. A request
    /// with the same keys and other endpoints replaces the endpoints.
    ///
    /// # Errors
    /// [`EnrolError`] saying what speaks against it.
    pub fn enrol(
        &mut self,
        request: &EnrolmentRequest,
        council_name: &str,
        now: UnixSeconds,
    ) -> Result<JoinBundle, EnrolError> {
        if request.region != *self.region.name() {
            return Err(EnrolError::OtherRegion {
                asked: request.region.clone(),
                here: self.region.name().clone(),
            });
        }
        let (key, tls) = request.verified_tls_key()?;
        let node = request.node_id();
        let listed = self.listed(request, tls)?;
        let certificate = profile::issue_leaf(&request.uri(), node, &key, &self.issuer, now)?;
        match listed {
            Some(held) if held.endpoints == request.endpoints => {}
            Some(_) => {
                let endpoints = request.endpoints.clone();
                self.change(now, |roster| set_endpoints(roster, node, endpoints))?;
            }
            None => {
                self.change(now, |roster| add_node(roster, request, tls, council_name))?;
            }
        }
        Ok(JoinBundle {
            region: self.region.name().clone(),
            authority: self.region.authority(),
            certificate: certificate.to_vec(),
            ca: self.region.ca().to_vec(),
            roster: self.region.roster().signed().clone(),
        })
    }

    /// The request's node, if it is listed with exactly its keys; an error where it, or
    /// one of its keys, is listed otherwise.
    fn listed(
        &self,
        request: &EnrolmentRequest,
        tls: Hash,
    ) -> Result<Option<MemberNode>, EnrolError> {
        let asking = request.node_id();
        for member in &self.region.roster().members {
            for node in &member.nodes {
                let (council, listed) = (member.council, node.id);
                let same = (node.tls == tls, node.sealing == request.sealing);
                if listed == asking && council == request.council && same == (true, true) {
                    return Ok(Some(node.clone()));
                }
                let key_listed = |key| EnrolError::KeyListed {
                    key,
                    node: listed,
                    council,
                };
                match same {
                    _ if listed == asking => {
                        return Err(EnrolError::NodeListed {
                            node: listed,
                            council,
                        });
                    }
                    (true, _) => return Err(key_listed("TLS")),
                    (_, true) => return Err(key_listed("sealing")),
                    (false, false) => {}
                }
            }
        }
        Ok(None)
    }

    /// Names the readers of a register beyond its own council, in place of those named
    /// before. Each is served only once the owning council has accepted it.
    ///
    /// # Errors
    /// [`RegionError::Roster`] where a council is no member, or the document has no named
    /// readers.
    pub fn propose_readers(
        &mut self,
        document: DocumentName,
        councils: &[CouncilCode],
        now: UnixSeconds,
    ) -> Result<VerifiedRoster, RegionError> {
        let mut councils = councils.to_vec();
        councils.sort_unstable();
        councils.dedup();
        self.change(now, |roster| {
            roster.readers.retain(|named| named.document != document);
            if !councils.is_empty() {
                roster.readers.push(NamedReaders { document, councils });
                roster.readers.sort_unstable_by_key(|named| named.document);
            }
        })
    }

    /// Has another node of a council take its exclusive decisions. Until the one that took them before
    /// has heard of it, it may go on; once the others have answered the new one, what it writes counts
    /// for nothing (docs/BOOKING.md).
    ///
    /// # Errors
    /// [`RegionError`] where it could not be signed or written. That the node is one of the council's
    /// is for the caller to see to.
    pub fn make_decider(
        &mut self,
        council: CouncilCode,
        node: NodeId,
        now: UnixSeconds,
    ) -> Result<VerifiedRoster, RegionError> {
        self.change(now, |roster| {
            let mut members = roster.members.iter_mut();
            let nodes = members.find(|member| member.council == council);
            for held in nodes.into_iter().flat_map(|member| &mut member.nodes) {
                held.decider = held.id == node;
            }
        })
    }

    /// Sets the region's own targets for checks of hosts, in the place of those that it had set.
    ///
    /// # Errors
    /// [`RegionError::Roster`] where one is for no check, or for too many days.
    pub fn set_targets(
        &mut self,
        targets: Vec<CheckTarget>,
        now: UnixSeconds,
    ) -> Result<VerifiedRoster, RegionError> {
        self.change(now, |roster| {
            roster.targets = targets;
            roster.targets.sort_unstable_by_key(|target| target.check);
        })
    }

    /// Ends a node's key in a document: of its entries those stay that the cut names (P-46).
    ///
    /// # Errors
    /// [`RegionError::Roster`] where every node would refuse it, for one because the node
    /// is cut there already.
    pub fn cut(&mut self, cut: Cut, now: UnixSeconds) -> Result<VerifiedRoster, RegionError> {
        self.change(now, |roster| {
            roster.cuts.push(cut);
            roster
                .cuts
                .sort_unstable_by_key(|cut| (cut.document, cut.node));
        })
    }

    /// Issues the roster again as it is, for another 13 months.
    ///
    /// # Errors
    /// [`RegionError`] where it could not be signed or written.
    pub fn renew(&mut self, now: UnixSeconds) -> Result<VerifiedRoster, RegionError> {
        self.change(now, |_| {})
    }
}

fn set_endpoints(roster: &mut Roster, node: NodeId, endpoints: Vec<String>) {
    let nodes = roster.members.iter_mut().flat_map(|m| &mut m.nodes);
    if let Some(held) = nodes.into_iter().find(|n| n.id == node) {
        held.endpoints = endpoints;
    }
}

fn add_node(roster: &mut Roster, request: &EnrolmentRequest, tls: Hash, name: &str) {
    let node = |decider| MemberNode {
        id: request.node_id(),
        signing: request.signing,
        tls,
        sealing: request.sealing.clone(),
        endpoints: request.endpoints.clone(),
        decider,
    };
    let held = roster
        .members
        .iter_mut()
        .find(|m| m.council == request.council);
    match held {
        Some(member) => {
            member.nodes.push(node(false));
            member.nodes.sort_unstable_by_key(|n| n.id);
        }
        None => {
            roster.members.push(Member {
                council: request.council,
                name: name.to_owned(),
                nodes: vec![node(true)],
            });
            roster.members.sort_unstable_by_key(|m| m.council);
        }
    }
}
