//! Envelopes: the same ones come out of every cutting, none is above its limit, and what was read can be written back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidewire::codec::envelope::{self, Decoder, EnvelopeError};
use tidewire_fuzz::cuttings;

const LIMIT: usize = 1000;

type Found = (Vec<(u8, Vec<u8>)>, Result<(), EnvelopeError>);

fuzz_target!(|input: (u8, &[u8])| {
    let (seed, body) = input;
    let [whole, rest @ ..] = cuttings(body, seed).map(|chunks| decode(&chunks));
    for other in rest {
        assert_eq!(other, whole);
    }
    let (envelopes, _) = whole;
    let written: Vec<u8> =
        envelopes.iter().flat_map(|(flags, bytes)| envelope::encode(*flags, bytes)).collect();
    assert!(body.starts_with(&written));
});

fn decode(chunks: &[&[u8]]) -> Found {
    let mut decoder = Decoder::default();
    let mut found = Vec::new();
    for chunk in chunks {
        let mut at = 0;
        loop {
            match decoder.next(chunk, &mut at, &|flags| LIMIT / (1 + usize::from(flags))) {
                Ok(Some(one)) => found.push((one.flags, one.payload.bytes(chunk).to_vec())),
                Ok(None) => break,
                Err(error) => return (found, Err(error)),
            }
        }
        assert_eq!(at, chunk.len());
    }
    assert!(found.iter().all(|(flags, bytes)| bytes.len() <= LIMIT / (1 + usize::from(*flags))));
    (found, decoder.finish())
}
