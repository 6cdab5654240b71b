//! Commands: what the caller wants of a call.

use std::time::Duration;

use super::{Call, Transmit};
use crate::codec::{HeaderList, Protocol, gzip, triple};
use crate::status::{Code, Fault, Status};

impl<P: ?Sized + Protocol> Call<P> {
    /// Sends the request headers and starts the deadline. A deadline that has passed ends the call before anything
    /// is sent.
    pub fn open(&mut self, now: Duration) -> Result<(), Status> {
        self.state.open()?;
        self.deadline = self.config.timeout.map(|timeout| now.saturating_add(timeout));
        let headers = self.request_headers();
        let (get, path) = (self.protocol.is_get(), std::mem::take(&mut self.config.path));
        self.transmits.push_back(Transmit::Open { get, path, headers });
        self.expired(now);
        Ok(())
    }

    fn request_headers(&mut self) -> HeaderList {
        let mut headers = self.protocol.request_headers(self.config.timeout);
        if let (true, Some(after)) = (self.is_triple(), self.config.timeout) {
            triple::push_timeout(after, &mut headers);
        }
        headers.append(&mut self.config.metadata);
        headers
    }

    /// Sends one message. An error says why it was not sent; the call itself goes on.
    pub fn send(&mut self, message: &[u8]) -> Result<(), Status> {
        self.state.send()?;
        let compresses = gzip::IS_BUILT && self.protocol.compresses() && !message.is_empty();
        self.put(if compresses {
            Transmit::Deflate(message.to_vec())
        } else {
            Transmit::Data(self.protocol.encode(message, false))
        });
        Ok(())
    }

    /// Half-close: the peer's receive loop ends, ours goes on. Idempotent. An error says why this wire has none; the
    /// call itself goes on.
    pub fn close_send(&mut self) -> Result<(), Status> {
        if self.config.kind.streams_requests() {
            self.protocol.check_close_send()?;
        }
        if self.state.close_send() {
            self.put(Transmit::Finish);
        }
        Ok(())
    }

    /// In its turn, behind what is being compressed.
    fn put(&mut self, transmit: Transmit) {
        if !gzip::IS_BUILT {
            return self.transmits.push_back(transmit);
        }
        self.outbox.put(transmit);
        self.let_out();
    }

    /// Breaks the call off: the peer sees it cancelled. No effect after the end.
    pub fn cancel(&mut self, now: Duration, reason: &str) {
        if self.expired(now) {
            return;
        }
        let words = if reason.is_empty() { "the call was cancelled here" } else { reason };
        self.end(Status::new(Code::Cancelled, Fault::Local, words), HeaderList::new(), Transmit::Reset);
    }

    /// The reader took `messages` messages of `bytes` bytes in all.
    pub fn taken(&mut self, messages: usize, bytes: usize) {
        self.window.taken(messages, bytes);
        self.flow();
    }
}
