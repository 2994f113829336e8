//! What the system tests share: a region of real processes on this machine, a simulated one
//! in this process, and what hostile bytes are put through.
//!
//! Every test makes its own region in its own directory and on its own ports, so that tests
//! can run side by side. It must never reach into a node: what it knows, it knows from the
//! binaries' answers and from the files that they leave.

// Everything here stands for a test: what goes wrong is to stop the test, with the reason.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr
)]

pub mod fuzz;
pub mod harness;
pub mod sim;
