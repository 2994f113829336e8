//! `smp documents`: how every document stands; two histories of one key, this node's statement
//! about them, and what a cut made fall away.

use std::path::PathBuf;

use clap::Subcommand;
use hyper::Method;
use smp_protocol::api::{
    Alarm, DocumentStatus, FallenAction, FallenDecision, FallenField, FallenOutcome,
};
use smp_protocol::ids::{DocumentName, NodeId};

use super::Context;
use crate::client::escape;
use crate::exit::{self, Failure};
use crate::offline::{must_be_new, write_new};

pub(super) const EXAMPLES: &str = "\
Examples:
  smp documents
  smp documents --alarms
  smp documents vouch rematching-pool/E08000021 --node 3dbcb708a3d935e9abae4a6224a2f1a9 \\
      --out e08000037.statement
  smp documents fallen
  smp documents --output json";

const VOUCH_EXAMPLES: &str = "\
Examples:
  smp documents vouch rematching-pool/E08000021 --node 3dbcb708a3d935e9abae4a6224a2f1a9 \\
      --out e08000037.statement

The file says, signed by this node, which of that node's entries it holds: hashes, and nothing of
any record. Send it to the SMP admin, who cuts the key once two councils have sent theirs.";

const FALLEN_EXAMPLES: &str = "\
Examples:
  smp documents fallen
  smp documents fallen --output csv > fallen.csv";

const AGAIN_EXAMPLES: &str = "\
Examples:
  smp documents again rematching-pool/E08000021 --dry-run
  smp documents again rematching-pool/E08000021
  smp documents again rematching-pool/E08000021 --forget

A value is written again where the field still has the value that it had after the cut. What
somebody changed since is listed for a person to settle.";

/// How documents stand, or what to do about two histories.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Documents {
    /// Only keys that signed two histories: who holds which, and what to do. Exit code 5 if
    /// there are any
    #[arg(long)]
    alarms: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Writes this node's signed statement of what it holds of a node's entries
    #[command(after_help = VOUCH_EXAMPLES)]
    Vouch {
        /// The document
        document: DocumentName,
        /// The node whose entries they are
        #[arg(long)]
        node: NodeId,
        /// Where to write the statement
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Lists values of this council's that fell away with a cut
    #[command(after_help = FALLEN_EXAMPLES)]
    Fallen,
    /// Writes what fell away of a document of this council's again
    #[command(after_help = AGAIN_EXAMPLES)]
    Again {
        /// The document
        document: DocumentName,
        /// Say what it would do, and do nothing
        #[arg(long)]
        dry_run: bool,
        /// Write nothing, and take it off the list: what is there now is right
        #[arg(long, conflicts_with = "dry_run")]
        forget: bool,
    },
}

impl Documents {
    pub(super) fn run(self, context: &Context) -> Result<(), Failure> {
        match self.command {
            None if self.alarms => alarms(context),
            None => {
                let documents: Vec<DocumentStatus> = context.client.get("/v1/documents")?;
                context.show(&documents)
            }
            Some(Command::Vouch {
                document,
                node,
                out,
            }) => vouch(context, document, node, &out),
            Some(Command::Fallen) => {
                let fallen: Vec<FallenField> = context.client.get("/v1/fallen")?;
                context.show(&fallen)
            }
            Some(Command::Again {
                document,
                dry_run,
                forget,
            }) => {
                let action = match (dry_run, forget) {
                    (true, _) => FallenAction::Preview,
                    (false, true) => FallenAction::Forget,
                    (false, false) => FallenAction::WriteAgain,
                };
                again(context, document, action)
            }
        }
    }
}

fn alarms(context: &Context) -> Result<(), Failure> {
    let alarms: Vec<Alarm> = context.client.get("/v1/alarms")?;
    context.show(&alarms)?;
    match alarms.len() {
        0 => Ok(()),
        n => Err(Failure::new(
            exit::ATTENTION,
            format!("keys that signed two histories: {n}"),
            "the steps are listed with each",
        )),
    }
}

fn vouch(
    context: &Context,
    document: DocumentName,
    node: NodeId,
    out: &std::path::Path,
) -> Result<(), Failure> {
    must_be_new(out)?;
    let document = escape(&document.to_string());
    let path = format!("/v1/vouching?document={document}&node={node}");
    let text = context.client.get_text(&path)?;
    write_new(out, &text, "the node gives the statement again at any time")?;
    context.tell(&format!(
        "Written to {}.\nnext: send it to the SMP admin; it holds hashes and no record\n",
        out.display()
    ))
}

fn again(context: &Context, document: DocumentName, action: FallenAction) -> Result<(), Failure> {
    let decision = FallenDecision {
        document: document.to_string(),
        action,
    };
    let doing = "waiting for the node";
    let outcome: FallenOutcome =
        context
            .client
            .send(Method::POST, "/v1/fallen", &decision, doing)?;
    context.show(&outcome)?;
    match outcome.conflicts.len() {
        0 => Ok(()),
        n => Err(Failure::new(
            exit::ATTENTION,
            format!("values that were not written again, because they changed since: {n}"),
            "settle each by hand (`smp pool edit`, `smp hosts edit`, `smp housing edit`), then \
             `smp documents again` with --forget",
        )),
    }
}
