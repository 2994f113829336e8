//! Two histories of one key: what is known, this node's statement for the SMP admin, and
//! what a cut made fall away (P-16, P-46 to P-49).

use std::collections::BTreeMap;

use smp_protocol::api::{
    Advice, Alarm, AlarmPeer, FallenAction, FallenDecision, FallenField, FallenOutcome,
};
use smp_protocol::ids::{DocumentKind, DocumentName, NodeId, RecordId};
use smp_protocol::schema::{self, FieldId, Value};
use smp_protocol::session::{Fallen, ForkView};

use super::records::name_of;
use super::{Desk, refused};
use crate::engine::{Core, clock};
use crate::service::{Answer, Failure, FailureKind};

/// Every key that is closed in a document that this council may read.
pub(super) fn alarms(core: &mut Core) -> Vec<Alarm> {
    let views = core.member.fork_views();
    views.iter().map(|view| alarm(core, view)).collect()
}

fn alarm(core: &Core, view: &ForkView) -> Alarm {
    let (document, node) = (view.document, view.chain.node);
    let own = node == core.member.node();
    let peers = view.peers.iter();
    Alarm {
        document: document.to_string(),
        council: document.council.to_string(),
        council_name: name_of(core, document.council),
        node: node.to_string(),
        own,
        since: view.since.to_string(),
        common: view.parting,
        histories: view.entries.iter().map(ToString::to_string).collect(),
        held_here: view.branch.map(|entry| entry.to_string()),
        entries: view.held.map_or(0, |reach| reach.entries),
        peers: peers
            .map(|(node, council, reach, same)| AlarmPeer {
                council: council.to_string(),
                node: node.to_string(),
                history: match same {
                    Some(true) => "same",
                    Some(false) => "other",
                    None => "unknown",
                }
                .to_owned(),
                entries: reach.map(|reach| reach.entries),
            })
            .collect(),
        next: steps(document, node, own),
    }
}

/// What ends it, in order and as commands.
fn steps(document: DocumentName, node: NodeId, own: bool) -> Vec<String> {
    let first = match own {
        true => "stop every copy of this node but one: two processes have used its key, or it \
                 was stolen"
            .to_owned(),
        false => format!(
            "tell {} to stop every copy of that node but one",
            document.council
        ),
    };
    vec![
        first,
        format!(
            "at the nodes of two councils: `smp documents vouch {document} --node {node} --out \
             FILE`, and send both files to the SMP admin"
        ),
        format!(
            "the SMP admin: `smp region cut {document} {node} --statement FILE --statement FILE`, \
             then `smp roster publish`"
        ),
        format!(
            "{} enrols a node with new keys (`smp-node init`, `smp member enrol`) and looks \
             there at what fell away: `smp documents fallen`",
            document.council
        ),
    ]
}

/// What status says of all this, most urgent first.
pub(super) fn advice(core: &mut Core) -> Vec<Advice> {
    let mut out = Vec::new();
    for view in core.member.fork_views() {
        let whose = match view.chain.node == core.member.node() {
            true => "THIS NODE'S KEY".to_owned(),
            false => format!("the key of node {}", view.chain.node.short()),
        };
        out.push(Advice {
            problem: format!(
                "{whose} signed two histories of {}; replicas may differ",
                view.document
            ),
            next: "`smp documents --alarms` says who holds which, and what to do".to_owned(),
        });
    }
    let own = core.member.identity().council;
    for document in DocumentKind::OF_EACH.map(|kind| kind.of(own)) {
        let fields: usize = core
            .member
            .fallen(document)
            .values()
            .map(BTreeMap::len)
            .sum();
        if fields > 0 {
            out.push(Advice {
                problem: format!("{fields} values of {document} fell away with a cut"),
                next: "`smp documents fallen` lists them; `smp documents again` writes them again"
                    .to_owned(),
            });
        }
    }
    if let Some(back) = core.member.fetched_back() {
        out.push(Advice {
            problem: format!(
                "{} entries of this node's own came back from node {} at {}: its store is an \
                 older copy",
                back.entries,
                back.from.short(),
                back.at
            ),
            next: "nothing if a backup was put back; else look for a second process with this \
                   node's keys, and stop it"
                .to_owned(),
        });
    }
    out
}

/// What fell away of a document, with the values that its records have now.
struct Missing {
    document: DocumentName,
    fields: BTreeMap<(RecordId, FieldId), Fallen>,
}

impl Missing {
    fn of(core: &mut Core, document: DocumentName) -> Self {
        let mut fields = BTreeMap::new();
        for (record, of_record) in core.member.fallen(document) {
            let held = core.member.document(document);
            let now = held
                .and_then(|held| held.record(record))
                .unwrap_or_default();
            for (field, mut values) in of_record {
                values.is = now.get(&field).cloned().unwrap_or_default();
                fields.insert((record, field), values);
            }
        }
        Self { document, fields }
    }

    /// All of it, in words.
    fn list(&self) -> Vec<FallenField> {
        let keys = self.fields.keys();
        keys.filter_map(|key| self.field(key)).collect()
    }

    fn field(&self, key: &(RecordId, FieldId)) -> Option<FallenField> {
        let (record, number) = key;
        let values = self.fields.get(key)?;
        let field = schema::field(schema::NEWEST, record.kind(), *number)?;
        let texts = |values: &[Value]| {
            let texts = values
                .iter()
                .map(|value| schema::format_value(field, value));
            texts.collect()
        };
        Some(FallenField {
            document: self.document.to_string(),
            record: record.to_string(),
            field: field.name.to_owned(),
            was: texts(&values.was),
            is: texts(&values.is),
        })
    }
}

fn document_named(text: &str) -> Answer<DocumentName> {
    text.parse().map_err(|_| {
        Failure::new(
            FailureKind::BadRequest,
            "bad_document",
            "the document is not the name of one, e.g. rematching-pool/E08000021",
            "`smp documents` lists the documents with their names",
        )
    })
}

impl Desk {
    pub(super) async fn vouch_for(&self, document: String, node: String) -> Answer<String> {
        let document = document_named(&document)?;
        let node: NodeId = node.parse().map_err(|_| {
            Failure::new(
                FailureKind::BadRequest,
                "bad_node",
                "the node is not the id of one: 32 hexadecimal digits",
                "`smp documents --alarms` and `smp member list` show the ids",
            )
        })?;
        let statement = self
            .write(move |core| core.member.vouch(document, node, clock()))
            .await?;
        let statement = statement.ok_or_else(|| {
            Failure::new(
                FailureKind::NotFound,
                "not_found",
                format!("this node holds no {document} that its council may read"),
                "`smp documents` lists what it holds",
            )
        })?;
        Ok(smp_certs::vouching_to_text(&statement))
    }

    pub(super) async fn fallen_fields(&self) -> Answer<Vec<FallenField>> {
        self.ask(|core| {
            let own = core.member.identity().council;
            let documents = DocumentKind::OF_EACH.map(|kind| kind.of(own));
            documents
                .map(|name| Missing::of(core, name).list())
                .concat()
        })
        .await
    }

    pub(super) async fn decide_about_fallen(
        &self,
        decision: FallenDecision,
    ) -> Answer<FallenOutcome> {
        let document = document_named(&decision.document)?;
        let action = decision.action;
        let done = self.write(move |core| {
            if document.council != core.member.identity().council {
                return Ok(None);
            }
            let missing = Missing::of(core, document);
            if action == FallenAction::Forget {
                core.member.forget_fallen(document, clock());
                return Ok(Some((missing, Default::default())));
            }
            let preview = action == FallenAction::Preview;
            let again = core.member.write_again(document, preview, clock())?;
            Ok(Some((missing, again)))
        });
        let done = done.await?.map_err(|error| refused(&error))?;
        let (missing, again) = done.ok_or_else(|| {
            Failure::new(
                FailureKind::NotFound,
                "not_found",
                format!("{document} is another council's, and its own to settle"),
                "`smp documents fallen` lists what fell away of this council's documents",
            )
        })?;
        let listed = |which: &[(RecordId, FieldId)]| {
            let found = which.iter().filter_map(|key| missing.field(key));
            found.collect()
        };
        let outcome = FallenOutcome {
            written: listed(&again.written),
            conflicts: listed(&again.conflicts),
            applied: action != FallenAction::Preview,
            held_by: 0,
        };
        let held_by = match again.receipts.is_empty() {
            true => 0,
            false => self.held_by(again.receipts, false).await,
        };
        Ok(FallenOutcome { held_by, ..outcome })
    }
}
