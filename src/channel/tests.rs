//! The channel and the driver as one, in a real browser, on a `fetch` and a `WebSocket` that are scripted
//! (`tests/web/script.js`). Clients that tonic generated, on real servers, are in `tests/rust-web/`.

mod answers;
mod gateway;
mod requests;
pub(super) mod troupe;
