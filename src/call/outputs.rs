//! Outputs: what a call wants done, and what it has to tell.

use std::time::Duration;

use super::Call;
use crate::codec::envelope::Payload;
use crate::codec::{HeaderList, Protocol};
use crate::status::Status;

/// What the transport is to do.
#[derive(Debug, PartialEq)]
pub enum Transmit {
    /// Send the request's head.
    Open {
        /// By GET, not by POST: it has no body, its data follow the path, and it leaves when they are complete.
        get: bool,
        /// The path, to be put after the base URL's.
        path: String,
        /// All request headers.
        headers: HeaderList,
    },
    /// Send body bytes.
    Data(Vec<u8>),
    /// End the body: half-close.
    Finish,
    /// Break the exchange off, so that the peer sees it cancelled.
    Reset,
    /// The response is complete: let go of whatever is still open.
    Done,
    /// The reader has room again for this many body bytes.
    Release(usize),
    /// Inflate gzip, and no more than `limit` bytes out of it; then [`Call::handle_inflated`]. One at a time.
    Inflate {
        /// gzip.
        bytes: Vec<u8>,
        /// The most that it may become.
        limit: usize,
    },
    /// Compress by gzip, then [`Call::handle_deflated`]. One at a time.
    Deflate(Vec<u8>),
}

/// What the caller is to be told.
#[derive(Debug, PartialEq)]
pub enum Event {
    /// The peer's headers.
    Headers(HeaderList),
    /// One message; it lies in the chunk last given to [`Call::handle_data`].
    Message(Payload),
    /// The end, exactly once and last, with trailing metadata.
    End(Status, HeaderList),
}

impl<P: ?Sized + Protocol> Call<P> {
    /// The next thing for the transport to do.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    /// The next thing to tell the caller.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.deadline.filter(|_| self.state.is_active())
    }
}
