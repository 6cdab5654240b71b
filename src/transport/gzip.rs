//! gzip by the platform, whole messages at a time.

use std::rc::Rc;

use super::builtins::Uint8Array;
use wasm_bindgen::prelude::*;

use super::web::{Tell, WebGzip};
use super::{Incoming, Sink};
use crate::codec::gzip::Unfit;
use crate::status::{Code, Fault, Status};

/// Both ways, one message each at a time. Once it is dropped it tells nothing more, and stops.
pub(crate) struct Gzip {
    web: WebGzip,
    _tell: Tell,
}

impl Gzip {
    pub(crate) fn new(sink: Rc<dyn Sink>) -> Self {
        let tell = Closure::new(move |event: u8, a: JsValue, cause: JsValue| {
            let text = || a.as_string().unwrap_or_default();
            let bytes = || a.unchecked_ref::<Uint8Array>().to_vec();
            sink.clone().incoming(match event {
                0 => Incoming::Deflated(bytes()),
                1 => Incoming::Failed(Status::new(Code::Unavailable, Fault::Transport, text()), cause),
                2 => Incoming::Inflated(Ok(bytes())),
                _ => Incoming::Inflated(Err(Unfit { too_large: event == 4, words: text() })),
            });
        });
        Self { web: WebGzip::new(&tell), _tell: tell }
    }

    pub(crate) fn deflate(&self, bytes: &[u8]) {
        self.web.deflate(bytes);
    }

    /// Stops above `limit` bytes.
    pub(crate) fn inflate(&self, bytes: &[u8], limit: usize) {
        self.web.inflate(bytes, limit);
    }
}

impl Drop for Gzip {
    fn drop(&mut self) {
        self.web.silence();
    }
}
