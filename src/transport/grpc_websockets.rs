//! Exchanges over `grpc-websockets`: one socket each. The wire is in [`codec`](crate::codec::grpc_websockets).

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::{Rc, Weak};
use std::time::Duration;

use js_sys::Function;
use wasm_bindgen::JsValue;

use super::sys;
use super::timer::Timer;
use super::websocket::{Event, Socket};
use super::{Chunk, Exchange, HIGH_WATER, Incoming, Request, Sink, Transport};
use crate::codec::grpc_websockets::{FINISH, SUBPROTOCOL, encode_data, encode_headers};
use crate::words::words;

/// There is no event for a `bufferedAmount` that falls.
const POLL: Duration = Duration::from_millis(4);

/// One socket per exchange.
pub(crate) struct GrpcWebsockets {
    pub(crate) constructor: Function,
    /// `ws(s)://host[:port][/prefix]`.
    pub(crate) base: String,
    /// Bytes that may wait for the consumer: a WebSocket cannot hold the peer back.
    pub(crate) max_unread: usize,
}

impl Transport for GrpcWebsockets {
    fn open(&self, request: Request, sink: Rc<dyn Sink>) -> Box<dyn Exchange> {
        let inner = Rc::new(Inner {
            sink: RefCell::new(Some(sink)),
            socket: RefCell::new(None),
            waiting: RefCell::new(VecDeque::from([encode_headers(&request.headers)])),
            poll: RefCell::new(None),
            unread: Cell::new(0),
            max_unread: self.max_unread,
            url: words![self.base, request.path.as_str()],
        });
        inner.connect(&self.constructor);
        Box::new(GrpcWebsocketsExchange(inner))
    }
}

struct GrpcWebsocketsExchange(Rc<Inner>);

struct Inner {
    /// Gone once nothing is to be told any more.
    sink: RefCell<Option<Rc<dyn Sink>>>,
    socket: RefCell<Option<Socket>>,
    /// WebSocket messages until the socket is open.
    waiting: RefCell<VecDeque<Vec<u8>>>,
    poll: RefCell<Option<Timer>>,
    unread: Cell<usize>,
    max_unread: usize,
    url: String,
}

impl Inner {
    fn connect(self: &Rc<Self>, constructor: &Function) {
        let this = Rc::downgrade(self);
        let connected = Socket::connect(constructor, &self.url, SUBPROTOCOL, move |event| {
            if let Some(this) = this.upgrade() {
                this.handle(event);
            }
        });
        match connected {
            Ok(socket) => *self.socket.borrow_mut() = Some(socket),
            Err(thrown) => {
                let this = self.clone();
                *self.poll.borrow_mut() = Some(Timer::after(Duration::ZERO, move || {
                    let message =
                        words!["no WebSocket to ", this.url, " could be made: ", sys::words(&thrown)];
                    this.tell_last(Incoming::Failed { message, cause: thrown });
                }));
            }
        }
    }

    fn handle(self: &Rc<Self>, event: Event) {
        match event {
            Event::Opened => {
                let waiting = std::mem::take(&mut *self.waiting.borrow_mut());
                waiting.into_iter().for_each(|message| self.push(message));
                self.watch();
            }
            Event::Message(buffer) => {
                let bytes = buffer.to_vec();
                self.unread.set(self.unread.get() + bytes.len());
                self.tell(Incoming::Data(Chunk { bytes: &bytes, buffer: &buffer, offset: 0 }));
                if self.unread.get() > self.max_unread {
                    self.tell_last(Incoming::Overflow { unread: self.unread.get() });
                }
            }
            Event::Text => {
                self.tell_last(Incoming::Closed { code: 1003, reason: "a text message came".to_string() })
            }
            Event::Closed { code, .. } if !self.is_open() => {
                let message = words![
                    "the WebSocket to ",
                    self.url,
                    " did not open (close ",
                    code,
                    "): the server is down, does not speak grpc-websockets there, or does not allow this origin",
                ];
                self.tell_last(Incoming::Failed { message: message, cause: JsValue::UNDEFINED });
            }
            Event::Closed { code, reason } => self.tell_last(Incoming::Closed { code, reason }),
        }
    }

    fn push(&self, message: Vec<u8>) {
        if self.is_open() {
            // A socket that just closed says so by its own event.
            let _ = self.socket.borrow().as_ref().map(|socket| socket.send(&message));
        } else {
            self.waiting.borrow_mut().push_back(message);
        }
    }

    fn is_open(&self) -> bool {
        self.socket.borrow().as_ref().is_some_and(Socket::was_open)
    }

    fn queued(&self) -> usize {
        let waiting: usize = self.waiting.borrow().iter().map(Vec::len).sum();
        waiting + self.socket.borrow().as_ref().map_or(0, Socket::buffered)
    }

    /// Tells when what is queued has gone below the mark.
    fn watch(self: &Rc<Self>) {
        if self.queued() <= HIGH_WATER {
            return self.tell(Incoming::Room);
        }
        let this = Rc::downgrade(self);
        let poll = Timer::after(POLL, move || {
            if let Some(this) = Weak::upgrade(&this) {
                this.watch();
            }
        });
        *self.poll.borrow_mut() = Some(poll);
    }

    fn tell(&self, event: Incoming<'_>) {
        let sink = self.sink.borrow().clone();
        if let Some(sink) = sink {
            sink.incoming(event);
        }
    }

    fn tell_last(&self, event: Incoming<'_>) {
        let sink = self.sink.borrow_mut().take();
        if let Some(sink) = sink {
            sink.incoming(event);
        }
    }

    fn let_go(&self) {
        self.sink.borrow_mut().take();
        self.waiting.borrow_mut().clear();
        self.poll.borrow_mut().take();
        self.socket.borrow_mut().take();
    }
}

impl Exchange for GrpcWebsocketsExchange {
    fn send(&mut self, bytes: Vec<u8>) {
        encode_data(&bytes).for_each(|message| self.0.push(message));
        if self.0.is_open() && self.0.queued() > HIGH_WATER {
            self.0.watch();
        }
    }

    fn finish(&mut self) {
        self.0.push(FINISH.to_vec());
    }

    fn reset(&mut self) {
        self.0.let_go();
    }

    fn done(&mut self) {
        self.0.let_go();
    }

    fn release(&mut self, bytes: usize) {
        self.0.unread.set(self.0.unread.get().saturating_sub(bytes));
    }

    fn queued(&self) -> usize {
        self.0.queued()
    }
}
