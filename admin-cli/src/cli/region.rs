//! `smp region`: the region and its authority's keys, offline.

use clap::Subcommand;
use smp_certs::{Region as RegionFiles, WorkFactor};
use smp_protocol::ids::RegionName;

use super::Context;
use crate::exit::Failure;
use crate::offline::{PassphraseArgs, RegionDir, Use, now, passphrase, refused, view};

pub(super) const EXAMPLES: &str = "\
Examples:
  smp region init north-east --title \"North East Migration Partnership\" --region-dir ./north-east
  smp region show --region-dir ./north-east";

const INIT_EXAMPLES: &str = "\
Examples:
  smp region init north-east --title \"North East Migration Partnership\" --region-dir ./north-east
  smp region init north-east --title \"North East Migration Partnership\" \
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
    /// Shows the region, its authority's fingerprint and its members; needs no passphrase
    #[command(after_help = SHOW_EXAMPLES)]
    Show {
        #[command(flatten)]
        dir: RegionDir,
    },
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
