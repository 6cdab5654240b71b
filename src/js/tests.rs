//! The driver, the transports and the JS face as one, in a real browser: calls through the glue that the package calls,
//! on a `fetch` and a `WebSocket` that are scripted (`tests/web/script.js`). What calls and codecs do with the bytes is
//! tested elsewhere; here it is who is told when, what is let go, and what nobody may see.
//!
//! A test reads as a conversation: something happens, [`Stage::saw`] says all that was seen of it, on both sides and in
//! its order. Time stands still unless a test moves it.

mod connect;
mod connection;
mod failures;
mod fetch;
pub(crate) mod gateway;
mod grpc_websockets;
mod reentrance;
pub(crate) mod script;
pub(crate) mod stage;
mod tidewire_v1;
mod upload;

use wasm_bindgen_test::wasm_bindgen_test_configure;

wasm_bindgen_test_configure!(run_in_browser);
