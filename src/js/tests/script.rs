//! `tests/web/script.js` and the core's own glue, as the tests call them.

use js_sys::{Array, ArrayBuffer, Object, Promise, Uint8Array, Uint32Array};
use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/tests/web/script.js")]
extern "C" {
    #[wasm_bindgen(js_name = Stage)]
    pub(crate) type Script;
    #[wasm_bindgen(constructor, js_class = Stage)]
    pub(crate) fn new() -> Script;
    #[wasm_bindgen(method, js_class = Stage)]
    pub(crate) fn drain(this: &Script) -> Vec<String>;
    #[wasm_bindgen(method, js_class = Stage)]
    pub(crate) fn timers(this: &Script) -> usize;
    #[wasm_bindgen(method, js_class = Stage)]
    pub(crate) fn advance(this: &Script, millis: f64);
    #[wasm_bindgen(method, js_class = Stage)]
    pub(crate) fn settle(this: &Script) -> Promise;
    #[wasm_bindgen(method, js_class = Stage)]
    pub(crate) fn leave(this: &Script) -> Promise;

    #[derive(Clone)]
    pub(crate) type Face;
    #[wasm_bindgen(constructor)]
    pub(crate) fn new(stage: &Script, name: &str) -> Face;
    #[wasm_bindgen(method)]
    pub(crate) fn react(this: &Face, event: &str, callback: JsValue);
    #[wasm_bindgen(method)]
    pub(crate) fn holds(this: &Face, call: &JsCall);
    #[wasm_bindgen(method)]
    pub(crate) fn over(this: &Face) -> Promise;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn joined(this: &Face) -> Option<Uint8Array>;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn buffer(this: &Face) -> Uint8Array;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn spans(this: &Face) -> Uint32Array;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn cause(this: &Face) -> JsValue;

    pub(crate) type FakeFetch;
    #[wasm_bindgen(constructor)]
    pub(crate) fn new(stage: &Script) -> FakeFetch;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn fetch(this: &FakeFetch) -> JsValue;
    #[wasm_bindgen(method)]
    pub(crate) fn exchange(this: &FakeFetch, i: usize) -> FetchExchange;
    #[wasm_bindgen(method, setter)]
    pub(crate) fn set_throws(this: &FakeFetch, error: &JsValue);
    #[wasm_bindgen(method, setter)]
    pub(crate) fn set_inside(this: &FakeFetch, callback: JsValue);

    pub(crate) type FetchExchange;
    #[wasm_bindgen(method)]
    pub(crate) fn header(this: &FetchExchange, name: &str) -> Option<String>;
    #[wasm_bindgen(method)]
    pub(crate) fn option(this: &FetchExchange, name: &str) -> JsValue;
    #[wasm_bindgen(method)]
    pub(crate) fn body(this: &FetchExchange) -> Uint8Array;
    #[wasm_bindgen(method)]
    pub(crate) fn takes(this: &FetchExchange) -> Promise;
    #[wasm_bindgen(method, js_name = responds)]
    pub(crate) fn responds_with(this: &FetchExchange, status: u16, headers: Vec<Array>);
    #[wasm_bindgen(method)]
    pub(crate) fn answers(this: &FetchExchange, value: &JsValue);
    #[wasm_bindgen(method)]
    pub(crate) fn fails(this: &FetchExchange, error: &JsValue);
    #[wasm_bindgen(method)]
    pub(crate) fn chunk(this: &FetchExchange, bytes: &Uint8Array);
    #[wasm_bindgen(method)]
    pub(crate) fn ends(this: &FetchExchange);
    #[wasm_bindgen(method)]
    pub(crate) fn breaks(this: &FetchExchange, error: &JsValue);

    pub(crate) type FakeSockets;
    #[wasm_bindgen(constructor)]
    pub(crate) fn new(stage: &Script) -> FakeSockets;
    #[wasm_bindgen(method, getter, js_name = WebSocket)]
    pub(crate) fn constructor(this: &FakeSockets) -> JsValue;
    #[wasm_bindgen(method)]
    pub(crate) fn socket(this: &FakeSockets, i: usize) -> FakeSocket;
    #[wasm_bindgen(method, setter)]
    pub(crate) fn set_throws(this: &FakeSockets, error: &JsValue);

    #[derive(Clone)]
    pub(crate) type FakeSocket;
    #[wasm_bindgen(method, js_name = takeSent)]
    pub(crate) fn take_sent(this: &FakeSocket) -> Vec<Uint8Array>;
    #[wasm_bindgen(method)]
    pub(crate) fn buffers(this: &FakeSocket, bytes: usize);
    #[wasm_bindgen(method)]
    pub(crate) fn opens(this: &FakeSocket);
    #[wasm_bindgen(method)]
    pub(crate) fn message(this: &FakeSocket, bytes: &[u8]) -> ArrayBuffer;
    #[wasm_bindgen(method)]
    pub(crate) fn text(this: &FakeSocket, text: &str);
    #[wasm_bindgen(method)]
    pub(crate) fn closes(this: &FakeSocket, code: u16, reason: &str);
    #[wasm_bindgen(method)]
    pub(crate) fn errs(this: &FakeSocket, closed: bool);
    #[wasm_bindgen(method)]
    pub(crate) fn listens(this: &FakeSocket) -> String;
}

// The core as the package sees it: by its glue.
#[wasm_bindgen]
extern "C" {
    #[derive(Clone)]
    pub(crate) type RawJsClient;
    #[wasm_bindgen(method)]
    pub(crate) fn open(
        this: &RawJsClient,
        kind: u8,
        path: &str,
        metadata: &str,
        timeout: f64,
        transport: u8,
        subtype: &str,
        wishes: u8,
        face: &Face,
    ) -> JsCall;
    #[wasm_bindgen(method)]
    pub(crate) fn close(this: &RawJsClient);

    #[derive(Clone)]
    pub(crate) type JsCall;
    #[wasm_bindgen(method)]
    pub(crate) fn send(this: &JsCall, message: &Uint8Array) -> JsValue;
    #[wasm_bindgen(method, js_name = closeSend)]
    pub(crate) fn close_send(this: &JsCall);
    #[wasm_bindgen(method)]
    pub(crate) fn cancel(this: &JsCall, reason: &str);
    #[wasm_bindgen(method)]
    pub(crate) fn taken(this: &JsCall, messages: u32, bytes: u32);
}

// The browser's own.
#[wasm_bindgen]
extern "C" {
    pub(crate) type Response;
    #[wasm_bindgen(constructor)]
    pub(crate) fn new(body: &JsValue, init: &Object) -> Response;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn body(this: &Response) -> Option<ReadableStream>;

    pub(crate) type ReadableStream;
    #[wasm_bindgen(method, js_name = getReader)]
    pub(crate) fn get_reader(this: &ReadableStream) -> JsValue;
}
