//! Names read back what they write, and refuse what is not theirs.

use super::*;

#[test]
fn record_id_text_and_bytes_round_trip() {
    for kind in RecordKind::ALL {
        let id = RecordId::new(kind, [0xa7; 15]);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(RecordId::from_bytes(&id.to_bytes()), Some(id));
    }
    assert_eq!(RecordId::from_bytes(&[0; 16]), None);
}

#[test]
fn names_refuse_what_is_not_theirs() {
    for bad in ["", "E0800003", "E0800003X", "X08000035", "e08000035"] {
        assert!(bad.parse::<CouncilCode>().is_err(), "{bad}");
    }
    for bad in ["", "North", "-a", "a-", "a b", &"a".repeat(33)] {
        assert!(bad.parse::<RegionName>().is_err(), "{bad}");
    }
    for bad in ["pool/E08000035", "rematching-pool", "rematching-pool/x"] {
        assert!(bad.parse::<DocumentName>().is_err(), "{bad}");
    }
    assert!("host-AAAAAAAAAAAAAAAAAAAAAAAA".parse::<RecordId>().is_err());
}
