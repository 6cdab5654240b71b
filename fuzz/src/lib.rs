//! What the fuzz targets share: the cuttings that must make no difference, and what is heard of each.
//!
//! `cargo +nightly fuzz run <target> -- -max_total_time=60`
#![forbid(unsafe_code)]

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use tidewire::codec::{Frame, HeaderList, Protocol, envelope, text};
use tidewire::status::Status;

/// What a body of gRPC or gRPC-Web is made of. Random bytes alone would never find a status.
#[derive(Arbitrary, Debug)]
pub enum Part<'a> {
    Message(&'a [u8]),
    Status(i8),
    Block(&'a [u8]),
    Envelope(u8, &'a [u8]),
    Raw(&'a [u8]),
}

impl Part<'_> {
    pub fn written(&self) -> Vec<u8> {
        match self {
            Self::Message(bytes) => envelope::encode(0, bytes),
            Self::Status(code) => {
                envelope::encode(0x80, format!("grpc-status: {code}\r\nx-tag: 1\r\n").as_bytes())
            }
            Self::Block(bytes) => envelope::encode(0x80, bytes),
            Self::Envelope(flags, bytes) => envelope::encode(*flags, bytes),
            Self::Raw(bytes) => bytes.to_vec(),
        }
    }

    /// In base64, but for what is raw.
    pub fn written_as_text(&self) -> Vec<u8> {
        match self {
            Self::Raw(bytes) => bytes.to_vec(),
            framed => text::encode(&framed.written()),
        }
    }
}

/// The body whole, byte by byte, and in pieces of lengths that `seed` makes up.
pub fn cuttings(body: &[u8], seed: u8) -> [Vec<&[u8]>; 3] {
    [vec![body], body.chunks(1).collect(), pieces(body, seed)]
}

/// Lengths from 0 to 31, so that prefixes, payloads and base64 quanta are cut, and empty chunks come too.
fn pieces(mut body: &[u8], seed: u8) -> Vec<&[u8]> {
    let mut state = u32::from(seed);
    let mut pieces = Vec::new();
    while !body.is_empty() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (head, tail) = body.split_at(body.len().min((state >> 27) as usize));
        pieces.push(head);
        body = tail;
    }
    pieces
}

/// What a client hears of a body.
#[derive(Debug, PartialEq)]
pub struct Heard {
    pub headers: Vec<HeaderList>,
    pub messages: Vec<Vec<u8>>,
    pub status: Status,
    pub trailers: HeaderList,
    /// Until the body ended.
    pub waited: bool,
}

/// What is heard, the same whatever the cutting.
pub fn replay(seed: u8, body: &[u8], protocol: impl Fn() -> Box<dyn Protocol>) -> Heard {
    let [whole, rest @ ..] = cuttings(body, seed).map(|chunks| hear(protocol(), &chunks));
    for other in rest {
        // What follows the trailers is seen only in the chunk that ends them: see `docs/wire.md`, rows 10 to 12.
        if whole.has_surplus() || other.has_surplus() {
            assert_eq!((&other.headers, &other.messages), (&whole.headers, &whole.messages));
        } else {
            assert_eq!(other, whole);
        }
    }
    whole
}

impl Heard {
    fn has_surplus(&self) -> bool {
        self.status.message.contains("more after the trailers")
    }
}

/// A dialect to which the headers of an answer came.
pub fn answered(mut protocol: Box<dyn Protocol>, http: u16, kind: &str) -> Box<dyn Protocol> {
    let mut headers = HeaderList::from_iter([("content-type", kind)]);
    protocol.handle_headers(http, &mut headers).unwrap();
    protocol
}

/// What is heard of a body in these chunks.
pub fn hear(mut protocol: Box<dyn Protocol>, chunks: &[&[u8]]) -> Heard {
    let (mut headers, mut messages) = (Vec::new(), Vec::new());
    for chunk in chunks {
        let mut at = 0;
        loop {
            match protocol.next(chunk, &mut at) {
                Ok(None) => break,
                Ok(Some(Frame::Headers(list))) => headers.push(list),
                Ok(Some(Frame::Message(payload))) => messages.push(payload.bytes(chunk).to_vec()),
                Ok(Some(Frame::End(status, trailers))) => {
                    return Heard { headers, messages, status, trailers, waited: false };
                }
                Ok(Some(Frame::Compressed { .. })) => panic!("compressed, though nothing was accepted"),
                Err(status) => {
                    return Heard { headers, messages, status, trailers: HeaderList::new(), waited: false };
                }
            }
        }
        assert_eq!(at, chunk.len());
    }
    loop {
        match protocol.handle_end(None) {
            Frame::Message(payload) => messages.push(payload.bytes(&[]).to_vec()),
            Frame::End(status, trailers) => {
                return Heard { headers, messages, status, trailers, waited: true };
            }
            frame => panic!("the end is {frame:?}"),
        }
    }
}
