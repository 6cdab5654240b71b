//! One call, as the TypeScript `Call` holds it.

use std::rc::Rc;

use crate::transport::builtins::Uint8Array;
use wasm_bindgen::prelude::*;

use crate::codec::envelope::Payload;
use crate::codec::{HeaderList, Protocol};
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
    /// What it is told in slices are views of memory that is not the face's.
    #[wasm_bindgen(method)]
    fn headers(this: &JsFace, packed: &[u8]);
    /// Messages that lie in a buffer, as `offset, length, …`.
    #[wasm_bindgen(method)]
    fn messages(this: &JsFace, buffer: &Uint8Array, spans: &[u32]);
    #[wasm_bindgen(method)]
    fn room(this: &JsFace);
    #[wasm_bindgen(method)]
    fn end(this: &JsFace, code: u8, raw: i32, words: &str, fault: u8, trailers: &[u8], cause: JsValue);
}

impl JsFace {
    /// The end of a call that was not opened.
    pub(super) fn refuse(&self, status: &Status) {
        self.ended(status, &HeaderList::new(), JsValue::UNDEFINED);
    }

    fn ended(&self, status: &Status, trailers: &HeaderList, cause: JsValue) {
        let (code, fault) = (status.code as u8, status.fault as u8);
        self.end(code, status.raw_code, &status.message, fault, trailers.as_packed(), cause);
    }
}

impl Face for JsFace {
    type Protocol = dyn Protocol;

    fn headers(&self, headers: HeaderList) {
        self.headers(headers.as_packed());
    }

    fn messages(&self, chunk: Option<Chunk<'_>>, messages: Vec<Payload>) {
        let mut spans = Vec::with_capacity(messages.len() * 2);
        for message in messages {
            match (message, chunk) {
                // It came before those that lie in the chunk.
                (Payload::Joined(bytes), _) => {
                    self.messages(&Uint8Array::new(&bytes), &[0, bytes.len() as u32]);
                }
                (Payload::InChunk(range), Some(chunk)) => {
                    spans.extend([(chunk.offset + range.start) as u32, range.len() as u32]);
                }
                // Only a chunk gives such a payload.
                (Payload::InChunk(_), None) => {}
            }
        }
        if let (false, Some(chunk)) = (spans.is_empty(), chunk) {
            self.messages(chunk.buffer, &spans);
        }
    }

    fn room(&self) {
        self.room();
    }

    fn end(&self, status: Status, trailers: HeaderList, cause: JsValue) {
        self.ended(&status, &trailers, cause);
    }
}

/// A call that was opened.
#[wasm_bindgen]
pub struct RawCall {
    pub(super) driver: Rc<Driver<JsFace>>,
}

#[wasm_bindgen]
impl RawCall {
    /// Sends a message. `true`: there is room for more; `false`: wait for `room`; words: why not, which is the caller's
    /// mistake, FAILED_PRECONDITION.
    pub fn send(&self, message: &[u8]) -> JsValue {
        self.driver.send(message).map_or_else(|status| status.message.as_str().into(), JsValue::from)
    }

    /// Half-close, or words as those of `send`.
    #[wasm_bindgen(js_name = closeSend)]
    pub fn close_send(&self) -> JsValue {
        self.driver.close_send().map_or(JsValue::UNDEFINED, |status| status.message.as_str().into())
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
