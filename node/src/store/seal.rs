//! The checksum on every value: what is stored is the value followed by four bytes.
//!
//! The checksum covers the table's name and the key too, so a value that turns up under another
//! key is as bad as one with a flipped bit. It must never let a value through that does not match.

use super::{Change, MAX_KEY_BYTES, MAX_VALUE_BYTES, StoreError, Table};

const CHECKSUM_BYTES: usize = 4;

/// CRC-32 finds what disks and engines do by accident. Whoever can write to the store can forge
/// it: against them stand the signatures on the entries, not this.
fn checksum(table: Table, key: &[u8], value: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(table.as_str().as_bytes());
    // No table's name holds a zero byte, and the length says where the key ends.
    hasher.update(&[0]);
    hasher.update(&key.len().to_le_bytes());
    hasher.update(key);
    hasher.update(value);
    hasher.finalize().to_le_bytes()
}

/// The change as it is stored. Refuses what is over the limits, before anything is written.
pub(super) fn change(change: &Change) -> Result<Change, StoreError> {
    let (Change::Put { table, key, .. } | Change::Delete { table, key }) = change;
    if key.len() > MAX_KEY_BYTES {
        return Err(StoreError::KeyTooLong {
            table: table.as_str(),
            bytes: key.len(),
        });
    }
    let Change::Put { table, key, value } = change else {
        return Ok(change.clone());
    };
    if value.len() > MAX_VALUE_BYTES {
        return Err(StoreError::ValueTooLong {
            table: table.as_str(),
            key: data_encoding::HEXLOWER.encode(key),
            bytes: value.len(),
        });
    }
    let mut sealed = Vec::with_capacity(value.len() + CHECKSUM_BYTES);
    sealed.extend_from_slice(value);
    sealed.extend_from_slice(&checksum(*table, key, value));
    Ok(Change::Put {
        table: *table,
        key: key.clone(),
        value: sealed,
    })
}

/// The value without its checksum, if that is right.
pub(super) fn open(table: Table, key: &[u8], mut sealed: Vec<u8>) -> Result<Vec<u8>, StoreError> {
    match sealed.split_last_chunk::<CHECKSUM_BYTES>() {
        Some((value, found)) if *found == checksum(table, key, value) => {
            sealed.truncate(sealed.len() - CHECKSUM_BYTES);
            Ok(sealed)
        }
        _ => Err(StoreError::BadChecksum {
            table: table.as_str(),
            key: data_encoding::HEXLOWER.encode(key),
        }),
    }
}
