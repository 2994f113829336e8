//! `smp region targets`: by when checks of hosts should be done, as the region sets it, offline.

use std::path::PathBuf;
use std::str::FromStr;

use smp_protocol::api::CheckClock;
use smp_protocol::checks::Kind;
use smp_protocol::limits;
use smp_protocol::roster::CheckTarget;

use super::Context;
use super::roster::{next_roster_path, write_roster};
use crate::exit::Failure;
use crate::offline::{PassphraseArgs, RegionDir, Use, now, passphrase, refused, unlock};

pub(super) const EXAMPLES: &str = "\
Examples:
  smp region targets --region-dir ./north-east
  smp region targets --set accommodation_exists=14 --none sponsor_contact --region-dir ./north-east
  smp region targets --standard accommodation_exists --region-dir ./north-east

What the region does not set is as in Lancashire\u{2019}s published pathway. Checks that are begun keep the
day by which they were to be done.";

/// A check, by its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Check(u8);

impl FromStr for Check {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut kinds = (0..).zip(Kind::ALL);
        let found = kinds.find(|(_, kind)| kind.as_str() == text);
        found.map(|(code, _)| Self(code)).ok_or_else(|| {
            let known = Kind::ALL.map(Kind::as_str).join(", ");
            format!("there is no such check; there are {known}")
        })
    }
}

/// A check and its days, as typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Set(u8, u16);

impl FromStr for Set {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (check, days) = text
            .split_once('=')
            .ok_or("expected CHECK=DAYS, such as accommodation_exists=14")?;
        let Check(check) = check.parse()?;
        let most = limits::CHECK_TARGET_DAYS;
        let days = days.parse::<u16>().ok();
        let days = days.filter(|days| (1..=most).contains(days));
        let days = days.ok_or_else(|| format!("expected 1 to {most} days"))?;
        Ok(Self(check, days))
    }
}

/// What is to be changed; nothing where they are only to be shown.
#[derive(Debug, clap::Args)]
pub(super) struct TargetsArgs {
    /// So many days for a check; once for each
    #[arg(long, value_name = "CHECK=DAYS")]
    set: Vec<Set>,
    /// No target for a check; once for each
    #[arg(long, value_name = "CHECK")]
    none: Vec<Check>,
    /// The published target for a check again; once for each
    #[arg(long, value_name = "CHECK")]
    standard: Vec<Check>,
    /// Where to write the new roster; otherwise REGION-VERSION.roster in this directory
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    dir: RegionDir,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

impl TargetsArgs {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        let region = self.dir.open()?;
        let held = region.roster().targets.clone();
        let wanted = self.changed(held.clone())?;
        if self.set.is_empty() && self.none.is_empty() && self.standard.is_empty() {
            return context.show(&CheckClock::all(&held));
        }
        if wanted == held {
            return Err(Failure::refused(
                "nothing was changed: the region has those targets already",
                "`smp roster publish --region-dir …` sends the newest roster again",
            ));
        }
        let out = next_roster_path(&region, self.out.clone())?;
        let secret = passphrase(&self.passphrase, Use::Known)?;
        let mut unlocked = unlock(&region, &secret)?;
        unlocked.set_targets(wanted, now()).map_err(refused)?;
        write_roster(context, unlocked.region(), &out)
    }

    /// The region's own targets, with what was typed.
    fn changed(&self, mut targets: Vec<CheckTarget>) -> Result<Vec<CheckTarget>, Failure> {
        let set = self
            .set
            .iter()
            .map(|Set(check, days)| (*check, Some(*days)));
        let none = self.none.iter().map(|Check(check)| (*check, None));
        let changes: Vec<(u8, Option<u16>)> = set.chain(none).collect();
        let named = changes.iter().map(|(check, _)| *check);
        let mut named: Vec<u8> = named.chain(self.standard.iter().map(|c| c.0)).collect();
        named.sort_unstable();
        if named.windows(2).any(|two| two.first() == two.last()) {
            return Err(Failure::refused(
                "a check is named twice",
                "nothing was changed; name each check once",
            ));
        }
        targets.retain(|target| !named.contains(&target.check));
        let own = changes.into_iter();
        targets.extend(own.map(|(check, days)| CheckTarget { check, days }));
        targets.sort_unstable_by_key(|target| target.check);
        Ok(targets)
    }
}
