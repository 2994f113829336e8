//! The pure core of smp-sync.
//!
//! Everything that two nodes must agree on lives here: what a council is called, what a
//! document may hold, when an entry is admitted, and what is said to a peer. This crate
//! never touches a socket, a file, a clock or a source of randomness: callers pass in
//! bytes, the time and random bytes, and carry out what comes back. So the same code runs
//! under QUIC in the daemon and under a simulator in tests.
//!
//! `docs/PROTOCOL.md` numbers the rules (P-1, P-2, …) that the code cites.

pub mod api;
pub mod casework;
pub mod checks;
pub mod codec;
pub mod crypto;
pub mod document;
pub mod events;
pub mod housing;
pub mod ids;
pub mod indicators;
pub mod limits;
pub mod matching;
#[cfg(feature = "mutants")]
pub mod mutants;
pub mod roster;
pub mod schema;
pub mod session;
pub mod statements;
pub mod time;

/// Whether a rule is left out by the feature `mutants`; a constant without it.
macro_rules! broken {
    ($mutant:ident) => {{
        #[cfg(feature = "mutants")]
        let broken = crate::mutants::broken(crate::mutants::Mutant::$mutant);
        #[cfg(not(feature = "mutants"))]
        let broken = false;
        broken
    }};
}
pub(crate) use broken;
