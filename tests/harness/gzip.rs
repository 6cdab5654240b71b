//! gzip, as a peer and a platform have it.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use tidewire::codec::gzip::Unfit;

pub(crate) fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn inflate(gzip: &[u8], limit: usize) -> Result<Vec<u8>, Unfit> {
    let mut inflated = Vec::new();
    let result = GzDecoder::new(gzip).take((limit as u64).saturating_add(1)).read_to_end(&mut inflated);
    let unfit = |too_large, why| {
        let words = format!("{} bytes of gzip {why}", gzip.len());
        Err(Unfit { too_large, words })
    };
    match result {
        Err(error) => unfit(false, format!("cannot be inflated: {error}")),
        Ok(length) if length > limit => unfit(true, format!("become more than {limit}")),
        Ok(_) => Ok(inflated),
    }
}
