//! The functions of `web.js`, and the few globals that are used without it.

use std::rc::Rc;
use std::time::Duration;

use super::builtins::{Function, Uint8Array};
use wasm_bindgen::prelude::*;

use super::select::Runtime;
use super::{Chunk, IS_HTTP, Incoming, Sink};
use crate::codec::HeaderList;
use crate::status::{Code, Fault, Status};

#[wasm_bindgen(module = "/src/transport/web.js")]
extern "C" {
    pub(super) type WebFetch;
    #[wasm_bindgen(constructor)]
    pub(super) fn new(
        fetch: &Function,
        get: bool,
        url: &str,
        headers: &str,
        credentials: &JsValue,
        buffer: f64,
        tell: &Tell,
    ) -> WebFetch;
    #[wasm_bindgen(method)]
    pub(super) fn send(this: &WebFetch, bytes: &[u8]);
    #[wasm_bindgen(method)]
    pub(super) fn finish(this: &WebFetch);
    #[wasm_bindgen(method)]
    pub(super) fn reset(this: &WebFetch);
    #[wasm_bindgen(method)]
    pub(super) fn done(this: &WebFetch);
    #[wasm_bindgen(method)]
    pub(super) fn release(this: &WebFetch, bytes: usize);
    #[wasm_bindgen(method)]
    pub(super) fn queued(this: &WebFetch) -> usize;
    #[wasm_bindgen(method)]
    pub(super) fn silence(this: &WebFetch);

    pub(super) type WebSocketLink;
    #[wasm_bindgen(constructor)]
    pub(super) fn new(constructor: &Function, url: &str, subprotocol: &str, tell: &Tell) -> WebSocketLink;
    #[wasm_bindgen(method, js_name = isOpen)]
    pub(super) fn is_open(this: &WebSocketLink) -> bool;
    #[wasm_bindgen(method)]
    pub(super) fn send(this: &WebSocketLink, bytes: &[u8]);
    #[wasm_bindgen(method)]
    pub(super) fn queued(this: &WebSocketLink) -> usize;
    #[wasm_bindgen(method)]
    pub(super) fn watch(this: &WebSocketLink, limit: usize);
    #[wasm_bindgen(method)]
    pub(super) fn close(this: &WebSocketLink);

    pub(super) type WebGzip;
    #[wasm_bindgen(constructor)]
    pub(super) fn new(tell: &Tell) -> WebGzip;
    #[wasm_bindgen(method)]
    pub(super) fn deflate(this: &WebGzip, bytes: &[u8]);
    #[wasm_bindgen(method)]
    pub(super) fn inflate(this: &WebGzip, bytes: &[u8], limit: usize);
    #[wasm_bindgen(method)]
    pub(super) fn silence(this: &WebGzip);

    /// Runs it behind what runs now: in a microtask, or once the task has ended.
    #[wasm_bindgen(js_name = later)]
    pub(super) fn later(callback: &JsValue, ends_task: bool);

    /// Bits: 1 request streaming, 2 full duplex, 4 gzip.
    #[wasm_bindgen(js_name = abilities)]
    fn ability_bits(secure: bool) -> u8;
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    pub(super) fn set_timeout(callback: &JsValue, millis: i32) -> JsValue;
    #[wasm_bindgen(js_name = clearTimeout)]
    pub(super) fn clear_timeout(handle: &JsValue);
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;
}

/// The globals that a Rust application has no way to pass in.
#[cfg(feature = "channel")]
pub(crate) mod globals {
    use wasm_bindgen::prelude::*;
    pub(crate) use wasm_bindgen_futures::spawn_local;

    use super::Function;

    // By functions of their own: a getter of a global object costs an import for it and for each of its members.
    #[wasm_bindgen(inline_js = "
export const own = (name) => globalThis[name];
export function resolve(url) {
  try {
    const { href } = new URL(url, globalThis.location?.href);
    return /^https?:/.test(href) ? href.replace(/\\/+$/, '') : '';
  } catch {
    return '';
  }
}
export function withInit(fetch, members) {
  if (!members) return fetch;
  const parts = members.split('\\0');
  const init = {};
  for (let i = 0; i + 1 < parts.length; i += 2) init[parts[i]] = parts[i + 1];
  return (url, own) => fetch(url, { ...init, ...own });
}
")]
    extern "C" {
        /// A global; `undefined` where there is none.
        pub(crate) fn own(name: &str) -> Function;
        /// The whole URL, without slashes at its end, of one that may be relative to the page's or the worker's; empty where it
        /// is none of HTTP.
        pub(crate) fn resolve(url: &str) -> String;
        /// A `fetch` with more members of `RequestInit`, which stand back behind those that it is called with: their names
        /// and values, a NUL behind each.
        #[wasm_bindgen(js_name = withInit)]
        pub(crate) fn with_init(fetch: &Function, members: &str) -> Function;
    }
}

/// How the objects of `web.js` tell: a number, and what goes with it.
pub(super) type Tell = Closure<dyn FnMut(u8, JsValue, JsValue)>;

/// Tells a sink what a `WebFetch` or a `WebSocketLink` tells.
pub(super) fn tell(sink: Rc<dyn Sink>) -> Tell {
    Closure::new(move |event: u8, a: JsValue, b: JsValue| {
        let sink = sink.clone();
        let number = |value: JsValue| value.as_f64().unwrap_or_default() as u16;
        let text = |value: JsValue| value.as_string().unwrap_or_default();
        let told = match event {
            0 if IS_HTTP => {
                let headers = HeaderList::from_packed(b.unchecked_into::<Uint8Array>().to_vec());
                Incoming::Headers { status: number(a), headers }
            }
            1 => {
                let buffer: Uint8Array = a.unchecked_into();
                let bytes = buffer.copied();
                return sink.incoming(Incoming::Data(Chunk::new(&buffer, &bytes)));
            }
            2 if IS_HTTP => Incoming::End(None),
            3 => Incoming::Failed(Status::new(Code::Unavailable, Fault::Transport, text(a)), b),
            4 => Incoming::Room,
            5 if cfg!(feature = "fetch") => {
                Incoming::Failed(Status::misuse(Code::ResourceExhausted, BUFFER_FULL), b)
            }
            6 => Incoming::Closed { code: number(a), reason: text(b) },
            // A socket that opened, which nobody waits for.
            _ => return,
        };
        sink.incoming(told);
    })
}

const BUFFER_FULL: &str = "the requests of this call are more than bufferRequestBytes; raise it, or stream them by \
    transport \"tidewire.v1\"";

/// What the runtime's own `fetch` can do.
pub(crate) fn abilities(secure: bool) -> Runtime {
    if !cfg!(any(feature = "fetch", feature = "gzip")) {
        return Runtime::default();
    }
    let bits = ability_bits(secure);
    Runtime {
        request_streaming: bits & 1 != 0,
        full_duplex: bits & 2 != 0,
        gzip: bits & 4 != 0,
        ..Runtime::default()
    }
}

/// Time since the runtime's own origin.
pub(crate) fn now() -> Duration {
    Duration::from_micros((performance_now() * 1000.0) as u64)
}
