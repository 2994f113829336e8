//! Deliberately broken rules, to prove that the simulator notices (docs/SIMULATOR.md).
//!
//! Compiled in only with the feature `mutants`, which the tests alone turn on. Without it
//! [`broken`] is a constant, and nothing of this is in a program. It must never decide
//! anything but whether a rule is left out.

use std::cell::Cell;

/// A rule that is left out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mutant {
    /// The gate does not look at signatures.
    SignatureUnchecked,
    /// Statements are believed whoever signed them.
    StatementUnchecked,
    /// Every member may read every register.
    EveryoneReads,
    /// Entries are executed at whatever is there, not at their past.
    PastIgnored,
    /// News that cannot be used yet is dropped, and rounds do not repair it.
    NothingAskedFor,
    /// A roster with a lower version is taken.
    RosterGoesBack,
    /// Who is not in a new roster stays connected.
    RemovedStays,
    /// A council with no peer connected does not write.
    AloneIsMute,
    /// There is no bound on pulls under way.
    PullsUnbounded,
    /// Whoever passes on entries that cannot be used yet is closed.
    RelayBlamed,
    /// A roster of a schema that this build does not know is held against who shows it.
    OldBuildBlames,
    /// Every member may read all casework.
    CaseworkIsOpen,
}

impl Mutant {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::SignatureUnchecked,
        Self::StatementUnchecked,
        Self::EveryoneReads,
        Self::PastIgnored,
        Self::NothingAskedFor,
        Self::RosterGoesBack,
        Self::RemovedStays,
        Self::AloneIsMute,
        Self::PullsUnbounded,
        Self::RelayBlamed,
        Self::OldBuildBlames,
        Self::CaseworkIsOpen,
    ];
}

thread_local! {
    static BROKEN: Cell<Option<Mutant>> = const { Cell::new(None) };
}

/// From now on this thread leaves out this rule, or none.
pub fn break_on_this_thread(mutant: Option<Mutant>) {
    BROKEN.set(mutant);
}

/// Whether this rule is left out.
pub(crate) fn broken(mutant: Mutant) -> bool {
    BROKEN.get() == Some(mutant)
}
