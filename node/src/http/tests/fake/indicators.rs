//! The fake's indicators: there are none.

use smp_protocol::api;

use super::Fake;
use crate::service::{Answer, IndicatorQuery, Indicators};

impl Indicators for Fake {
    async fn indicators(&self, query: IndicatorQuery) -> Answer<api::Indicators> {
        Ok(api::Indicators {
            on: query.on.unwrap_or_default(),
            threshold: 8,
            round: 5,
            figures: Vec::new(),
        })
    }
}
