//! The web APIs that the transports stand on, as far as they are used. By shape, not by class: `fetch` and `WebSocket`
//! may be the caller's own.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use js_sys::{Array, Function, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;

use crate::codec::HeaderList;
use crate::words::words;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = queueMicrotask)]
    pub(super) fn queue_microtask(callback: &JsValue);
    #[wasm_bindgen(js_name = setTimeout)]
    pub(super) fn set_timeout(callback: &JsValue, millis: i32) -> JsValue;
    #[wasm_bindgen(js_name = clearTimeout)]
    pub(super) fn clear_timeout(handle: &JsValue);
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;

    pub(super) type AbortController;
    #[wasm_bindgen(constructor)]
    pub(super) fn new() -> AbortController;
    #[wasm_bindgen(method, getter)]
    pub(super) fn signal(this: &AbortController) -> JsValue;
    #[wasm_bindgen(method)]
    pub(super) fn abort(this: &AbortController);

    pub(super) type Headers;
    #[wasm_bindgen(constructor)]
    pub(super) fn new() -> Headers;
    #[wasm_bindgen(method, catch)]
    pub(super) fn append(this: &Headers, name: &str, value: &str) -> Result<(), JsValue>;

    pub(super) type Response;
    #[wasm_bindgen(method, getter)]
    pub(super) fn status(this: &Response) -> u16;
    #[wasm_bindgen(method, getter)]
    pub(super) fn headers(this: &Response) -> JsValue;
    #[wasm_bindgen(method, getter)]
    pub(super) fn body(this: &Response) -> Option<ReadableStream>;

    pub(super) type ReadableStream;
    #[wasm_bindgen(constructor)]
    pub(super) fn new(source: &JsValue, strategy: &JsValue) -> ReadableStream;
    #[wasm_bindgen(method, js_name = getReader, catch)]
    pub(super) fn get_reader(this: &ReadableStream) -> Result<Reader, JsValue>;

    pub(super) type ByteLengthQueuingStrategy;
    #[wasm_bindgen(constructor)]
    pub(super) fn new(mark: &JsValue) -> ByteLengthQueuingStrategy;

    pub(super) type Reader;
    #[wasm_bindgen(method)]
    pub(super) fn read(this: &Reader) -> Promise;

    pub(super) type ReadResult;
    #[wasm_bindgen(method, getter)]
    pub(super) fn done(this: &ReadResult) -> bool;
    #[wasm_bindgen(method, getter)]
    pub(super) fn value(this: &ReadResult) -> JsValue;

    #[derive(Clone)]
    pub(super) type StreamController;
    #[wasm_bindgen(method, getter, js_name = desiredSize)]
    pub(super) fn desired_size(this: &StreamController) -> Option<f64>;
    #[wasm_bindgen(method, catch)]
    pub(super) fn enqueue(this: &StreamController, chunk: &Uint8Array) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    pub(super) fn close(this: &StreamController) -> Result<(), JsValue>;
    #[wasm_bindgen(method)]
    pub(super) fn error(this: &StreamController, reason: &JsValue);

    pub(super) type WebSocket;
    #[wasm_bindgen(method, setter, js_name = binaryType)]
    pub(super) fn set_binary_type(this: &WebSocket, kind: &str);
    #[wasm_bindgen(method, getter, js_name = bufferedAmount)]
    pub(super) fn buffered_amount(this: &WebSocket) -> f64;
    #[wasm_bindgen(method, getter, js_name = readyState)]
    pub(super) fn ready_state(this: &WebSocket) -> u16;
    #[wasm_bindgen(method, setter)]
    pub(super) fn set_onopen(this: &WebSocket, handler: &JsValue);
    #[wasm_bindgen(method, setter)]
    pub(super) fn set_onmessage(this: &WebSocket, handler: &JsValue);
    #[wasm_bindgen(method, setter)]
    pub(super) fn set_onclose(this: &WebSocket, handler: &JsValue);
    #[wasm_bindgen(method, setter)]
    pub(super) fn set_onerror(this: &WebSocket, handler: &JsValue);
    #[wasm_bindgen(method, catch)]
    pub(super) fn send(this: &WebSocket, data: &[u8]) -> Result<(), JsValue>;
    #[wasm_bindgen(method, js_name = close, catch)]
    pub(super) fn close_with(this: &WebSocket, code: u16) -> Result<(), JsValue>;

    pub(super) type SocketEvent;
    #[wasm_bindgen(method, getter)]
    pub(super) fn data(this: &SocketEvent) -> JsValue;
    #[wasm_bindgen(method, getter)]
    pub(super) fn code(this: &SocketEvent) -> Option<u16>;
    #[wasm_bindgen(method, getter)]
    pub(super) fn reason(this: &SocketEvent) -> Option<String>;
}

/// Time since the runtime's own origin.
pub(crate) fn now() -> Duration {
    Duration::from_micros((performance_now() * 1000.0) as u64)
}

/// A property of `object`, `undefined` where there is none.
pub(crate) fn get(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap_or(JsValue::UNDEFINED)
}

/// Sets a property of an object made here.
pub(crate) fn set(object: &Object, name: &str, value: &JsValue) {
    // A plain object of ours refuses no property.
    let _ = Reflect::set(object, &name.into(), value);
}

/// A global, `undefined` where there is none.
pub(crate) fn global(name: &str) -> JsValue {
    get(&js_sys::global(), name)
}

/// A global function, if there is one.
pub(crate) fn global_function(name: &str) -> Option<Function> {
    global(name).dyn_into().ok()
}

/// The words of something thrown, and of what caused it (Node's `fetch failed` says nothing else).
pub(super) fn words(thrown: &JsValue) -> String {
    let text = |value: &JsValue| get(value, "message").as_string().filter(|text| !text.is_empty());
    let message =
        thrown.as_string().or_else(|| text(thrown)).unwrap_or_else(|| "no reason was given".to_string());
    let cause = get(thrown, "cause");
    match text(&cause).or_else(|| get(&cause, "code").as_string()) {
        Some(cause) => words![message, " (", cause, ")"],
        None => message,
    }
}

/// The entries of a `Headers` object. Repeats come joined by ", ".
pub(super) fn header_list(headers: &JsValue) -> HeaderList {
    let pair = |entry: JsValue| {
        let entry: Array = entry.unchecked_into();
        Some((entry.get(0).as_string()?, entry.get(1).as_string()?.into_bytes()))
    };
    Array::from(headers).iter().filter_map(pair).collect()
}

/// Runs `then` once when the promise settles, and frees what that took.
pub(super) fn settled(promise: &Promise, then: impl FnOnce(Result<JsValue, JsValue>) + 'static) {
    settled_boxed(promise, Box::new(then));
}

/// A task of its own, as soon as the current one has ended.
pub(super) fn soon(then: impl FnOnce() + 'static) {
    settled(&Promise::resolve(&JsValue::UNDEFINED), |_| then());
}

fn settled_boxed(promise: &Promise, then: Box<dyn FnOnce(Result<JsValue, JsValue>)>) {
    type Pair = (Closure<dyn FnMut(JsValue)>, Closure<dyn FnMut(JsValue)>);
    let then = Rc::new(RefCell::new(Some(then)));
    // The closures own each other through this slot until one of them runs: a promise settles once.
    let slot: Rc<RefCell<Option<Pair>>> = Rc::default();
    let handler = |wrap: fn(JsValue) -> Result<JsValue, JsValue>| {
        let (then, slot) = (then.clone(), slot.clone());
        Closure::new(move |value| {
            let then = then.borrow_mut().take();
            drop(slot.borrow_mut().take());
            if let Some(then) = then {
                then(wrap(value));
            }
        })
    };
    let (fulfilled, rejected) = (handler(Ok), handler(Err));
    let _ = promise.then2(&fulfilled, &rejected);
    *slot.borrow_mut() = Some((fulfilled, rejected));
}
