//! Where councils and postcode districts lie, from the tables in `node/data`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use smp_protocol::matching::{Geography, Point};
use smp_protocol::schema::Outcode;

const COUNCILS: &str = include_str!("../data/councils.csv");
const DISTRICTS: &str = include_str!("../data/postcode_districts.csv");

/// All of it, read once. A county lies in the middle of its districts’ points.
pub(crate) static GEOGRAPHY: LazyLock<Geography> = LazyLock::new(|| Geography {
    councils: counties()
        .into_iter()
        .chain(rows(COUNCILS, "gss_code"))
        .filter_map(|(code, point)| Some((code.parse().ok()?, point)))
        .collect(),
    districts: rows(DISTRICTS, "postcode_district")
        .filter_map(|(code, point)| Some((Outcode::try_from(code).ok()?, point)))
        .collect(),
});

fn counties() -> BTreeMap<String, Point> {
    let mut points: BTreeMap<String, Vec<Point>> = BTreeMap::new();
    for (county, point) in rows(COUNCILS, "county_gss_code") {
        points.entry(county).or_default().push(point);
    }
    let middle = |points: Vec<Point>| {
        let count = i64::try_from(points.len()).unwrap_or(1).max(1);
        Point {
            north: points.iter().map(|point| point.north).sum::<i64>() / count,
            east: points.iter().map(|point| point.east).sum::<i64>() / count,
        }
    };
    let counties = points.into_iter();
    counties.map(|(county, of)| (county, middle(of))).collect()
}

/// What a table names, and where it lies. Rows without a point are left out.
fn rows(table: &'static str, name: &str) -> impl Iterator<Item = (String, Point)> {
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let headings = reader.headers().cloned().unwrap_or_default();
    let column = |wanted: &str| headings.iter().position(|heading| heading == wanted);
    let columns = (column(name), column("latitude"), column("longitude"));
    reader.into_records().filter_map(move |row| {
        let row = row.ok()?;
        let (name, north, east) = columns;
        let point = Point {
            north: millionths(row.get(north?)?)?,
            east: millionths(row.get(east?)?)?,
        };
        Some((row.get(name?)?.to_owned(), point))
    })
}

/// A decimal number in millionths, without going through a binary fraction.
fn millionths(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits: String = fraction.chars().chain("000000".chars()).take(6).collect();
    let negative = whole.starts_with('-');
    let whole: i64 = whole.trim_start_matches('-').parse().ok()?;
    let size = whole
        .checked_mul(1_000_000)?
        .checked_add(digits.parse().ok()?)?;
    Some(if negative { -size } else { size })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_council_with_a_point_and_every_district_is_there() {
        assert!(
            GEOGRAPHY.councils.len() > 350,
            "{}",
            GEOGRAPHY.councils.len()
        );
        assert!(
            GEOGRAPHY.districts.len() > 2_900,
            "{}",
            GEOGRAPHY.districts.len()
        );
        let leeds = GEOGRAPHY.councils[&"E08000035".parse().unwrap()];
        let bradford = GEOGRAPHY.councils[&"E08000032".parse().unwrap()];
        let km = leeds.metres_to(bradford) / 1000;
        assert!((10..30).contains(&km), "Leeds to Bradford: {km} km");
    }

    #[test]
    fn decimals_are_read_exactly() {
        assert_eq!(millionths("54.66901"), Some(54_669_010));
        assert_eq!(millionths("-0.5"), Some(-500_000));
        assert_eq!(millionths("7"), Some(7_000_000));
        assert_eq!(millionths("x"), None);
    }
}
