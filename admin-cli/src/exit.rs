//! The exit codes, and the one kind of failure that a command ends with.
//!
//! The codes are for scripts and never change their meaning; a script takes any code that
//! it does not know as failure. No failure carries a personal value.

use std::fmt;

use smp_protocol::api::ApiError;

/// Something that nobody expected: a defect, a full disk, a node that is stopping.
pub(crate) const FAILURE: u8 = 1;
/// The command line is not one that `smp` understands, or lacks something. clap's own code.
pub(crate) const USAGE: u8 = 2;
/// The node cannot be reached.
pub(crate) const UNREACHABLE: u8 = 3;
/// What was given is not acceptable: a file with problems, a bad value, a wrong passphrase.
pub(crate) const REFUSED: u8 = 4;
/// The node works, and something is not in agreement or needs attention.
pub(crate) const ATTENTION: u8 = 5;

/// What `smp --help` says about the codes.
pub(crate) const HELP: &str = "\
Exit codes:
  0  done
  1  unexpected failure
  2  the command line is not understood, or lacks something
  3  the node cannot be reached
  4  what was given was refused (a bad value, a file with problems); nothing was changed
  5  not in agreement, not held by another node yet, or in need of attention
  Treat any other code as failure.";

/// Why a command ended without doing what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// One of the codes above.
    pub(crate) code: u8,
    /// What is wrong, naming the thing.
    pub(crate) message: String,
    /// What to do about it; empty where there is nothing to do.
    pub(crate) next: String,
}

impl Failure {
    pub(crate) fn new(code: u8, message: impl fmt::Display, next: impl fmt::Display) -> Self {
        Self {
            code,
            message: message.to_string(),
            next: next.to_string(),
        }
    }

    /// What was given is not acceptable.
    pub(crate) fn refused(message: impl fmt::Display, next: impl fmt::Display) -> Self {
        Self::new(REFUSED, message, next)
    }

    /// A file could not be read or written.
    pub(crate) fn file(path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::refused(
            format!("{}: {error}", path.display()),
            "check the path and that you may read and write it",
        )
    }

    /// The node said no. Whose fault it is follows from the HTTP status.
    pub(crate) fn from_node(status: u16, error: ApiError) -> Self {
        let code = match (status, error.code.as_str()) {
            (_, "not_replicated" | "unsure") => ATTENTION,
            (408 | 429, _) => FAILURE,
            (400..=499, _) => REFUSED,
            _ => FAILURE,
        };
        Self::new(code, error.message, error.next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_node(status: u16, code: &str) -> u8 {
        let error = ApiError {
            code: code.to_owned(),
            message: String::new(),
            next: String::new(),
        };
        Failure::from_node(status, error).code
    }

    #[test]
    fn a_refusal_is_told_from_a_failure() {
        assert_eq!(from_node(400, "bad_value"), REFUSED);
        assert_eq!(from_node(409, "conflict"), REFUSED);
        assert_eq!(from_node(503, "disk_full"), FAILURE);
        assert_eq!(from_node(504, "not_replicated"), ATTENTION);
        assert_eq!(from_node(503, "unsure"), ATTENTION);
        assert_eq!(from_node(302, "odd"), FAILURE);
    }
}
