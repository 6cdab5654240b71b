//! The five-byte prefix that gRPC and gRPC-Web put before each message: flags, then length (big-endian). What the
//! flag bits mean is not known here; the protocols say.

use std::ops::Range;

pub(super) const PREFIX: usize = 5;

/// Where a payload's bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// Whole in the chunk last fed: no copy was made.
    InChunk(Range<usize>),
    /// Cut by chunks, and joined once.
    Joined(Vec<u8>),
}

impl Payload {
    /// The bytes, given the chunk that they came in.
    pub fn bytes<'a>(&'a self, chunk: &'a [u8]) -> &'a [u8] {
        match self {
            Self::InChunk(range) => &chunk[range.clone()],
            Self::Joined(bytes) => bytes,
        }
    }

    /// The bytes on their own, for when the chunk goes away.
    pub fn into_bytes(self, chunk: &[u8]) -> Vec<u8> {
        match self {
            Self::InChunk(range) => chunk[range].to_vec(),
            Self::Joined(bytes) => bytes,
        }
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        match self {
            Self::InChunk(range) => range.len(),
            Self::Joined(bytes) => bytes.len(),
        }
    }

    /// Whether there are no bytes: a message of no bytes is a message.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Flags and payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The first byte, as it came.
    pub flags: u8,
    /// What it wraps.
    pub payload: Payload,
}

/// Why no envelope can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnvelopeError {
    /// The declared length is above the limit; nothing was reserved for it.
    TooLarge {
        /// The envelope's flags.
        flags: u8,
        /// What the prefix declares.
        declared: u32,
        /// What is allowed.
        limit: usize,
    },
    /// The bytes ended inside a prefix (`promised` is 5) or inside a payload.
    Truncated {
        /// How many bytes there should have been.
        promised: usize,
        /// How many there were.
        got: usize,
    },
}

/// Finds envelopes in bytes that come in any chunking.
#[derive(Debug)]
pub struct Decoder {
    state: State,
}

#[derive(Debug)]
enum State {
    Prefix { bytes: [u8; PREFIX], got: usize },
    Payload { flags: u8, promised: usize, joined: Vec<u8> },
}

const START: State = State::Prefix { bytes: [0; PREFIX], got: 0 };

impl Default for Decoder {
    fn default() -> Self {
        Self { state: START }
    }
}

impl Decoder {
    /// The next envelope of `chunk` from `at`, which moves on; `None` once the chunk is used up. `limit` gives the
    /// largest payload for an envelope's flags and is asked before anything is reserved.
    pub fn next(
        &mut self,
        chunk: &[u8],
        at: &mut usize,
        limit: &dyn Fn(u8) -> usize,
    ) -> Result<Option<Envelope>, EnvelopeError> {
        self.next_within(chunk, at, &limit)
    }

    /// Compiled once, not for each protocol.
    fn next_within(
        &mut self,
        chunk: &[u8],
        at: &mut usize,
        limit: &dyn Fn(u8) -> usize,
    ) -> Result<Option<Envelope>, EnvelopeError> {
        if let State::Prefix { bytes, got } = &mut self.state {
            let take = (PREFIX - *got).min(chunk.len() - *at);
            bytes[*got..*got + take].copy_from_slice(&chunk[*at..*at + take]);
            *got += take;
            *at += take;
            if *got < PREFIX {
                return Ok(None);
            }
            let [flags, length @ ..] = *bytes;
            let declared = u32::from_be_bytes(length);
            let limit = limit(flags);
            if declared as usize > limit {
                return Err(EnvelopeError::TooLarge { flags, declared, limit });
            }
            self.state = State::Payload { flags, promised: declared as usize, joined: Vec::new() };
        }
        Ok(self.payload(chunk, at))
    }

    fn payload(&mut self, chunk: &[u8], at: &mut usize) -> Option<Envelope> {
        let State::Payload { flags, promised, joined } = &mut self.state else { return None };
        let rest = chunk.len() - *at;
        let missing = *promised - joined.len();
        if joined.is_empty() && missing <= rest {
            let range = *at..*at + missing;
            let envelope = Envelope { flags: *flags, payload: Payload::InChunk(range) };
            *at += missing;
            self.state = START;
            return Some(envelope);
        }
        let take = missing.min(rest);
        if joined.capacity() == 0 && take > 0 {
            joined.reserve_exact(*promised);
        }
        joined.extend_from_slice(&chunk[*at..*at + take]);
        *at += take;
        if joined.len() < *promised {
            return None;
        }
        let envelope = Envelope { flags: *flags, payload: Payload::Joined(std::mem::take(joined)) };
        self.state = START;
        Some(envelope)
    }

    /// Whether the bytes may end here: an error says how many were promised and how many came.
    pub fn finish(&self) -> Result<(), EnvelopeError> {
        match &self.state {
            State::Prefix { got: 0, .. } => Ok(()),
            State::Prefix { got, .. } => Err(EnvelopeError::Truncated { promised: PREFIX, got: *got }),
            State::Payload { promised, joined, .. } => {
                Err(EnvelopeError::Truncated { promised: *promised, got: joined.len() })
            }
        }
    }
}

/// One envelope, in one allocation.
pub fn encode(flags: u8, message: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(PREFIX + message.len());
    bytes.push(flags);
    bytes.extend_from_slice(&(message.len() as u32).to_be_bytes());
    bytes.extend_from_slice(message);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(chunks: &[&[u8]], limit: usize) -> Result<Vec<(u8, Vec<u8>)>, EnvelopeError> {
        let mut decoder = Decoder::default();
        let mut found = Vec::new();
        for chunk in chunks {
            let mut at = 0;
            while let Some(envelope) = decoder.next(chunk, &mut at, &|_| limit)? {
                found.push((envelope.flags, envelope.payload.bytes(chunk).to_vec()));
            }
            assert_eq!(at, chunk.len());
        }
        decoder.finish()?;
        Ok(found)
    }

    #[test]
    fn the_same_envelopes_come_out_of_every_cut() {
        let wire =
            [encode(0, b""), encode(1, b"abc"), encode(0x80, b"grpc-status:0\r\n"), encode(0, &[7; 300])]
                .concat();
        let whole = decode(&[&wire], 1000).unwrap();
        assert_eq!(whole.len(), 4);
        assert_eq!(decode(&wire.chunks(1).collect::<Vec<_>>(), 1000).unwrap(), whole);
        for cut in 0..=wire.len() {
            assert_eq!(decode(&[&wire[..cut], &wire[cut..]], 1000).unwrap(), whole, "cut at {cut}");
        }
    }

    #[test]
    fn a_message_whole_in_its_chunk_is_not_copied() {
        let wire = encode(0, b"abc");
        let envelope = Decoder::default().next(&wire, &mut 0, &|_| 9).unwrap().unwrap();
        assert_eq!(envelope.payload, Payload::InChunk(5..8));
    }

    #[test]
    fn a_declared_length_above_the_limit_fails_before_its_bytes_come() {
        let error = decode(&[&[0, 0xff, 0xff, 0xff, 0xff]], 1000).unwrap_err();
        assert_eq!(error, EnvelopeError::TooLarge { flags: 0, declared: u32::MAX, limit: 1000 });
    }

    #[test]
    fn truncation_tells_what_was_promised_and_what_came() {
        let wire = encode(0, b"abcdef");
        assert_eq!(decode(&[&wire[..3]], 9), Err(EnvelopeError::Truncated { promised: 5, got: 3 }));
        assert_eq!(decode(&[&wire[..5]], 9), Err(EnvelopeError::Truncated { promised: 6, got: 0 }));
        assert_eq!(decode(&[&wire[..7]], 9), Err(EnvelopeError::Truncated { promised: 6, got: 2 }));
    }
}
