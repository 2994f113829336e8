//! The fake's homes: there are none.

use smp_protocol::api::{Home, HomeDecision, HomeInterest, Stored};
use smp_protocol::ids::RecordId;

use super::Fake;
use crate::service::{Answer, Homes};

impl Homes for Fake {
    async fn homes(&self) -> Answer<Vec<Home>> {
        Ok(Vec::new())
    }

    async fn interests(&self) -> Answer<Vec<HomeInterest>> {
        Ok(Vec::new())
    }

    async fn decide_home(&self, id: RecordId, _: HomeDecision) -> Answer<Stored> {
        Ok(Stored {
            records: vec![id.to_string()],
            held_by: 0,
        })
    }
}
