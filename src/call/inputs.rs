//! Inputs: what comes from the peer and the transport.

use std::time::Duration;

use super::inflating::End;
use super::{Call, Event, Transmit};
use crate::codec::envelope::Payload;
use crate::codec::gzip::{self, Unfit};
use crate::codec::{Frame, HeaderList, Protocol, SECOND_MESSAGE, triple};
use crate::status::{Code, Fault, Status};
use crate::words::words;

/// What [`Protocol::next`] gives.
type Next = Result<Option<Frame>, Status>;

impl<P: ?Sized + Protocol> Call<P> {
    /// The peer's HTTP status and headers came.
    pub fn handle_headers(&mut self, now: Duration, http: u16, mut headers: HeaderList) {
        if self.is_over(now) {
            return;
        }
        if let Err(status) = self.state.recv_headers() {
            return self.broken(status);
        }
        let accepted = self.protocol.handle_headers(http, &mut headers);
        match accepted {
            Ok(()) => self.events.push_back(Event::Headers(headers)),
            Err(status) => {
                self.events.push_back(Event::Headers(headers.clone()));
                self.end(status, headers, Transmit::Done);
            }
        }
    }

    /// Body bytes came. Messages that lie whole in `chunk` are told as ranges of it: drain the events before the
    /// chunk goes away.
    pub fn handle_data(&mut self, now: Duration, chunk: &[u8]) {
        if self.is_over(now) {
            return;
        }
        self.unreleased += chunk.len();
        if self.inflating.is_busy() {
            self.inflating.held.extend_from_slice(chunk);
        } else {
            self.read(None, chunk, false);
        }
    }

    /// What [`Transmit::Inflate`] asked for, or why there is none.
    pub fn handle_inflated(&mut self, now: Duration, inflated: Result<Vec<u8>, Unfit>) {
        if self.expired(now) || !self.state.is_active() {
            return;
        }
        let Some(flags) = self.inflating.finish() else { return };
        let first = match inflated {
            Ok(bytes) => self.protocol.handle_inflated(flags, bytes),
            Err(unfit) => Err(unfit.status()),
        };
        let held = std::mem::take(&mut self.inflating.held);
        self.read(Some(first), &held, true);
        if !self.inflating.is_busy()
            && let Some(end) = self.inflating.end.take()
        {
            self.ended(end);
        }
    }

    /// What [`Transmit::Deflate`] asked for.
    pub fn handle_deflated(&mut self, now: Duration, bytes: &[u8]) {
        if !self.expired(now) && self.state.is_active() && self.outbox.finish() {
            self.transmits.push_back(Transmit::Data(self.protocol.encode(bytes, true)));
            self.let_out();
        }
    }

    /// Reads up to what is to be inflated first. Of a chunk that was held, no range can be told.
    fn read(&mut self, mut first: Option<Next>, chunk: &[u8], held: bool) {
        let mut at = 0;
        while self.state.is_active() && !self.inflating.is_busy() {
            let read = match first.take().unwrap_or_else(|| self.protocol.next(chunk, &mut at)) {
                Ok(None) => break,
                Ok(Some(Frame::Message(payload))) => {
                    self.message(if held { Payload::Joined(payload.into_bytes(chunk)) } else { payload })
                }
                // Of no protocol without gzip.
                Ok(Some(Frame::Compressed { .. })) if !gzip::IS_BUILT => Ok(()),
                Ok(Some(Frame::Compressed { flags, payload, limit })) => {
                    self.inflating.park(flags, payload.into_bytes(chunk), limit);
                    self.inflating.held.extend_from_slice(&chunk[at..]);
                    Ok(())
                }
                Ok(Some(Frame::Headers(headers))) => {
                    let headers = Event::Headers(headers);
                    self.state.recv_headers().map(|()| self.events.push_back(headers))
                }
                Ok(Some(Frame::End(status, trailers))) => {
                    // Trailers-only in the body (`grpc-websockets`): the one block is the headers too, as over HTTP.
                    if self.state.recv_headers().is_ok() {
                        self.events.push_back(Event::Headers(trailers.clone()));
                    }
                    return self.finished(status, trailers);
                }
                Err(status) => Err(status),
            };
            if let Err(status) = read {
                return self.broken(status);
            }
        }
        self.uncounted += at;
        if !self.inflating.is_busy() {
            self.window.received(std::mem::take(&mut self.uncounted), 0, 0);
        }
        self.flow();
    }

    fn message(&mut self, payload: Payload) -> Result<(), Status> {
        self.state.recv_data()?;
        self.received += 1;
        if self.received > 1 && self.is_single() {
            return Err(Status::new(Code::Unimplemented, Fault::Peer, SECOND_MESSAGE));
        }
        self.window.received(0, 1, payload.len());
        self.events.push_back(Event::Message(payload));
        Ok(())
    }

    /// The response's body ended, with HTTP trailers if there are any.
    pub fn handle_end(&mut self, now: Duration, trailers: Option<HeaderList>) {
        if !self.is_over(now) {
            self.ended(End::Whole(trailers));
        }
    }

    /// The end of what comes, in its turn.
    fn ended(&mut self, end: End) {
        if self.inflating.is_busy() {
            self.inflating.end = Some(end);
            return;
        }
        match end {
            End::Whole(mut trailers) => loop {
                match self.protocol.handle_end(trailers.take()) {
                    Frame::Message(payload) => {
                        if let Err(status) = self.message(payload) {
                            return self.broken(status);
                        }
                    }
                    Frame::Headers(_) => {}
                    Frame::Compressed { .. } if !gzip::IS_BUILT => {}
                    Frame::Compressed { flags, payload, limit } => {
                        self.inflating.park(flags, payload.into_bytes(&[]), limit);
                        self.inflating.end = Some(End::Whole(None));
                        return self.flow();
                    }
                    Frame::End(status, trailers) => return self.finished(status, trailers),
                }
            },
            End::Broken(status) => self.broken(status),
        }
    }

    /// The peer reset the exchange, with an HTTP/2 code. `sent` is false where the request never left.
    pub fn handle_reset(&mut self, now: Duration, code: u32, reason: &str, sent: bool) {
        if self.is_over(now) {
            return;
        }
        let status = if sent {
            let words = words![
                "the stream was reset by the other side (HTTP/2 error ",
                code,
                ")",
                colon(reason),
                reason,
                self.hint(),
            ];
            Status::new(Code::from_reset(code), Fault::Peer, words)
        } else {
            let words =
                words!["the call did not reach the server and may be tried again", colon(reason), reason];
            Status::new(Code::Unavailable, Fault::Transport, words)
        };
        self.ended(End::Broken(status));
    }

    /// The WebSocket of this one call was closed.
    pub fn handle_close(&mut self, now: Duration, code: u16, reason: &str) {
        if self.is_over(now) {
            return;
        }
        let status = self.protocol.handle_close(code, reason);
        // As dubbo-java's WebSocket does.
        let is_end = cfg!(feature = "triple-websocket") && status.is_ok();
        self.ended(if is_end { End::Whole(None) } else { End::Broken(status) });
    }

    /// The transport failed, or by a local fault the call is to end at once.
    pub fn handle_failure(&mut self, now: Duration, mut status: Status) {
        if self.is_over(now) {
            return;
        }
        if status.fault == Fault::Local {
            return self.broken(status);
        }
        if status.fault == Fault::Transport {
            status.message.push_str(self.hint());
        }
        self.ended(End::Broken(status));
    }

    /// The time of [`poll_timeout`](Self::poll_timeout) has come.
    pub fn handle_timeout(&mut self, now: Duration) {
        self.expired(now);
    }

    /// What else a loss may mean.
    fn hint(&self) -> &'static str {
        if self.is_triple() && self.state.owes_headers() { triple::LOST } else { "" }
    }
}

fn colon(reason: &str) -> &'static str {
    if reason.is_empty() { "" } else { ": " }
}
