//! The demo asks for no indicators.

use smp_protocol::api;

use super::{FakeNode, not_here};
use crate::service::{Answer, IndicatorQuery, Indicators};

impl Indicators for FakeNode {
    async fn indicators(&self, _: IndicatorQuery) -> Answer<api::Indicators> {
        not_here()
    }
}
