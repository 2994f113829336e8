//! Times for people: how long ago, or how soon.

use jiff::Timestamp;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// `2 min ago`, `in 12 days`; an instant that cannot be read is shown as it is.
pub(crate) fn ago(instant: &str, now: Timestamp) -> String {
    let Ok(then) = instant.parse::<Timestamp>() else {
        return super::plain(instant);
    };
    let seconds = now.as_second().saturating_sub(then.as_second());
    let length = match seconds.saturating_abs() {
        0..=4 => return "now".to_owned(),
        s @ ..=89 => format!("{s} s"),
        s @ ..=5_399 => format!("{} min", s / MINUTE),
        s @ ..=172_799 => format!("{} h", s / HOUR),
        s => format!("{} days", s / DAY),
    };
    match seconds > 0 {
        true => format!("{length} ago"),
        false => format!("in {length}"),
    }
}

/// The same for an instant that may be missing.
pub(crate) fn ago_or_never(instant: Option<&str>, now: Timestamp) -> String {
    instant.map_or_else(|| "never".to_owned(), |instant| ago(instant, now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_people_say_it() {
        let now: Timestamp = "2026-04-01T12:00:00Z".parse().unwrap();
        for (instant, words) in [
            ("2026-04-01T12:00:00Z", "now"),
            ("2026-04-01T11:59:30Z", "30 s ago"),
            ("2026-04-01T11:58:00Z", "2 min ago"),
            ("2026-04-01T09:00:00Z", "3 h ago"),
            ("2026-03-20T12:00:00Z", "12 days ago"),
            ("2026-04-11T12:00:00Z", "in 10 days"),
            ("2026-04-01T13:00:00+01:00", "now"),
            ("yesterday", "yesterday"),
        ] {
            assert_eq!(ago(instant, now), words, "{instant}");
        }
        assert_eq!(ago_or_never(None, now), "never");
    }
}
