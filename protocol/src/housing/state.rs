//! Where a listing stands, and where it may go from there.

/// Where a listing stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum State {
    /// It can be had.
    Available,
    /// It was offered to a household, and nobody has moved in.
    UnderOffer,
    /// Somebody has it. That is the end of a listing.
    Let,
    /// It is not offered for now.
    Withdrawn,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 4] = [
        Self::Available,
        Self::UnderOffer,
        Self::Let,
        Self::Withdrawn,
    ];

    /// The code, e.g. `under_offer`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::UnderOffer => "under_offer",
            Self::Let => "let",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The state of a code.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// The table: what may follow.
    pub fn next(self) -> &'static [Self] {
        match self {
            Self::Available => &[Self::UnderOffer, Self::Withdrawn],
            // Back to available: the offer fell through.
            Self::UnderOffer => &[Self::Let, Self::Available, Self::Withdrawn],
            Self::Withdrawn => &[Self::Available],
            Self::Let => &[],
        }
    }

    /// Whether a listing can get there in some steps. A file that is imported shows where things
    /// have come to, and not every step on the way.
    pub fn reaches(self, to: Self) -> bool {
        let mut reached = vec![self];
        let mut looked_at = 0;
        while let Some(from) = reached.get(looked_at).copied() {
            looked_at += 1;
            for next in from.next() {
                if !reached.contains(next) {
                    reached.push(*next);
                }
            }
        }
        reached.contains(&to)
    }
}

/// Who says where a listing is to go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// An officer, one step at a time.
    Step,
    /// A file, which shows where things have come to.
    File,
}

/// A step that the table does not have.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoStep {
    /// A home that is let stays let.
    #[error("it is let, and that is the end of a listing; it cannot become {}", .to.as_str())]
    IsLet {
        /// What was wanted.
        to: State,
    },
    /// There is something in between.
    #[error("it is {}, and {} does not follow from that", .from.as_str(), .to.as_str())]
    NotNext {
        /// Where it stands.
        from: State,
        /// What was wanted.
        to: State,
    },
}

/// Whether a listing may go there. `now` is more than one state where two nodes have written
/// different ones; each of these settles it.
///
/// # Errors
/// [`NoStep`] where it may not.
pub fn step(now: &[State], to: State, way: Way) -> Result<(), NoStep> {
    let may = |from: &State| match way {
        Way::Step => *from == to || from.next().contains(&to),
        Way::File => from.reaches(to),
    };
    if now.is_empty() || now.contains(&to) {
        return Ok(());
    }
    match now.iter().copied().find(|from| !may(from)) {
        None => Ok(()),
        Some(State::Let) => Err(NoStep::IsLet { to }),
        Some(from) => Err(NoStep::NotNext { from, to }),
    }
}
