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
#[derive(Debug, Default)]
pub struct Decoder {
    prefix: [u8; PREFIX],
    /// How much of the prefix has come.
    got: usize,
    /// What has come of a payload that chunks cut.
    joined: Vec<u8>,
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
        if self.got < PREFIX && !self.prefix(chunk, at) {
            return Ok(None);
        }
        let (flags, promised) = self.promised();
        if self.joined.is_empty() {
            let limit = limit(flags);
            if promised > limit {
                return Err(EnvelopeError::TooLarge { flags, declared: promised as u32, limit });
            }
        }
        Ok(self.payload(promised, chunk, at).map(|payload| {
            self.got = 0;
            Envelope { flags, payload }
        }))
    }

    /// Whether all of it has come.
    fn prefix(&mut self, chunk: &[u8], at: &mut usize) -> bool {
        let rest = &chunk[*at..];
        let take = (PREFIX - self.got).min(rest.len());
        *at += take;
        if let (0, Some(prefix)) = (self.got, rest.first_chunk()) {
            (self.prefix, self.got) = (*prefix, PREFIX);
            return true;
        }
        for byte in &rest[..take] {
            self.prefix[self.got] = *byte;
            self.got += 1;
        }
        self.got == PREFIX
    }

    fn promised(&self) -> (u8, usize) {
        let [flags, length @ ..] = self.prefix;
        (flags, u32::from_be_bytes(length) as usize)
    }

    fn payload(&mut self, promised: usize, chunk: &[u8], at: &mut usize) -> Option<Payload> {
        let start = *at;
        let missing = promised - self.joined.len();
        let take = missing.min(chunk.len() - start);
        *at += take;
        if take == promised {
            return Some(Payload::InChunk(start..*at));
        }
        // Not for a chunk that ends behind the prefix: what is whole in the next one is not joined.
        if take > 0 {
            if self.joined.is_empty() {
                self.joined.reserve_exact(promised);
            }
            self.joined.extend_from_slice(&chunk[start..*at]);
        }
        (take == missing).then(|| Payload::Joined(std::mem::take(&mut self.joined)))
    }

    /// Whether the bytes may end here: an error says how many were promised and how many came.
    pub fn finish(&self) -> Result<(), EnvelopeError> {
        match self.got {
            0 => Ok(()),
            PREFIX => {
                let (promised, got) = (self.promised().1, self.joined.len());
                Err(EnvelopeError::Truncated { promised, got })
            }
            got => Err(EnvelopeError::Truncated { promised: PREFIX, got }),
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
