//! The bytes of each dialect, written by hand: a peer that used the codec under test would share its mistakes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tidewire::codec::grpc::Grpc;
use tidewire::codec::grpc_web::{Form, GrpcWeb};
use tidewire::codec::gzip::Compression;
use tidewire::codec::{HeaderList, Protocol};

use super::gzip::deflate;
use super::headers;

/// What the call speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    Grpc,
    GrpcWeb,
    GrpcWebText,
    GrpcWebSockets,
}

impl Wire {
    pub(crate) const ALL: [Self; 4] = [Self::Grpc, Self::GrpcWeb, Self::GrpcWebText, Self::GrpcWebSockets];

    pub(crate) fn protocol(self, max_message: usize, gzip: Compression) -> Box<dyn Protocol> {
        match self {
            Self::Grpc => Box::new(Grpc::new(max_message, gzip)),
            Self::GrpcWeb => Box::new(GrpcWeb::new(Form::Binary, max_message, gzip)),
            Self::GrpcWebText => Box::new(GrpcWeb::new(Form::Text, max_message, gzip)),
            Self::GrpcWebSockets => Box::new(GrpcWeb::new(Form::WebSockets, max_message, gzip)),
        }
    }

    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Grpc => "application/grpc",
            Self::GrpcWeb | Self::GrpcWebSockets => "application/grpc-web+proto",
            Self::GrpcWebText => "application/grpc-web-text+proto",
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
        self.envelope(0x80, &lines(headers))
    }

    pub(crate) fn compressed(self, payload: &[u8]) -> Vec<u8> {
        self.envelope(1, &deflate(payload))
    }

    pub(crate) fn compressed_block(self, list: &[(&str, &str)]) -> Vec<u8> {
        self.envelope(0x81, &deflate(&lines(&headers(list))))
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
    let line = |(name, value): &(String, Vec<u8>)| [name.as_bytes(), b": ", value, b"\r\n"].concat();
    headers.iter().flat_map(line).collect()
}
