//! What a call should have told and asked for so far, worked out the simple way: from the whole of what has arrived.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tidewire::call::{CallKind, Transmit};
use tidewire::status::{Code, Fault, Status};

use super::{MAX_MESSAGE, Op, WINDOW, Written};
use crate::harness::exchange::Told;
use crate::harness::gzip::{deflate, inflate};
use crate::harness::wire::Wire;
use crate::harness::{Pair, headers};

/// Both accounts of one call: the call itself in `pair`, ours in the rest.
pub(super) struct Account {
    pair: Pair,
    kind: CallKind,
    gzip: bool,
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
    /// What the platform is to inflate, and how many pieces it has.
    inflates: Option<(Vec<u8>, usize)>,
    inflated: usize,
    /// What it is to compress, and how many messages it has.
    deflates: Option<Vec<u8>>,
    deflated: usize,
    /// The peer's end came, behind what is still to be inflated.
    end_waits: bool,
    ended: Option<Status>,
}

impl Account {
    pub(super) fn new(pair: Pair, kind: CallKind, gzip: bool) -> Self {
        Self {
            pair,
            kind,
            gzip,
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
            inflates: None,
            inflated: 0,
            deflates: None,
            deflated: 0,
            end_waits: false,
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
        let left = self.left();
        if self.is_active() {
            assert_eq!(self.seen_by_peer, left, "every message that was accepted left in its turn");
        } else {
            assert!(left.starts_with(&self.seen_by_peer), "what left by the end was in order");
        }
        if let (false, Some(status)) = (had_ended, &self.ended) {
            self.is_the_cause(&op, status, was_active);
        }
        if was_active && !self.has_expired() {
            assert_eq!(self.told, self.due().0, "whole messages, in order, none lost");
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
                if self.is_active() && !self.has_expired() && !self.end_waits {
                    self.arrived.extend(&chunk);
                }
                self.pair.peer.sends(&chunk);
            }
            Op::Http(status) => self.answer_http(*status),
            Op::Inflates => {
                if let Some((bytes, limit)) = self.inflates.take() {
                    self.inflated += usize::from(self.is_active() && !self.has_expired());
                    self.pair.platform().has_inflated(inflate(&bytes, limit));
                }
            }
            Op::Deflates => {
                if let Some(message) = self.deflates.take() {
                    self.deflated += 1;
                    self.pair.platform().has_deflated(&deflate(&message));
                }
            }
            Op::Ends(status) => {
                self.may_wait();
                let trailers = status.map(|code| headers(&[("grpc-status", &code.to_string())]));
                self.pair.peer.body_ends(trailers);
            }
            Op::Reset(..) | Op::ConnectionFails => self.lose(op),
            Op::Passes(millis, false) => self.pair.after(*millis),
            Op::Passes(millis, true) => self.pair.after_without_timer(*millis),
        }
    }

    fn lose(&mut self, op: &Op) {
        self.may_wait();
        match op {
            Op::Reset(code, true) => self.pair.peer.resets(*code, "so there"),
            Op::Reset(code, false) => self.pair.peer.is_not_reached(*code, "so there"),
            _ => self.pair.peer.connection_fails("lost"),
        }
    }

    /// An end comes behind what is still to be inflated.
    fn may_wait(&mut self) {
        self.end_waits |= self.is_active() && !self.has_expired() && self.due().1;
    }

    fn write(&mut self, written: &Written) {
        let wire = self.pair.peer.wire;
        let block = |list: &[(&str, &str)]| wire.block(&headers(list));
        self.pipe.extend(match written {
            Written::Message(payload) => wire.message(payload),
            Written::Compressed(payload) => wire.compressed(payload),
            Written::Headers if wire.has_headers_in_body() => {
                block(&[("content-type", "application/grpc"), ("grpc-encoding", self.encoding())])
            }
            Written::CompressedTrailers(code) if wire != Wire::Grpc => {
                wire.compressed_block(&[("grpc-status", &code.to_string())])
            }
            Written::Trailers(code) if wire != Wire::Grpc => block(&[("grpc-status", &code.to_string())]),
            Written::Headers | Written::Trailers(_) | Written::CompressedTrailers(_) => Vec::new(),
            Written::Garbage(bytes) => bytes.clone(),
        });
    }

    fn answer_http(&mut self, status: u16) {
        if self.pair.peer.wire.has_headers_in_body() {
            return;
        }
        self.http |= status == 200 && self.is_active() && !self.has_expired() && !self.end_waits;
        let content_type = self.pair.peer.wire.content_type();
        let list = headers(&[("content-type", content_type), ("grpc-encoding", self.encoding())]);
        self.pair.peer.answers_http(status, list);
    }

    fn encoding(&self) -> &'static str {
        if self.gzip { "gzip" } else { "identity" }
    }

    fn collect(&mut self) {
        let before = self.inflates.clone();
        let exchange = &mut *self.pair.peer.exchange.borrow_mut();
        for told in exchange.told.drain(..) {
            match told {
                Told::Headers(_) => {}
                Told::Message(message) => self.told.push(message),
                Told::End(status, _) => self.ended = Some(status),
            }
        }
        for transmit in exchange.asked.drain(..) {
            match transmit {
                Transmit::Data(bytes) => {
                    let (flags, message) = self.pair.peer.wire.unwrap(&bytes);
                    let message = if flags == 1 { inflate(&message, 100).unwrap() } else { message };
                    self.seen_by_peer.push(message);
                }
                Transmit::Inflate { bytes, limit } => self.inflates = Some((bytes, limit)),
                Transmit::Deflate(message) => self.deflates = Some(message),
                _ => {}
            }
        }
        if self.inflates.is_some() && self.inflates != before {
            assert!(waiting(&self.told[self.taken..]) <= WINDOW, "inflated for a reader that is behind");
        }
    }

    /// What has left of what was sent: what has bytes only once it is compressed, and nothing before what is in front.
    fn left(&self) -> Vec<Vec<u8>> {
        let mut compressed = 0;
        let left = self.sent.iter().take_while(|message| {
            compressed += usize::from(self.gzip && !message.is_empty());
            compressed <= self.deflated
        });
        left.cloned().collect()
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
            Op::Ends(_) | Op::Reset(..) | Op::ConnectionFails if self.end_waits => {
                panic!("{op:?} ended the call before what came before it was inflated: {status}")
            }
            Op::Reset(_, false) | Op::ConnectionFails => (Code::Unavailable, Fault::Transport),
            Op::Reset(code, true) => (Code::from_reset(*code), Fault::Peer),
            // What waited behind it may be a lost connection.
            Op::Inflates if self.end_waits && status.fault == Fault::Transport => told,
            Op::Arrives(_) | Op::Http(_) | Op::Ends(_) | Op::Inflates if status.is_ok() => {
                (Code::Ok, Fault::None)
            }
            Op::Arrives(_) | Op::Http(_) | Op::Ends(_) | Op::Inflates => (status.code, Fault::Peer),
            Op::Send(_) | Op::CloseSend | Op::Take | Op::Writes(_) | Op::Deflates | Op::Passes(..) => {
                panic!("{op:?} ended the call: {status}")
            }
        };
        assert_eq!(told, expected, "{op:?} ended the call: {status}");
    }

    /// While the reader is behind nothing is given back, otherwise everything but what brought a piece that is still to
    /// be inflated, and came behind it.
    fn window_is_right(&self, released_before: usize) {
        let waiting = waiting(&self.told[self.taken..]);
        let exchange = self.pair.peer.exchange.borrow();
        if waiting <= WINDOW && self.due().1 {
            return assert!(exchange.released < self.arrived.len(), "given back while it is inflated");
        }
        let expected = if waiting > WINDOW { released_before } else { self.arrived.len() };
        assert_eq!(exchange.released, expected, "{waiting} bytes wait");
    }

    /// The messages that what has arrived must have brought: up to the first byte that makes no sense, or the first
    /// piece that is still to be inflated, if there is one.
    fn due(&self) -> (Vec<Vec<u8>>, bool) {
        let wire = self.pair.peer.wire;
        let body = self.body();
        let mut rest = body.as_slice();
        let mut messages = Vec::new();
        let mut has_headers = self.http;
        let mut inflated = 0;
        while let [flags, a, b, c, d, after @ ..] = rest {
            let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
            let is_compressed = self.gzip && has_headers && flags & 1 == 1;
            let flags = if is_compressed { flags & !1 } else { *flags };
            let is_block = wire != Wire::Grpc && flags == 0x80;
            if !(flags == 0 || is_block) || after.len() < length || (!is_block && length > MAX_MESSAGE) {
                break;
            }
            let (payload, next) = after.split_at(length);
            rest = next;
            let mut payload = payload.to_vec();
            if is_compressed && !payload.is_empty() {
                inflated += 1;
                if inflated > self.inflated {
                    return (messages, true);
                }
                let Ok(bytes) = inflate(&payload, MAX_MESSAGE) else { break };
                payload = bytes;
            }
            if is_block {
                let is_status = payload.windows(11).any(|name| name.eq_ignore_ascii_case(b"grpc-status"));
                if !wire.has_headers_in_body() || has_headers || is_status {
                    break;
                }
                has_headers = true;
            } else if has_headers && (messages.is_empty() || self.kind.streams_responses()) {
                messages.push(payload);
            } else {
                break;
            }
        }
        (messages, false)
    }

    /// The body without base64: as far as it is that.
    fn body(&self) -> Vec<u8> {
        if self.pair.peer.wire != Wire::GrpcWebText || !self.http {
            return self.arrived.clone();
        }
        self.arrived.chunks_exact(4).map_while(|quantum| STANDARD.decode(quantum).ok()).flatten().collect()
    }
}

/// What messages that the reader has not taken cost.
fn waiting(messages: &[Vec<u8>]) -> usize {
    messages.iter().map(|message| message.len() + 64).sum()
}
