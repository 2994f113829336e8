//! What can be asked of indicators.

use std::future::Future;

use smp_protocol::api;

use super::Answer;

/// What is asked for. Each is text as it came; without it, the default.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct IndicatorQuery {
    /// The first month; this one.
    pub from: Option<String>,
    /// The last month; the first.
    pub until: Option<String>,
    /// The day as of which; today.
    pub on: Option<String>,
    /// The least count above 0 that is shown.
    pub threshold: Option<String>,
    /// To what counts are rounded.
    pub round: Option<String>,
}

/// The part of a [`Service`](super::Service) that counts.
pub trait Indicators {
    /// Figures by council and month, after disclosure control.
    fn indicators(
        &self,
        query: IndicatorQuery,
    ) -> impl Future<Output = Answer<api::Indicators>> + Send;
}
