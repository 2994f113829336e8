//! What is synced: the South East's councils, and a made-up host register for each.
//!
//! Councils and arrivals are the published figures of `node/data`. Everything about a host is
//! chance from a seed, never a cycle: cyclic values compress to nothing and would flatter
//! whoever compresses best. No record stands for a person.

use smp_protocol::ids::{CouncilCode, RecordId, RecordKind};
use smp_protocol::schema::{Edit, FieldId, Language, Outcode, Value};
use smp_protocol::time::Day;
use system_tests::harness::Random;

const COUNCILS: &str = include_str!("../../../node/data/councils.csv");
const OUTCODES: &str = include_str!("../../../node/data/council_outcodes.csv");
const REGION: &str = "South East";

/// People who arrive with one hosting household, in tenths; the same assumption as the demo's.
const ARRIVALS_PER_HOST_TENTHS: usize = 24;
/// The first day on which a host of this data was offered: 1 March 2022.
const FIRST_DAY: i32 = 19_052;

/// A council, and how many hosts its published arrivals imply.
pub(crate) struct Council {
    pub(crate) code: CouncilCode,
    pub(crate) name: String,
    pub(crate) hosts: usize,
    outcodes: Vec<Outcode>,
}

/// The councils of the South East whose arrivals are published, ascending by code.
pub(crate) fn south_east() -> Vec<Council> {
    let mut councils = Vec::new();
    for row in csv::Reader::from_reader(COUNCILS.as_bytes()).records() {
        let row = row.unwrap();
        let Ok(arrivals) = row[11].parse::<usize>() else {
            continue;
        };
        if &row[5] == REGION {
            councils.push(Council {
                code: row[0].parse().unwrap(),
                name: row[1].to_owned(),
                hosts: arrivals * 10 / ARRIVALS_PER_HOST_TENTHS,
                outcodes: outcodes_of(&row[0]),
            });
        }
    }
    councils.sort_by_key(|council| council.code);
    councils
}

fn outcodes_of(code: &str) -> Vec<Outcode> {
    let mut rows = csv::Reader::from_reader(OUTCODES.as_bytes());
    let mut rows = rows.records().map(Result::unwrap);
    let row = rows.find(|row| &row[0] == code).unwrap();
    let outcodes = row[1].split(';').map(str::to_owned);
    outcodes.map(|text| text.try_into().unwrap()).collect()
}

/// The register of a council: a record for each of its hosts.
pub(crate) fn register(council: &Council, seed: u64) -> Vec<Edit> {
    let mut random = of_council(council, seed);
    (0..council.hosts)
        .map(|_| host(&mut random, council))
        .collect()
}

/// A council's own chance.
pub(crate) fn of_council(council: &Council, seed: u64) -> Random {
    let code = council.code;
    let mixed = code.as_str().bytes().fold(seed, |mixed, byte| {
        mixed.wrapping_mul(0x0100_0000_01b3) ^ u64::from(byte)
    });
    Random::new(mixed)
}

/// A new host, with the fields that a council's own export fills in.
pub(crate) fn host(random: &mut Random, council: &Council) -> Edit {
    let single = weighted(random, &[42, 41, 14, 3]);
    let double = weighted(random, &[20, 58, 18, 4]).max(i64::from(single == 0));
    let people = single + 2 * double;
    let status = weighted(random, &[8, 6, 2, 42, 13, 26, 3]);
    let free = status < 2;
    let mut fields = vec![
        (1, code(weighted(random, &[94, 3, 2, 1]))),
        (2, code(weighted(random, &[78, 19, 3]))),
        (3, Value::Outcode(near_first(random, &council.outcodes))),
        (4, Value::Council(council.code)),
        (5, Value::Integer(single)),
        (6, Value::Integer(double)),
        (7, Value::Integer(if free { people } else { 0 })),
        (8, day(random, FIRST_DAY, 1_300)),
    ];
    if percent(random, 35) {
        fields.push((9, day(random, FIRST_DAY + 1_300, 540)));
    }
    let months = [6, 12, 3, 18, 24, 36][index(random, &[46, 30, 9, 7, 5, 3])];
    fields.extend([
        (10, Value::Integer(months)),
        (11, Value::Boolean(percent(random, 25))),
        (12, code(weighted(random, &[30, 15, 22, 18, 15]))),
    ]);
    for (id, of_100) in [(13, 18), (14, 6), (15, 35), (16, 60), (17, 70)] {
        // Not every council asks every host.
        if percent(random, 80) {
            fields.push((id, Value::Boolean(percent(random, of_100))));
        }
    }
    fields.push((18, languages(random)));
    fields.push((19, routes(random)));
    fields.push((20, code(status)));
    Edit::Create {
        record: record(random),
        fields: fields
            .into_iter()
            .map(|(id, value)| (FieldId(id), value))
            .collect(),
    }
}

/// A new place in a pool, with no more than it must have.
pub(crate) fn place(random: &mut Random) -> Edit {
    let bytes = [random.number().to_be_bytes(), random.number().to_be_bytes()].concat();
    let fields = [
        (1, Value::Integer(2)),
        (2, Value::Integer(3)),
        (15, code(0)),
    ];
    Edit::Create {
        record: RecordId::new(RecordKind::Place, bytes[..15].try_into().unwrap()),
        fields: fields
            .into_iter()
            .map(|(id, value)| (FieldId(id), value))
            .collect(),
    }
}

/// One field of a host set anew: the commonest edit there is.
pub(crate) fn edit_of(record: RecordId, random: &mut Random) -> Edit {
    let (id, value) = match random.below(4) {
        0 => (20, code(weighted(random, &[8, 6, 2, 42, 13, 26, 3]))),
        1 => (7, Value::Integer(random.below(9) as i64)),
        2 => (8, day(random, FIRST_DAY, 1_300)),
        _ => (11, Value::Boolean(percent(random, 25))),
    };
    Edit::Update {
        record,
        fields: vec![(FieldId(id), Some(value))],
    }
}

fn record(random: &mut Random) -> RecordId {
    let bytes = [random.number().to_be_bytes(), random.number().to_be_bytes()].concat();
    RecordId::new(RecordKind::Host, bytes[..15].try_into().unwrap())
}

fn index(random: &mut Random, weights: &[u64]) -> usize {
    let mut left = random.below(weights.iter().sum());
    for (index, weight) in weights.iter().enumerate() {
        match left.checked_sub(*weight) {
            Some(rest) => left = rest,
            None => return index,
        }
    }
    0
}

fn weighted(random: &mut Random, weights: &[u64]) -> i64 {
    index(random, weights) as i64
}

fn code(index: i64) -> Value {
    Value::Code(u8::try_from(index).unwrap())
}

fn percent(random: &mut Random, of_100: u64) -> bool {
    random.below(100) < of_100
}

fn day(random: &mut Random, first: i32, span: u64) -> Value {
    Value::Day(Day(first + random.below(span) as i32))
}

fn near_first(random: &mut Random, list: &[Outcode]) -> Outcode {
    let end = list.len() as u64;
    list[random.below(end).min(random.below(end)) as usize].clone()
}

fn languages(random: &mut Random) -> Value {
    let spoken = [
        ("ar", 2),
        ("de", 5),
        ("en", 100),
        ("es", 4),
        ("fa", 1),
        ("fr", 9),
        ("pl", 4),
        ("ru", 8),
        ("uk", 6),
    ];
    let spoken = spoken
        .into_iter()
        .filter(|(_, of_100)| percent(random, *of_100));
    let mut spoken: Vec<Language> = spoken
        .map(|(code, _)| code.to_owned().try_into().unwrap())
        .collect();
    spoken.truncate(8);
    Value::Languages(spoken)
}

fn routes(random: &mut Random) -> Value {
    let accepted = [(0, 100), (1, 30), (2, 30), (3, 6), (5, 6), (7, 4), (8, 3)];
    let accepted = accepted
        .into_iter()
        .filter(|(_, of_100)| percent(random, *of_100));
    Value::Codes(accepted.map(|(code, _)| code).collect())
}
