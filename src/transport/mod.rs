//! Layer 3: moves bytes and knows no RPC.
//!
//! A transport opens HTTP exchanges: a head, body bytes, the end of our half or a reset, one way; status, headers, body
//! bytes, trailers or a reset the other way. Everything that comes in is told to a `Sink` from a task of its own,
//! never from within a call to the `Exchange`.

pub mod select;

#[cfg(target_family = "wasm")]
pub(crate) mod builtins;
#[cfg(target_family = "wasm")]
mod call_socket;
#[cfg(target_family = "wasm")]
mod fetch;
#[cfg(all(target_family = "wasm", feature = "gzip"))]
pub(crate) mod gzip;
#[cfg(target_family = "wasm")]
mod socket;
#[cfg(all(target_family = "wasm", feature = "tidewire-v1"))]
mod tidewire_v1;
#[cfg(target_family = "wasm")]
pub(crate) mod timer;
#[cfg(target_family = "wasm")]
pub(crate) mod transports;
#[cfg(target_family = "wasm")]
pub(crate) mod web;

#[cfg(target_family = "wasm")]
pub(crate) use wasm::*;

#[cfg(target_family = "wasm")]
mod wasm {
    #[cfg(feature = "tidewire-v1")]
    use std::ops::Range;
    use std::rc::Rc;

    use wasm_bindgen::JsValue;

    use super::builtins::Uint8Array;
    use crate::codec::HeaderList;
    #[cfg(feature = "gzip")]
    use crate::codec::gzip::Unfit;
    use crate::status::Status;

    /// Opens exchanges.
    pub(crate) trait Transport {
        fn open(&self, request: Request, sink: Rc<dyn Sink>) -> Box<dyn Exchange>;

        /// How much may have been told and not released: a transport that cannot hold the peer back has no other limit.
        fn max_unreleased(&self) -> usize {
            usize::MAX
        }
    }

    /// The head of a request.
    pub(crate) struct Request {
        /// With GET, what is sent is no body but follows the path, and the request leaves when it is finished.
        pub(crate) get: bool,
        pub(crate) path: String,
        pub(crate) headers: HeaderList,
        /// Whether the body is sent in parts over time; otherwise nothing leaves before it is complete.
        pub(crate) streams: bool,
    }

    /// Our half of an exchange. Dropping it lets go of everything without a word to the peer.
    pub(crate) trait Exchange {
        /// Takes body bytes; they wait here until the network takes them.
        fn send(&mut self, bytes: Vec<u8>);
        /// Ends the body.
        fn finish(&mut self);
        /// Breaks off so that the peer sees it. Nothing is told to the sink any more.
        fn reset(&mut self);
        /// The response is complete: lets go of what is still open. Nothing is told to the sink any more.
        fn done(&mut self);
        /// The consumer has room again for `bytes` of what was told.
        fn release(&mut self, bytes: usize);
        /// Bytes that wait for the network.
        fn queued(&self) -> usize;
    }

    /// Where what comes in is told.
    pub(crate) trait Sink {
        fn incoming(self: Rc<Self>, event: Incoming<'_>);
    }

    pub(crate) enum Incoming<'a> {
        Headers {
            status: u16,
            headers: HeaderList,
        },
        Data(Chunk<'a>),
        /// The response is complete, with trailers where the transport can see them.
        End(Option<HeaderList>),
        /// The peer broke off with an HTTP/2 error code. `sent`: whether the request had left.
        #[cfg(feature = "tidewire-v1")]
        Reset {
            code: u32,
            reason: String,
            sent: bool,
        },
        /// The WebSocket of this one exchange was closed.
        Closed {
            code: u16,
            reason: String,
        },
        /// The network failed, or the request is more than is taken. With the platform's own error, if there is one.
        Failed(Status, JsValue),
        /// The platform has compressed what it was to.
        #[cfg(feature = "gzip")]
        Deflated(Vec<u8>),
        /// The platform has inflated what it was to, or cannot.
        #[cfg(feature = "gzip")]
        Inflated(Result<Vec<u8>, Unfit>),
        /// What was queued has gone below the mark.
        Room,
    }

    impl Incoming<'_> {
        /// Whether there may be room to send again behind it.
        pub(crate) fn makes_room(&self) -> bool {
            match self {
                Self::Room => true,
                #[cfg(feature = "gzip")]
                Self::Deflated(_) => true,
                _ => false,
            }
        }
    }

    /// What was copied in: shared, where Rust code takes slices of it.
    #[cfg(feature = "channel")]
    pub(crate) type Copied = bytes::Bytes;
    #[cfg(not(feature = "channel"))]
    pub(crate) type Copied = Vec<u8>;

    impl Uint8Array {
        /// In one place, since it is long where it becomes `Bytes`.
        #[cfg_attr(feature = "channel", inline(never))]
        pub(crate) fn copied(&self) -> Copied {
            #[allow(clippy::useless_conversion, reason = "not where it is shared")]
            self.to_vec().into()
        }
    }

    /// Received bytes, on both sides of the border: copied in once for the decoder, and still in the JS buffer for
    /// views that cost no copy out.
    #[derive(Clone, Copy)]
    #[cfg_attr(not(feature = "js"), allow(dead_code, reason = "views are the JS face's"))]
    pub(crate) struct Chunk<'a> {
        pub(crate) bytes: &'a [u8],
        pub(crate) buffer: &'a Uint8Array,
        /// Where `bytes` start in `buffer`.
        pub(crate) offset: usize,
        /// What `bytes` are part of.
        #[cfg(feature = "channel")]
        pub(crate) whole: &'a Copied,
    }

    impl<'a> Chunk<'a> {
        pub(crate) fn new(buffer: &'a Uint8Array, copied: &'a Copied) -> Self {
            Self {
                bytes: copied,
                buffer,
                offset: 0,
                #[cfg(feature = "channel")]
                whole: copied,
            }
        }

        #[cfg(feature = "tidewire-v1")]
        pub(crate) fn slice(self, range: Range<usize>) -> Self {
            Self { bytes: &self.bytes[range.clone()], offset: self.offset + range.start, ..self }
        }
    }

    /// Whether anything of this build tells of headers, or of an end, outside the body: a socket of `grpc-websockets` has
    /// both in it.
    pub(crate) const IS_HTTP: bool =
        cfg!(any(feature = "fetch", feature = "tidewire-v1", feature = "triple-websocket"));

    /// Bytes that a stream may have queued before its sender is asked to wait.
    pub(crate) const HIGH_WATER: usize = 64 * 1024;
}
