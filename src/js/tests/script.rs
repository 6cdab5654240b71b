//! `tests/web/script.js` and the core's own glue, as the tests call them.

use js_sys::{Array, ArrayBuffer, Object, Promise, Uint8Array, Uint32Array};
use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/tests/web/script.js")]
extern "C" {
    #[wasm_bindgen(js_name = Stage)]
    pub(super) type Script;
    #[wasm_bindgen(constructor, js_class = Stage)]
    pub(super) fn new() -> Script;
    #[wasm_bindgen(method, js_class = Stage)]
    pub(super) fn drain(this: &Script) -> Vec<String>;
    #[wasm_bindgen(method, js_class = Stage)]
    pub(super) fn timers(this: &Script) -> usize;
    #[wasm_bindgen(method, js_class = Stage)]
    pub(super) fn advance(this: &Script, millis: f64);
    #[wasm_bindgen(method, js_class = Stage)]
    pub(super) fn settle(this: &Script) -> Promise;
    #[wasm_bindgen(method, js_class = Stage)]
    pub(super) fn leave(this: &Script) -> Promise;

    #[derive(Clone)]
    pub(super) type Face;
    #[wasm_bindgen(constructor)]
    pub(super) fn new(stage: &Script, name: &str) -> Face;
    #[wasm_bindgen(method)]
    pub(super) fn react(this: &Face, event: &str, callback: JsValue);
    #[wasm_bindgen(method)]
    pub(super) fn holds(this: &Face, call: &JsCall);
    #[wasm_bindgen(method)]
    pub(super) fn over(this: &Face) -> Promise;
    #[wasm_bindgen(method, getter)]
    pub(super) fn joined(this: &Face) -> Vec<Uint8Array>;
    #[wasm_bindgen(method, getter)]
    pub(super) fn buffer(this: &Face) -> Uint8Array;
    #[wasm_bindgen(method, getter)]
    pub(super) fn spans(this: &Face) -> Uint32Array;
    #[wasm_bindgen(method, getter)]
    pub(super) fn cause(this: &Face) -> JsValue;

    pub(super) type FakeFetch;
    #[wasm_bindgen(constructor)]
    pub(super) fn new(stage: &Script) -> FakeFetch;
    #[wasm_bindgen(method, getter)]
    pub(super) fn fetch(this: &FakeFetch) -> JsValue;
    #[wasm_bindgen(method)]
    pub(super) fn exchange(this: &FakeFetch, i: usize) -> FetchExchange;
    #[wasm_bindgen(method, setter)]
    pub(super) fn set_throws(this: &FakeFetch, error: &JsValue);
    #[wasm_bindgen(method, setter)]
    pub(super) fn set_inside(this: &FakeFetch, callback: JsValue);

    pub(super) type FetchExchange;
    #[wasm_bindgen(method)]
    pub(super) fn header(this: &FetchExchange, name: &str) -> Option<String>;
    #[wasm_bindgen(method)]
    pub(super) fn option(this: &FetchExchange, name: &str) -> JsValue;
    #[wasm_bindgen(method)]
    pub(super) fn body(this: &FetchExchange) -> Uint8Array;
    #[wasm_bindgen(method)]
    pub(super) fn takes(this: &FetchExchange) -> Promise;
    #[wasm_bindgen(method, js_name = responds)]
    pub(super) fn responds_with(this: &FetchExchange, status: u16, headers: Vec<Array>);
    #[wasm_bindgen(method)]
    pub(super) fn answers(this: &FetchExchange, value: &JsValue);
    #[wasm_bindgen(method)]
    pub(super) fn fails(this: &FetchExchange, error: &JsValue);
    #[wasm_bindgen(method)]
    pub(super) fn chunk(this: &FetchExchange, bytes: &Uint8Array);
    #[wasm_bindgen(method)]
    pub(super) fn ends(this: &FetchExchange);
    #[wasm_bindgen(method)]
    pub(super) fn breaks(this: &FetchExchange, error: &JsValue);

    pub(super) type FakeSockets;
    #[wasm_bindgen(constructor)]
    pub(super) fn new(stage: &Script) -> FakeSockets;
    #[wasm_bindgen(method, getter, js_name = WebSocket)]
    pub(super) fn constructor(this: &FakeSockets) -> JsValue;
    #[wasm_bindgen(method)]
    pub(super) fn socket(this: &FakeSockets, i: usize) -> FakeSocket;
    #[wasm_bindgen(method, setter)]
    pub(super) fn set_throws(this: &FakeSockets, error: &JsValue);

    #[derive(Clone)]
    pub(super) type FakeSocket;
    #[wasm_bindgen(method, js_name = takeSent)]
    pub(super) fn take_sent(this: &FakeSocket) -> Vec<Uint8Array>;
    #[wasm_bindgen(method)]
    pub(super) fn buffers(this: &FakeSocket, bytes: usize);
    #[wasm_bindgen(method)]
    pub(super) fn opens(this: &FakeSocket);
    #[wasm_bindgen(method)]
    pub(super) fn message(this: &FakeSocket, bytes: &[u8]) -> ArrayBuffer;
    #[wasm_bindgen(method)]
    pub(super) fn text(this: &FakeSocket, text: &str);
    #[wasm_bindgen(method)]
    pub(super) fn closes(this: &FakeSocket, code: u16, reason: &str);
    #[wasm_bindgen(method)]
    pub(super) fn errs(this: &FakeSocket, closed: bool);
    #[wasm_bindgen(method)]
    pub(super) fn listens(this: &FakeSocket) -> String;
}

// The core as the package sees it: by its glue.
#[wasm_bindgen]
extern "C" {
    #[derive(Clone)]
    pub(super) type JsClient;
    #[wasm_bindgen(method)]
    pub(super) fn open(
        this: &JsClient,
        kind: u8,
        path: &str,
        metadata: Array,
        timeout: f64,
        transport: &str,
        subtype: &str,
        wishes: u8,
        face: &Face,
    ) -> JsCall;
    #[wasm_bindgen(method)]
    pub(super) fn close(this: &JsClient);

    #[derive(Clone)]
    pub(super) type JsCall;
    #[wasm_bindgen(method, catch)]
    pub(super) fn send(this: &JsCall, message: &Uint8Array) -> Result<bool, JsValue>;
    #[wasm_bindgen(method, js_name = closeSend)]
    pub(super) fn close_send(this: &JsCall);
    #[wasm_bindgen(method)]
    pub(super) fn cancel(this: &JsCall, reason: &str);
    #[wasm_bindgen(method)]
    pub(super) fn taken(this: &JsCall, messages: u32, bytes: u32);
}

// The browser's own.
#[wasm_bindgen]
extern "C" {
    pub(super) type Response;
    #[wasm_bindgen(constructor)]
    pub(super) fn new(body: &JsValue, init: &Object) -> Response;
    #[wasm_bindgen(method, getter)]
    pub(super) fn body(this: &Response) -> Option<ReadableStream>;

    pub(super) type ReadableStream;
    #[wasm_bindgen(method, js_name = getReader)]
    pub(super) fn get_reader(this: &ReadableStream) -> JsValue;
}
