//! `smp member`: councils' nodes in the region, offline.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use smp_certs::{EnrolmentRequest, Fingerprint, JoinBundle, Region};
use smp_protocol::ids::{CouncilCode, NodeId};

use super::Context;
use super::roster::{next_roster_path, write_roster};
use crate::exit::{self, Failure};
use crate::offline::{
    PassphraseArgs, RegionDir, Use, members, must_be_new, now, passphrase, read_text, refused,
    unlock, write_new,
};
use crate::output::{self, plain};

pub(super) const EXAMPLES: &str = "\
Examples:
  smp member enrol newcastle.request --name \"Newcastle upon Tyne\" --region-dir ./north-east
  smp member list --region-dir ./north-east";

const ENROL_EXAMPLES: &str = "\
Examples:
  smp member enrol newcastle.request --name \"Newcastle upon Tyne\" --region-dir ./north-east
  smp member enrol newcastle.request --name \"Newcastle upon Tyne\" --region-dir ./north-east \\
      --fingerprint \"0123 4567 8901 2345 6789 0123 4567 8901 2345 6789\" --out newcastle.bundle

The fingerprint is what shows that the request came from the council: telephone the council,
on a number that you know, and have it read out. The same request again makes the bundle
again; with other endpoints it replaces them.";

const LIST_EXAMPLES: &str = "\
Examples:
  smp member list --region-dir ./north-east
  smp member list --region-dir ./north-east --output csv > members.csv";

const DECIDER_EXAMPLES: &str = "\
Examples:
  smp member decider E08000021 3dbcb708a3d935e9abae4a6224a2f1a9 --region-dir ./north-east

One node of a council takes its decisions: bookings, and changes to places and requests. Have
another do it where that one is gone, or its key was cut. `smp member list` prints the nodes.";

#[derive(Debug, Subcommand)]
pub(super) enum Member {
    /// Enrols a council's node: compares the fingerprint, lists it, writes its join bundle
    #[command(after_help = ENROL_EXAMPLES)]
    Enrol(EnrolArgs),
    /// Has another node of a council take its decisions, from the next roster on
    #[command(after_help = DECIDER_EXAMPLES)]
    Decider(DeciderArgs),
    /// Lists the region's nodes; needs no passphrase
    #[command(after_help = LIST_EXAMPLES)]
    List {
        #[command(flatten)]
        dir: RegionDir,
    },
}

/// How a node is enrolled.
#[derive(Debug, clap::Args)]
pub(super) struct EnrolArgs {
    /// The request that `smp-node init` wrote
    request: PathBuf,
    /// The council's name for people; not needed for a further node of a member
    #[arg(long, value_name = "COUNCIL")]
    name: Option<String>,
    /// The fingerprint as the council read it out: enrols only if it is the request's
    #[arg(long, value_name = "DIGITS", conflicts_with = "yes")]
    fingerprint: Option<Fingerprint>,
    /// Do not ask: the fingerprint was compared already
    #[arg(long)]
    yes: bool,
    /// Where to write the join bundle; otherwise COUNCIL-NODE.bundle in this directory
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    dir: RegionDir,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

impl Member {
    pub(super) fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Enrol(args) => args.run(context),
            Self::Decider(args) => args.run(context),
            Self::List { dir } => context.show(&members(dir.open()?.roster())),
        }
    }
}

/// Which node is to decide.
#[derive(Debug, clap::Args)]
pub(super) struct DeciderArgs {
    /// The council's GSS code
    council: CouncilCode,
    /// The node's id, all 32 letters and digits of it
    node: NodeId,
    /// Where to write the new roster; otherwise REGION-VERSION.roster in this directory
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    dir: RegionDir,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

impl DeciderArgs {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let region = self.dir.open()?;
        let member = region.roster().member(self.council);
        let nodes = member.map_or(&[][..], |member| &member.nodes);
        let held = nodes.iter().find(|node| node.id == self.node);
        let decides = held.ok_or_else(|| {
            Failure::refused(
                format!("{} is no node of {}", self.node, self.council),
                "nothing was changed; `smp member list` prints the nodes of each council",
            )
        })?;
        if decides.decider {
            return Err(Failure::refused(
                format!(
                    "{} takes the decisions of {} already",
                    self.node, self.council
                ),
                "`smp roster publish --region-dir …` sends the newest roster again",
            ));
        }
        let out = next_roster_path(&region, self.out.clone())?;
        let secret = passphrase(&self.passphrase, Use::Known)?;
        let mut unlocked = unlock(&region, &secret)?;
        let made = unlocked.make_decider(self.council, self.node, now());
        made.map_err(refused)?;
        write_roster(context, unlocked.region(), &out)?;
        context.tell(
            "Until the node that decided before has that roster, what its officers decide counts \
             for nothing once the other councils have heard of the new one: tell them now.\n",
        )
    }
}

impl EnrolArgs {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let region = self.dir.open()?;
        let in_file =
            |e: &dyn std::fmt::Display| refused(format!("{}: {e}", self.request.display()));
        let request =
            EnrolmentRequest::from_text(&read_text(&self.request)?).map_err(|e| in_file(&e))?;
        request.verify().map_err(|e| in_file(&e))?;
        let name = self.council_name(&region, &request)?;
        let out = self.bundle_path(&request)?;
        self.compare(&request, &name)?;
        let secret = passphrase(&self.passphrase, Use::Known)?;
        let mut unlocked = unlock(&region, &secret)?;
        let bundle = unlocked
            .enrol(&request, &name, now())
            .map_err(|e| in_file(&e))?;
        let next = "the node is enrolled; run the command again with another --out to have its \
                    bundle";
        write_new(&out, &bundle.to_text(), next)?;
        context.show(&members(unlocked.region().roster()))?;
        context.tell(&after(&bundle, unlocked.region(), &name, &out))
    }

    /// The name that is given, or that of the member whose further node this is.
    fn council_name(&self, region: &Region, request: &EnrolmentRequest) -> Result<String, Failure> {
        let held = region.roster().member(request.council);
        match (&self.name, held) {
            (_, Some(member)) => Ok(member.name.clone()),
            (Some(name), None) => Ok(name.clone()),
            (None, None) => Err(Failure::new(
                exit::USAGE,
                format!(
                    "{} is not a member yet, and has no name for people",
                    request.council
                ),
                "give it with --name \"COUNCIL\"",
            )),
        }
    }

    /// Where the bundle goes; asked before anything is changed.
    fn bundle_path(&self, request: &EnrolmentRequest) -> Result<PathBuf, Failure> {
        let default = || {
            let node = request.node_id().short();
            PathBuf::from(format!("{}-{node}.bundle", request.council))
        };
        let path = self.out.clone().unwrap_or_else(default);
        must_be_new(&path)?;
        Ok(path)
    }

    /// Has the fingerprint compared, by a person or with what was read out.
    fn compare(&self, request: &EnrolmentRequest, name: &str) -> Result<(), Failure> {
        let shown = request.fingerprint();
        if let Some(heard) = self.fingerprint {
            return match heard == shown {
                true => Ok(()),
                false => Err(Failure::refused(
                    format!(
                        "the fingerprint that was read out is not the request's, which is \
                         {shown}; nothing was changed"
                    ),
                    "read it out again, digit by digit; if it still differs, have the council \
                     send its request again, and do not enrol this one",
                )),
            };
        }
        if self.yes {
            return Ok(());
        }
        if !io::stdin().is_terminal() {
            return Err(Failure::new(
                exit::USAGE,
                format!("nobody is there to compare the fingerprint {shown}"),
                "telephone the council, have it read out, and give what you hear with \
                 --fingerprint",
            ));
        }
        let name = plain(name);
        let council = request.council;
        let endpoints = plain(&request.endpoints.join(", "));
        let question = format!(
            "{name} ({council}) asks for node {} at {endpoints}.\n\
             Telephone the council, on a number that you know, and have the fingerprint read \
             out:\n\n    {shown}\n\nIs it the same?",
            request.node_id(),
        );
        match output::confirm(&question)? {
            true => Ok(()),
            false => Err(Failure::refused(
                "not enrolled; nothing was changed",
                "have the council send its request again",
            )),
        }
    }
}

fn after(bundle: &JoinBundle, region: &Region, name: &str, out: &Path) -> String {
    let path = out.display();
    format!(
        "\nThe join bundle is in {path}. Send it to {}; nothing in it is secret. By telephone, \
         read out the region authority's fingerprint, to be compared there:\n\n    {}\n\n\
         next, at the council: smp-node join --config FILE {path}\n\
         The other members learn of it from the new node, which brings roster version {}.\n",
        plain(name),
        bundle.fingerprint(),
        region.roster().version,
    )
}
