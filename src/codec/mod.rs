//! Layer 1: bytes ⇄ frames. Pure, sans-IO, fuzzed.
//!
//! A [`Protocol`] knows one dialect: what headers a request carries, how a message is wrapped, what the peer's
//! headers, body and trailers mean. It holds the position in the body, and no time, state or window: that is
//! [`call`](crate::call)'s.

pub mod details;
pub mod envelope;
pub mod grpc;
pub mod grpc_web;
pub mod grpc_websockets;
pub mod gzip;
pub mod text;
pub mod tidewire_v1;
pub mod timeout;
pub mod trailers;
pub mod triple_websocket;

use std::time::Duration;

use crate::status::{Code, Fault, Status};
use crate::words::words;
use envelope::{EnvelopeError, Payload};
use grpc::GRPC_ENCODING;
use gzip::Encoding;

/// HTTP headers or trailers as they travel: lower-case names, raw values, order and repeats kept.
pub type HeaderList = Vec<(String, Vec<u8>)>;

/// Largest trailer block, in bytes: what HTTP stacks take for headers.
const MAX_TRAILERS: usize = 64 * 1024;

/// What a response is made of.
#[derive(Debug, PartialEq)]
pub enum Frame {
    /// The response headers, where they come in the body (`grpc-websockets`).
    Headers(HeaderList),
    /// One message.
    Message(Payload),
    /// What is to be inflated, to at most `limit` bytes, and given to [`Protocol::handle_inflated`] before anything
    /// behind it is read.
    Compressed {
        /// What it is, for the protocol.
        flags: u8,
        /// gzip.
        payload: Payload,
        /// What it may become, in bytes.
        limit: usize,
    },
    /// The end, with trailing metadata.
    End(Status, HeaderList),
}

/// One dialect, for one call.
pub trait Protocol {
    /// The protocol's own request headers; user metadata is not among them.
    fn request_headers(&self, timeout: Option<Duration>) -> HeaderList;

    /// Refuses user metadata that this dialect cannot send.
    fn check_metadata(&self, _: &HeaderList) -> Result<(), Status> {
        Ok(())
    }

    /// Refuses the half-close of a stream of requests where there is none that the answers outlive.
    fn check_close_send(&self) -> Result<(), Status> {
        Ok(())
    }

    /// Whether messages are to be compressed before [`encode`](Self::encode); those of no bytes need not be.
    fn compresses(&self) -> bool;

    /// Wraps a message for the request body. `gzip`: it is compressed.
    fn encode(&self, message: &[u8], gzip: bool) -> Vec<u8>;

    /// Takes the HTTP status and headers. An error ends the call; without one the body follows.
    fn handle_headers(&mut self, http: u16, headers: &HeaderList) -> Result<(), Status>;

    /// The next frame of a body chunk from `at`, which moves on; `None` once the chunk is used up.
    fn next(&mut self, chunk: &[u8], at: &mut usize) -> Result<Option<Frame>, Status>;

    /// What came as [`Frame::Compressed`], inflated: the frame that it is, as from [`next`](Self::next).
    fn handle_inflated(&mut self, flags: u8, bytes: Vec<u8>) -> Result<Option<Frame>, Status>;

    /// The body has ended, with real HTTP trailers if there are any.
    fn handle_end(&mut self, trailers: Option<HeaderList>) -> Frame;

    /// The WebSocket that carried this one call was closed.
    fn handle_close(&self, code: u16, reason: &str) -> Status {
        grpc_websockets::close_status(code, reason)
    }
}

/// A protocol's own headers, those of compression, and `grpc-timeout` where there is one.
fn request_headers(fixed: &[(&str, &str)], timeout: Option<Duration>, encoding: &Encoding) -> HeaderList {
    let mut headers = HeaderList::new();
    let mut push = |name: &str, value: &str| headers.push((name.to_string(), value.as_bytes().to_vec()));
    fixed.iter().for_each(|(name, value)| push(name, value));
    if encoding.asked.send {
        push(GRPC_ENCODING, "gzip");
    }
    if encoding.asked.accept {
        push("grpc-accept-encoding", "gzip");
    }
    if let Some(timeout) = timeout {
        push("grpc-timeout", &timeout::encode_grpc(timeout));
    }
    headers
}

/// The words for an envelope that cannot be read.
fn envelope_status(error: EnvelopeError) -> Status {
    match error {
        EnvelopeError::TooLarge { declared, limit, .. } => {
            let words = words![
                "the server announced a message of ",
                declared,
                " bytes, but at most ",
                limit,
                " are allowed here: raise maxReceiveMessageBytes, or have the server send less at once",
            ];
            Status::new(Code::ResourceExhausted, Fault::Peer, words)
        }
        EnvelopeError::Truncated { promised, got } => {
            let words = words![
                "the response ended inside a message: ",
                promised,
                " bytes were promised, ",
                got,
                " came; the server or something before it cut the stream",
            ];
            Status::internal(words)
        }
    }
}

/// Whether a content type is `family`, or `family+proto`; case and parameters do not count.
fn is_type(content_type: &[u8], family: &str) -> bool {
    let essence =
        content_type.split(|b| *b == b';').next().unwrap_or_default().trim_ascii().to_ascii_lowercase();
    essence.strip_prefix(family.as_bytes()).is_some_and(|rest| rest.is_empty() || rest == b"+proto")
}

/// A status for an answer of the wrong content type; `expected` is what was asked for.
fn wrong_type(content_type: &[u8], expected: &str) -> Status {
    let got = String::from_utf8_lossy(content_type);
    let cure = if got.starts_with("application/grpc") {
        "it speaks another dialect of gRPC than this call; dubbo-java answers gRPC-Web so, which it cannot speak: \
         put a gateway before it"
    } else {
        "a page, a proxy or another service answered in the place of the gRPC service"
    };
    // Another subtype of the right family is a broken promise of the service itself.
    let same_family = got.strip_prefix(expected).is_some_and(|rest| rest.starts_with('+'));
    let code = if same_family { Code::Internal } else { Code::Unknown };
    let words = words!["expected content-type ", expected, ", the server sent \"", got, "\": ", cure];
    Status::new(code, Fault::Peer, words)
}
