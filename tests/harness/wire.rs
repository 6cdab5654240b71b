//! The bytes of each dialect, written by hand: a peer that used the codec under test would share its mistakes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tidewire::codec::connect::Connect;
use tidewire::codec::grpc::Grpc;
use tidewire::codec::grpc_web::{Form, GrpcWeb};
use tidewire::codec::trailers::percent_decode;
use tidewire::codec::{HeaderList, Messages, Protocol};

use super::gzip::deflate;
use super::headers;

/// What the call speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    Grpc,
    GrpcWeb,
    GrpcWebText,
    GrpcWebSockets,
    /// A stream of Connect. Its unary calls have no frames: `calls/bare.rs`.
    Connect,
}

impl Wire {
    /// Those that carry every kind of call.
    pub(crate) const GRPC: [Self; 4] = [Self::Grpc, Self::GrpcWeb, Self::GrpcWebText, Self::GrpcWebSockets];

    pub(crate) fn protocol(self, messages: Messages) -> Box<dyn Protocol> {
        match self {
            Self::Grpc => Box::new(Grpc::new(messages)),
            Self::GrpcWeb => Box::new(GrpcWeb::new(Form::Binary, messages)),
            Self::GrpcWebText => Box::new(GrpcWeb::new(Form::Text, messages)),
            Self::GrpcWebSockets => Box::new(GrpcWeb::new(Form::WebSockets, messages)),
            Self::Connect => Box::new(Connect::new(messages)),
        }
    }

    /// What an end without a status is told by.
    pub(crate) fn missing(self) -> &'static str {
        if self == Self::Connect { "without Connect's end" } else { "without grpc-status" }
    }

    /// The name of the header that tells of a deadline.
    pub(crate) fn timeout(self) -> &'static str {
        if self == Self::Connect { "connect-timeout-ms" } else { "grpc-timeout" }
    }

    /// The names of the headers that tell of compression, and offer it.
    pub(crate) fn encodings(self) -> (&'static str, &'static str) {
        match self {
            Self::Connect => ("connect-content-encoding", "connect-accept-encoding"),
            _ => ("grpc-encoding", "grpc-accept-encoding"),
        }
    }

    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Grpc => "application/grpc",
            Self::GrpcWeb | Self::GrpcWebSockets => "application/grpc-web+proto",
            Self::GrpcWebText => "application/grpc-web-text+proto",
            Self::Connect => "application/connect+proto",
        }
    }

    /// Whether the peer's headers are part of the body.
    pub(crate) fn has_headers_in_body(self) -> bool {
        self == Self::GrpcWebSockets
    }

    pub(crate) fn message(self, payload: &[u8]) -> Vec<u8> {
        self.envelope(0, payload)
    }

    /// Headers or trailers as an envelope of the body.
    pub(crate) fn block(self, headers: &HeaderList) -> Vec<u8> {
        self.envelope(self.last(), &self.lines(headers))
    }

    pub(crate) fn compressed(self, payload: &[u8]) -> Vec<u8> {
        self.envelope(1, &deflate(payload))
    }

    pub(crate) fn compressed_block(self, list: &[(&str, &str)]) -> Vec<u8> {
        self.envelope(self.last() | 1, &deflate(&self.lines(&headers(list))))
    }

    /// The flag of the last envelope.
    pub(crate) fn last(self) -> u8 {
        if self == Self::Connect { 0x02 } else { 0x80 }
    }

    fn lines(self, headers: &HeaderList) -> Vec<u8> {
        if self == Self::Connect { end_stream(headers).into_bytes() } else { lines(headers) }
    }

    pub(crate) fn envelope(self, flags: u8, payload: &[u8]) -> Vec<u8> {
        let length = (payload.len() as u32).to_be_bytes();
        self.text([&[flags], length.as_slice(), payload].concat())
    }

    /// Body bytes as this wire writes them.
    pub(crate) fn text(self, bytes: Vec<u8>) -> Vec<u8> {
        if self == Self::GrpcWebText { STANDARD.encode(bytes).into_bytes() } else { bytes }
    }

    /// The one message of a request's body bytes, and its flags.
    pub(crate) fn unwrap(self, body: &[u8]) -> (u8, Vec<u8>) {
        let bytes = if self == Self::GrpcWebText { STANDARD.decode(body).unwrap() } else { body.to_vec() };
        let [flags, a, b, c, d, payload @ ..] = bytes.as_slice() else {
            panic!("expected an envelope, the client sent {bytes:02x?}")
        };
        assert_eq!(u32::from_be_bytes([*a, *b, *c, *d]) as usize, payload.len());
        (*flags, payload.to_vec())
    }
}

fn lines(headers: &HeaderList) -> Vec<u8> {
    let line = |(name, value): (&[u8], &[u8])| [name, b": ", value, b"\r\n"].concat();
    headers.iter().flat_map(line).collect()
}

/// What gRPC says in trailers, as Connect says it at the end of a stream.
fn end_stream(trailers: &HeaderList) -> String {
    let quoted = |value: &[u8]| format!("{:?}", String::from_utf8_lossy(value));
    let metadata = trailers.iter().filter(|(name, _)| !name.starts_with(b"grpc-"));
    let metadata: Vec<_> =
        metadata.map(|(name, value)| format!("{}:[{}]", quoted(name), quoted(value))).collect();
    let error = trailers.first("grpc-status").filter(|status| *status != b"0").map(|status| {
        let message = quoted(percent_decode(trailers.first("grpc-message").unwrap_or_default()).as_bytes());
        format!(r#""error":{{"code":"code_{}","message":{message}}},"#, String::from_utf8_lossy(status))
    });
    format!("{{{}\"metadata\":{{{}}}}}", error.unwrap_or_default(), metadata.join(","))
}
