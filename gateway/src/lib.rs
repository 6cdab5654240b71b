//! Brings full-duplex gRPC and Dubbo Triple to browsers.
//!
//! On the web side the gateway takes three wires on one port: `tidewire.v1` (all calls on one WebSocket, relayed
//! as they are), `grpc-websockets` (one WebSocket a call) and gRPC-Web (binary and text, HTTP/1.1 and HTTP/2). To
//! its upstreams it speaks HTTP/2 with native gRPC. Half-close, cancels, deadlines, trailers and flow control pass
//! through in both directions.
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use tidewire_gateway::{Gateway, serve};
//!
//! let gateway = Gateway::builder().upstream("http://127.0.0.1:50051").allow_origin("*").build()?;
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! serve(listener, gateway.router(), gateway.server(), std::future::pending()).await?;
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod answer;
mod answer_body;
mod backlog;
mod call_log;
mod config;
mod dial;
mod envelope;
mod exchange;
mod gateway;
mod grpc_web;
mod grpc_websockets;
mod headers;
mod line;
mod origin;
mod read_ahead;
mod relay;
mod serve;
mod signs;
mod status;
mod text;
mod translate;
mod upstream;
mod window;

pub use config::{Builder, ConfigError, Limits};
pub use gateway::Gateway;
pub use serve::{Drain, Server, Tls, serve};
