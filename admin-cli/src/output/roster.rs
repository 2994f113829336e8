//! A roster in words.

use smp_protocol::api::{RosterStatus, RosterView};

use super::ago::ago;
use super::table::{Mood, plain};
use super::{Look, View, csv};
use crate::exit::Failure;

/// How a roster stands, in one line.
pub(super) fn standing(roster: &RosterStatus, look: &Look) -> String {
    let (words, mood) = match roster.state.as_str() {
        "valid" => ("valid".to_owned(), Mood::Good),
        "expires_soon" => ("expires soon".to_owned(), Mood::Warn),
        "expired" => ("EXPIRED: sync has stopped".to_owned(), Mood::Bad),
        other => (plain(other), Mood::Warn),
    };
    let members = match roster.members {
        1 => "1 member council".to_owned(),
        n => format!("{n} member councils"),
    };
    format!(
        "roster version {}, {}, signed {}, expires {}; {members}",
        roster.version,
        look.paint(&words, mood),
        ago(&roster.issued, look.now),
        ago(&roster.expires, look.now),
    )
}

impl View for RosterView {
    fn words(&self, look: &Look) -> String {
        format!(
            "{} ({}): {}; records of schema version {}\nRegion authority: {}\n\n{}",
            plain(&self.title),
            plain(&self.region),
            standing(&self.status, look),
            self.schema,
            plain(&self.status.authority),
            self.members.words(look),
        )
    }

    /// The members, each with the region and the roster that it is of.
    fn csv(&self) -> Result<String, Failure> {
        csv::items(&super::lists::MEMBER_COLUMNS, &self.members)
    }
}
