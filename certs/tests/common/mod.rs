//! A region in a temporary directory, and nodes enrolled into it.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::path::PathBuf;

use smp_certs::{EnrolmentRequest, JoinBundle, NodeKeys, Passphrase, Region, Unlocked, WorkFactor};
use smp_protocol::ids::CouncilCode;
use smp_protocol::time::UnixSeconds;
use tempfile::TempDir;

pub(crate) const NOW: UnixSeconds = UnixSeconds(1_790_000_000);
pub(crate) const DAY: u64 = 86_400;
pub(crate) const NEWCASTLE: &str = "E08000021";
pub(crate) const GATESHEAD: &str = "E08000037";

pub(crate) fn passphrase() -> Passphrase {
    Passphrase::new("correct horse battery")
}

/// A region whose directory is gone when this is dropped.
pub(crate) struct Home {
    pub(crate) dir: TempDir,
    pub(crate) unlocked: Unlocked,
}

impl Home {
    pub(crate) fn new(region: &str) -> Self {
        let dir = TempDir::new().unwrap();
        let unlocked = Region::init(
            &dir.path().join("region"),
            region.parse().unwrap(),
            "North East Migration Partnership",
            &passphrase(),
            WorkFactor::NONE,
            NOW,
        )
        .unwrap();
        Self { dir, unlocked }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join("region")
    }

    pub(crate) fn request(&self, keys: &NodeKeys, council: &str) -> EnrolmentRequest {
        request(keys, self.unlocked.region().name().as_str(), council)
    }

    pub(crate) fn enrol(&mut self, keys: &NodeKeys, council: &str) -> JoinBundle {
        let request = self.request(keys, council);
        self.unlocked.enrol(&request, "A council", NOW).unwrap()
    }
}

pub(crate) fn request(keys: &NodeKeys, region: &str, council: &str) -> EnrolmentRequest {
    EnrolmentRequest::new(
        keys,
        region.parse().unwrap(),
        code(council),
        vec!["node.example.org:4433".to_owned()],
    )
    .unwrap()
}

pub(crate) fn code(council: &str) -> CouncilCode {
    council.parse().unwrap()
}
