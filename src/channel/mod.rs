//! The face for Rust: a [`Channel`] that stands where `tonic::transport::Channel` stands natively, under the clients that
//! `tonic-prost-build` generates. Converts at the edge and decides nothing about protocols.
//!
//! ```ignore
//! // In build.rs: tonic_prost_build::configure().build_transport(false).build_server(false)…
//! let channel = tidewire::Channel::builder("https://api.example.com").build()?;
//! let mut client = GreetServiceClient::new(channel);
//!
//! let (requests, outgoing) = tokio::sync::mpsc::channel(16);
//! requests.send(GreetRequest { name: "Ada".into() }).await?;
//! let mut replies = client.greet_stream(ReceiverStream::new(outgoing)).await?.into_inner();
//! while let Some(reply) = replies.message().await? {
//!     log::info!("{}", reply.greeting);
//! }
//! ```
//!
//! # How a call lives
//!
//! - **Drop is cancel.** Dropping the future of a call, or the `Streaming` of its answers, resets it, and the server sees
//!   it cancelled. A request stream that ends, as that of a channel whose sender is dropped, is the half-close.
//! - **Requests that are there at once** (unary calls, `stream::iter`) leave whole, by `fetch` as [`Transport::Auto`] has
//!   it; one with the extension [`CallKind::Unary`] over the `tidewire.v1` socket while that is open, which costs a tenth.
//!   Request streams that wait are sent as they come, from a task of their own, and go over a WebSocket.
//! - **Answers to request streams** are handed over when the server's headers are there, or after
//!   [`Builder::wait_for_headers`] while it waits for requests: a caller that sends its first request only then would
//!   otherwise wait forever. Headers that come later are found with the trailers.
//! - **Deadlines**: `Request::set_timeout`, else [`Builder::timeout`]. Both sides keep them.
//! - **Back-pressure** holds both ways: an answer that is not polled stops the reading above
//!   [`Builder::receive_window_bytes`], and requests are polled only while there is room to send.
//! - **Errors** are [`tonic::Status`] with the server's details and metadata; their
//!   [`source`](std::error::Error::source) is a [`Status`](crate::status::Status), which says whose fault it was.
//! - **Compression** is tonic's own (`send_compressed`, `accept_compressed`); compressed messages pass as they are.
//! - Request streams that are not `Send` go in with [`local`].

mod builder;
mod call;
mod convert;
mod local;
#[cfg(feature = "tonic-web-wasm-client")]
mod predecessor;
mod request;
mod response;
#[cfg(all(test, feature = "js"))]
mod tests;
mod upload;

use std::fmt;
use std::rc::Rc;
use std::task::{Context, Poll};

use tower_service::Service;

pub use crate::call::CallKind;
pub use builder::{Builder, Credentials, Protocol, Transport};
pub use local::{Local, local};
pub use response::{ResponseBody, ResponseFuture};

use builder::Settings;
use local::Confined;

/// The extension of a unary request of [`Protocol::Connect`] whose method has no side effects: it is asked by a GET, which
/// browsers and proxies may cache. The message stands in the URL, of which many servers take 8 KiB. Without the cargo
/// feature `connect` it says nothing.
#[derive(Clone, Copy, Debug)]
pub struct UseHttpGet;

/// Calls the services below one base URL; nothing is sent until the first call. Clones share all connections.
#[derive(Clone)]
pub struct Channel(Confined<Rc<Settings>>);

impl Channel {
    /// A channel to `https://host[:port][/prefix]`, or to a path on the page's own origin, such as `/`.
    pub fn builder(base_url: impl Into<String>) -> Builder {
        Builder::new(base_url.into())
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").finish_non_exhaustive()
    }
}

impl Service<http::Request<tonic::body::Body>> for Channel {
    type Response = http::Response<ResponseBody>;
    type Error = tonic::Status;
    type Future = ResponseFuture;

    /// Always: each call has its own room to send.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<tonic::body::Body>) -> Self::Future {
        ResponseFuture::new(request::open(self.0.get(), request))
    }
}
