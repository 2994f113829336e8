//! Move-on homes, their rent, and who is interested.

use smp_protocol::api::{Home, HomeInterest};

use super::table::{Mood, cell, marked};
use super::{Look, View, csv};
use crate::exit::Failure;

const HOME: [&str; 19] = [
    "id",
    "council",
    "council_name",
    "own",
    "state",
    "tenure",
    "area",
    "bedrooms",
    "rent_pence_per_month",
    "local_housing_allowance_pence_per_month",
    "above_allowance_pence_per_month",
    "available_from",
    "available_until",
    "nominations",
    "open_to_you",
    "why_not",
    "interested",
    "households",
    "offered_to",
];

const INTEREST: [&str; 9] = [
    "id",
    "listing",
    "owner",
    "council",
    "council_name",
    "own",
    "households",
    "day",
    "counts",
];

/// Pence as pounds, without a sign.
fn pounds(pence: u64) -> String {
    format!("£{}.{:02}", pence / 100, pence % 100)
}

/// The rent against the allowance, as a person says it.
fn against(home: &Home) -> (String, Mood) {
    match home.above_allowance_pence_per_month {
        None => ("not known".to_owned(), Mood::Plain),
        Some(0) => ("the same".to_owned(), Mood::Good),
        Some(above) => {
            let (word, mood) = match above > 0 {
                true => ("above", Mood::Warn),
                false => ("under", Mood::Good),
            };
            (format!("{} {word}", pounds(above.unsigned_abs())), mood)
        }
    }
}

fn state(home: &Home) -> (String, Mood) {
    let word = home.state.replace('_', " ");
    match (&home.offered_to, home.state.as_str()) {
        (Some(council), _) => (format!("{word} ({council})"), Mood::Warn),
        (None, "available") => (word, Mood::Good),
        _ => (word, Mood::Plain),
    }
}

fn who(home: &Home) -> String {
    match home.interested.as_slice() {
        [] => String::new(),
        councils => format!("{} for {}", councils.join(", "), home.households),
    }
}

impl View for Vec<Home> {
    fn words(&self, look: &Look) -> String {
        if self.is_empty() {
            return "No such homes. `smp housing homes` lists all of them, `smp housing add --help` \
                    says how one is added.\n"
                .to_owned();
        }
        let rows = self.iter().map(|home| {
            let rent = home.rent_pence_per_month;
            let (against, mood) = against(home);
            let (state, how) = state(home);
            vec![
                cell(&home.id),
                cell(&home.council_name),
                marked(state, how),
                cell(home.bedrooms.map(|n| n.to_string()).unwrap_or_default()),
                cell(rent.map(|pence| pounds(pence.into())).unwrap_or_default()),
                marked(against, mood),
                cell(if home.open_to_you { "yes" } else { "" }),
                cell(who(home)),
            ]
        });
        let heads = [
            "Listing",
            "Council",
            "State",
            "Beds",
            "Rent",
            "Allowance",
            "Open",
            "Interested",
        ];
        look.table(&heads, rows.collect())
    }

    fn csv(&self) -> Result<String, Failure> {
        csv::items(&HOME, self)
    }
}

impl View for Vec<HomeInterest> {
    fn words(&self, look: &Look) -> String {
        if self.is_empty() {
            return "No such interest. `smp housing interest --help` says how one is stated.\n"
                .to_owned();
        }
        let rows = self.iter().map(|one| {
            let counts = match one.counts {
                true => marked("yes", Mood::Good),
                false => marked("no", Mood::Warn),
            };
            vec![
                cell(&one.id),
                cell(&one.listing),
                cell(&one.council_name),
                cell(one.households.to_string()),
                cell(&one.day),
                counts,
            ]
        });
        let heads = ["Interest", "In", "Of", "For", "Since", "Open"];
        look.table(&heads, rows.collect())
    }

    fn csv(&self) -> Result<String, Failure> {
        csv::items(&INTEREST, self)
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::tests::look;
    use super::*;

    fn home(above: Option<i64>) -> Home {
        Home {
            id: "listing-aebagbafaydqqcikbmga2dqp".to_owned(),
            council: "E08000021".to_owned(),
            council_name: "Newcastle upon Tyne".to_owned(),
            own: true,
            state: "under_offer".to_owned(),
            tenure: Some("private_rented".to_owned()),
            area: None,
            bedrooms: Some(2),
            rent_pence_per_month: Some(95_050),
            local_housing_allowance_pence_per_month: Some(90_000),
            above_allowance_pence_per_month: above,
            available_from: None,
            available_until: None,
            nominations: "region".to_owned(),
            open_to_you: false,
            why_not: None,
            interested: vec!["E08000024".to_owned(), "E08000037".to_owned()],
            households: 3,
            offered_to: Some("E08000037".to_owned()),
        }
    }

    #[test]
    fn rent_is_said_in_pounds_above_or_under() {
        let said = |above| against(&home(above)).0;
        assert_eq!(said(Some(5_050)), "£50.50 above");
        assert_eq!(said(Some(-7)), "£0.07 under");
        assert_eq!(said(Some(0)), "the same");
        assert_eq!(said(None), "not known");
    }

    #[test]
    fn a_home_fits_its_table_and_has_every_column() {
        let homes = vec![home(Some(5_050))];
        let text = homes.words(&look());
        for part in [
            "£950.50",
            "£50.50 above",
            "under offer",
            "E08000037",
            "for 3",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
        assert!(
            text.lines().all(|line| line.chars().count() <= 120),
            "{text}"
        );
        let keys = serde_json::to_value(&homes[0]).unwrap();
        let mut keys: Vec<&str> = keys
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let mut columns = HOME.to_vec();
        keys.sort_unstable();
        columns.sort_unstable();
        assert_eq!(columns, keys);
    }
}
