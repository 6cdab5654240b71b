//! Full-duplex gRPC, Dubbo Triple and Connect streams from web pages, workers and edge functions.
//!
//! ```text
//!  app ── js | channel ─► driver ─► call (state, deadline, window) ─► codec ─► bytes ─► transport (fetch | websocket)
//!  app ◄── messages, status ◄── driver ◄─ call.poll_event ◄── frames ◄── codec ◄── bytes ◄── transport
//! ```
//!
//! - [`codec`]: bytes ⇄ frames; pure.
//! - [`call`]: the life of one RPC; pure, time is an argument.
//! - `transport`: moves bytes and knows no RPC.
//! - `driver`: joins a call and a transport.
//! - `js`: the thin face that the npm package stands on.
//! - `channel`: the thin face for Rust, under clients that tonic generated: `tidewire::Channel`, of the feature `channel`.
//!
//! In a browser, or wherever else wasm32 runs with `fetch` and `WebSocket`, all of it is there. Elsewhere the pure layers
//! are, for gateways and tests: the features change nothing there.
//!
//! # Cargo features
//!
//! On by default, and each can be left out: the protocols `connect`, `triple` and `grpc-web-text`, the transports `fetch`,
//! `grpc-websockets`, `tidewire-v1` and `triple-websocket`, and `gzip`. Native gRPC and gRPC-Web are always there. A call
//! that asks for what is left out ends with UNIMPLEMENTED. Off by default: `channel`, for clients that tonic generated,
//! and `js`, which the npm package is built with; both for wasm32.
#![forbid(unsafe_code)]

mod base64;
pub mod call;
pub mod codec;
pub mod metadata;
pub mod status;
pub mod transport;
mod words;

#[cfg(all(target_family = "wasm", feature = "channel"))]
pub mod channel;
#[cfg(target_family = "wasm")]
mod driver;
#[cfg(all(target_family = "wasm", feature = "js"))]
mod js;

#[cfg(all(target_family = "wasm", feature = "channel"))]
#[doc(inline)]
pub use channel::Channel;

/// Of the npm package only: a Rust application chooses its own.
#[cfg(all(target_family = "wasm", feature = "js"))]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();
