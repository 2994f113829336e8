//! Which build of the program a node runs: the one before the newest knows no more than the
//! schema before the newest. Only with the feature `next-schema` are there two.
//!
//! The build belongs to the thread, so whatever asks a member something sets it first.

use smp_protocol::schema::{NEWEST, SchemaVersion};

/// The schema of the older build, with which every region begins.
pub(super) const OLD: SchemaVersion = NEWEST;

/// Whether there are two builds.
pub(super) const TWO: bool = cfg!(feature = "next-schema");

/// The schema that the newer build knows.
pub(super) const NEW: SchemaVersion = SchemaVersion(OLD.0 + TWO as u16);

/// Runs something as a build that knows the schema up to `newest`.
#[cfg(feature = "next-schema")]
pub(super) fn run_as<T>(newest: SchemaVersion, something: impl FnOnce() -> T) -> T {
    smp_protocol::schema::next::run_as_build(newest);
    let outcome = something();
    smp_protocol::schema::next::run_as_build(NEW);
    outcome
}

/// Runs something as the only build there is.
#[cfg(not(feature = "next-schema"))]
pub(super) fn run_as<T>(_: SchemaVersion, something: impl FnOnce() -> T) -> T {
    something()
}
