//! How far apart two places are, in whole metres.
//!
//! Whole numbers only: floating-point sines differ between machines, and a suggestion must not.

use std::collections::BTreeMap;

use super::{Place, Request};
use crate::ids::CouncilCode;
use crate::schema::Outcode;

/// A point: millionths of a degree, north and east.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Point {
    /// Latitude.
    pub north: i64,
    /// Longitude.
    pub east: i64,
}

/// Metres of one degree of latitude, and of longitude at the equator.
const DEGREE: i64 = 111_195;
const MICRO: i64 = 1_000_000;

/// The cosine of each whole degree from 49 to 61 north, in ten-thousandths: the country from
/// Scilly to Shetland.
const COSINES: [i64; 13] = [
    6561, 6428, 6293, 6157, 6018, 5878, 5736, 5592, 5446, 5299, 5150, 5000, 4848,
];
const FIRST_DEGREE: i64 = 49;

impl Point {
    /// Metres to another point, with the earth flat at their mean latitude: within a few metres
    /// in a hundred kilometres here.
    pub fn metres_to(self, other: Self) -> u64 {
        let north = (self.north - other.north) * DEGREE / MICRO;
        let middle = (self.north + other.north) / 2;
        let degree = (middle / MICRO).clamp(FIRST_DEGREE, FIRST_DEGREE + 11);
        let index = usize::try_from(degree - FIRST_DEGREE).unwrap_or(0);
        let at = |index: usize| COSINES.get(index).copied().unwrap_or(5000);
        let part = (middle - degree * MICRO).clamp(0, MICRO);
        let cosine = at(index) + (at(index + 1) - at(index)) * part / MICRO;
        let east = (self.east - other.east) * DEGREE / MICRO * cosine / 10_000;
        let squared = north
            .saturating_mul(north)
            .saturating_add(east.saturating_mul(east));
        squared.isqrt().unsigned_abs()
    }
}

/// Where councils and postcode districts lie.
#[derive(Clone, Debug, Default)]
pub struct Geography {
    /// A point in each council's area.
    pub councils: BTreeMap<CouncilCode, Point>,
    /// The middle of each postcode district.
    pub districts: BTreeMap<Outcode, Point>,
}

impl Geography {
    /// Where a place is, as finely as it says.
    fn of_place(&self, place: &Place) -> Option<Point> {
        let district = place.district.as_ref();
        let district = district.and_then(|district| self.districts.get(district));
        let area = place.area.and_then(|area| self.councils.get(&area));
        let council = self.councils.get(&place.council);
        district.or(area).or(council).copied()
    }

    /// Metres from a place to the nearest of the areas that a request names, or else to the
    /// council in which the household is now.
    pub fn metres(&self, request: &Request, place: &Place) -> Option<u64> {
        let here = self.of_place(place)?;
        let own = [request.council];
        let wanted = match request.wanted_areas.as_slice() {
            [] => &own[..],
            areas => areas,
        };
        let points = wanted.iter().filter_map(|area| self.councils.get(area));
        points.map(|point| here.metres_to(*point)).min()
    }
}
