//! `smp roster`: the region's signed list of members. A node shows the one that it holds;
//! the SMP admin checks, renews and publishes the region's own.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use hyper::Method;
use smp_certs::{Region, roster_from_text, roster_to_text};
use smp_protocol::api::{RosterOffer, RosterOutcome, RosterView};

use super::Context;
use crate::exit::Failure;
use crate::offline::{
    PassphraseArgs, RegionDir, Use, must_be_new, now, passphrase, read_text, refused, unlock, view,
    write_new,
};

pub(super) const EXAMPLES: &str = "\
Examples:
  smp roster show
  smp roster verify north-east-4.roster --region-dir ./north-east
  smp roster publish north-east-4.roster";

const SHOW_EXAMPLES: &str = "\
Examples:
  smp roster show
  smp roster show --output json";

const VERIFY_EXAMPLES: &str = "\
Examples:
  smp roster verify --region-dir ./north-east
  smp roster verify north-east-4.roster --region-dir ./north-east";

const RENEW_EXAMPLES: &str = "\
Examples:
  smp roster renew --region-dir ./north-east
  smp roster renew --region-dir ./north-east --out renewed.roster";

const PUBLISH_EXAMPLES: &str = "\
Examples:
  smp roster publish north-east-4.roster
  smp roster publish --region-dir ./north-east";

#[derive(Debug, Subcommand)]
pub(super) enum Roster {
    /// Shows the roster that the node holds
    #[command(after_help = SHOW_EXAMPLES)]
    Show,
    /// Offline: checks that a roster is the region's own; without a file, the newest
    #[command(after_help = VERIFY_EXAMPLES)]
    Verify {
        /// The roster as a text file
        file: Option<PathBuf>,
        #[command(flatten)]
        dir: RegionDir,
    },
    /// For the SMP admin, offline: signs the roster again, for another 13 months
    #[command(after_help = RENEW_EXAMPLES)]
    Renew {
        /// Where to write the new roster; otherwise REGION-VERSION.roster in this directory
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        #[command(flatten)]
        dir: RegionDir,
        #[command(flatten)]
        passphrase: PassphraseArgs,
    },
    /// Gives a node a new roster; it passes it on to the others
    #[command(after_help = PUBLISH_EXAMPLES)]
    Publish {
        /// The roster as a text file
        #[arg(required_unless_present = "region_dir")]
        file: Option<PathBuf>,
        /// Where the region is kept: publishes its newest roster
        #[arg(long, id = "region_dir", value_name = "DIR", env = "SMP_REGION_DIR")]
        region_dir: Option<PathBuf>,
    },
}

impl Roster {
    pub(super) fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Show => context.show(&context.client.get::<RosterView>("/v1/roster")?),
            Self::Verify { file, dir } => verify(context, file.as_deref(), &dir.open()?),
            Self::Renew {
                out,
                dir,
                passphrase: args,
            } => {
                let region = dir.open()?;
                let out = next_roster_path(&region, out)?;
                let secret = passphrase(&args, Use::Known)?;
                let mut unlocked = unlock(&region, &secret)?;
                unlocked.renew(now()).map_err(refused)?;
                write_roster(context, unlocked.region(), &out)
            }
            Self::Publish { file, region_dir } => publish(context, file, region_dir),
        }
    }
}

fn verify(context: &Context, file: Option<&Path>, region: &Region) -> Result<(), Failure> {
    let Some(path) = file else {
        // Opening the directory verified its newest roster.
        return context.show(&view(region, region.roster(), now()));
    };
    let in_file = |e: &dyn std::fmt::Display| {
        Failure::refused(
            format!("{}: {e}", path.display()),
            "have it sent again, or write it anew with `smp roster renew`",
        )
    };
    let signed = roster_from_text(&read_text(path)?).map_err(|e| in_file(&e))?;
    let roster = signed
        .verify(region.name(), &region.authority())
        .map_err(|e| in_file(&e))?;
    context.show(&view(region, &roster, now()))?;
    let newest = region.roster().version;
    let words = match roster.version.cmp(&newest) {
        std::cmp::Ordering::Equal if roster.hash() == region.roster().hash() => {
            "It is the region's newest.\n".to_owned()
        }
        std::cmp::Ordering::Less => format!("It is genuine, and older: the newest is {newest}.\n"),
        _ => {
            return Err(Failure::refused(
                format!(
                    "{}: this region's authority signed it, and this directory does not know \
                     it (its newest is version {newest})",
                    path.display()
                ),
                "another copy of the region directory is in use: find it, and keep only one",
            ));
        }
    };
    context.tell(&format!("\n{words}"))
}

fn publish(
    context: &Context,
    file: Option<PathBuf>,
    region_dir: Option<PathBuf>,
) -> Result<(), Failure> {
    let text = match (file, region_dir) {
        (Some(path), _) => {
            let text = read_text(&path)?;
            // The node would say so too; this names the file.
            roster_from_text(&text).map_err(|e| refused(format!("{}: {e}", path.display())))?;
            text
        }
        (None, Some(dir)) => {
            let region = RegionDir { path: dir }.open()?;
            roster_to_text(region.roster().signed())
        }
        (None, None) => String::new(),
    };
    let offer = RosterOffer { text };
    let outcome: RosterOutcome =
        context
            .client
            .send(Method::POST, "/v1/roster", &offer, "waiting for the node")?;
    context.show(&outcome)
}

/// Where the next roster goes; asked before it is signed.
pub(super) fn next_roster_path(region: &Region, out: Option<PathBuf>) -> Result<PathBuf, Failure> {
    let next = region.roster().version.saturating_add(1);
    let path = out.unwrap_or_else(|| PathBuf::from(format!("{}-{next}.roster", region.name())));
    must_be_new(&path)?;
    Ok(path)
}

/// Writes the region's newest roster as a text file to send, and says what to do with it.
pub(super) fn write_roster(context: &Context, region: &Region, path: &Path) -> Result<(), Failure> {
    let roster = region.roster();
    let next = format!(
        "version {} is signed and kept in the region directory: `smp roster publish \
         --region-dir …` sends it from there",
        roster.version
    );
    write_new(path, &roster_to_text(roster.signed()), &next)?;
    context.show(&view(region, roster, now()))?;
    let path = path.display();
    context.tell(&format!(
        "\nThe new roster is in {path}; nothing in it is secret.\n\
         next, at any member's node: smp roster publish {path}\n"
    ))
}
