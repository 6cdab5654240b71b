//! Exchanges over `fetch`. Response bodies stream everywhere, request bodies where the runtime can.
//!
//! A clean end of a body proves nothing (a reset reads as one in some runtimes), so it is told as `End` and it is for
//! the protocol to have seen its own end before.

use std::rc::Rc;

use wasm_bindgen::JsValue;

use super::builtins::Function;
use super::web::{self, Tell, WebFetch};
use super::{Exchange, Request, Sink, Transport};
use crate::words::{lossy, words};

/// One `fetch` per exchange.
pub(crate) struct Fetch {
    pub(crate) fetch: Function,
    /// `http(s)://host[:port][/prefix]`.
    pub(crate) base: String,
    /// Bytes of a stream of requests that are collected, to leave whole; 0: they are streamed.
    pub(crate) buffer: usize,
    /// As in `RequestInit`; `undefined` leaves it to the runtime.
    pub(crate) credentials: JsValue,
}

impl Transport for Fetch {
    fn open(&self, request: Request, sink: Rc<dyn Sink>) -> Box<dyn Exchange> {
        let tell = web::tell(sink);
        let url = words![self.base, request.path];
        let headers = lossy(request.headers.as_packed());
        // One message needs no limit of ours.
        let buffer = if request.streams { self.buffer as f64 } else { f64::INFINITY };
        let get = request.get;
        let web = WebFetch::new(&self.fetch, get, &url, &headers, &self.credentials, buffer, &tell);
        Box::new(FetchExchange { web, _tell: tell })
    }
}

struct FetchExchange {
    web: WebFetch,
    _tell: Tell,
}

impl Exchange for FetchExchange {
    fn send(&mut self, bytes: Vec<u8>) {
        self.web.send(&bytes);
    }

    fn finish(&mut self) {
        self.web.finish();
    }

    fn reset(&mut self) {
        self.web.reset();
    }

    fn done(&mut self) {
        self.web.done();
    }

    fn release(&mut self, bytes: usize) {
        self.web.release(bytes);
    }

    fn queued(&self) -> usize {
        self.web.queued()
    }
}

impl Drop for FetchExchange {
    fn drop(&mut self) {
        self.web.silence();
    }
}
