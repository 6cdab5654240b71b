//! The greeter on tonic, the log of what it saw, and the web server that puts the gateway and the pages in front
//! of it. `tests/README.md` is its contract.
#![forbid(unsafe_code)]

pub mod behaviour;
pub mod call;
pub mod greeter;
pub mod log_api;
pub mod observed;
pub mod proto;
pub mod servers;
pub mod site;
mod talk;
pub mod tls;
