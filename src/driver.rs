//! Joins a call and a transport. It is called, it does not await: after every event it feeds the call, lets the
//! transport do what the call wants done, and then tells the face.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use wasm_bindgen::JsValue;

use crate::call::{Call, Event, Transmit};
use crate::codec::envelope::Payload;
use crate::codec::{HeaderList, Protocol};
use crate::status::{Code, Fault, Status};
#[cfg(feature = "gzip")]
use crate::transport::gzip::Gzip;
use crate::transport::timer::Timer;
use crate::transport::web::now;
use crate::transport::{Chunk, Exchange, HIGH_WATER, IS_HTTP, Incoming, Request, Sink, Transport};
use crate::words::words;

/// Who is told what becomes of a call. It may call back into the driver at once.
pub(crate) trait Face: 'static {
    /// What its calls speak.
    type Protocol: ?Sized + Protocol;

    fn headers(&self, headers: HeaderList);
    /// Messages that lie in `chunk`, or were joined from several. Never empty.
    fn messages(&self, chunk: Option<Chunk<'_>>, messages: Vec<Payload>);
    /// There is room to send again.
    fn room(&self);
    /// The end: last, and once. `cause` is the transport's own error, if it had one.
    fn end(&self, status: Status, trailers: HeaderList, cause: JsValue);
}

/// One call on one exchange.
pub(crate) struct Driver<F: Face> {
    inner: RefCell<Inner<F::Protocol>>,
    transport: Rc<dyn Transport>,
    face: F,
    /// Set while the face is being told: what happens meanwhile is told after, in its order.
    telling: Cell<bool>,
    /// Set while the exchange is told: what is to be done meanwhile is done after.
    transmitting: Cell<bool>,
}

struct Inner<P: ?Sized + Protocol> {
    call: Call<P>,
    exchange: Option<Box<dyn Exchange>>,
    /// Whether the body is sent in parts.
    streams: bool,
    deadline: Option<Timer>,
    /// Made for the first message that needs it.
    #[cfg(feature = "gzip")]
    gzip: Option<Gzip>,
    /// A sender waits for room.
    awaits_room: bool,
    cause: JsValue,
}

impl<P: ?Sized + Protocol> Inner<P> {
    /// Bytes that wait to be compressed, and for the network.
    fn queued(&self) -> usize {
        self.call.queued() + self.exchange.as_ref().map_or(0, |exchange| exchange.queued())
    }

    /// Only a deadline looks at the clock, and a look at it is dear.
    fn now(&self) -> Duration {
        if self.call.has_deadline() { now() } else { Duration::ZERO }
    }
}

impl<F: Face> Driver<F> {
    /// Opens the call.
    pub(crate) fn open(
        call: Call<F::Protocol>,
        streams: bool,
        transport: Rc<dyn Transport>,
        face: F,
    ) -> Rc<Self> {
        let inner = Inner {
            call,
            exchange: None,
            streams,
            deadline: None,
            #[cfg(feature = "gzip")]
            gzip: None,
            awaits_room: false,
            cause: JsValue::UNDEFINED,
        };
        let driver = Rc::new(Self {
            inner: RefCell::new(inner),
            transport,
            face,
            telling: Cell::new(false),
            transmitting: Cell::new(false),
        });
        let opened = driver.with(None, Call::open);
        debug_assert!(opened.is_ok(), "a new call can be opened");
        driver.set_deadline();
        driver
    }

    /// Who is told.
    #[cfg(feature = "channel")]
    pub(crate) fn face(&self) -> &F {
        &self.face
    }

    /// Sends a message. `Ok(true)`: there is room for more; `Ok(false)`: wait until the face is told of room.
    pub(crate) fn send(self: &Rc<Self>, message: &[u8]) -> Result<bool, Status> {
        self.with(None, |call, _| call.send(message))?;
        let inner = &mut *self.inner.borrow_mut();
        inner.awaits_room = inner.queued() > HIGH_WATER;
        Ok(!inner.awaits_room)
    }

    /// Half-close, or why this wire has none.
    pub(crate) fn close_send(self: &Rc<Self>) -> Option<Status> {
        self.with(None, |call, _| call.close_send()).err()
    }

    /// Breaks off.
    pub(crate) fn cancel(self: &Rc<Self>, reason: &str) {
        self.with(None, |call, now| call.cancel(now, reason));
    }

    /// The reader took `messages` messages of `bytes` bytes in all.
    pub(crate) fn taken(self: &Rc<Self>, messages: usize, bytes: usize) {
        self.with(None, |call, _| call.taken(messages, bytes));
    }

    fn set_deadline(self: &Rc<Self>) {
        let due = self.inner.borrow().call.poll_timeout();
        let timer = due.map(|due| {
            let this = Rc::downgrade(self);
            let callback = move || {
                if let Some(this) = this.upgrade() {
                    this.with(None, Call::handle_timeout);
                    // Not yet due: timers cannot wait for as long as some deadlines.
                    this.set_deadline();
                }
            };
            Timer::after(due.saturating_sub(now()), Box::new(callback))
        });
        self.inner.borrow_mut().deadline = timer;
    }

    /// Feeds the call, then drains it: first to the transport, then to the face.
    fn with<R>(
        self: &Rc<Self>,
        chunk: Option<Chunk<'_>>,
        feed: impl FnOnce(&mut Call<F::Protocol>, Duration) -> R,
    ) -> R {
        let result = {
            let inner = &mut *self.inner.borrow_mut();
            let now = inner.now();
            feed(&mut inner.call, now)
        };
        self.drain(chunk);
        result
    }

    /// Not part of `with`, which is compiled once for each of its callers.
    #[inline(never)]
    fn drain(self: &Rc<Self>, chunk: Option<Chunk<'_>>) {
        self.transmit();
        if !self.transmitting.get() && !self.telling.replace(true) {
            self.tell(chunk);
            self.telling.set(false);
        }
    }

    fn transmit(self: &Rc<Self>) {
        if self.transmitting.replace(true) {
            return;
        }
        // Nothing is borrowed meanwhile: the caller's own `fetch` may call back.
        while let Some((transmit, mut exchange)) = self.poll_transmit() {
            match (transmit, &mut exchange) {
                (Transmit::Open { get, path, headers }, slot) => {
                    let streams = self.inner.borrow().streams;
                    let request = Request { get, path, headers, streams };
                    *slot = Some(self.transport.open(request, self.clone()));
                }
                (Transmit::Data(bytes), Some(exchange)) => exchange.send(bytes),
                (Transmit::Finish, Some(exchange)) => exchange.finish(),
                (Transmit::Release(bytes), Some(exchange)) => exchange.release(bytes),
                (Transmit::Reset, Some(exchange)) => exchange.reset(),
                (Transmit::Done, Some(exchange)) => exchange.done(),
                #[cfg(feature = "gzip")]
                (Transmit::Inflate { bytes, limit }, _) => self.gzip().inflate(&bytes, limit),
                #[cfg(feature = "gzip")]
                (Transmit::Deflate(bytes), _) => self.gzip().deflate(&bytes),
                #[cfg(not(feature = "gzip"))]
                (Transmit::Inflate { .. } | Transmit::Deflate(_), _) => {}
                // It ended before it was opened.
                (_, None) => {}
            }
            self.inner.borrow_mut().exchange = exchange;
        }
        self.transmitting.set(false);
    }

    #[cfg(feature = "gzip")]
    fn gzip(self: &Rc<Self>) -> std::cell::RefMut<'_, Gzip> {
        let new = || Gzip::new(self.clone());
        std::cell::RefMut::map(self.inner.borrow_mut(), |inner| inner.gzip.get_or_insert_with(new))
    }

    /// What is to be done, and what is to do it.
    fn poll_transmit(&self) -> Option<(Transmit, Option<Box<dyn Exchange>>)> {
        let inner = &mut *self.inner.borrow_mut();
        let transmit = inner.call.poll_transmit()?;
        Some((transmit, inner.exchange.take()))
    }

    fn tell(&self, chunk: Option<Chunk<'_>>) {
        let mut messages = Vec::new();
        loop {
            // Bound to a name, so that nothing is borrowed while the face is told.
            let event = self.inner.borrow_mut().call.poll_event();
            if let Some(Event::Message(payload)) = event {
                messages.push(payload);
                continue;
            }
            if !messages.is_empty() {
                self.face.messages(chunk, std::mem::take(&mut messages));
                if event.is_none() {
                    // The face may have called back: what came of that is told too.
                    continue;
                }
            }
            match event {
                Some(Event::Headers(headers)) => self.face.headers(headers),
                Some(Event::End(status, trailers)) => self.end(status, trailers),
                Some(Event::Message(_)) | None => return,
            }
        }
    }

    fn room(&self) {
        let awaited = {
            let inner = &mut *self.inner.borrow_mut();
            inner.queued() <= HIGH_WATER && std::mem::take(&mut inner.awaits_room)
        };
        if awaited {
            self.face.room();
        }
    }

    fn end(&self, status: Status, trailers: HeaderList) {
        let (exchange, cause) = {
            let inner = &mut *self.inner.borrow_mut();
            inner.deadline = None;
            #[cfg(feature = "gzip")]
            drop(inner.gzip.take());
            (inner.exchange.take(), std::mem::take(&mut inner.cause))
        };
        drop(exchange);
        self.face.end(status, trailers, cause);
    }
}

/// The sink is the driver, for as long as the exchange lasts.
impl<F: Face> Sink for Driver<F> {
    fn incoming(self: Rc<Self>, event: Incoming<'_>) {
        let makes_room = event.makes_room();
        let chunk = self.feed(event);
        self.drain(chunk);
        let unread = self.inner.borrow().call.unreleased();
        if unread > self.transport.max_unreleased() {
            self.with(None, |call, now| call.handle_failure(now, overflow(unread)));
        }
        if makes_room {
            self.room();
        }
    }
}

impl<F: Face> Driver<F> {
    /// Feeds the call; gives back the chunk that its messages lie in.
    fn feed<'a>(&self, event: Incoming<'a>) -> Option<Chunk<'a>> {
        let inner = &mut *self.inner.borrow_mut();
        let now = inner.now();
        let Inner { call, cause, .. } = inner;
        match event {
            Incoming::Headers { status, headers } if IS_HTTP => call.handle_headers(now, status, headers),
            Incoming::Data(chunk) => {
                call.handle_data(now, chunk.bytes);
                return Some(chunk);
            }
            Incoming::End(trailers) if IS_HTTP => call.handle_end(now, trailers),
            #[cfg(feature = "tidewire-v1")]
            Incoming::Reset { code, reason, sent } => call.handle_reset(now, code, &reason, sent),
            Incoming::Closed { code, reason } => call.handle_close(now, code, &reason),
            Incoming::Failed(status, thrown) => {
                *cause = thrown;
                call.handle_failure(now, status);
            }
            #[cfg(feature = "gzip")]
            Incoming::Deflated(bytes) => call.handle_deflated(now, &bytes),
            #[cfg(feature = "gzip")]
            Incoming::Inflated(result) => call.handle_inflated(now, result),
            Incoming::Headers { .. } | Incoming::End(_) | Incoming::Room => {}
        }
        None
    }
}

fn overflow(unread: usize) -> Status {
    let words = words![
        "the server sends faster than this call is read: ",
        unread,
        " bytes wait, and a WebSocket cannot hold it back; read faster, raise receiveWindowBytes, or use transport \
         \"tidewire.v1\", which can",
    ];
    Status::new(Code::ResourceExhausted, Fault::Local, words)
}
