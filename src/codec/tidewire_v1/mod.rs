//! `tidewire.v1`: many HTTP exchanges on one WebSocket. The grammar and its rules are in `docs/tidewire-v1.md`.
//!
//! [`Connection`] is the whole protocol for both ends, without I/O and without a clock: WebSocket messages, time
//! and commands go in, WebSocket messages and [`Event`]s come out. The client and the gateway use the same one.
//!
//! - `event`: what it tells its driver
//! - `frame`: bytes to frames and back
//! - `window`: credit in DATA bytes
//! - `stream`: one exchange, its two halves and what waits to be sent
//! - `connection`: all of them: commands and inputs; `receive`: what each frame does; `transmit`: who sends next
//! - `keep_alive`: when to ping, and when to give the peer up

pub mod code;
mod connection;
mod event;
mod frame;
mod keep_alive;
mod limits;
mod receive;
mod stream;
mod streams;
#[cfg(test)]
mod tests;
mod transmit;
mod window;

pub use connection::{Connection, Role};
pub use event::{ConnectionError, Event, OpenError};
pub use limits::Limits;
