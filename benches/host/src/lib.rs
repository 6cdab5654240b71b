//! What codec and call cost on the host, without a browser, a server or a network. The same cases twice: criterion times
//! them (`benches/host.rs`), and valgrind counts their instructions (`src/main.rs`).
#![forbid(unsafe_code)]
#![allow(clippy::expect_used, reason = "where our own input cannot be read, the case is broken")]

mod call;
mod codec;
mod connection;

/// One case.
pub struct Case {
    /// For the command line.
    pub name: &'static str,
    /// How many messages one run moves; of what has no messages, how many blocks.
    pub messages: usize,
    /// The bytes of each; 0 where they are of no matter.
    pub size: usize,
    /// Makes the input, which is not measured.
    pub prepare: fn(&Self) -> Run,
}

/// Runs a case once, and gives the number of messages that came through.
pub type Run = Box<dyn FnMut() -> usize>;

/// From the bottom up: envelopes, dialects, what stands around the messages, `tidewire.v1`, whole calls.
pub const CASES: &[Case] = &[
    Case {
        name: "envelope-100B",
        messages: 10_000,
        size: 100,
        prepare: |case| codec::envelopes(case, CHUNK),
    },
    Case {
        name: "envelope-4MiB-in-4KiB",
        messages: 1,
        size: 4 << 20,
        prepare: |case| codec::envelopes(case, 4 << 10),
    },
    Case {
        name: "envelope-100B-by-byte",
        messages: 1_000,
        size: 100,
        prepare: |case| codec::envelopes(case, 1),
    },
    Case { name: "grpc-web-100B", messages: 10_000, size: 100, prepare: codec::grpc_web },
    Case { name: "grpc-web-text-100B", messages: 10_000, size: 100, prepare: codec::grpc_web_text },
    Case { name: "connect-100B", messages: 10_000, size: 100, prepare: codec::connect },
    Case { name: "framed-100B", messages: 10_000, size: 100, prepare: codec::framed },
    Case { name: "encode-100B", messages: 10_000, size: 100, prepare: codec::encode },
    Case { name: "trailers", messages: 1_000, size: codec::BLOCK.len(), prepare: codec::trailers },
    Case { name: "metadata", messages: 1_000, size: 0, prepare: codec::metadata },
    Case { name: "tidewire-v1-receive-100B", messages: 10_000, size: 100, prepare: connection::receive },
    Case { name: "tidewire-v1-echo-100B", messages: 10_000, size: 100, prepare: connection::echo },
    Case { name: "call-unary-100B", messages: 1_000, size: 100, prepare: call::unary },
    Case { name: "call-server-stream-100B", messages: 10_000, size: 100, prepare: call::server_stream },
    Case { name: "call-client-stream-100B", messages: 10_000, size: 100, prepare: call::client_stream },
];

/// As a response's reader gives them.
const CHUNK: usize = 64 << 10;

/// The largest message that is taken.
const MAX: usize = 16 << 20;
