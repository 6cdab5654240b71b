//! The peer's side: what reaches it, and what it answers.

use std::cell::RefCell;
use std::rc::Rc;

use tidewire::call::Transmit;
use tidewire::codec::HeaderList;
use tidewire::status::{Code, Fault, Status};

use super::exchange::Exchange;
use super::gzip::inflate;
use super::wire::Wire;
use super::{has, headers, readable};

/// The server, and the transport before it.
pub(crate) struct Peer {
    pub(crate) exchange: Rc<RefCell<Exchange>>,
    pub(crate) wire: Wire,
    /// Largest chunk that its bytes arrive in.
    pub(crate) cut: usize,
}

/// What reaches it.
impl Peer {
    pub(crate) fn expects_open(&self, wanted: &str) -> Head {
        match self.next() {
            Some(Transmit::Open { get, path, headers }) => {
                assert_eq!((get, path.as_str()), (false, wanted));
                Head(headers)
            }
            other => panic!("expected an open, the transport was to do {other:?}"),
        }
    }

    pub(crate) fn expects_message(&self, wanted: &str) {
        let (flags, message) = self.next_message(wanted);
        assert_eq!((flags, String::from_utf8_lossy(&message).as_ref()), (0, wanted));
    }

    pub(crate) fn expects_compressed(&self, wanted: &str) {
        let (flags, message) = self.next_message(wanted);
        let message = inflate(&message, usize::MAX).unwrap();
        assert_eq!((flags, String::from_utf8_lossy(&message).as_ref()), (1, wanted));
    }

    fn next_message(&self, wanted: &str) -> (u8, Vec<u8>) {
        match self.next() {
            Some(Transmit::Data(bytes)) => self.wire.unwrap(&bytes),
            other => panic!("expected the message {wanted:?}, the transport was to do {other:?}"),
        }
    }

    pub(crate) fn expects_half_close(&self) {
        assert_eq!(self.next(), Some(Transmit::Finish));
    }

    /// The exchange is broken off: a server sees it cancelled.
    pub(crate) fn expects_reset(&self) {
        assert_eq!(self.next(), Some(Transmit::Reset));
        self.expects_nothing();
    }

    /// The response was complete, and whatever is still open is let go.
    pub(crate) fn expects_done(&self) {
        assert_eq!(self.next(), Some(Transmit::Done));
        self.expects_nothing();
    }

    pub(crate) fn expects_nothing(&self) {
        let asked = &self.exchange.borrow().asked;
        assert!(asked.is_empty(), "expected nothing, the transport was to do {asked:?}");
    }

    /// Body bytes that it may not send again before the reader catches up.
    pub(crate) fn is_held_back_by(&self, bytes: usize) {
        let exchange = self.exchange.borrow();
        assert_eq!(exchange.fed - exchange.released, bytes, "bytes not yet given back");
    }

    /// There are such bytes.
    pub(crate) fn is_held_back(&self) {
        let exchange = self.exchange.borrow();
        assert!(exchange.released < exchange.fed, "every byte was given back");
    }

    fn next(&self) -> Option<Transmit> {
        self.exchange.borrow_mut().asked.pop_front()
    }
}

/// What it answers.
impl Peer {
    /// The headers of a service that speaks this wire.
    pub(crate) fn headers(&self) {
        self.headers_with(&[]);
    }

    pub(crate) fn headers_with(&self, more: &[(&str, &str)]) {
        let mut list = headers(&[("content-type", self.wire.content_type())]);
        list.append(&mut headers(more));
        if self.wire.has_headers_in_body() {
            self.sends(&self.wire.block(&list));
        } else {
            self.answers_http(200, list);
        }
    }

    pub(crate) fn answers_http(&self, http: u16, list: HeaderList) {
        let what = format!("peer: HTTP {http} [{}]", readable(&list));
        self.exchange.borrow_mut().step(what, |call, now| call.handle_headers(now, http, list));
    }

    pub(crate) fn replies(&self, message: &str) {
        self.sends(&self.wire.message(message.as_bytes()));
    }

    pub(crate) fn replies_compressed(&self, message: &str) {
        self.sends(&self.wire.compressed(message.as_bytes()));
    }

    /// Body bytes as they are.
    pub(crate) fn sends(&self, bytes: &[u8]) {
        self.exchange.borrow_mut().feed(bytes, self.cut);
    }

    pub(crate) fn ends_ok(&self) {
        self.ends(&[("grpc-status", "0")]);
    }

    /// Trailers, then the end of the body: after the trailer block of gRPC-Web the second says nothing new.
    pub(crate) fn ends(&self, trailers: &[(&str, &str)]) {
        let list = headers(trailers);
        if self.wire == Wire::Grpc {
            return self.body_ends(Some(list));
        }
        self.sends(&self.wire.block(&list));
        self.body_ends(None);
    }

    /// Status and trailing metadata in the place of the headers, and no body. Connect has them in the body always.
    pub(crate) fn answers_trailers_only(&self, trailers: &[(&str, &str)]) {
        self.headers_with(trailers);
        if self.wire == Wire::Connect {
            self.sends(&self.wire.block(&headers(trailers)));
        }
        self.body_ends(None);
    }

    pub(crate) fn body_ends(&self, trailers: Option<HeaderList>) {
        let what = format!("peer: end of the body, trailers {:?}", trailers.as_ref().map(readable));
        self.exchange.borrow_mut().step(what, |call, now| call.handle_end(now, trailers));
    }

    pub(crate) fn resets(&self, code: u32, reason: &str) {
        let what = format!("peer: reset {code:#x} {reason:?}");
        self.exchange.borrow_mut().step(what, |call, now| call.handle_reset(now, code, reason, true));
    }

    /// The transport says that the request never left.
    pub(crate) fn is_not_reached(&self, code: u32, reason: &str) {
        let what = format!("transport: not sent, {code:#x} {reason:?}");
        self.exchange.borrow_mut().step(what, |call, now| call.handle_reset(now, code, reason, false));
    }

    pub(crate) fn connection_fails(&self, words: &str) {
        let status = Status::new(Code::Unavailable, Fault::Transport, words);
        let what = format!("transport: failed, {words}");
        self.exchange.borrow_mut().step(what, |call, now| call.handle_failure(now, status));
    }
}

/// More comes than is taken, and the transport cannot hold it back; or more is to be sent than it takes.
impl Peer {
    pub(crate) fn is_asked_too_much(&self, words: &str) {
        let status = Status::misuse(Code::ResourceExhausted, words);
        let what = format!("transport: {words}");
        self.exchange.borrow_mut().step(what, |call, now| call.handle_failure(now, status));
    }

    pub(crate) fn overflows(&self) {
        let status = Status::new(Code::ResourceExhausted, Fault::Local, "too much waits");
        let what = "transport: too much waits".into();
        self.exchange.borrow_mut().step(what, |call, now| call.handle_failure(now, status));
    }
}

/// A request's headers.
pub(crate) struct Head(pub(crate) HeaderList);

impl Head {
    pub(crate) fn with(self, name: &str, value: &str) -> Self {
        assert!(has(&self.0, name, value), "no {name}: {value} in [{}]", readable(&self.0));
        self
    }

    pub(crate) fn without(self, name: &str) -> Self {
        assert!(self.0.first(name).is_none(), "{name} in [{}]", readable(&self.0));
        self
    }
}
