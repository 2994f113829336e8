//! The real councils of one region: which ones the demo has, and how many records their arrivals
//! imply.
//!
//! The councils and their arrivals are published figures (node/data/README.md). Nothing
//! about a person is read or made here.

use std::collections::BTreeMap;

use serde::Deserialize;
use smp_protocol::ids::{BadName, CouncilCode, RegionName};
use smp_protocol::schema::Outcode;

use crate::geography::GEOGRAPHY;

const COUNCILS: &str = include_str!("../../data/councils.csv");
const OUTCODES: &str = include_str!("../../data/council_outcodes.csv");

/// The region of a demo that names none: small enough for any machine.
pub(super) const DEFAULT_REGION: &str = "North East";
/// The most councils of one demo: each is a whole node, and all of them share one machine.
pub(super) const MOST_COUNCILS: usize = 64;
/// The fewest: one council has nobody to agree with.
pub(super) const FEWEST_COUNCILS: usize = 2;
/// Neighbours to whom each register is opened.
pub(super) const NEIGHBOURS: usize = 2;

/// People who arrive with one hosting household, in tenths. An assumption: the national
/// totals give 2.4.
const ARRIVALS_PER_HOST_TENTHS: u32 = 24;
/// Hosts of a council whose arrivals are suppressed or not published, and of any with
/// less. An assumption: suppressed means a few, and is not zero.
const FEWEST_HOSTS: u32 = 2;
/// Places for each hundred hosts. An assumption: about one host in eight is between two
/// households, and says so.
const PLACES_PER_100_HOSTS: u32 = 12;
/// Requests for each hundred hosts. An assumption: one placement in twenty-five has just
/// broken down or is about to.
const REQUESTS_PER_100_HOSTS: u32 = 4;
/// Listings for each hundred hosts. An assumption: homes to move on to are fewer than the
/// households that look for one.
const LISTINGS_PER_100_HOSTS: u32 = 5;

/// Why there is no region to make. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum RegionChoiceError {
    /// No region is called that.
    #[error("no region is called {asked:?}; give --region one of: {known}")]
    Unknown {
        /// What was asked for.
        asked: String,
        /// What there is.
        known: String,
    },
    /// A number of councils that no demo can have.
    #[error(
        "a demo has {FEWEST_COUNCILS} to {MOST_COUNCILS} councils, and {asked} were asked for; \
         change --councils"
    )]
    Number {
        /// What was asked for.
        asked: usize,
    },
    /// A file in the program is not what it must be: a defect of ours.
    #[error("the list of councils in this program is damaged ({0}); report it as a defect")]
    Csv(#[from] csv::Error),
    /// A name in a file in the program is not one: a defect of ours.
    #[error("the list of councils in this program is damaged ({0}); report it as a defect")]
    Name(#[from] BadName),
}

/// One row of the list of councils.
#[derive(Clone, Deserialize)]
struct CouncilRow {
    gss_code: CouncilCode,
    name: String,
    tier: String,
    region: String,
    smp_code: String,
    smp_name: String,
    county_gss_code: Option<CouncilCode>,
    hfu_arrivals: String,
}

/// One row of the list of postcode districts near councils.
#[derive(Deserialize)]
struct OutcodesRow {
    gss_code: CouncilCode,
    postcode_districts: String,
}

/// A council of the demo.
#[derive(Clone, Debug)]
pub(super) struct Council {
    pub(super) code: CouncilCode,
    pub(super) name: String,
    /// The name as a directory has it, e.g. `newcastle-upon-tyne`.
    pub(super) slug: String,
    /// The lower-tier councils in which its hosts live: itself, or a county's districts.
    pub(super) areas: Vec<CouncilCode>,
    /// Postcode districts near it, the largest first; none in Northern Ireland.
    pub(super) outcodes: Vec<Outcode>,
    /// Arrivals, where they are published.
    pub(super) arrivals: Option<u32>,
}

/// The region of a demo.
#[derive(Clone, Debug)]
pub(super) struct Chosen {
    /// As published, e.g. `North East`.
    pub(super) region: String,
    /// As the protocol names it, e.g. `north-east`.
    pub(super) name: RegionName,
    /// Its partnership's name.
    pub(super) title: String,
    /// Its councils, ascending by code.
    pub(super) councils: Vec<Council>,
    /// Councils of the region that are not among them.
    pub(super) left_out: usize,
}

/// Finds a region by its name, slug or partnership's code, and its councils: all, or those
/// with the most arrivals where there are more than `limit` or [`MOST_COUNCILS`].
///
/// # Errors
/// [`RegionChoiceError`] saying what to ask for instead.
pub(super) fn choose(asked: &str, limit: Option<usize>) -> Result<Chosen, RegionChoiceError> {
    let most = limit.unwrap_or(MOST_COUNCILS);
    if !(FEWEST_COUNCILS..=MOST_COUNCILS).contains(&most) {
        return Err(RegionChoiceError::Number { asked: most });
    }
    let all = read_councils()?;
    let wanted = asked.trim();
    let mut rows: Vec<CouncilRow> = all
        .iter()
        .filter(|row| row.is_in(wanted))
        .cloned()
        .collect();
    let Some(first) = rows.first().cloned() else {
        return Err(RegionChoiceError::Unknown {
            asked: wanted.to_owned(),
            known: known_regions(&all),
        });
    };
    let outcodes = read_outcodes()?;
    rows.sort_by_key(|row| (std::cmp::Reverse(row.arrivals()), row.gss_code));
    let left_out = rows.len().saturating_sub(most);
    rows.truncate(most);
    rows.sort_by_key(|row| row.gss_code);
    let councils = rows.into_iter().map(|row| council(row, &all, &outcodes));
    Ok(Chosen {
        name: slug(&first.region).parse()?,
        region: first.region,
        title: first.smp_name,
        councils: councils.collect(),
        left_out,
    })
}

impl CouncilRow {
    fn is_in(&self, wanted: &str) -> bool {
        [&self.region, &slug(&self.region), &self.smp_code]
            .into_iter()
            .any(|name| name.eq_ignore_ascii_case(wanted))
    }

    /// `None` for `suppressed` and for blank: neither is zero.
    fn arrivals(&self) -> Option<u32> {
        self.hfu_arrivals.parse().ok()
    }
}

fn read_councils() -> Result<Vec<CouncilRow>, csv::Error> {
    csv::Reader::from_reader(COUNCILS.as_bytes())
        .into_deserialize()
        .collect()
}

fn read_outcodes() -> Result<BTreeMap<CouncilCode, Vec<Outcode>>, RegionChoiceError> {
    let mut found = BTreeMap::new();
    for row in csv::Reader::from_reader(OUTCODES.as_bytes()).into_deserialize() {
        let row: OutcodesRow = row?;
        let districts = row.postcode_districts.split(';').map(str::to_owned);
        let districts: Result<Vec<Outcode>, BadName> = districts.map(Outcode::try_from).collect();
        found.insert(row.gss_code, districts?);
    }
    Ok(found)
}

fn known_regions(all: &[CouncilRow]) -> String {
    let mut known: Vec<String> = all
        .iter()
        .map(|row| format!("{} ({}, {})", row.region, slug(&row.region), row.smp_code))
        .collect();
    known.sort_unstable();
    known.dedup();
    known.join("; ")
}

fn council(
    row: CouncilRow,
    all: &[CouncilRow],
    outcodes: &BTreeMap<CouncilCode, Vec<Outcode>>,
) -> Council {
    let parts: Vec<&CouncilRow> = if row.tier == "county" {
        all.iter()
            .filter(|other| other.county_gss_code == Some(row.gss_code))
            .collect()
    } else {
        vec![&row]
    };
    let areas: Vec<CouncilCode> = parts.iter().map(|part| part.gss_code).collect();
    let outcodes = areas.iter().filter_map(|area| outcodes.get(area)).flatten();
    Council {
        outcodes: outcodes.cloned().collect(),
        areas,
        code: row.gss_code,
        slug: slug(&row.name),
        arrivals: row.arrivals(),
        name: row.name,
    }
}

/// A name as lower-case letters, digits and hyphens.
fn slug(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                ' '
            }
        })
        .collect();
    plain.split_whitespace().collect::<Vec<&str>>().join("-")
}

/// The councils nearest to one, nearest first: at most [`NEIGHBOURS`], never itself.
pub(super) fn nearest<'a>(council: &Council, among: &'a [Council]) -> Vec<&'a Council> {
    let mut others: Vec<&Council> = among.iter().filter(|c| c.code != council.code).collect();
    let point = |council: &Council| GEOGRAPHY.councils.get(&council.code);
    let metres = |other: &Council| {
        let points = point(council).zip(point(other));
        points.map_or(u64::MAX, |(here, there)| here.metres_to(*there))
    };
    others.sort_by_key(|other| (metres(other), other.code));
    others.truncate(NEIGHBOURS);
    others
}

/// How many records of each kind a council gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Counts {
    pub(super) hosts: u32,
    pub(super) places: u32,
    pub(super) requests: u32,
    pub(super) listings: u32,
}

impl Counts {
    /// What the arrivals of a council imply.
    pub(super) fn of(arrivals: Option<u32>) -> Self {
        let tenths = arrivals.unwrap_or(0).saturating_mul(10);
        let half = ARRIVALS_PER_HOST_TENTHS / 2;
        let rounded = tenths.saturating_add(half) / ARRIVALS_PER_HOST_TENTHS;
        let hosts = rounded.max(FEWEST_HOSTS);
        // At least one of each, so that every document has something to agree on.
        let share = |per_100: u32| hosts.saturating_mul(per_100).div_ceil(100);
        Self {
            hosts,
            places: share(PLACES_PER_100_HOSTS),
            requests: share(REQUESTS_PER_100_HOSTS),
            listings: share(LISTINGS_PER_100_HOSTS),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn named<'a>(chosen: &'a Chosen, name: &str) -> &'a Council {
        chosen.councils.iter().find(|c| c.name == name).unwrap()
    }

    #[test]
    fn a_region_is_found_by_name_slug_and_code_in_any_case() {
        for asked in ["North East", "north-east", "NORTH EAST", "nemp", " NEMP "] {
            let chosen = choose(asked, None).unwrap();
            assert_eq!(chosen.councils.len(), 12, "{asked}");
            assert_eq!(chosen.name.as_str(), "north-east", "{asked}");
            assert_eq!(chosen.left_out, 0, "{asked}");
        }
        assert_eq!(choose(DEFAULT_REGION, None).unwrap().region, "North East");
    }

    #[test]
    fn an_unknown_region_is_told_all_that_there_are() {
        let error = choose("Atlantis", None).unwrap_err().to_string();
        for known in ["Atlantis", "North East (north-east, NEMP)", "LSMP", "wales"] {
            assert!(error.contains(known), "{error}");
        }
    }

    #[test]
    fn the_largest_region_keeps_the_councils_with_most_arrivals() {
        let chosen = choose("South East", None).unwrap();
        assert_eq!((chosen.councils.len(), chosen.left_out), (64, 6));
        assert!(chosen.councils.iter().all(|c| c.arrivals.is_some()));
        let hosts: u32 = chosen
            .councils
            .iter()
            .map(|c| Counts::of(c.arrivals).hosts)
            .sum();
        assert!((11_500..12_500).contains(&hosts), "{hosts}");
        let few = choose("North East", Some(3)).unwrap();
        let names: BTreeSet<&str> = few.councils.iter().map(|c| c.name.as_str()).collect();
        let most = ["County Durham", "Northumberland", "Newcastle upon Tyne"];
        assert_eq!(names, BTreeSet::from(most));
        assert_eq!(few.left_out, 9);
    }

    #[test]
    fn a_number_of_councils_that_makes_no_demo_is_refused() {
        for asked in [0, 1, 65] {
            let error = choose("nemp", Some(asked)).unwrap_err().to_string();
            assert!(error.contains("--councils"), "{error}");
        }
    }

    #[test]
    fn a_county_is_a_council_among_its_districts() {
        let chosen = choose("North West", None).unwrap();
        let county = named(&chosen, "Lancashire");
        assert_eq!(county.areas.len(), 12);
        assert!(county.areas.contains(&named(&chosen, "Burnley").code));
        let north = GEOGRAPHY.councils[&county.code].north;
        assert!((53_500_000..54_300_000).contains(&north));
        assert!(!county.outcodes.is_empty());
        assert_eq!(county.arrivals, None);
    }

    #[test]
    fn every_region_makes_a_demo_whose_directories_differ() {
        for row in read_councils().unwrap() {
            assert!(row.region.len() <= 32);
        }
        let regions: BTreeSet<String> = read_councils()
            .unwrap()
            .into_iter()
            .map(|r| r.region)
            .collect();
        assert_eq!(regions.len(), 12);
        for region in regions {
            let chosen = choose(&region, None).unwrap();
            let slugs: BTreeSet<&String> = chosen.councils.iter().map(|c| &c.slug).collect();
            assert_eq!(slugs.len(), chosen.councils.len(), "{region}");
            for council in &chosen.councils {
                let north = GEOGRAPHY.councils[&council.code].north;
                let real = (49_000_000..61_000_000).contains(&north);
                assert!(real && !council.areas.is_empty(), "{}", council.name);
                let northern_ireland = council.code.as_str().starts_with('N');
                assert_eq!(
                    council.outcodes.is_empty(),
                    northern_ireland,
                    "{}",
                    council.name
                );
            }
        }
    }

    #[test]
    fn the_nearest_two_are_the_nearest_and_never_itself() {
        let chosen = choose("nemp", None).unwrap();
        for (name, expected) in [
            ("Hartlepool", ["Stockton-on-Tees", "Middlesbrough"]),
            (
                "Middlesbrough",
                ["Stockton-on-Tees", "Redcar and Cleveland"],
            ),
            ("Newcastle upon Tyne", ["Gateshead", "North Tyneside"]),
        ] {
            let names: Vec<&str> = nearest(named(&chosen, name), &chosen.councils)
                .into_iter()
                .map(|c| c.name.as_str())
                .collect();
            assert_eq!(names, expected, "{name}");
        }
        let pair = choose("nemp", Some(2)).unwrap();
        for council in &pair.councils {
            let near = nearest(council, &pair.councils);
            assert!(near.len() == 1 && near[0].code != council.code);
        }
    }

    #[test]
    fn arrivals_imply_records() {
        let durham = Counts::of(Some(766));
        let expected = Counts {
            hosts: 319,
            places: 39,
            requests: 13,
            listings: 16,
        };
        assert_eq!(durham, expected);
        let unknown = Counts {
            hosts: 2,
            places: 1,
            requests: 1,
            listings: 1,
        };
        assert_eq!(Counts::of(None), unknown);
        assert_eq!(Counts::of(Some(0)), unknown);
        assert_eq!(Counts::of(Some(24)).hosts, 10);
    }
}
