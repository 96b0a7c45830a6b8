//! Limits the size of request bodies, compressed and decompressed.

use std::io::Read as _;

use flate2::read::MultiGzDecoder;

use super::receiver::ReceiveError;

/// Unpacks gzip. What would come out too long is not unpacked to its end.
pub(super) fn gunzip(body: &[u8], limit: usize) -> Result<Vec<u8>, ReceiveError> {
    let mut plain = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let read = MultiGzDecoder::new(body).take(most).read_to_end(&mut plain);
    read.map_err(|error| ReceiveError::Gzip { problem: error.to_string() })?;
    if plain.len() > limit { Err(ReceiveError::TooLarge { limit }) } else { Ok(plain) }
}
