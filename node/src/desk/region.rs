//! The region at this node: its roster, and who reads whose register.

use smp_protocol::api::{
    CheckClock, Reader, ReaderDecision, RosterMember, RosterOffer, RosterOutcome, RosterStatus,
    RosterView,
};
use smp_protocol::ids::{CouncilCode, DocumentKind, DocumentName};

use super::records::name_of;
use super::{Desk, refused};
use crate::engine::{Core, clock};
use crate::service::{Answer, Failure, FailureKind};
use crate::shared::Shared;

/// Every register with the councils that the region names or the owner accepts.
pub(super) fn readers(core: &mut Core) -> Vec<Reader> {
    let core = &*core;
    let own = core.member.identity().council;
    let roster = core.member.roster().clone();
    let mut out = Vec::new();
    for member in &roster.members {
        let document = DocumentKind::HostRegister.of(member.council);
        let named = roster.named_readers(document);
        let accepted = core.member.accepted(document);
        let mut all: Vec<CouncilCode> = named.iter().chain(accepted).copied().collect();
        all.sort_unstable();
        all.dedup();
        for reader in all {
            let (is_named, is_accepted) = (named.contains(&reader), accepted.contains(&reader));
            out.push(Reader {
                document: document.to_string(),
                council_name: member.name.clone(),
                reader: reader.to_string(),
                reader_name: name_of(core, reader),
                named: is_named,
                accepted: is_accepted,
                next: next_step(document, reader, own, is_named, is_accepted),
            });
        }
    }
    out
}

fn next_step(
    document: DocumentName,
    reader: CouncilCode,
    own: CouncilCode,
    named: bool,
    accepted: bool,
) -> Option<String> {
    if !named {
        return Some(format!(
            "the SMP admin names it: `smp readers propose {} {reader}`",
            document.council
        ));
    }
    if accepted {
        return None;
    }
    if document.council == own {
        return Some(format!("`smp readers accept {reader}`"));
    }
    if reader == own {
        return Some(format!(
            "{} runs `smp readers accept {reader}` at its node",
            document.council
        ));
    }
    // Whether others were accepted is between the two of them.
    None
}

/// How the roster stands.
pub(super) fn roster_status(shared: &Shared) -> RosterStatus {
    let roster = shared.roster();
    let now = shared.now();
    let state = if roster.is_expired(now) {
        "expired"
    } else if roster.expires_soon(now) {
        "expires_soon"
    } else {
        "valid"
    };
    RosterStatus {
        version: roster.version,
        state: state.to_owned(),
        issued: roster.issued.to_string(),
        expires: roster.expires.to_string(),
        members: roster.members.len(),
        authority: smp_certs::authority_fingerprint(&roster.region, &roster.authority).to_string(),
    }
}

/// The roster in words.
pub(super) fn roster_view(shared: &Shared) -> RosterView {
    let roster = shared.roster();
    let members = roster.members.iter().flat_map(|member| {
        member.nodes.iter().map(|node| RosterMember {
            council: member.council.to_string(),
            council_name: member.name.clone(),
            node: node.id.to_string(),
            endpoints: node.endpoints.clone(),
            decider: node.decider,
        })
    });
    RosterView {
        region: roster.region.to_string(),
        title: roster.title.clone(),
        status: roster_status(shared),
        schema: roster.schema.0,
        members: members.collect(),
        targets: CheckClock::all(&roster.targets),
    }
}

impl Desk {
    pub(super) async fn decide(&self, decision: ReaderDecision) -> Answer<Vec<Reader>> {
        let reader: CouncilCode = decision.reader.parse().map_err(|error| {
            Failure::new(
                FailureKind::BadRequest,
                "bad_council",
                format!("the reader is {error}"),
                "`smp roster show` lists the councils with their codes",
            )
        })?;
        self.write(move |core| {
            core.member
                .accept_reader(reader, decision.accept, clock())?;
            Ok(readers(core))
        })
        .await?
        .map_err(|error| refused(&error))
    }

    pub(super) async fn take_roster(&self, offer: RosterOffer) -> Answer<RosterOutcome> {
        let bad = |message: String| {
            Failure::new(
                FailureKind::BadRequest,
                "bad_roster",
                message,
                "the roster that was held goes on holding; `smp roster verify FILE` checks a file, and the SMP admin has the newest",
            )
        };
        let signed = smp_certs::roster_from_text(&offer.text).map_err(|e| bad(e.to_string()))?;
        self.write(move |core| {
            let installed = core.member.offer_roster(signed, clock())?;
            let version = core.member.roster().version;
            Ok(RosterOutcome { installed, version })
        })
        .await?
        .map_err(|error: smp_protocol::roster::RosterError| bad(error.to_string()))
    }
}
