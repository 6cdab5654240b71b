//! `grpc-websockets`: improbable's wire for gRPC-Web on one WebSocket per call.
//!
//! Client: the first message is the header block, as text lines; then `00` and body bytes, any cut; one byte `01` is
//! the half-close. Server: the response as one byte stream (see [`Form::WebSockets`](super::grpc_web::Form)), then
//! close 1000 whatever the status.

use super::{HeaderList, trailers};
use crate::status::{Code, Fault, Status};
use crate::words::words;

/// The WebSocket subprotocol.
pub const SUBPROTOCOL: &str = "grpc-websockets";

/// Servers read at most 32,769 bytes per WebSocket message unless told otherwise: a lead byte and this much.
pub const MAX_DATA: usize = 32 * 1024;

/// The half-close.
pub const FINISH: [u8; 1] = [1];

/// The first message.
pub fn encode_headers(headers: &HeaderList) -> Vec<u8> {
    trailers::write_block(headers)
}

/// Body bytes as WebSocket messages of at most [`MAX_DATA`] and a lead byte.
pub fn encode_data(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    bytes.chunks(MAX_DATA).map(|piece| {
        let mut message = Vec::with_capacity(1 + piece.len());
        message.push(0);
        message.extend_from_slice(piece);
        message
    })
}

/// What a close of the socket means where no trailers came before it.
pub fn close_status(code: u16, reason: &str) -> Status {
    let (status, fault, words) = match code {
        1000 | 4000 => {
            (Code::Internal, Fault::Peer, "the server closed the socket without sending grpc-status")
        }
        // Ours, for what no other code says.
        1003 => (Code::Internal, Fault::Peer, "the server broke the protocol"),
        1008 => (Code::PermissionDenied, Fault::Peer, "the server refused the call"),
        1009 => (Code::ResourceExhausted, Fault::Peer, "the server refused a message as too large"),
        1001 | 1005 | 1006 | 1012 | 1013 | 1014 => {
            (Code::Unavailable, Fault::Transport, "the connection was lost before the call ended")
        }
        4001..=4016 => (Code::from_wire(i32::from(code) - 4000), Fault::Peer, "the server closed the socket"),
        _ => (Code::Unknown, Fault::Peer, "the server closed the socket without sending grpc-status"),
    };
    let words =
        words![words, " (WebSocket close ", code, if reason.is_empty() { "" } else { ": " }, reason, ")"];
    Status::new(status, fault, words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_never_goes_above_what_servers_read() {
        let body: Vec<u8> = (0..100_000u32).map(|i| i as u8).collect();
        let messages: Vec<_> = encode_data(&body).collect();
        assert!(messages.iter().all(|m| m.len() <= 32_769 && m[0] == 0));
        assert_eq!(messages.iter().flat_map(|m| m[1..].to_vec()).collect::<Vec<_>>(), body);
    }

    #[test]
    fn the_header_block_is_lines_without_a_blank_one() {
        let headers = HeaderList::from_iter([("a", "1"), ("a", "2")]);
        assert_eq!(encode_headers(&headers), b"a: 1\r\na: 2\r\n");
    }

    #[test]
    fn close_codes_keep_their_meaning() {
        let code = |close| close_status(close, "").code;
        assert_eq!(code(1000), Code::Internal);
        assert_eq!(code(4000), Code::Internal);
        assert_eq!(code(1001), Code::Unavailable);
        assert_eq!(code(1006), Code::Unavailable);
        assert_eq!(code(1008), Code::PermissionDenied);
        assert_eq!(code(1009), Code::ResourceExhausted);
        assert_eq!(code(1011), Code::Unknown);
        assert_eq!(code(4007), Code::PermissionDenied);
        assert!(close_status(1011, "boom").message.contains("1011: boom"));
    }
}
