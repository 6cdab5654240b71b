//! Exchanges over `tidewire.v1`: all of them on one socket, opened with the first and again after it is lost. What
//! goes over it is [`Connection`]'s; here it only gets its socket, its clock and its listeners.

use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::time::Duration;

use super::builtins::{Function, Uint8Array};
use wasm_bindgen::prelude::*;

use super::socket::Socket;
use super::timer::Timer;
use super::{Chunk, Exchange, Incoming, Request, Sink, Transport, web};
use crate::codec::tidewire_v1::{Connection, Event, Limits, OpenError, Role};
use crate::status::{Code, Fault, Status};
use crate::words::{lossy, words};

const SUBPROTOCOL: &str = "tidewire.v1";

/// What we let the gateway send. A stream's window is what a reader that stops may cost besides its own receive
/// window, and carries 100 Mbit/s over 70 ms; the connection's lets 64 such readers stop before any call is held up by
/// another.
const LIMITS: Limits = Limits {
    stream_window: 1024 * 1024,
    connection_window: 64 * 1024 * 1024,
    max_frame: 64 * 1024,
    max_streams: 0,
    max_headers: 64 * 1024,
};

/// One WebSocket message carries about this much, so that control frames and small calls get their turn.
const MESSAGE: usize = 64 * 1024;

/// More than this in the runtime's own buffer would only make it grow: what waits, waits in its stream.
const BUFFERED: usize = 1024 * 1024;

/// The shared socket of a client.
pub(crate) struct TidewireV1 {
    pub(crate) constructor: Function,
    /// `ws(s)://host[:port][/prefix]/tidewire.v1`.
    pub(crate) url: String,
    pub(crate) current: RefCell<Option<Rc<Link>>>,
}

impl TidewireV1 {
    /// Closes the socket; whoever still uses it is told that it was lost.
    #[cfg(feature = "js")]
    pub(crate) fn close(&self) {
        let link = self.current.borrow_mut().take();
        if let Some(link) = link {
            link.lose("the client was closed", JsValue::UNDEFINED);
        }
    }

    /// Whether a call would find its socket open.
    pub(crate) fn is_open(&self) -> bool {
        self.current.borrow().as_ref().is_some_and(|link| {
            let state = link.state.borrow();
            !state.draining && state.socket.as_ref().is_some_and(Socket::is_open)
        })
    }

    fn link(&self) -> Rc<Link> {
        let usable = self.current.borrow().clone().filter(|link| link.takes_calls());
        usable.unwrap_or_else(|| {
            let link = Link::connect(&self.constructor, &self.url);
            *self.current.borrow_mut() = Some(link.clone());
            link
        })
    }
}

impl Transport for TidewireV1 {
    fn open(&self, request: Request, sink: Rc<dyn Sink>) -> Box<dyn Exchange> {
        let mut exchange = TidewireExchange { link: self.link(), id: 0, waiting: None };
        if request.get {
            exchange.waiting = Some((request, sink));
        } else {
            exchange.open(&request, sink, false);
        }
        Box::new(exchange)
    }
}

/// A stream of the link. Id 0: it was never opened, and every command on it does nothing.
struct TidewireExchange {
    link: Rc<Link>,
    id: u32,
    /// A request that leaves when it is finished.
    waiting: Option<(Request, Rc<dyn Sink>)>,
}

impl TidewireExchange {
    fn open(&mut self, request: &Request, sink: Rc<dyn Sink>, fin: bool) {
        let Request { get, path, headers, .. } = request;
        let method = if *get { "GET" } else { "POST" };
        let opened = self.link.state.borrow_mut().connection.open(method, path, headers, fin);
        match opened {
            Ok(id) => {
                self.link.state.borrow_mut().sinks.push((id, sink));
                self.link.flush_soon();
                self.id = id;
            }
            // Told from a task of its own, as everything is.
            Err(error) => web::later(
                &Closure::once_into_js(move || {
                    let message = error.message();
                    let status = match error {
                        OpenError::TooLarge { .. } => Status::misuse(Code::ResourceExhausted, message),
                        _ => Status::new(Code::Unavailable, Fault::Transport, message),
                    };
                    sink.incoming(Incoming::Failed(status, JsValue::UNDEFINED));
                }),
                false,
            ),
        }
    }

    fn with(&self, command: impl FnOnce(&mut Connection)) {
        command(&mut self.link.state.borrow_mut().connection);
        self.link.flush_soon();
    }
}

impl Exchange for TidewireExchange {
    fn send(&mut self, bytes: Vec<u8>) {
        match &mut self.waiting {
            Some((request, _)) => request.path.push_str(&lossy(&bytes)),
            None => self.with(|connection| connection.send_data(self.id, bytes, false)),
        }
    }

    fn finish(&mut self) {
        match self.waiting.take() {
            Some((request, sink)) => self.open(&request, sink, true),
            None => self.with(|connection| connection.send_data(self.id, [], true)),
        }
    }

    fn reset(&mut self) {
        self.waiting = None;
        drop(self.link.state.borrow_mut().remove_sink(self.id));
        self.with(|connection| connection.reset(self.id, CANCEL, ""));
    }

    fn done(&mut self) {
        // A response that is complete before our own half is: the same as giving up the rest.
        self.reset();
    }

    fn release(&mut self, bytes: usize) {
        self.with(|connection| connection.release(self.id, bytes));
    }

    fn queued(&self) -> usize {
        self.link.state.borrow().connection.queued(self.id)
    }
}

/// The close code of a peer that sends what the protocol does not have.
const BROKEN: u16 = 1003;

/// HTTP/2's CANCEL.
const CANCEL: u32 = 0x8;

/// One socket and its connection.
pub(crate) struct Link {
    state: RefCell<State>,
    /// Made once: a flush per task must not cost a closure.
    flush: Closure<dyn FnMut()>,
    url: String,
}

struct State {
    connection: Connection,
    socket: Option<Socket>,
    /// By id, which only grows.
    sinks: Vec<(u32, Rc<dyn Sink>)>,
    /// The link itself, while a flush is scheduled: its closure must not go before it has run.
    flush_scheduled: Option<Rc<Link>>,
    /// Something was sent, and nothing has come since: this may be the same task.
    flushed: bool,
    /// A message is being told, and behind it comes a flush.
    receiving: bool,
    draining: bool,
    keep_alive: Option<Timer>,
    /// When the clock was last looked at, which is dear: a message counts as heard then, so that the gateway is asked
    /// once in an interval, whatever it sends.
    looked: Duration,
}

impl State {
    fn place(&self, id: u32) -> Option<usize> {
        self.sinks.binary_search_by_key(&id, |(id, _)| *id).ok()
    }

    fn sink(&self, id: u32) -> Option<&Rc<dyn Sink>> {
        self.place(id).map(|place| &self.sinks[place].1)
    }

    fn remove_sink(&mut self, id: u32) -> Option<Rc<dyn Sink>> {
        self.place(id).map(|place| self.sinks.remove(place).1)
    }
}

impl Link {
    fn connect(constructor: &Function, url: &str) -> Rc<Self> {
        let looked = web::now();
        let link = Rc::new_cyclic(|this: &Weak<Self>| {
            let that = this.clone();
            let state = State {
                connection: Connection::new(Role::Client, LIMITS, looked),
                socket: None,
                sinks: Vec::new(),
                flush_scheduled: None,
                flushed: false,
                receiving: false,
                draining: false,
                keep_alive: None,
                looked,
            };
            let flush = Closure::new(move || {
                if let Some(link) = that.upgrade() {
                    let kept = link.state.borrow_mut().flush_scheduled.take();
                    link.flush();
                    drop(kept);
                }
            });
            Self { state: RefCell::new(state), flush, url: url.to_string() }
        });
        let this = Rc::downgrade(&link);
        let tell = Closure::new(move |event: u8, a: JsValue, b: JsValue| {
            if let Some(link) = this.upgrade() {
                link.handle(event, a, b);
            }
        });
        let socket = Socket::connect(constructor, url, SUBPROTOCOL, tell);
        link.state.borrow_mut().socket = Some(socket);
        link
    }

    fn takes_calls(&self) -> bool {
        let state = self.state.borrow();
        state.socket.is_some() && !state.draining
    }

    /// What a `WebSocketLink` tells.
    fn handle(self: &Rc<Self>, event: u8, a: JsValue, b: JsValue) {
        let text = |value: JsValue| value.as_string().unwrap_or_default();
        self.state.borrow_mut().flushed = false;
        match event {
            1 => self.receive(&a.unchecked_into()),
            3 => self.lose(&text(a), b),
            6 => self.closed(a.as_f64().unwrap_or_default() as u16, &text(b)),
            // There is room, or it has opened.
            _ => self.flush(),
        }
    }

    fn closed(&self, code: u16, reason: &str) {
        if code == BROKEN {
            return self.end_all(|| Incoming::Closed { code, reason: reason.to_string() });
        }
        let words = words![
            "the connection to ",
            self.url,
            " was lost (WebSocket close ",
            code,
            ")",
            if reason.is_empty() { "" } else { ": " },
            reason
        ];
        self.lose(&words, JsValue::UNDEFINED);
    }

    fn receive(self: &Rc<Self>, buffer: &Uint8Array) {
        let message = buffer.to_vec();
        #[cfg(feature = "channel")]
        let message = bytes::Bytes::from(message);
        let outcome = {
            let state = &mut *self.state.borrow_mut();
            state.receiving = true;
            state.connection.handle_message(state.looked, &message)
        };
        self.dispatch(Some(Chunk::new(buffer, &message)));
        self.state.borrow_mut().receiving = false;
        self.flush();
        if let Err(error) = outcome {
            self.lose(&words!["tidewire.v1 broke: ", error.message], JsValue::UNDEFINED);
        }
    }

    /// Tells what the connection has to tell, with nothing borrowed: who is told may call back.
    fn dispatch(&self, message: Option<Chunk<'_>>) {
        loop {
            let event = self.state.borrow_mut().connection.poll_event();
            let Some(event) = event else { return };
            match event {
                Event::Headers { id, status, headers, fin } => {
                    self.tell(id, Incoming::Headers { status, headers });
                    self.end_if(fin, id);
                }
                Event::Data { id, range, fin } => {
                    if let Some(message) = message {
                        self.tell(id, Incoming::Data(message.slice(range)));
                    }
                    self.end_if(fin, id);
                }
                Event::Trailers { id, headers } => self.tell_last(id, Incoming::End(Some(headers))),
                Event::Reset { id, code, reason, sent } => {
                    self.tell_last(id, Incoming::Reset { code, reason, sent });
                }
                Event::Writable { id } => self.tell(id, Incoming::Room),
                Event::GoAway { .. } => self.state.borrow_mut().draining = true,
                Event::Open { .. } => {}
            }
        }
    }

    fn end_if(&self, fin: bool, id: u32) {
        if fin {
            self.tell_last(id, Incoming::End(None));
        }
    }

    fn tell(&self, id: u32, event: Incoming<'_>) {
        let sink = self.state.borrow().sink(id).cloned();
        if let Some(sink) = sink {
            sink.incoming(event);
        }
    }

    fn tell_last(&self, id: u32, event: Incoming<'_>) {
        let sink = self.state.borrow_mut().remove_sink(id);
        if let Some(sink) = sink {
            sink.incoming(event);
        }
    }

    /// A WebSocket message is dear, so what one task wants sent goes out as few of them: the first at once, since mostly
    /// it is the only one and somebody waits for the answer; all that follows when the task has ended.
    fn flush_soon(self: &Rc<Self>) {
        let state = &mut *self.state.borrow_mut();
        if !state.receiving && state.flush_scheduled.replace(self.clone()).is_none() {
            web::later(self.flush.as_ref(), state.flushed);
        }
    }

    fn flush(self: &Rc<Self>) {
        {
            let state = &mut *self.state.borrow_mut();
            let Some(socket) = state.socket.as_ref().filter(|socket| socket.is_open()) else { return };
            let mut queued = socket.queued();
            while queued < BUFFERED {
                let Some(message) = state.connection.poll_transmit(MESSAGE) else { break };
                socket.send(&message);
                queued += message.len();
                state.flushed = true;
            }
            if queued >= BUFFERED {
                socket.watch(BUFFERED / 2);
            }
        }
        self.dispatch(None);
        self.set_keep_alive();
    }

    fn set_keep_alive(self: &Rc<Self>) {
        let state = &mut *self.state.borrow_mut();
        let due = state.connection.poll_timeout().filter(|_| state.socket.is_some());
        // A timer that comes too early sets the next one.
        if state.keep_alive.is_none() {
            state.keep_alive = due.map(|due| {
                let this = Rc::downgrade(self);
                let callback = move || {
                    if let Some(link) = this.upgrade() {
                        link.keep_alive();
                    }
                };
                Timer::after(due.saturating_sub(web::now()), Box::new(callback))
            });
        }
    }

    fn keep_alive(self: &Rc<Self>) {
        let alive = {
            let state = &mut *self.state.borrow_mut();
            state.keep_alive = None;
            state.looked = web::now();
            state.connection.handle_timeout(state.looked)
        };
        match alive {
            Ok(()) => self.flush(),
            Err(error) => self.lose(&error.message, JsValue::UNDEFINED),
        }
    }

    fn lose(&self, message: &str, cause: JsValue) {
        let status = Status::new(Code::Unavailable, Fault::Transport, message);
        self.end_all(|| Incoming::Failed(status.clone(), cause.clone()));
    }

    /// The socket is of no more use: every exchange on it ends.
    fn end_all(&self, last: impl Fn() -> Incoming<'static>) {
        let (sinks, socket) = {
            let state = &mut *self.state.borrow_mut();
            state.connection.handle_closed("");
            state.keep_alive = None;
            (std::mem::take(&mut state.sinks), state.socket.take())
        };
        drop(socket);
        for (_, sink) in sinks {
            sink.incoming(last());
        }
    }
}
