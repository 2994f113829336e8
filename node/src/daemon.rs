//! The place of the daemon: the engine's author writes over this file. It starts nothing.

use std::convert::Infallible;

use smp_protocol::api::*;
use smp_protocol::ids::{CouncilCode, RecordId, RecordKind};

use crate::config::Config;
use crate::service::{Answer, ImportOptions, Service};

/// Why the daemon did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address could not be bound.
    #[error("{0}")]
    Listen(String),
    /// Not joined, or the store is damaged.
    #[error("{0}")]
    NotReady(String),
    /// Anything else.
    #[error("{0}")]
    Unexpected(String),
}

/// A running node.
#[derive(Debug)]
pub struct Daemon(Nobody);

impl Daemon {
    /// Starts the node.
    ///
    /// # Errors
    /// Always: the engine is not part of this build.
    pub async fn start(_: Config) -> Result<Self, StartError> {
        Err(StartError::Unexpected(
            "the engine is not part of this build".to_owned(),
        ))
    }

    /// What the local API asks.
    pub fn service(&self) -> Nobody {
        self.0.clone()
    }

    /// Stops the node.
    pub async fn stop(self) {}
}

/// There is no service.
#[derive(Clone, Debug)]
pub struct Nobody(Infallible);

impl Service for Nobody {
    async fn status(&self) -> Answer<Status> {
        match self.0 {}
    }
    async fn records(&self, _: RecordKind, _: Option<CouncilCode>) -> Answer<Vec<Record>> {
        match self.0 {}
    }
    async fn record(&self, _: RecordId, _: bool) -> Answer<Record> {
        match self.0 {}
    }
    async fn create(&self, _: RecordKind, _: RecordEdit) -> Answer<Stored> {
        match self.0 {}
    }
    async fn update(&self, _: RecordId, _: RecordEdit) -> Answer<Stored> {
        match self.0 {}
    }
    async fn import(&self, _: RecordKind, _: ImportOptions, _: Vec<u8>) -> Answer<ImportReport> {
        match self.0 {}
    }
    async fn template(&self, _: RecordKind) -> Answer<String> {
        match self.0 {}
    }
    async fn readers(&self) -> Answer<Vec<Reader>> {
        match self.0 {}
    }
    async fn decide_reader(&self, _: ReaderDecision) -> Answer<Vec<Reader>> {
        match self.0 {}
    }
    async fn roster(&self) -> Answer<RosterView> {
        match self.0 {}
    }
    async fn offer_roster(&self, _: RosterOffer) -> Answer<RosterOutcome> {
        match self.0 {}
    }
}
