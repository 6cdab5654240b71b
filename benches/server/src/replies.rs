//! What is answered, made once and repeated: a flood must cost this server next to nothing.

use bytes::{Bytes, BytesMut};
use prost::Message as _;

/// `bench.Spec`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct Spec {
    #[prost(uint32, tag = "1")]
    pub(crate) count: u32,
    #[prost(uint32, tag = "2")]
    pub(crate) size: u32,
    #[prost(uint32, tag = "3")]
    pub(crate) piece: u32,
}

/// `bench.Payload`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct Payload {
    #[prost(bytes = "bytes", tag = "1")]
    pub(crate) data: Bytes,
}

/// `bench.Record`.
#[derive(Clone, PartialEq, prost::Message)]
struct Record {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, tag = "2")]
    title: String,
    #[prost(string, tag = "3")]
    owner: String,
    #[prost(uint32, tag = "4")]
    quantity: u32,
    #[prost(double, tag = "5")]
    price: f64,
    #[prost(bool, tag = "6")]
    active: bool,
    #[prost(uint32, repeated, tag = "7")]
    tags: Vec<u32>,
    #[prost(bytes = "vec", tag = "8")]
    digest: Vec<u8>,
}

/// Bytes that are written at once unless a caller asks for another number.
const PIECE: usize = 64 * 1024;
/// Records that differ; then they come again.
const RECORDS: u32 = 512;

/// The largest message that is made.
const MAX_SIZE: usize = 64 * 1024 * 1024;

/// Framed messages over and over, cut into pieces.
pub(crate) struct Replies {
    /// Whole frames.
    block: Bytes,
    at: usize,
    left: usize,
    piece: usize,
}

impl Replies {
    pub(crate) fn payloads(spec: &Spec) -> Self {
        let frame = framed(payload(spec.size).encode_to_vec());
        let count = spec.count as usize;
        let repeated = (PIECE / frame.len()).clamp(1, count.max(1));
        Self::new(frame.repeat(repeated).into(), frame.len() * count, spec)
    }

    pub(crate) fn records(spec: &Spec) -> Self {
        let frames: Vec<Vec<u8>> = (0..RECORDS).map(|n| framed(record(n).encode_to_vec())).collect();
        let block: Bytes = frames.concat().into();
        let rest = (spec.count % RECORDS) as usize;
        let left = block.len() * (spec.count / RECORDS) as usize;
        Self::new(block, left + frames[..rest].iter().map(Vec::len).sum::<usize>(), spec)
    }

    fn new(block: Bytes, left: usize, spec: &Spec) -> Self {
        let piece = if spec.piece == 0 { PIECE } else { spec.piece as usize };
        Self { block, at: 0, left, piece }
    }
}

impl Iterator for Replies {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let length = self.piece.min(self.block.len() - self.at).min(self.left);
        let piece = self.block.slice(self.at..self.at + length);
        self.at = (self.at + length) % self.block.len();
        self.left -= length;
        (length > 0).then_some(piece)
    }
}

pub(crate) fn payload(size: u32) -> Payload {
    Payload { data: vec![b'x'; (size as usize).min(MAX_SIZE)].into() }
}

fn record(n: u32) -> Record {
    Record {
        id: format!("order-{n:06}-{:04x}", n.wrapping_mul(40_503) & 0xffff),
        title: format!(
            "{} of a row that a table may show",
            ["Summary", "Übersicht", "Detail"][n as usize % 3]
        ),
        owner: format!("user{}@example.com", n % 97),
        quantity: n * 7,
        price: f64::from(n) * 1.25,
        active: n.is_multiple_of(2),
        tags: vec![n % 5, n % 11, n + 300],
        digest: n.to_be_bytes().repeat(4),
    }
}

/// A message behind its five bytes, as gRPC, gRPC-Web and Connect's streams have it.
pub(crate) fn framed(message: Vec<u8>) -> Vec<u8> {
    envelope(0, &message).to_vec()
}

/// Flags, length, bytes.
pub(crate) fn envelope(flags: u8, payload: &[u8]) -> Bytes {
    let mut bytes = BytesMut::with_capacity(5 + payload.len());
    bytes.extend_from_slice(&[flags]);
    bytes.extend_from_slice(&(payload.len() as u32).to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(replies: Replies) -> Vec<u8> {
        replies.flat_map(|piece| piece.to_vec()).collect()
    }

    #[test]
    fn as_many_messages_come_as_were_asked_for_whatever_the_pieces() {
        let frame = framed(payload(100).encode_to_vec());
        for (count, piece) in [(0, 0), (1, 0), (1_000, 0), (1_001, 7)] {
            let spec = Spec { count, size: 100, piece };
            assert_eq!(all(Replies::payloads(&spec)), frame.repeat(count as usize), "{count} in {piece}");
        }
    }

    #[test]
    fn records_begin_again_after_the_last() {
        let some = |count| all(Replies::records(&Spec { count, size: 0, piece: 0 }));
        assert_eq!(some(RECORDS + 3), [some(RECORDS), some(3)].concat());
        assert!((90..150).contains(&(some(RECORDS).len() / RECORDS as usize)));
    }
}
