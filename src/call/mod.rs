//! Layer 2: the life of one RPC. Pure: no clock, no socket, no executor.

mod commands;
mod config;
mod inflating;
mod inputs;
mod outbox;
mod outputs;
mod state;
mod window;

use std::collections::VecDeque;
use std::time::Duration;

use crate::codec::timeout::millis;
use crate::codec::{HeaderList, NO_MESSAGE, Protocol, gzip};
use crate::status::{Code, Fault, Status};
use crate::words::{decimal, words};
pub use config::{CallKind, Config};
use inflating::Inflating;
use outbox::Outbox;
pub use outputs::{Event, Transmit};
pub use state::State;
pub use window::ReceiveWindow;

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

    /// Whether the peer is to send exactly one message. A channel is told pieces, of which there may be any number.
    fn is_single(&self) -> bool {
        cfg!(any(feature = "js", not(target_family = "wasm"))) && !self.config.kind.streams_responses()
    }

    /// Channels have none.
    fn is_triple(&self) -> bool {
        cfg!(any(feature = "js", not(target_family = "wasm"))) && self.config.triple
    }

    fn expired(&mut self, now: Duration) -> bool {
        let due = self.poll_timeout().is_some_and(|deadline| now >= deadline);
        if due {
            let timeout = self.config.timeout.unwrap_or_default();
            self.end(deadline_exceeded(timeout), HeaderList::new(), Transmit::Reset);
        }
        due
    }

    /// Whether input is to be ignored: the end has come, perhaps by the deadline just now.
    fn is_over(&mut self, now: Duration) -> bool {
        self.expired(now) || !self.state.is_active() || gzip::IS_BUILT && self.inflating.end.is_some()
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

    fn let_out(&mut self) {
        while let Some(transmit) = self.outbox.next() {
            self.transmits.push_back(transmit);
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

fn deadline_exceeded(timeout: Duration) -> Status {
    let millis = decimal(millis(timeout));
    let words = words!["the deadline of ", millis, " ms passed before the call ended"];
    Status::new(Code::DeadlineExceeded, Fault::Local, words)
}
