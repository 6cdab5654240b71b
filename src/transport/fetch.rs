//! Exchanges over `fetch`. Response bodies stream everywhere; request bodies where [`abilities`] says so.
//!
//! A clean end of a body proves nothing (a reset reads as one in some runtimes), so it is told as `End` and it is for
//! the protocol to have seen its own end before.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Function, Object, Promise, Uint8Array};
use wasm_bindgen::prelude::*;

use super::select::Runtime;
use super::sys::{
    self, AbortController, ByteLengthQueuingStrategy, Headers, ReadResult, ReadableStream, Reader, Response,
    StreamController,
};
use super::{Chunk, Exchange, HIGH_WATER, Incoming, Request, Sink, Transport};
use crate::words::words;

/// One `fetch` per exchange.
pub(crate) struct Fetch {
    pub(crate) fetch: Function,
    /// `http(s)://host[:port][/prefix]`.
    pub(crate) base: String,
    /// As in `RequestInit`; `undefined` leaves it to the runtime, some of which refuse the member.
    pub(crate) credentials: JsValue,
}

impl Transport for Fetch {
    fn open(&self, request: Request, sink: Rc<dyn Sink>) -> Box<dyn Exchange> {
        let inner = Rc::new(Inner {
            url: words![self.base, request.path.as_str()],
            fetch: self.fetch.clone(),
            init: self.init(&request),
            abort: AbortController::new(),
            sink: RefCell::new(Some(sink)),
            upload: RefCell::new(if request.streams { Upload::Opening } else { Upload::Whole(Vec::new()) }),
            reader: RefCell::new(None),
            unreleased: Cell::new(0),
        });
        if request.streams {
            let body = inner.upload_stream();
            sys::set(&inner.init, "body", &body);
            sys::set(&inner.init, "duplex", &"half".into());
            inner.start();
        }
        Box::new(FetchExchange(inner))
    }
}

impl Fetch {
    fn init(&self, request: &Request) -> Object {
        let headers = Headers::new();
        for (name, value) in &request.headers {
            // Names and values were checked when they became metadata.
            let _ = headers.append(name, &String::from_utf8_lossy(value));
        }
        let init = Object::new();
        sys::set(&init, "method", &"POST".into());
        sys::set(&init, "headers", &headers);
        if !self.credentials.is_undefined() {
            sys::set(&init, "credentials", &self.credentials);
        }
        init
    }
}

struct FetchExchange(Rc<Inner>);

struct Inner {
    url: String,
    fetch: Function,
    init: Object,
    abort: AbortController,
    /// Gone once nothing is to be told any more.
    sink: RefCell<Option<Rc<dyn Sink>>>,
    upload: RefCell<Upload>,
    reader: RefCell<Option<Reader>>,
    /// Bytes told and not released: the next read waits for them.
    unreleased: Cell<usize>,
}

enum Upload {
    /// The body is sent whole when it ends: one request message.
    Whole(Vec<u8>),
    /// The stream has been made and has not yet given its controller.
    Opening,
    Streaming(StreamController),
    Ended,
}

impl Inner {
    fn upload_stream(self: &Rc<Self>) -> ReadableStream {
        let source = Object::new();
        let this = Rc::downgrade(self);
        let start = Closure::once_into_js(move |controller: StreamController| {
            if let Some(this) = this.upgrade() {
                *this.upload.borrow_mut() = Upload::Streaming(controller);
            }
        });
        sys::set(&source, "start", &start);
        let this = Rc::downgrade(self);
        let pull = Closure::<dyn FnMut()>::new(move || {
            if let Some(this) = this.upgrade() {
                this.tell_soon();
            }
        });
        // Lives as long as the stream does, which the garbage collector knows and we do not.
        sys::set(&source, "pull", &pull.into_js_value());
        let mark = Object::new();
        sys::set(&mark, "highWaterMark", &(HIGH_WATER as f64).into());
        ReadableStream::new(&source, &ByteLengthQueuingStrategy::new(&mark))
    }

    /// `pull` may come from within `enqueue`, and a sink is never told from within a call to the exchange.
    fn tell_soon(self: &Rc<Self>) {
        let this = self.clone();
        sys::soon(move || this.tell(Incoming::Room));
    }

    fn start(self: &Rc<Self>) {
        sys::set(&self.init, "signal", &self.abort.signal());
        let promise = match self.fetch.call2(&JsValue::UNDEFINED, &self.url.as_str().into(), &self.init) {
            Ok(promise) => promise.unchecked_into(),
            Err(thrown) => Promise::reject(&thrown),
        };
        let this = self.clone();
        sys::settled(&promise, move |outcome| match outcome {
            Ok(response) => this.respond(&response.unchecked_into()),
            Err(thrown) => {
                let words =
                    "the server is down, or CORS refused this page (the gateway must allow its origin)";
                this.fail(
                    words!["fetch of ", this.url, " failed: ", sys::words(&thrown), "; ", words],
                    thrown,
                );
            }
        });
    }

    fn respond(self: &Rc<Self>, response: &Response) {
        let headers = sys::header_list(&response.headers());
        self.tell(Incoming::Headers { status: response.status(), headers });
        let reader = response.body().map(|body| body.get_reader());
        match reader {
            Some(Ok(reader)) => {
                *self.reader.borrow_mut() = Some(reader);
                self.read();
            }
            Some(Err(thrown)) => {
                self.fail("the response's body is locked by someone else".to_string(), thrown)
            }
            None => self.tell_last(Incoming::End(None)),
        }
    }

    fn read(self: &Rc<Self>) {
        let Some(promise) = self.reader.borrow().as_ref().map(Reader::read) else { return };
        let this = self.clone();
        sys::settled(&promise, move |outcome| match outcome {
            Ok(result) => this.received(&result.unchecked_into()),
            Err(thrown) => {
                let words = words!["the response of ", this.url, " broke off: ", sys::words(&thrown)];
                this.fail(words, thrown);
            }
        });
    }

    fn received(self: &Rc<Self>, result: &ReadResult) {
        if result.done() {
            self.reader.borrow_mut().take();
            return self.tell_last(Incoming::End(None));
        }
        if self.sink.borrow().is_none() {
            // Complete, and yet more comes: nobody will read it.
            return self.abort.abort();
        }
        let buffer: Uint8Array = result.value().unchecked_into();
        let bytes = buffer.to_vec();
        // One byte more than was told keeps a release from within `tell` from reading at once.
        self.unreleased.set(bytes.len() + 1);
        self.tell(Incoming::Data(Chunk { bytes: &bytes, buffer: &buffer, offset: 0 }));
        self.release(1);
    }

    fn release(self: &Rc<Self>, bytes: usize) {
        let before = self.unreleased.get();
        self.unreleased.set(before.saturating_sub(bytes));
        if before > 0 && self.unreleased.get() == 0 && self.sink.borrow().is_some() {
            self.read();
        }
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

    fn fail(&self, message: String, cause: JsValue) {
        self.tell_last(Incoming::Failed { message, cause });
    }
}

impl Exchange for FetchExchange {
    fn send(&mut self, bytes: Vec<u8>) {
        match &mut *self.0.upload.borrow_mut() {
            Upload::Whole(body) if body.is_empty() => *body = bytes,
            Upload::Whole(body) => body.extend_from_slice(&bytes),
            // A stream that was cancelled by the runtime tells so by the response.
            Upload::Streaming(controller) => drop(controller.enqueue(&Uint8Array::from(bytes.as_slice()))),
            Upload::Opening | Upload::Ended => {}
        }
    }

    fn finish(&mut self) {
        match std::mem::replace(&mut *self.0.upload.borrow_mut(), Upload::Ended) {
            Upload::Whole(body) => {
                sys::set(&self.0.init, "body", &Uint8Array::from(body.as_slice()));
                self.0.start();
            }
            Upload::Streaming(controller) => drop(controller.close()),
            Upload::Opening | Upload::Ended => {}
        }
    }

    fn reset(&mut self) {
        self.0.sink.borrow_mut().take();
        // The body first: `abort` alone ends an upload in Chromium as if it were complete.
        if let Upload::Streaming(controller) =
            std::mem::replace(&mut *self.0.upload.borrow_mut(), Upload::Ended)
        {
            controller.error(&js_sys::Error::new("the call was cancelled"));
        }
        self.0.abort.abort();
    }

    fn done(&mut self) {
        let told_all = self.0.sink.borrow_mut().take().is_none();
        // Not every runtime stops an upload whose response has ended.
        if let Upload::Streaming(controller) =
            std::mem::replace(&mut *self.0.upload.borrow_mut(), Upload::Ended)
        {
            drop(controller.close());
        }
        // One more read sees the end of the body and leaves the connection fit for the next request.
        if !told_all {
            self.0.read();
        }
    }

    fn release(&mut self, bytes: usize) {
        self.0.release(bytes);
    }

    fn queued(&self) -> usize {
        match &*self.0.upload.borrow() {
            Upload::Streaming(controller) => {
                let room = controller.desired_size().unwrap_or(HIGH_WATER as f64);
                (HIGH_WATER as f64 - room) as usize
            }
            _ => 0,
        }
    }
}

/// What `fetch` can do here. By runtime where the runtime is known, since several stream requests and never look at
/// `duplex`; by the standard probe elsewhere, since Firefox sends a stream as the text "[object ReadableStream]".
pub(crate) fn abilities(secure: bool) -> Runtime {
    let defined = |name: &str| !sys::global(name).is_undefined();
    let agent = sys::get(&sys::global("navigator"), "userAgent").as_string().unwrap_or_default();
    let node = !sys::get(&sys::get(&sys::global("process"), "versions"), "node").is_undefined();
    let server = node || defined("Deno") || defined("Bun") || agent == "Cloudflare-Workers";
    Runtime {
        fetch: defined("fetch"),
        // Browsers stream uploads over HTTP/2 only, which they speak over TLS only.
        request_streaming: server || (secure && probe_request_streaming()),
        full_duplex: server,
        websocket: defined("WebSocket"),
    }
}

/// A `Request` with a stream body reads `duplex` and makes up no content-type: then it streams.
fn probe_request_streaming() -> bool {
    let looked = Rc::new(Cell::new(false));
    let seen = looked.clone();
    let getter = Closure::once_into_js(move || {
        seen.set(true);
        JsValue::from_str("half")
    });
    let (init, property) = (Object::new(), Object::new());
    sys::set(&property, "get", &getter);
    Object::define_property(&init, &"duplex".into(), &property);
    sys::set(&init, "method", &"POST".into());
    sys::set(&init, "body", &ReadableStream::new(&Object::new(), &Object::new()));
    let Some(request) = sys::global_function("Request") else { return false };
    let arguments = js_sys::Array::of2(&"https://probe.invalid/".into(), &init);
    let Ok(request) = js_sys::Reflect::construct(&request, &arguments) else { return false };
    let headers = sys::header_list(&sys::get(&request, "headers"));
    looked.get() && !headers.iter().any(|(name, _)| name == "content-type")
}
