//! The demo asks nothing about homes.

use smp_protocol::api::{Home, HomeDecision, HomeInterest, Stored};
use smp_protocol::ids::RecordId;

use super::{FakeNode, not_here};
use crate::service::{Answer, Homes};

impl Homes for FakeNode {
    async fn homes(&self) -> Answer<Vec<Home>> {
        not_here()
    }

    async fn interests(&self) -> Answer<Vec<HomeInterest>> {
        not_here()
    }

    async fn decide_home(&self, _: RecordId, _: HomeDecision) -> Answer<Stored> {
        not_here()
    }
}
