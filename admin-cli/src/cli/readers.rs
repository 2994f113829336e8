//! `smp readers`: who may read a register. The region names readers, offline; the owning
//! council accepts them, at its node. Neither can do it alone.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Subcommand;
use hyper::Method;
use smp_certs::Region;
use smp_protocol::api::{Reader, ReaderDecision};
use smp_protocol::ids::{CouncilCode, DocumentKind, DocumentName};

use super::Context;
use super::roster::{next_roster_path, write_roster};
use crate::exit::Failure;
use crate::offline::{PassphraseArgs, RegionDir, Use, now, passphrase, refused, unlock};

pub(super) const EXAMPLES: &str = "\
Examples:
  smp readers list
  smp readers propose E08000021 E08000037 --region-dir ./north-east
  smp readers accept E08000037";

const LIST_EXAMPLES: &str = "\
Examples:
  smp readers list
  smp readers list --output json";

const ACCEPT_EXAMPLES: &str = "\
Examples:
  smp readers accept E08000037
  smp readers accept E08000037 --withdraw

The reader is served once the region's roster names it and this council accepts it.";

const PROPOSE_EXAMPLES: &str = "\
Examples:
  smp readers propose E08000021 E08000037 E08000022 --region-dir ./north-east
  smp readers propose host-register/E08000021 E08000022 --remove --region-dir ./north-east

Publish the new roster at any member's node (`smp roster publish`); then the owning council
accepts the reader (`smp readers accept`).";

/// A register, by its name or its council's code.
#[derive(Debug, Clone, Copy)]
pub(super) struct Register(DocumentName);

impl FromStr for Register {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let by_code = text
            .parse::<CouncilCode>()
            .map(|council| DocumentKind::HostRegister.of(council));
        by_code
            .or_else(|_| text.parse::<DocumentName>())
            .ok()
            .filter(|document| document.kind == DocumentKind::HostRegister)
            .map(Self)
            .ok_or("expected the owning council's GSS code, or host-register/ and that code")
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum Readers {
    /// Lists who may read the region's registers, and what is missing
    #[command(after_help = LIST_EXAMPLES)]
    List,
    /// This council accepts a reader of its own register, or takes it back
    #[command(after_help = ACCEPT_EXAMPLES)]
    Accept {
        /// The reader's GSS code
        reader: CouncilCode,
        /// Take the acceptance back: the reader gets nothing more from now on
        #[arg(long)]
        withdraw: bool,
    },
    /// For the SMP admin, offline: names readers of a register in the next roster
    #[command(after_help = PROPOSE_EXAMPLES)]
    Propose(ProposeArgs),
}

/// Whom to name as a reader of what.
#[derive(Debug, clap::Args)]
pub(super) struct ProposeArgs {
    /// The register: its council's GSS code
    register: Register,
    /// The readers' GSS codes; those named before stay named
    #[arg(required = true)]
    readers: Vec<CouncilCode>,
    /// Name them no longer
    #[arg(long)]
    remove: bool,
    /// Where to write the new roster; otherwise REGION-VERSION.roster in this directory
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    dir: RegionDir,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

impl Readers {
    pub(super) fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::List => context.show(&context.client.get::<Vec<Reader>>("/v1/readers")?),
            Self::Accept { reader, withdraw } => {
                let decision = ReaderDecision {
                    reader: reader.to_string(),
                    accept: !withdraw,
                };
                let doing = "waiting for the node";
                let readers: Vec<Reader> =
                    context
                        .client
                        .send(Method::POST, "/v1/readers", &decision, doing)?;
                context.show(&readers)
            }
            Self::Propose(args) => args.run(context),
        }
    }
}

impl ProposeArgs {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let Register(document) = self.register;
        let region = self.dir.open()?;
        self.all_members(&region)?;
        let out = next_roster_path(&region, self.out.clone())?;
        let secret = passphrase(&self.passphrase, Use::Known)?;
        let mut unlocked = unlock(&region, &secret)?;
        let held = unlocked.region().roster().named_readers(document).to_vec();
        let mut wanted = held.clone();
        wanted.retain(|council| !self.readers.contains(council));
        if !self.remove {
            wanted.extend(&self.readers);
            wanted.sort_unstable();
            wanted.dedup();
        }
        if wanted == held {
            return Err(Failure::refused(
                format!("nothing was changed: {document} has those readers already"),
                "`smp roster publish --region-dir …` sends the newest roster again",
            ));
        }
        unlocked
            .propose_readers(document, &wanted, now())
            .map_err(refused)?;
        write_roster(context, unlocked.region(), &out)?;
        match self.remove {
            true => Ok(()),
            false => context.tell(&format!(
                "then, at {}: smp readers accept {}\n",
                document.council,
                self.readers
                    .first()
                    .map(CouncilCode::to_string)
                    .unwrap_or_default(),
            )),
        }
    }

    /// A roster would be refused for it; this says it before the passphrase is asked for.
    fn all_members(&self, region: &Region) -> Result<(), Failure> {
        let Register(document) = self.register;
        let mut councils = std::iter::once(&document.council).chain(&self.readers);
        match councils.find(|council| region.roster().member(**council).is_none()) {
            None => Ok(()),
            Some(council) => Err(Failure::refused(
                format!("{council} is not a member of {}", region.name()),
                "`smp member list` shows the members; `smp member enrol` makes one",
            )),
        }
    }
}
