//! What a call should have told and asked for so far, worked out the simple way: from the whole of what has arrived.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tidewire::call::{CallKind, Transmit};
use tidewire::status::{Code, Fault, Status};

use super::{MAX_MESSAGE, Op, WINDOW, Written};
use crate::harness::exchange::Told;
use crate::harness::wire::Wire;
use crate::harness::{Pair, headers};

/// Both accounts of one call: the call itself in `pair`, ours in the rest.
pub(super) struct Account {
    pair: Pair,
    kind: CallKind,
    opened: bool,
    half_closed: bool,
    /// HTTP's headers were good.
    http: bool,
    deadline: Option<Duration>,
    /// Written by the peer and on its way.
    pipe: Vec<u8>,
    /// What of it arrived while the call was active.
    arrived: Vec<u8>,
    sent: Vec<Vec<u8>>,
    seen_by_peer: Vec<Vec<u8>>,
    told: Vec<Vec<u8>>,
    /// How many of these the reader took.
    taken: usize,
    ended: Option<Status>,
}

impl Account {
    pub(super) fn new(pair: Pair, kind: CallKind) -> Self {
        Self {
            pair,
            kind,
            opened: false,
            half_closed: false,
            http: false,
            deadline: None,
            pipe: Vec::new(),
            arrived: Vec::new(),
            sent: Vec::new(),
            seen_by_peer: Vec::new(),
            told: Vec::new(),
            taken: 0,
            ended: None,
        }
    }

    /// Lets it happen to both, and compares.
    pub(super) fn plays(&mut self, op: Op) {
        let was_active = self.is_active();
        let had_ended = self.ended.is_some();
        let released = self.pair.peer.exchange.borrow().released;
        self.act(&op);
        self.collect();
        assert_eq!(self.sent, self.seen_by_peer, "every message that was accepted left, in order");
        if let (false, Some(status)) = (had_ended, &self.ended) {
            self.is_the_cause(&op, status, was_active);
        }
        if was_active && !self.has_expired() {
            assert_eq!(self.told, self.due(), "whole messages, in order, none lost");
        }
        if self.is_active() {
            self.window_is_right(released);
            assert_eq!(self.pair.peer.exchange.borrow().call.poll_timeout(), self.deadline);
        }
    }

    /// Whatever state it is in, a cancel ends it, and then nothing has an effect.
    pub(super) fn closes(&mut self) {
        self.plays(Op::Cancel);
        assert!(self.ended.is_some());
        self.pair.is_over();
    }

    fn act(&mut self, op: &Op) {
        match op {
            Op::Open => {
                let may = !self.opened && self.ended.is_none();
                // The deadline of a setup is seen by nobody but the call before it is opened.
                assert_eq!(self.pair.client.try_open().is_ok(), may);
                if may {
                    self.opened = true;
                    self.deadline = self.pair.peer.exchange.borrow().call.poll_timeout();
                }
            }
            Op::Send(message) => {
                let may = self.is_active() && !self.half_closed;
                assert_eq!(self.pair.client.try_send(message).is_ok(), may);
                self.sent.extend(may.then(|| message.clone()));
            }
            Op::CloseSend => {
                self.half_closed |= self.is_active();
                self.pair.client.close_send();
            }
            Op::Cancel => self.pair.client.cancel("enough"),
            Op::Take => {
                if let Some(message) = self.told.get(self.taken) {
                    self.taken += 1;
                    self.pair.client.takes(&[message.len()]);
                }
            }
            Op::Writes(written) => self.write(written),
            Op::Arrives(bytes) => {
                let rest = self.pipe.split_off((*bytes).min(self.pipe.len()));
                let chunk = std::mem::replace(&mut self.pipe, rest);
                if self.is_active() && !self.has_expired() {
                    self.arrived.extend(&chunk);
                }
                self.pair.peer.sends(&chunk);
            }
            Op::Http(status) => self.answer_http(*status),
            Op::Ends(status) => {
                let trailers = status.map(|code| headers(&[("grpc-status", &code.to_string())]));
                self.pair.peer.body_ends(trailers);
            }
            Op::Reset(code, true) => self.pair.peer.resets(*code, "so there"),
            Op::Reset(code, false) => self.pair.peer.is_not_reached(*code, "so there"),
            Op::ConnectionFails => self.pair.peer.connection_fails("lost"),
            Op::Passes(millis, false) => self.pair.after(*millis),
            Op::Passes(millis, true) => self.pair.after_without_timer(*millis),
        }
    }

    fn write(&mut self, written: &Written) {
        let wire = self.pair.peer.wire;
        let block = |list: &[(&str, &str)]| wire.block(&headers(list));
        self.pipe.extend(match written {
            Written::Message(payload) => wire.message(payload),
            Written::Headers if wire.has_headers_in_body() => block(&[("content-type", "application/grpc")]),
            Written::Trailers(code) if wire != Wire::Grpc => block(&[("grpc-status", &code.to_string())]),
            Written::Headers | Written::Trailers(_) => Vec::new(),
            Written::Garbage(bytes) => bytes.clone(),
        });
    }

    fn answer_http(&mut self, status: u16) {
        if self.pair.peer.wire.has_headers_in_body() {
            return;
        }
        self.http |= status == 200 && self.is_active() && !self.has_expired();
        let content_type = self.pair.peer.wire.content_type();
        self.pair.peer.answers_http(status, headers(&[("content-type", content_type)]));
    }

    fn collect(&mut self) {
        let exchange = &mut *self.pair.peer.exchange.borrow_mut();
        for told in exchange.told.drain(..) {
            match told {
                Told::Headers(_) => {}
                Told::Message(message) => self.told.push(message),
                Told::End(status, _) => self.ended = Some(status),
            }
        }
        for transmit in exchange.asked.drain(..) {
            if let Transmit::Data(bytes) = transmit {
                self.seen_by_peer.push(self.pair.peer.wire.unwrap(&bytes).1);
            }
        }
    }

    fn is_active(&self) -> bool {
        self.opened && self.ended.is_none()
    }

    fn has_expired(&self) -> bool {
        self.deadline.is_some_and(|deadline| self.pair.peer.exchange.borrow().now >= deadline)
    }

    /// The first cause is the one told, and the fault is that of whoever caused it.
    fn is_the_cause(&self, op: &Op, status: &Status, was_active: bool) {
        let told = (status.code, status.fault);
        let expected = match op {
            Op::Open => (Code::DeadlineExceeded, Fault::Local),
            _ if was_active && self.has_expired() => (Code::DeadlineExceeded, Fault::Local),
            Op::Cancel => (Code::Cancelled, Fault::Local),
            Op::Reset(_, false) | Op::ConnectionFails => (Code::Unavailable, Fault::Transport),
            Op::Reset(code, true) => (Code::from_reset(*code), Fault::Peer),
            Op::Arrives(_) | Op::Http(_) | Op::Ends(_) if status.is_ok() => (Code::Ok, Fault::None),
            Op::Arrives(_) | Op::Http(_) | Op::Ends(_) => (status.code, Fault::Peer),
            Op::Send(_) | Op::CloseSend | Op::Take | Op::Writes(_) | Op::Passes(..) => {
                panic!("{op:?} ended the call: {status}")
            }
        };
        assert_eq!(told, expected, "{op:?} ended the call: {status}");
    }

    /// While the reader is behind nothing is given back, otherwise everything.
    fn window_is_right(&self, released_before: usize) {
        let waiting: usize = self.told[self.taken..].iter().map(|message| message.len() + 64).sum();
        let exchange = self.pair.peer.exchange.borrow();
        let expected = if waiting > WINDOW { released_before } else { self.arrived.len() };
        assert_eq!(exchange.released, expected, "{waiting} bytes wait");
    }

    /// The messages that what has arrived must have brought: up to the first byte that makes no sense.
    fn due(&self) -> Vec<Vec<u8>> {
        let wire = self.pair.peer.wire;
        let body = self.body();
        let mut rest = body.as_slice();
        let mut messages = Vec::new();
        let mut has_headers = self.http;
        while let [flags, a, b, c, d, after @ ..] = rest {
            let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
            let is_block = wire != Wire::Grpc && *flags == 0x80;
            if !(*flags == 0 || is_block) || after.len() < length || (!is_block && length > MAX_MESSAGE) {
                break;
            }
            let (payload, next) = after.split_at(length);
            rest = next;
            if is_block {
                let is_status = payload.windows(11).any(|name| name.eq_ignore_ascii_case(b"grpc-status"));
                if !wire.has_headers_in_body() || has_headers || is_status {
                    break;
                }
                has_headers = true;
            } else if has_headers && (messages.is_empty() || self.kind.streams_responses()) {
                messages.push(payload.to_vec());
            } else {
                break;
            }
        }
        messages
    }

    /// The body without base64: as far as it is that.
    fn body(&self) -> Vec<u8> {
        if self.pair.peer.wire != Wire::GrpcWebText || !self.http {
            return self.arrived.clone();
        }
        self.arrived.chunks_exact(4).map_while(|quantum| STANDARD.decode(quantum).ok()).flatten().collect()
    }
}
