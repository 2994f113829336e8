//! What can be asked of move-on homes.

use std::future::Future;

use smp_protocol::api::{Home, HomeDecision, HomeInterest, Stored};
use smp_protocol::ids::RecordId;

use super::Answer;

/// The part of a [`Service`](super::Service) that is about housing lists.
pub trait Homes {
    /// Every listing of the region, with what follows from it today.
    fn homes(&self) -> impl Future<Output = Answer<Vec<Home>>> + Send;

    /// Every interest that has not ended.
    fn interests(&self) -> impl Future<Output = Answer<Vec<HomeInterest>>> + Send;

    /// Carries out what an officer decided of a listing of this council's.
    fn decide_home(
        &self,
        id: RecordId,
        decision: HomeDecision,
    ) -> impl Future<Output = Answer<Stored>> + Send;
}
