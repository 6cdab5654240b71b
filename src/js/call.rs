//! One call, as the TypeScript `Call` holds it.

use std::rc::Rc;

use crate::transport::builtins::{Array, Uint8Array, Uint32Array};
use wasm_bindgen::prelude::*;

use super::convert::{details_to_js, messages_to_js, metadata_to_js, status_to_js};
use crate::codec::HeaderList;
use crate::codec::envelope::Payload;
use crate::driver::{Driver, Face};
use crate::status::Status;
use crate::transport::Chunk;

#[wasm_bindgen]
extern "C" {
    /// The TypeScript side of a call. None of these throws.
    pub type JsFace;
    /// Which transport carries it: 0 fetch, 1 grpc-websockets, 2 tidewire.v1, 3 triple-websocket. First, and once.
    #[wasm_bindgen(method)]
    pub(super) fn opened(this: &JsFace, transport: u8);
    #[wasm_bindgen(method)]
    fn headers(this: &JsFace, entries: Array);
    #[wasm_bindgen(method)]
    fn messages(this: &JsFace, joined: Array, buffer: Option<&Uint8Array>, spans: Uint32Array);
    #[wasm_bindgen(method)]
    fn room(this: &JsFace);
    #[wasm_bindgen(method)]
    fn end(this: &JsFace, status: Array, details: Array, trailers: Array, cause: JsValue);
}

impl JsFace {
    /// The end of a call that was not opened.
    pub(super) fn refuse(&self, status: &Status) {
        let none = HeaderList::new();
        self.end(status_to_js(status), details_to_js(&[]), metadata_to_js(&none), JsValue::UNDEFINED);
    }
}

impl Face for JsFace {
    fn headers(&self, headers: HeaderList) {
        self.headers(metadata_to_js(&headers));
    }

    fn messages(&self, chunk: Option<Chunk<'_>>, messages: Vec<Payload>) {
        let (joined, spans) = messages_to_js(chunk, &messages);
        self.messages(joined, chunk.map(|chunk| chunk.buffer), spans);
    }

    fn room(&self) {
        self.room();
    }

    fn end(&self, status: Status, trailers: HeaderList, cause: JsValue) {
        self.end(status_to_js(&status), details_to_js(&status.details), metadata_to_js(&trailers), cause);
    }
}

/// A call that was opened.
#[wasm_bindgen]
pub struct RawCall {
    pub(super) driver: Rc<Driver>,
}

#[wasm_bindgen]
impl RawCall {
    /// Sends a message. `true`: there is room for more; `false`: wait for `room`; `[code, raw, message, fault]`: why not.
    pub fn send(&self, message: &[u8]) -> JsValue {
        self.driver.send(message).map_or_else(|status| status_to_js(&status).into(), JsValue::from)
    }

    /// Half-close, or why this wire has none: `[code, raw, message, fault]`.
    #[wasm_bindgen(js_name = closeSend)]
    pub fn close_send(&self) -> JsValue {
        self.driver.close_send().map_or(JsValue::UNDEFINED, |status| status_to_js(&status).into())
    }

    /// Breaks the call off.
    pub fn cancel(&self, reason: &str) {
        self.driver.cancel(reason);
    }

    /// The reader took `messages` messages of `bytes` bytes in all.
    pub fn taken(&self, messages: u32, bytes: u32) {
        self.driver.taken(messages as usize, bytes as usize);
    }
}
