//! `smp region`: the region and its authority's keys, offline.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use smp_certs::{Region as RegionFiles, WorkFactor, vouching_from_text};
use smp_protocol::ids::{DocumentName, NodeId, RegionName};
use smp_protocol::roster::{Ground, cut_from};
use smp_protocol::statements::Vouching;

use super::Context;
use super::roster::{next_roster_path, write_roster};
use super::targets::{self, TargetsArgs};
use crate::exit::Failure;
use crate::offline::{
    PassphraseArgs, RegionDir, Use, now, passphrase, read_text, refused, unlock, view,
};

pub(super) const EXAMPLES: &str = "\
Examples:
  smp region init north-east --title \"North East Migration Partnership\" --region-dir ./north-east
  smp region show --region-dir ./north-east
  smp region cut rematching-pool/E08000021 3dbcb708a3d935e9abae4a6224a2f1a9 \\
      --statement e08000037.statement --statement e08000022.statement \\
      --region-dir ./north-east";

const CUT_EXAMPLES: &str = "\
Examples:
  smp region cut rematching-pool/E08000021 3dbcb708a3d935e9abae4a6224a2f1a9 \\
      --statement e08000037.statement --statement e08000022.statement \\
      --region-dir ./north-east
  smp region cut rematching-pool/E08000021 3dbcb708a3d935e9abae4a6224a2f1a9 \\
      --statement e08000037.statement --from-one --region-dir ./north-east

Of the node's entries in that document those stay that the nodes of two councils hold alike; with
--from-one, what the one statement shows. The key adds nothing more there. Statements come from
`smp documents vouch`. Publish the new roster (`smp roster publish`); the council writes what fell
away again (`smp documents again`).";

const INIT_EXAMPLES: &str = "\
Examples:
  smp region init north-east --title \"North East Migration Partnership\" --region-dir ./north-east
  smp region init north-east --title \"North East Migration Partnership\" \\
      --region-dir ./north-east --passphrase-file passphrase.txt

Do this on a machine that is not on the network, and keep copies of the directory in two
places: to lose it, or the passphrase, is to lose the region.";

const SHOW_EXAMPLES: &str = "\
Examples:
  smp region show --region-dir ./north-east
  smp region show --region-dir ./north-east --output json";

#[derive(Debug, Subcommand)]
pub(super) enum Region {
    /// Makes a region: its authority's keys under a passphrase, and a first, empty roster
    #[command(after_help = INIT_EXAMPLES)]
    Init {
        /// The region's name: lower-case letters, digits and hyphens
        name: RegionName,
        /// The region's name for people
        #[arg(long)]
        title: String,
        #[command(flatten)]
        dir: RegionDir,
        #[command(flatten)]
        passphrase: PassphraseArgs,
    },
    /// Ends a key that signed two histories of a document, in the next roster
    #[command(after_help = CUT_EXAMPLES)]
    Cut(CutArgs),
    /// By when checks of hosts should be done: shows it, or sets it in the next roster
    #[command(after_help = targets::EXAMPLES)]
    Targets(TargetsArgs),
    /// Shows the region, its authority's fingerprint and its members; needs no passphrase
    #[command(after_help = SHOW_EXAMPLES)]
    Show {
        #[command(flatten)]
        dir: RegionDir,
    },
}

/// Which key to end, and on whose word.
#[derive(Debug, clap::Args)]
pub(super) struct CutArgs {
    /// The document
    document: DocumentName,
    /// The node whose key it is
    node: NodeId,
    /// A statement from `smp documents vouch`; once for each
    #[arg(long = "statement", value_name = "FILE", required = true)]
    statements: Vec<PathBuf>,
    /// Go by one council's statement alone, where no second one has the document
    #[arg(long)]
    from_one: bool,
    /// Where to write the new roster; otherwise REGION-VERSION.roster in this directory
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    dir: RegionDir,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

impl CutArgs {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let region = self.dir.open()?;
        let statements: Vec<Vouching> = self
            .statements
            .iter()
            .map(|path| statement(path))
            .collect::<Result<_, _>>()?;
        let ground = match statements.as_slice() {
            [one] if self.from_one => Ground::One(one),
            _ if self.from_one => {
                return Err(Failure::refused(
                    "--from-one takes exactly one --statement",
                    "leave --from-one out to go by what two councils hold alike",
                ));
            }
            _ => Ground::Two,
        };
        let (document, node) = (self.document, self.node);
        let cut = cut_from(region.roster(), document, node, &statements, ground);
        let cut = cut.map_err(|error| {
            Failure::refused(
                format!("nothing was changed: {error}"),
                format!(
                    "at the nodes of two councils: `smp documents vouch {document} --node {node} \
                     --out FILE`"
                ),
            )
        })?;
        let (chains, entries) = (
            cut.chains.len(),
            cut.chains
                .iter()
                .map(|(_, reach)| reach.entries)
                .sum::<u64>(),
        );
        let out = next_roster_path(&region, self.out.clone())?;
        let secret = passphrase(&self.passphrase, Use::Known)?;
        let mut unlocked = unlock(&region, &secret)?;
        unlocked.cut(cut, now()).map_err(refused)?;
        write_roster(context, unlocked.region(), &out)?;
        context.tell(&format!(
            "Of node {node}, {entries} entries in {chains} chains stay in {document}.\n\
             then, at {}: smp documents fallen\n",
            document.council
        ))
    }
}

fn statement(path: &Path) -> Result<Vouching, Failure> {
    vouching_from_text(&read_text(path)?).map_err(|error| {
        Failure::refused(
            format!("{}: {error}", path.display()),
            "have it sent again, as an attachment; `smp documents vouch` writes it",
        )
    })
}

impl Region {
    pub(super) fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Init {
                name,
                title,
                dir,
                passphrase,
            } => init(context, name, &title, &dir, &passphrase),
            Self::Cut(args) => args.run(context),
            Self::Targets(args) => args.run(context),
            Self::Show { dir } => show(context, &dir.open()?),
        }
    }
}

fn init(
    context: &Context,
    name: RegionName,
    title: &str,
    dir: &RegionDir,
    args: &PassphraseArgs,
) -> Result<(), Failure> {
    let secret = passphrase(args, Use::New)?;
    let made = RegionFiles::init(&dir.path, name, title, &secret, WorkFactor::STANDARD, now())
        .map_err(refused)?;
    show(context, made.region())?;
    let path = dir.path.display();
    context.tell(&format!(
        "\nThe region is in {path}. Keep copies of that directory in two places: to lose it, \
         or the passphrase, is to lose the region.\n\
         next: smp member enrol REQUEST --name \"COUNCIL\" --region-dir {path}\n"
    ))
}

fn show(context: &Context, region: &RegionFiles) -> Result<(), Failure> {
    context.show(&view(region, region.roster(), now()))
}
