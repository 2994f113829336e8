//! What a roster must be in itself, before anyone signs or believes it.
//!
//! The admin's tool runs the same check before it signs as a node does before it installs,
//! so a roster that a node would refuse is never handed out.

use super::cut::is_well_formed;
use super::{Member, Roster};
use crate::checks::Kind;
use crate::crypto;
use crate::ids::{DocumentKind, Hash};
use crate::limits;
use crate::schema::{self, SchemaVersion};

/// Why a roster is refused. The one that the node holds stays as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RosterError {
    /// The bytes are not a roster.
    #[error("not a roster: {0}")]
    Encoding(#[from] crate::codec::CodecError),
    /// Signed by another key, or altered since.
    #[error("the signature is not the region authority's")]
    BadSignature,
    /// Another region's.
    #[error("it is the roster of another region ({found})")]
    OtherRegion {
        /// The region that it names.
        found: String,
    },
    /// It does not hold together; the text says what to mend.
    #[error("it is not well formed: {0}")]
    NotWellFormed(String),
    /// Records are to be written in a schema version that this build does not know.
    #[error(
        "it has records written in schema version {}, which this build does not know; install \
         a newer one",
        .0.0
    )]
    UnknownSchema(SchemaVersion),
    /// Not newer than the one held.
    #[error("it is version {found}, and version {held} is held already")]
    NotNewer {
        /// Its version.
        found: u64,
        /// The version held.
        held: u64,
    },
    /// Too far ahead of the one held to be an honest successor.
    #[error("it is version {found}, too far ahead of version {held}")]
    TooFarAhead {
        /// Its version.
        found: u64,
        /// The version held.
        held: u64,
    },
    /// The same version as the one held, with other contents: the authority signed two.
    #[error("two different rosters of version {version} are in circulation")]
    Forked {
        /// The version that both claim.
        version: u64,
    },
}

type Check = Result<(), RosterError>;

fn refuse(reason: impl Into<String>) -> Check {
    Err(RosterError::NotWellFormed(reason.into()))
}

/// Whether `items` are strictly ascending: sorted and without repeats.
pub(crate) fn ascending<T: Ord>(items: impl IntoIterator<Item = T>) -> bool {
    let mut last = None;
    items.into_iter().all(|item| {
        let rising = last.as_ref().is_none_or(|before| *before < item);
        last = Some(item);
        rising
    })
}

/// Text that a person reads: bounded, and no control characters that could forge a line.
fn plain(text: &str) -> bool {
    !text.is_empty() && text.len() <= 120 && !text.chars().any(char::is_control)
}

pub(super) fn check(roster: &Roster) -> Check {
    if !plain(&roster.title) {
        return refuse("the region's title is empty, too long or has control characters");
    }
    if roster.version == 0 || (roster.version == 1) != (roster.previous == Hash([0; 32])) {
        return refuse("version 1 and only version 1 has no version before it");
    }
    if roster.expires <= roster.issued
        || roster.expires.since(roster.issued) > limits::ROSTER_LIFETIME_SECONDS
    {
        return refuse("it must expire after it is issued, and within 13 months");
    }
    if schema::fields(roster.schema).is_empty() {
        return Err(RosterError::UnknownSchema(roster.schema));
    }
    if roster.members.len() > limits::ROSTER_MEMBERS {
        return refuse(format!("more than {} members", limits::ROSTER_MEMBERS));
    }
    if !ascending(roster.members.iter().map(|m| m.council)) {
        return refuse("members are not in ascending order, or one is listed twice");
    }
    roster.members.iter().try_for_each(check_member)?;
    let mut keys: Vec<_> = roster
        .members
        .iter()
        .flat_map(|m| &m.nodes)
        .map(|n| n.tls)
        .collect();
    keys.sort_unstable();
    if !ascending(&keys) {
        return refuse("two nodes have one TLS key");
    }
    check_readers(roster)?;
    check_cuts(roster)?;
    check_targets(roster)
}

fn check_targets(roster: &Roster) -> Check {
    if !ascending(roster.targets.iter().map(|target| target.check)) {
        return refuse("the targets of checks are not in ascending order, or one is listed twice");
    }
    for target in &roster.targets {
        let known = usize::from(target.check) < Kind::ALL.len();
        let days = target.days.unwrap_or(limits::CHECK_TARGET_DAYS);
        if !known || !(1..=limits::CHECK_TARGET_DAYS).contains(&days) {
            return refuse(format!(
                "a target is for a check that there is, and 1 to {} days",
                limits::CHECK_TARGET_DAYS
            ));
        }
    }
    Ok(())
}

fn check_cuts(roster: &Roster) -> Check {
    if roster.cuts.len() > limits::CUTS {
        return refuse(format!("more than {} cuts", limits::CUTS));
    }
    if !ascending(roster.cuts.iter().map(|cut| (cut.document, cut.node))) {
        return refuse("cuts are not in ascending order, or one is listed twice");
    }
    for cut in &roster.cuts {
        let document = cut.document;
        if !is_well_formed(cut) {
            return refuse(format!("{document}: a cut does not hold together"));
        }
        let council = roster.node(cut.node).map(|(member, _)| member.council);
        if council.is_some_and(|council| council != document.council) {
            return refuse(format!(
                "{document}: the node of a cut is another council's"
            ));
        }
    }
    Ok(())
}

fn check_member(member: &Member) -> Check {
    let council = member.council;
    if !plain(&member.name) {
        return refuse(format!(
            "the name of {council} is empty, too long or not plain text"
        ));
    }
    if member.nodes.is_empty() || member.nodes.len() > limits::NODES_PER_MEMBER {
        return refuse(format!(
            "{council} must have 1 to {} nodes",
            limits::NODES_PER_MEMBER
        ));
    }
    if !ascending(member.nodes.iter().map(|n| n.id)) {
        return refuse(format!("the nodes of {council} are not in ascending order"));
    }
    if member.nodes.iter().filter(|n| n.decider).count() > 1 {
        return refuse(format!("{council} has more than one decider"));
    }
    for node in &member.nodes {
        if crypto::node_id(&node.signing) != node.id {
            return refuse(format!(
                "a node of {council} does not have its signing key's name"
            ));
        }
        let endpoints = &node.endpoints;
        if endpoints.is_empty() || endpoints.len() > limits::ENDPOINTS_PER_NODE {
            return refuse(format!(
                "a node of {council} must have 1 to {} endpoints",
                limits::ENDPOINTS_PER_NODE
            ));
        }
        if !endpoints.iter().all(|e| is_endpoint(e)) {
            return refuse(format!("an endpoint of {council} is not host:port"));
        }
    }
    Ok(())
}

/// `host:port`, an address in brackets for IPv6.
fn is_endpoint(text: &str) -> bool {
    let host_char = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    text.rsplit_once(':').is_some_and(|(host, port)| {
        plain(host) && host.chars().all(host_char) && port.parse::<u16>().is_ok_and(|p| p != 0)
    })
}

fn check_readers(roster: &Roster) -> Check {
    if !ascending(roster.readers.iter().map(|r| r.document)) {
        return refuse("the documents with named readers are not in ascending order");
    }
    for named in &roster.readers {
        let document = named.document;
        if document.kind != DocumentKind::HostRegister {
            return refuse(format!(
                "{document}: readers are named of host registers only"
            ));
        }
        if named.councils.len() > limits::READERS_PER_DOCUMENT
            || !ascending(&named.councils)
            || named.councils.contains(&document.council)
        {
            return refuse(format!(
                "{document}: readers must be ascending, at most {} and not the owner",
                limits::READERS_PER_DOCUMENT
            ));
        }
        for council in named.councils.iter().chain([&document.council]) {
            if roster.member(*council).is_none() {
                return refuse(format!("{document}: {council} is not a member"));
            }
        }
    }
    Ok(())
}
