//! Layer 1: bytes ⇄ frames. Pure, sans-IO, fuzzed.
//!
//! A [`Protocol`] knows one dialect: what headers a request carries, how a message is wrapped, what the peer's
//! headers, body and trailers mean. It holds the position in the body, and no time, state or window: that is
//! [`call`](crate::call)'s.

pub mod bare;
pub mod connect;
pub mod connect_error;
pub mod details;
pub mod envelope;
// Of Rust callers only: what is not compiled cannot change how the rest is.
#[cfg(any(feature = "channel", not(target_family = "wasm")))]
pub mod framed;
pub mod grpc;
pub mod grpc_web;
pub mod grpc_websockets;
pub mod gzip;
mod headers;
pub mod json;
pub mod text;
pub mod tidewire_v1;
pub mod timeout;
pub mod trailers;
pub mod triple;
pub mod triple_websocket;

use std::time::Duration;

use crate::status::{Code, Fault, Status};
use crate::words::{lossy, words};
use envelope::{EnvelopeError, Payload};
use gzip::{Compression, Names};
pub use headers::HeaderList;

/// An end without the one message.
pub(crate) const NO_MESSAGE: &str =
    "the server ended with OK but sent no message, and the method is to answer with one";
pub(crate) const SECOND_MESSAGE: &str =
    "the server sent a second message, but the method is to answer with one";

/// Largest trailer block, in bytes: what HTTP stacks take for headers.
const MAX_TRAILERS: usize = 64 * 1024;

/// What the messages of a call are.
#[derive(Clone, Debug)]
pub struct Messages {
    /// What gRPC calls the content-subtype: `proto`, `json`, …
    pub subtype: String,
    /// The largest that is taken, in bytes.
    pub max: usize,
    /// Whether they may be compressed, and are.
    pub gzip: Compression,
}

impl Messages {
    /// Protobuf, uncompressed, of at most `max` bytes where they are the server's.
    pub fn new(max: usize) -> Self {
        Self { subtype: "proto".to_string(), max, gzip: Compression::default() }
    }
}

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
    /// Whether it asks by GET, not by POST: what [`encode`](Self::encode) gives is then no body but follows the path.
    fn is_get(&self) -> bool {
        false
    }

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

    /// Takes the HTTP status and headers, and out of these what is trailing metadata. An error ends the call; without
    /// one the body follows.
    fn handle_headers(&mut self, http: u16, headers: &mut HeaderList) -> Result<(), Status>;

    /// The next frame of a body chunk from `at`, which moves on; `None` once the chunk is used up.
    fn next(&mut self, chunk: &[u8], at: &mut usize) -> Result<Option<Frame>, Status>;

    /// What came as [`Frame::Compressed`], inflated: the frame that it is, as from [`next`](Self::next).
    fn handle_inflated(&mut self, flags: u8, bytes: Vec<u8>) -> Result<Option<Frame>, Status>;

    /// The body has ended, with real HTTP trailers if there are any. What else the end completes comes before the end
    /// itself: ask again.
    fn handle_end(&mut self, trailers: Option<HeaderList>) -> Frame;

    /// The WebSocket that carried this one call was closed.
    fn handle_close(&self, code: u16, reason: &str) -> Status {
        grpc_websockets::close_status(code, reason)
    }
}

/// A protocol's own headers, those of compression, and that of the deadline where there is one.
fn request_headers(
    fixed: &[(&str, &str)],
    timeout: Option<(&str, String)>,
    (gzip, names): (Compression, &Names),
) -> HeaderList {
    let mut headers = HeaderList::new();
    let mut push = |name: &str, value: &str| headers.push(name, value);
    fixed.iter().for_each(|(name, value)| push(name, value));
    if gzip.send {
        push(names.0, "gzip");
    }
    if gzip.accept {
        push(names.1, "gzip");
    }
    if let Some((name, value)) = timeout {
        push(name, &value);
    }
    headers
}

fn grpc_timeout(timeout: Duration) -> (&'static str, String) {
    ("grpc-timeout", timeout::encode_grpc(timeout))
}

fn too_large(bytes: usize, limit: usize) -> Status {
    let words = words![
        "the server sends a message of ",
        bytes,
        " bytes, but at most ",
        limit,
        " are allowed here: raise maxReceiveMessageBytes, or have the server send less at once",
    ];
    Status::new(Code::ResourceExhausted, Fault::Peer, words)
}

/// The words for an envelope that cannot be read.
fn envelope_status(error: EnvelopeError) -> Status {
    match error {
        EnvelopeError::TooLarge { declared, limit, .. } => too_large(declared as usize, limit),
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

/// The content type without its parameters, in lower case; empty where there is none.
fn essence(headers: &HeaderList) -> Vec<u8> {
    let kind = headers.first("content-type").unwrap_or_default();
    kind.split(|b| *b == b';').next().unwrap_or_default().trim_ascii().to_ascii_lowercase()
}

/// Whether the content type is `family`, such as `application/grpc+`, with the format asked for, or without any. Case and
/// parameters do not count.
fn is_type(headers: &HeaderList, family: &str, subtype: &str) -> bool {
    is_essence(&essence(headers), family, subtype)
}

fn is_essence(essence: &[u8], family: &str, subtype: &str) -> bool {
    match essence.strip_prefix(family.as_bytes()) {
        Some(format) => format == subtype.as_bytes(),
        None => family.strip_suffix('+').is_some_and(|alone| essence == alone.as_bytes()),
    }
}

/// Refuses a content type of none of the families, of which the first was asked for.
fn check_type(headers: &HeaderList, families: &[&str], subtype: &str) -> Result<(), Status> {
    let essence = essence(headers);
    if families.iter().any(|family| is_essence(&essence, family, subtype)) {
        return Ok(());
    }
    let starts = |family: &str| essence.starts_with(family.as_bytes());
    let is_stream = starts("application/grpc") || starts("application/connect");
    // Another format of the right family is a promise that the service itself broke.
    let is_own = starts(families[0]) && !(is_stream && families[0] == bare::FAMILY);
    let cure = if is_own {
        "the service answers in another format"
    } else if is_stream {
        "it speaks another dialect than this call; dubbo-java answers gRPC-Web so, which it cannot speak: put a \
         gateway before it"
    } else {
        "a page, a proxy or another service answered in the place of the service"
    };
    let got = headers.first("content-type").map(lossy).unwrap_or_default();
    let words =
        words!["expected content-type ", families[0], subtype, ", the server sent \"", got, "\": ", cure];
    Err(Status::new(if is_own { Code::Internal } else { Code::Unknown }, Fault::Peer, words))
}
