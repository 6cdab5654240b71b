//! What a call is to be.

use std::time::Duration;

use crate::codec::HeaderList;

/// The four kinds of RPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum CallKind {
    /// One request, one response.
    Unary = 0,
    /// One request, a stream of responses.
    ServerStream = 1,
    /// A stream of requests, one response.
    ClientStream = 2,
    /// Both stream, independently.
    Bidi = 3,
}

impl CallKind {
    /// Whether the caller may send other than exactly one message.
    pub fn streams_requests(self) -> bool {
        matches!(self, Self::ClientStream | Self::Bidi)
    }

    /// Whether the peer may send other than exactly one message.
    pub fn streams_responses(self) -> bool {
        matches!(self, Self::ServerStream | Self::Bidi)
    }
}

/// What a call is to be.
pub struct Config {
    /// Which of the four.
    pub kind: CallKind,
    /// `/<package.Service>/<Method>`.
    pub path: String,
    /// User metadata, encoded for the wire.
    pub metadata: HeaderList,
    /// From open to end. Zero has passed before anything is sent.
    pub timeout: Option<Duration>,
    /// Whether it is for a Dubbo server: Triple's own timeout headers go along with the protocol's.
    pub triple: bool,
    /// What may wait for the reader: message bytes, and 64 for each message.
    pub receive_window: usize,
}
