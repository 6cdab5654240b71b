//! Layer 2: the life of one RPC. Pure: no clock, no socket, no executor.

mod inflating;
mod outbox;
mod state;
mod window;

use std::collections::VecDeque;
use std::time::Duration;

use crate::codec::envelope::Payload;
use crate::codec::gzip::{self, Unfit};
use crate::codec::timeout::millis;
use crate::codec::{Frame, HeaderList, NO_MESSAGE, Protocol, SECOND_MESSAGE, triple};
use crate::status::{Code, Fault, Status};
use crate::words::{decimal, words};
use inflating::{End, Inflating};
use outbox::Outbox;
pub use state::State;
pub use window::ReceiveWindow;

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

/// What [`Protocol::next`] gives.
type Next = Result<Option<Frame>, Status>;

/// One RPC.
///
/// - Commands, from the caller: [`open`](Self::open), [`send`](Self::send), [`close_send`](Self::close_send),
///   [`cancel`](Self::cancel), [`taken`](Self::taken).
/// - Inputs, from the transport and the clock: `handle_*`. They may come at any time and in any order; what makes no
///   sense ends the call with a status that says whose fault it is, and what comes after the end is ignored.
/// - Outputs: after each command or input, [`poll_transmit`](Self::poll_transmit) until `None`, **then**
///   [`poll_event`](Self::poll_event) until `None`: a reset leaves before anybody is told of the end.
///   [`poll_timeout`](Self::poll_timeout) says when to call [`handle_timeout`](Self::handle_timeout).
///
/// `now` is time since any fixed origin and never goes back. Where the deadline has passed, it wins over whatever
/// comes in: the first cause is the one that is told.
pub struct Call<P: ?Sized + Protocol = dyn Protocol> {
    config: Config,
    protocol: Box<P>,
    state: State,
    window: ReceiveWindow,
    deadline: Option<Duration>,
    received: usize,
    /// Body bytes that came and were not released.
    unreleased: usize,
    /// Body bytes read, and not yet counted as received: what they brought is still being inflated.
    uncounted: usize,
    inflating: Inflating,
    outbox: Outbox,
    transmits: VecDeque<Transmit>,
    events: VecDeque<Event>,
}

impl Call {
    /// A call that waits to be opened.
    pub fn new(config: Config, protocol: Box<dyn Protocol>) -> Self {
        Self::speaking(config, protocol)
    }
}

impl<P: ?Sized + Protocol> Call<P> {
    /// Where only one dialect is ever spoken, the compiler sees all of it.
    pub(crate) fn speaking(config: Config, protocol: Box<P>) -> Self {
        let window = ReceiveWindow::new(config.receive_window);
        Self {
            config,
            protocol,
            state: State::default(),
            window,
            deadline: None,
            received: 0,
            unreleased: 0,
            uncounted: 0,
            inflating: Inflating::default(),
            outbox: Outbox::default(),
            transmits: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

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

    fn let_out(&mut self) {
        while let Some(transmit) = self.outbox.next() {
            self.transmits.push_back(transmit);
        }
    }

    /// What [`Transmit::Deflate`] asked for.
    pub fn handle_deflated(&mut self, now: Duration, bytes: &[u8]) {
        if !self.expired(now) && self.state.is_active() && self.outbox.finish() {
            self.transmits.push_back(Transmit::Data(self.protocol.encode(bytes, true)));
            self.let_out();
        }
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
        self.ended(if status.is_ok() { End::Whole(None) } else { End::Broken(status) });
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

    /// Whether the peer is to send exactly one message. A channel is told pieces, of which there may be any number.
    fn is_single(&self) -> bool {
        cfg!(any(feature = "js", not(target_family = "wasm"))) && !self.config.kind.streams_responses()
    }

    /// Channels have none.
    fn is_triple(&self) -> bool {
        cfg!(any(feature = "js", not(target_family = "wasm"))) && self.config.triple
    }

    /// What else a loss may mean.
    fn hint(&self) -> &'static str {
        if self.is_triple() && self.state.owes_headers() { triple::LOST } else { "" }
    }

    /// The time of [`poll_timeout`](Self::poll_timeout) has come.
    pub fn handle_timeout(&mut self, now: Duration) {
        self.expired(now);
    }

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

    /// Whether `now` matters: without a deadline it may be anything.
    pub fn has_deadline(&self) -> bool {
        self.config.timeout.is_some()
    }

    /// Bytes of messages that wait to be compressed.
    pub fn queued(&self) -> usize {
        self.outbox.bytes()
    }

    /// Whether the call is over.
    pub fn is_ended(&self) -> bool {
        self.state.is_ended()
    }

    /// What waits for the reader: message bytes, and 64 for each message.
    pub fn unread(&self) -> usize {
        self.window.unread()
    }

    /// Body bytes that came, of which the transport was not told that the reader has room for as many again.
    pub fn unreleased(&self) -> usize {
        self.unreleased
    }

    /// Whether input is to be ignored: the end has come, perhaps by the deadline just now.
    fn is_over(&mut self, now: Duration) -> bool {
        self.expired(now) || !self.state.is_active() || gzip::IS_BUILT && self.inflating.end.is_some()
    }

    fn expired(&mut self, now: Duration) -> bool {
        let due = self.poll_timeout().is_some_and(|deadline| now >= deadline);
        if due {
            let timeout = self.config.timeout.unwrap_or_default();
            self.end(deadline_exceeded(timeout), HeaderList::new(), Transmit::Reset);
        }
        due
    }

    /// The peer has said how it ends: the kind of call may forbid it.
    fn finished(&mut self, mut status: Status, trailers: HeaderList) {
        if status.is_ok() && self.received == 0 && self.is_single() {
            status = Status::new(Code::Unimplemented, Fault::Peer, NO_MESSAGE);
        }
        self.end(status, trailers, Transmit::Done);
    }

    /// Nothing that the peer sends from now on can be trusted, or is wanted.
    fn broken(&mut self, status: Status) {
        self.end(status, HeaderList::new(), Transmit::Reset);
    }

    fn end(&mut self, status: Status, trailers: HeaderList, transmit: Transmit) {
        let open_waits = matches!(self.transmits.front(), Some(Transmit::Open { .. }));
        let is_known = self.state.is_active() && !open_waits;
        if self.state.end() {
            // What has not left by now would reach a peer that has ended, or overtake the reset.
            self.transmits = VecDeque::new();
            if gzip::IS_BUILT {
                (self.inflating, self.outbox) = Default::default();
            }
            // A transport that was not told of the call is not told of its end.
            if is_known {
                self.transmits.push_back(transmit);
            }
            self.events.push_back(Event::End(status, trailers));
        }
    }

    /// As far as the reader allows: the peer may send again, and what is inflated is told, which may be much.
    fn flow(&mut self) {
        if !self.window.is_exceeded()
            && let Some(inflate) = self.inflating.start()
        {
            self.transmits.push_back(inflate);
        }
        let bytes = self.window.give_back();
        if bytes > 0 && !self.state.is_ended() {
            self.unreleased -= bytes;
            self.transmits.push_back(Transmit::Release(bytes));
        }
    }
}

fn colon(reason: &str) -> &'static str {
    if reason.is_empty() { "" } else { ": " }
}

fn deadline_exceeded(timeout: Duration) -> Status {
    let millis = decimal(millis(timeout));
    let words = words!["the deadline of ", millis, " ms passed before the call ended"];
    Status::new(Code::DeadlineExceeded, Fault::Local, words)
}
