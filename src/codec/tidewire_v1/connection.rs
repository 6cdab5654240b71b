//! The connection as its driver sees it: inputs, commands, questions, outputs.

use core::time::Duration;
use std::collections::VecDeque;

use super::event::{ConnectionError, Event, OpenError};
use super::keep_alive::{Due, KeepAlive};
use super::limits::Limits;
use super::stream::{Half, Stream};
use super::streams::Streams;
use super::window::{RecvWindow, SendWindow};
use super::{code, frame};
use crate::codec::HeaderList;
use crate::words::words;

/// Which end of the wire this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Opens streams.
    Client,
    /// Answers them. The npm package never does, so that a gateway's part is left out of it.
    #[cfg(not(all(target_family = "wasm", feature = "js", not(test))))]
    Gateway,
}

impl Role {
    pub(super) fn is_gateway(self) -> bool {
        self != Self::Client
    }
}

/// One end of a `tidewire.v1` connection, without I/O and without a clock.
///
/// Four families of methods:
/// - inputs, `handle_*`: a WebSocket message came, time passed, the socket is gone;
/// - commands: `open`, `send_*`, `reset`, `release`, `go_away`;
/// - questions: `queued`, `open_streams`;
/// - outputs, `poll_*`: after any input or command, [`poll_event`](Self::poll_event) until `None`,
///   [`poll_transmit`](Self::poll_transmit) until `None` or the socket is full (it makes events, too), then
///   [`poll_timeout`](Self::poll_timeout).
///
/// `now` is the time since any fixed origin. A command for a stream that has ended does nothing, because the
/// peer may have ended it while the command was on its way.
#[derive(Debug)]
pub struct Connection {
    pub(super) role: Role,
    /// Ours, as HELLO announces them.
    pub(super) limits: Limits,
    /// The peer's: the defaults, until its HELLO.
    pub(super) peer: Limits,
    pub(super) phase: Phase,
    pub(super) streams: Streams,
    /// The highest id whose OPEN was on the wire.
    pub(super) last_opened: u32,
    /// The highest id that [`Self::open`] gave.
    last_given: u32,
    /// GOAWAY was sent (by a gateway) or received (by a client): no more streams.
    pub(super) going_away: bool,
    pub(super) send_window: SendWindow,
    pub(super) recv_window: RecvWindow,
    /// Whole frames that go before all others. HELLO is the first.
    pub(super) control: Vec<u8>,
    /// Streams whose OPEN was not sent, by id.
    pub(super) waiting: Vec<u32>,
    /// Streams that have something to send, in the order of their turns. Each stands here at most once.
    pub(super) ready: Vec<u32>,
    pub(super) events: VecDeque<Event>,
    pub(super) keep_alive: KeepAlive,
}

/// What the connection is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// The peer's HELLO has not come.
    Greeting,
    Running,
    /// Nothing comes in any more; what is left in `control` may go out.
    Closed,
}

impl Connection {
    /// A connection whose WebSocket is open, or about to be: keep-alive counts from here. HELLO is the first thing to
    /// transmit.
    pub fn new(role: Role, limits: Limits, now: Duration) -> Self {
        let limits = limits.announceable();
        let mut control = Vec::new();
        frame::write_hello(&mut control, limits.pairs());
        Self {
            role,
            limits,
            peer: Limits::default(),
            phase: Phase::Greeting,
            streams: Streams::default(),
            last_opened: 0,
            last_given: 0,
            going_away: false,
            send_window: SendWindow::new(Limits::default().connection_window),
            recv_window: RecvWindow::new(limits.connection_window),
            control,
            waiting: Vec::new(),
            ready: Vec::new(),
            events: VecDeque::new(),
            keep_alive: KeepAlive::new(now),
        }
    }

    /// Takes one WebSocket message. [`Event::Data`] ranges refer to it: drain the events before the next one.
    ///
    /// After an error: drain the events (every open stream gets [`Event::Reset`]), send what
    /// [`poll_transmit`](Self::poll_transmit) gives (GOAWAY), close the socket with 1002.
    pub fn handle_message(&mut self, now: Duration, message: &[u8]) -> Result<(), ConnectionError> {
        if self.phase == Phase::Closed {
            return Ok(());
        }
        self.keep_alive.heard(now);
        self.receive(message).map_err(|error| self.fail(error))
    }

    /// Time has passed, see [`poll_timeout`](Self::poll_timeout). An error means that the peer is dead; do as after
    /// an error of [`handle_message`](Self::handle_message).
    pub fn handle_timeout(&mut self, now: Duration) -> Result<(), ConnectionError> {
        if self.phase == Phase::Closed {
            return Ok(());
        }
        match self.keep_alive.due(now) {
            Due::Nothing => {}
            Due::Ping => frame::write_ping(&mut self.control, 0, [0; 8]),
            Due::Dead => {
                let message =
                    words!["the ", self.them(), " has sent nothing for 40 s and did not answer a PING"];
                return Err(self.fail(ConnectionError { code: code::CONNECT_ERROR, message }));
            }
        }
        Ok(())
    }

    /// The socket is gone: every open stream gets [`Event::Reset`], CONNECT_ERROR or, if its OPEN had not left,
    /// REFUSED_STREAM.
    pub fn handle_closed(&mut self, reason: &str) {
        self.control = Vec::new();
        self.close(code::CONNECT_ERROR, reason);
    }

    /// Opens a stream (client only). Above the peer's `max_streams`, OPEN and all that follows wait inside until a
    /// stream has ended. With `fin`, no body will follow.
    pub fn open(
        &mut self,
        method: &str,
        path: &str,
        headers: &HeaderList,
        fin: bool,
    ) -> Result<u32, OpenError> {
        if self.role.is_gateway() {
            return Err(OpenError::Invalid("a gateway as its sender; only clients open streams"));
        }
        if self.phase == Phase::Closed {
            return Err(OpenError::Closed);
        }
        if self.going_away {
            return Err(OpenError::GoingAway);
        }
        let id = self.last_given.checked_add(1).ok_or(OpenError::Exhausted)?;
        let limit = self.peer.max_headers;
        let head = frame::open(id, method, path, headers, limit).map_err(|error| match error {
            frame::Malformed::Forbidden(what) => OpenError::Invalid(what),
            frame::Malformed::TooLarge(size) => OpenError::TooLarge { size, limit },
            frame::Malformed::Grammar => OpenError::Invalid("a string that is no ASCII"),
        })?;
        let mut stream = self.new_stream(id, Half::Head);
        stream.queue_head(head);
        if fin {
            stream.queue_fin();
        }
        self.last_given = id;
        self.streams.push(stream);
        self.waiting.push(id);
        Ok(id)
    }

    /// Begins the answer (gateway only), once. Headers that the client does not take reset the stream: the caller
    /// gets [`Event::Reset`] as well.
    pub fn send_headers(&mut self, id: u32, status: u16, headers: &HeaderList, fin: bool) {
        let limit = self.peer.max_headers;
        let Some(stream) = self.streams.get_mut(id).filter(|stream| !stream.has_head()) else { return };
        match frame::headers(id, status, headers, limit) {
            Ok(head) => stream.queue_head(head),
            Err(error) => return self.fail_answer(id, &error, "response headers"),
        }
        if fin && stream.is_writable() {
            stream.queue_fin();
        }
        self.schedule(id);
    }

    /// Queues bytes of the body; they go out behind the head, as the windows allow. With `fin`, the half ends
    /// behind them (empty data with `fin` is the half-close). After the end of the half: ignored.
    pub fn send_data(&mut self, id: u32, data: impl AsRef<[u8]>, fin: bool) {
        let Some(stream) = self.streams.get_mut(id).filter(|stream| stream.is_writable()) else { return };
        stream.queue_data(data.as_ref());
        if fin {
            stream.queue_fin();
        }
        self.schedule(id);
    }

    /// Ends the answer behind its queued bytes (gateway only). Trailers that the client does not take reset the
    /// stream, as in [`send_headers`](Self::send_headers).
    pub fn send_trailers(&mut self, id: u32, headers: &HeaderList) {
        let (limit, may_send) = (self.peer.max_headers, self.role.is_gateway());
        let Some(stream) = self.streams.get_mut(id).filter(|stream| may_send && stream.is_writable()) else {
            return;
        };
        match frame::trailers(id, headers, limit) {
            Ok(trailers) => stream.queue_trailers(trailers),
            Err(error) => return self.fail_answer(id, &error, "trailers"),
        }
        self.schedule(id);
    }

    /// Ends the stream at once and drops what is queued; no event follows. A stream whose OPEN was not sent
    /// vanishes without a byte. NO_ERROR behind a finished answer is sent by itself, so that here it does nothing.
    pub fn reset(&mut self, id: u32, code: u32, reason: &str) {
        let Some(stream) = self.streams.get(id) else { return };
        if self.role.is_gateway() && code == code::NO_ERROR && !stream.is_writable() {
            return;
        }
        self.remove(id);
        if id <= self.last_opened {
            frame::write_reset(&mut self.control, id, code, reason);
        }
    }

    /// The consumer took DATA bytes of this stream: gives window back. Whoever waits for a whole message must
    /// release its parts as they come, or a message above the window never arrives. After the end of the stream:
    /// ignored, its bytes were given back then.
    pub fn release(&mut self, id: u32, bytes: usize) {
        let Some(stream) = self.streams.get_mut(id) else { return };
        let counted = stream.recv_window.release(bytes);
        self.recv_window.release(counted);
        if stream.received == Half::Ended {
            return;
        }
        if let Some(increment) = stream.recv_window.give_back() {
            frame::write_window(&mut self.control, id, increment);
        }
    }

    /// Takes no more streams (gateway only) and says so; those that are open run to their end.
    pub fn go_away(&mut self, code: u32, reason: &str) {
        if !self.role.is_gateway() || self.phase == Phase::Closed || self.going_away {
            return;
        }
        self.going_away = true;
        frame::write_goaway(&mut self.control, self.last_opened, code, reason);
    }

    /// Bytes given to [`send_data`](Self::send_data) that [`poll_transmit`](Self::poll_transmit) has not handed out.
    pub fn queued(&self, id: u32) -> usize {
        self.streams.get(id).map_or(0, Stream::queued)
    }

    /// Whether the stream has not ended; one that waits for its OPEN has not.
    pub fn is_open(&self, id: u32) -> bool {
        self.streams.get(id).is_some()
    }

    /// Streams that have not ended, those included whose OPEN waits.
    pub fn open_streams(&self) -> usize {
        self.streams.len()
    }

    /// The next WebSocket message: as many whole frames as fit `budget` bytes, at most 65,536; a first frame that does
    /// not fit goes alone. Control frames go first, then streams take turns, one frame each.
    pub fn poll_transmit(&mut self, budget: usize) -> Option<Vec<u8>> {
        let message = self.transmit(budget);
        (!message.is_empty()).then_some(message)
    }

    /// What happened next.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due; it moves with every message.
    pub fn poll_timeout(&self) -> Option<Duration> {
        (self.phase != Phase::Closed).then(|| self.keep_alive.deadline())
    }

    /// The peer, for error messages.
    pub(super) fn them(&self) -> &'static str {
        if self.role.is_gateway() { "client" } else { "gateway" }
    }

    pub(super) fn new_stream(&self, id: u32, received: Half) -> Stream {
        Stream::new(id, received, self.peer.stream_window, self.limits.stream_window)
    }

    /// Lets a stream take turns if it has something to send.
    pub(super) fn schedule(&mut self, id: u32) {
        if id > self.last_opened {
            return; // its OPEN comes first, see `waiting`
        }
        let Some(stream) = self.streams.get_mut(id) else { return };
        if !stream.scheduled && stream.wants_turn() {
            stream.scheduled = true;
            self.ready.push(id);
        }
    }

    /// Forgets a stream. Its unread bytes go back to the connection's window: whoever holds them no longer
    /// releases them.
    pub(super) fn remove(&mut self, id: u32) -> Option<Box<Stream>> {
        let stream = self.streams.remove(id)?;
        self.recv_window.release(stream.recv_window.unread());
        if stream.scheduled {
            self.ready.retain(|&ready| ready != id);
        }
        if id > self.last_opened {
            self.waiting.retain(|&waiting| waiting != id);
        }
        Some(stream)
    }

    /// Ends a stream and tells its owner.
    pub(super) fn end(&mut self, id: u32, code: u32, reason: &str) {
        if self.remove(id).is_some() {
            let sent = id <= self.last_opened;
            let code = if sent { code } else { code::REFUSED_STREAM };
            self.events.push_back(Event::Reset { id, code, reason: reason.to_owned(), sent });
        }
    }

    /// Ends a stream and tells both its owner and the peer.
    pub(super) fn fail_stream(&mut self, id: u32, code: u32, reason: &str) {
        self.end(id, code, reason);
        frame::write_reset(&mut self.control, id, code, reason);
    }

    fn fail_answer(&mut self, id: u32, error: &frame::Malformed, what: &str) {
        match error {
            frame::Malformed::TooLarge(size) => {
                let limit = self.peer.max_headers;
                let reason = words![
                    "the ",
                    what,
                    " take ",
                    size,
                    " bytes (each header counts 32 more), the client takes ",
                    limit
                ];
                self.fail_stream(id, code::ENHANCE_YOUR_CALM, &reason);
            }
            frame::Malformed::Forbidden(found) => {
                self.fail_stream(id, code::INTERNAL_ERROR, &words!["the ", what, " have ", found]);
            }
            frame::Malformed::Grammar => {
                self.fail_stream(id, code::INTERNAL_ERROR, &words!["the ", what, " cannot be written"]);
            }
        }
    }

    /// Ends everything with a GOAWAY as the last frame.
    fn fail(&mut self, error: ConnectionError) -> ConnectionError {
        let last = if self.role.is_gateway() { self.last_opened } else { 0 };
        frame::write_goaway(&mut self.control, last, error.code, &error.message);
        self.close(error.code, &error.message);
        error
    }

    fn close(&mut self, code: u32, reason: &str) {
        self.phase = Phase::Closed;
        self.ready.clear();
        self.waiting.clear();
        for id in self.streams.ids() {
            self.end(id, code, reason);
        }
    }
}
