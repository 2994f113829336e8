//! Why a demo ended early. What it made so far is thrown away, or kept where `--keep` says.

use std::path::PathBuf;

use smp_certs::{EnrolError, KeyError, RegionError, RequestError};
use smp_protocol::ids::BadName;

use super::councils::RegionChoiceError;
use crate::service::Failure;

/// Why a demo ended early.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// There is no such region, or not of that size.
    #[error(transparent)]
    Region(#[from] RegionChoiceError),
    /// `--keep` names a directory with something in it.
    #[error(
        "{} is not empty, and a demo overwrites nothing; give --keep a new directory",
        dir.display()
    )]
    NotEmpty {
        /// The directory.
        dir: PathBuf,
    },
    /// A file or directory could not be made.
    #[error("{}: {source}; check its permissions and the room on that disk", path.display())]
    File {
        /// The file or directory.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// No port was free on loopback.
    #[error("no UDP port on 127.0.0.1 could be had: {0}; the nodes of a demo need one each")]
    Port(std::io::Error),
    /// The files of made-up people could not be written: a defect of ours.
    #[error("a file of made-up records could not be written: {0}; report it as a defect")]
    Csv(#[from] csv::Error),
    /// A name is not one: a defect of ours.
    #[error("{0}; report it as a defect")]
    Name(#[from] BadName),
    /// The region could not be made.
    #[error(transparent)]
    Authority(#[from] RegionError),
    /// A node's keys could not be made.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// A node's request could not be made.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// A node was not enrolled.
    #[error(transparent)]
    Enrol(#[from] EnrolError),
    /// A node was not set up or started.
    #[error("the node of {council} did not start: {why}")]
    Start {
        /// Its council.
        council: String,
        /// Why not, and what to do.
        why: String,
    },
    /// A node did not do what it was asked.
    #[error("the node of {council} did not {what}: {failure}")]
    Refused {
        /// Its council.
        council: String,
        /// What it was asked.
        what: &'static str,
        /// What it answered.
        failure: Failure,
    },
    /// A file that was made here was not imported: a defect of ours.
    #[error(
        "{} was not imported at {council}: {problem}; report it as a defect",
        file.display()
    )]
    NotImported {
        /// The council.
        council: String,
        /// The file.
        file: PathBuf,
        /// The first problem.
        problem: String,
    },
    /// A step of the rematch did not reach a council.
    #[error("{council} did not see what is {stage} in time; report it as a defect")]
    Waited {
        /// The council.
        council: String,
        /// What it waited for.
        stage: &'static str,
    },
    /// A part of the demo broke off: a defect of ours.
    #[error("a part of the demo broke off ({0}); report it as a defect")]
    Broke(#[from] tokio::task::JoinError),
}
