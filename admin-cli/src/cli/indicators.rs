//! `smp indicators`: how the region stands, by council and month (docs/INDICATORS.md).

use smp_protocol::api;
use smp_protocol::indicators::Month;
use smp_protocol::time::Day;

use super::Context;
use crate::exit::Failure;

pub(super) const EXAMPLES: &str = "\
Examples:
  smp indicators
  smp indicators --from 2026-10 --until 2026-12
  smp indicators --from 2026-12 --threshold 10 --round 10 --to december.xlsx

Counts of a few people are suppressed, with what they could be worked out from, and the others
rounded, before anything is shown. What is not there has its own word and is never 0:
  suppressed          a few, or a number that would give a few away
  not_submitted       the council has never written such a document, or it has not arrived here
  not_readable        the document is not for this council to read
  not_recorded        no document holds it, such as what stood open in a month that is past
  nothing_to_measure  a share or a middle of nothing";

/// What to count.
#[derive(Debug, clap::Args)]
pub(super) struct Indicators {
    /// The first month, such as 2026-12; this one if it is not said
    #[arg(long, value_name = "MONTH")]
    from: Option<Month>,
    /// The last month; the first if it is not said
    #[arg(long, value_name = "MONTH")]
    until: Option<Month>,
    /// As of this day; today if it is not said
    #[arg(long, value_name = "DATE")]
    on: Option<Day>,
    /// The least count above 0 that is shown: 8 if it is not said, and never below 5
    #[arg(long, value_name = "N")]
    threshold: Option<u32>,
    /// To what counts are rounded: 5 if it is not said, and never less
    #[arg(long, value_name = "N")]
    round: Option<u32>,
}

impl Indicators {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        let given = [
            ("from", self.from.map(|month| month.to_string())),
            ("until", self.until.map(|month| month.to_string())),
            ("on", self.on.map(|day| day.to_string())),
            ("threshold", self.threshold.map(|n| n.to_string())),
            ("round", self.round.map(|n| n.to_string())),
        ];
        let given = given.into_iter();
        let given = given.filter_map(|(name, value)| Some(format!("{name}={}", value?)));
        let query = given.collect::<Vec<String>>().join("&");
        let path = match query.is_empty() {
            true => "/v1/indicators".to_owned(),
            false => format!("/v1/indicators?{query}"),
        };
        context.show(&context.client.get::<api::Indicators>(&path)?)
    }
}
