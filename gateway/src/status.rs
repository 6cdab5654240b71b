//! Statuses that the gateway itself gives, and how they are written.

use std::borrow::Cow;
use std::fmt::Write as _;

use bytes::{BufMut, Bytes, BytesMut};
use h2::Reason;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::response;
pub(crate) use tidewire::status::Code;

/// `grpc-status`.
pub(crate) const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
/// `grpc-message`.
pub(crate) const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// A gRPC status with a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) code: Code,
    pub(crate) message: String,
}

impl Status {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// The same, with more words at the end.
    pub(crate) fn with(self, hint: &str) -> Self {
        Self { message: self.message + hint, ..self }
    }

    pub(crate) fn of_reset(reason: Reason, upstream: &str) -> Self {
        Self::new(Code::from_reset(reason.into()), reset_sentence(reason, upstream))
    }

    /// What an answer without gRPC in it means.
    pub(crate) fn of_http(head: &response::Parts, path: &str, upstream: &str) -> Self {
        let kind = shown(head.headers.get(CONTENT_TYPE));
        let status = head.status.as_u16();
        Self::new(
            Code::from_http(status),
            format!(
                "the upstream {upstream} answered {path} with HTTP {status} and content-type {kind} instead of gRPC; \
                 is it a gRPC server, and does it have this method?"
            ),
        )
    }

    /// `grpc-status` and `grpc-message`, percent-encoded.
    pub(crate) fn to_headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(2);
        headers.insert(GRPC_STATUS, HeaderValue::from(self.code as u16));
        let message = percent_encode(&self.message);
        if let Ok(message) = HeaderValue::from_str(&message) {
            headers.insert(GRPC_MESSAGE, message);
        }
        headers
    }
}

/// For people: which code an upstream reset a stream with.
pub(crate) fn reset_sentence(reason: Reason, upstream: &str) -> String {
    format!("the upstream {upstream} reset the stream: {} ({})", reason.description(), u32::from(reason))
}

/// A header's value for people; `none` without.
pub(crate) fn shown(value: Option<&HeaderValue>) -> Cow<'_, str> {
    value.map_or(Cow::Borrowed("none"), |value| String::from_utf8_lossy(value.as_bytes()))
}

/// As gRPC wants `grpc-message`: printable ASCII but `%` stays, every other byte of the UTF-8 is `%XX`.
pub(crate) fn percent_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'%' | ..=0x1f | 0x7f.. => {
                let _ = write!(out, "%{byte:02X}");
            }
            _ => out.push(char::from(byte)),
        }
    }
    out
}

/// A `0x80` frame: `name: value` lines, as gRPC-Web ends a body and `grpc-websockets` begins and ends one.
pub(crate) fn header_frame(headers: &HeaderMap) -> Bytes {
    let mut frame = BytesMut::from(&[0x80, 0, 0, 0, 0][..]);
    for (name, value) in headers {
        frame.put_slice(name.as_str().as_bytes());
        frame.put_slice(b": ");
        frame.put_slice(value.as_bytes());
        frame.put_slice(b"\r\n");
    }
    let length = u32::try_from(frame.len() - 5).unwrap_or(u32::MAX);
    frame[1..5].copy_from_slice(&length.to_be_bytes());
    frame.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_percent_encoded() {
        assert_eq!(percent_encode("100% \"grüßt\"\n"), "100%25 \"gr%C3%BC%C3%9Ft\"%0A");
        assert_eq!(percent_encode("\u{7f}~ "), "%7F~ ");
    }

    #[test]
    fn a_header_frame_keeps_repeats_and_says_its_length() {
        let mut headers = HeaderMap::new();
        headers.append("a", HeaderValue::from_static("1"));
        headers.append("a", HeaderValue::from_static(""));
        assert_eq!(&header_frame(&headers)[..], b"\x80\0\0\0\x0ba: 1\r\na: \r\n");
    }
}
