//! Bytes to values and back: the only file that names bincode.
//!
//! One value has one encoding. A decoder accepts that encoding and nothing else: trailing
//! bytes, integers longer than they need be and unsorted sets are refused, because what is
//! hashed and signed must not have two forms (P-2). Nothing is allocated on the word of a
//! length in the input beyond the largest limit of any message.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::limits;

/// Why bytes were not read. Nothing was changed; the sender is at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// More bytes than the limit for this message.
    #[error("{actual} bytes where at most {limit} are allowed")]
    TooLong {
        /// Bytes received.
        actual: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Not an encoding of the expected value.
    #[error("not a valid encoding")]
    Malformed,
    /// An encoding of the value, but not the one that it has.
    #[error("not the canonical encoding")]
    NotCanonical,
    /// The compressed bytes are broken, or would grow beyond the limit.
    #[error("compressed data is broken or would exceed {limit} bytes")]
    Decompression {
        /// Bytes allowed after decompression.
        limit: usize,
    },
}

/// The most that any decoder may read or claim: the largest limit of any message.
const CEILING: usize = limits::BATCH_BYTES;

fn config() -> impl bincode::config::Config {
    bincode::config::standard().with_limit::<CEILING>()
}

/// Encodes a value. Our own types always encode: maps are ordered and nothing is borrowed
/// from outside.
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    bincode::serde::encode_to_vec(value, config()).unwrap_or_default()
}

/// Decodes a value from exactly these bytes, at most `limit` of them.
///
/// # Errors
/// [`CodecError`] where the bytes are too many, not an encoding, or not the canonical one.
pub fn decode<T: DeserializeOwned + Serialize>(
    bytes: &[u8],
    limit: usize,
) -> Result<T, CodecError> {
    if bytes.len() > limit {
        return Err(CodecError::TooLong {
            actual: bytes.len(),
            limit,
        });
    }
    let (value, read) = bincode::serde::decode_from_slice::<T, _>(bytes, config())
        .map_err(|_| CodecError::Malformed)?;
    if read != bytes.len() || encode(&value) != bytes {
        return Err(CodecError::NotCanonical);
    }
    Ok(value)
}

/// Bytes inside a message that are hashed or passed on as they are.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Blob(pub Vec<u8>);

impl std::fmt::Debug for Blob {
    /// The length alone: contents never reach a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Blob({} bytes)", self.0.len())
    }
}

impl Serialize for Blob {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Blob {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct BlobVisitor;
        impl serde::de::Visitor<'_> for BlobVisitor {
            type Value = Blob;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Blob, E> {
                Ok(Blob(bytes.to_vec()))
            }
            fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Blob, E> {
                Ok(Blob(bytes))
            }
        }
        deserializer.deserialize_byte_buf(BlobVisitor)
    }
}

/// The window that a compressed frame may ask for: no message is longer than that.
const WINDOW_LOG: u32 = CEILING.ilog2();

/// Compresses with zstd. The level trades a little size for a cold start's time.
pub fn compress(bytes: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(bytes, 3).unwrap_or_default()
}

/// Decompresses to at most `limit` bytes, whatever the input says of itself.
///
/// # Errors
/// [`CodecError::Decompression`] where the input is broken or would grow beyond `limit`.
pub fn decompress(bytes: &[u8], limit: usize) -> Result<Vec<u8>, CodecError> {
    use std::io::Read;
    let refused = CodecError::Decompression { limit };
    let mut decoder = zstd::stream::read::Decoder::new(bytes).map_err(|_| refused)?;
    // A frame says how much memory reading it takes, by default up to 128 MiB.
    decoder.window_log_max(WINDOW_LOG).map_err(|_| refused)?;
    let mut out = Vec::new();
    let mut bounded = decoder.take(limit as u64 + 1);
    bounded.read_to_end(&mut out).map_err(|_| refused)?;
    if out.len() > limit {
        Err(refused)
    } else {
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trailing_and_padded_bytes_are_not_canonical() {
        let bytes = encode(&(7u64, "a".to_owned()));
        assert_eq!(decode::<(u64, String)>(&bytes, 16), Ok((7, "a".to_owned())));
        let mut longer = bytes.clone();
        longer.push(0);
        assert_eq!(
            decode::<(u64, String)>(&longer, 16),
            Err(CodecError::NotCanonical)
        );
        // 7 written as a two-byte integer: the same value, another encoding.
        let padded = [251, 7, 0, 1, b'a'];
        assert_eq!(
            decode::<(u64, String)>(&padded, 16),
            Err(CodecError::NotCanonical)
        );
        assert!(matches!(
            decode::<u64>(&[0; 17], 16),
            Err(CodecError::TooLong { .. })
        ));
    }

    #[test]
    fn a_length_is_not_taken_at_its_word() {
        // A vector that claims 2^40 items, in ten bytes.
        let claim = [253, 0, 0, 0, 0, 0, 1, 0, 0, 0];
        assert_eq!(decode::<Vec<u64>>(&claim, 64), Err(CodecError::Malformed));
        assert_eq!(decode::<String>(&claim, 64), Err(CodecError::Malformed));
    }

    #[test]
    fn a_bomb_is_refused_at_the_limit() {
        let bomb = compress(&vec![0u8; 8 << 20]);
        assert!(bomb.len() < 2048);
        assert_eq!(
            decompress(&bomb, 1 << 20),
            Err(CodecError::Decompression { limit: 1 << 20 })
        );
        assert_eq!(
            decompress(&compress(b"plain"), 16).as_deref(),
            Ok(&b"plain"[..])
        );
    }

    #[test]
    fn a_frame_that_asks_for_a_large_window_is_refused() {
        // One raw byte, in a frame that says that it needs so much memory to be read.
        let frame = |window_log: u8| {
            let descriptor = (window_log - 10) << 3;
            let (magic, block) = ([0x28, 0xb5, 0x2f, 0xfd], [9, 0, 0, b'x']);
            [&magic[..], &[0, descriptor], &block].concat()
        };
        let limit = limits::BATCH_BYTES;
        assert_eq!(decompress(&frame(22), limit).as_deref(), Ok(&b"x"[..]));
        for window_log in [23, 27, 31, 41] {
            let refused = Err(CodecError::Decompression { limit });
            assert_eq!(
                decompress(&frame(window_log), limit),
                refused,
                "{window_log}"
            );
        }
    }
}
