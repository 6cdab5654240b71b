//! The greeter and gRPC's test service on tonic, the log of what they saw, and the web server that puts the gateway and the pages in front
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
mod streaming;
mod talk;
pub mod test_service;
pub mod tls;
