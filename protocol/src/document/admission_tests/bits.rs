//! Every bit of a valid unit counts: no other unit of the same length is admitted for it.

use super::fixture::*;
use crate::codec;
use crate::document::{Step, Unit};
use crate::schema::SchemaVersion;

#[test]
fn no_unit_one_bit_away_is_admitted() {
    let (document, units) = furnished();
    let mut heads = [last_hash(&units[1]), last_hash(&units[2])];
    heads.sort_unstable();
    let merging = Step::new(heads.to_vec(), SchemaVersion(1), &[create(100)]);
    let good = unit(3, vec![merging, step(&[create(101)])]);
    assert_admitted(&document, &good);
    let bytes = codec::encode(&good);
    let before = state(&document);
    let (mut judged, mut unreadable) = (0, 0);
    for bit in 0..bytes.len() * 8 {
        let mut altered = bytes.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        let Ok(unit) = codec::decode::<Unit>(&altered, altered.len()) else {
            unreadable += 1;
            continue;
        };
        judged += 1;
        let verdict = document.judge(vec![unit], &roster());
        assert!(verdict.is_empty(), "bit {bit} does not count");
        let [refusal] = verdict.refused.as_slice() else {
            panic!("bit {bit} is neither refused nor admitted");
        };
        assert_eq!(refusal.proven, None, "bit {bit}: the author signed nothing");
    }
    assert!(judged > 1000 && unreadable > 10, "{judged} {unreadable}");
    assert!(before == state(&document));
}
