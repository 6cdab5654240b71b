//! What a connection tells its driver: events, and how it fails.

use core::fmt;
use core::ops::Range;

use crate::codec::HeaderList;
use crate::words::words;

/// What happened. Ids are those of streams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The client opened a stream (gateway only).
    Open {
        /// The stream.
        id: u32,
        /// An HTTP method; any token.
        method: String,
        /// Begins with `/`, printable ASCII.
        path: String,
        /// Request headers.
        headers: HeaderList,
        /// No body follows.
        fin: bool,
    },
    /// The answer has begun (client only).
    Headers {
        /// The stream.
        id: u32,
        /// HTTP status, 200 to 999.
        status: u16,
        /// Response headers.
        headers: HeaderList,
        /// Neither body nor trailers follow.
        fin: bool,
    },
    /// Bytes of a body, or its end, or both.
    Data {
        /// The stream.
        id: u32,
        /// Where they are in the message last given to [`Connection::handle_message`](super::Connection::handle_message).
        range: Range<usize>,
        /// The peer's half has ended.
        fin: bool,
    },
    /// The answer has ended with trailers (client only).
    Trailers {
        /// The stream.
        id: u32,
        /// Trailers.
        headers: HeaderList,
    },
    /// The stream is over: the peer reset it, broke a rule on it, or the connection is gone. Not told for streams
    /// that ended on both halves, nor for those that [`Connection::reset`](super::Connection::reset) ended.
    Reset {
        /// The stream.
        id: u32,
        /// One of [`code`](super::code) or any other of the upstream's. NO_ERROR after the end of an answer: the
        /// answer stands, and no more of the request is wanted.
        code: u32,
        /// For people.
        reason: String,
        /// Whether the OPEN had left. False, or the code REFUSED_STREAM: safe to try again.
        sent: bool,
    },
    /// [`Connection::queued`](super::Connection::queued) was above the low mark (32 KiB) and fell below it.
    Writable {
        /// The stream.
        id: u32,
    },
    /// The peer is leaving: it takes no new streams and finishes those up to `last`.
    GoAway {
        /// Streams above this one were not handled; each gets its own [`Event::Reset`].
        last: u32,
        /// Why.
        code: u32,
        /// For people.
        reason: String,
    },
}

/// The connection has failed; says who did what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionError {
    /// One of [`code`](super::code).
    pub code: u32,
    /// For people.
    pub message: String,
}

impl fmt::Display for ConnectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ConnectionError {}

/// No stream was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenError {
    /// The peer is leaving: open it on another connection.
    GoingAway,
    /// The connection has ended: open it on another.
    Closed,
    /// All ids are used up: open it on another connection.
    Exhausted,
    /// Method, path and headers together are larger than the peer takes.
    TooLarge {
        /// Their size; each header counts 32 bytes more than it has.
        size: usize,
        /// What the peer takes.
        limit: u32,
    },
    /// HTTP or the role forbids it.
    Invalid(&'static str),
}

impl OpenError {
    /// For people.
    pub fn message(&self) -> String {
        match self {
            Self::GoingAway => words!["the gateway is shutting down and takes no new calls"],
            Self::Closed => words!["the connection to the gateway has ended"],
            Self::Exhausted => words!["this connection has used up its stream ids; open another"],
            Self::TooLarge { size, limit } => {
                let cure = "; send less metadata";
                words!["the request headers take ", size, " bytes, the gateway takes ", limit, cure]
            }
            Self::Invalid(what) => words!["the request has ", what],
        }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}

impl std::error::Error for OpenError {}
