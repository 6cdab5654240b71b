//! dubbo-java's own WebSocket: one call a socket, one bare message a WebSocket message, no headers in either
//! direction, and the end in the close code (`WebSocketFrameCodec`, dubbo-java 3.3.6).
//!
//! Close 1000 from the server is OK. 1011 is any failure, with its words and without its code. From the client 1000 is
//! the half-close, after which a browser drops whatever comes: so only what half-closes by itself can be called.

use std::time::Duration;

use super::envelope::{EnvelopeError, Payload};
use super::{Frame, HeaderList, Protocol, envelope_status, grpc_websockets};
use crate::status::{Code, Fault, Status};
use crate::words::{lossy, words};

/// The bare dialect of one call.
#[derive(Debug)]
pub struct TripleWebsocket {
    max_message: usize,
    /// Set once the chunk's message has been told.
    told: bool,
}

impl TripleWebsocket {
    /// A call that takes messages of at most `max_message` bytes.
    pub fn new(max_message: usize) -> Self {
        Self { max_message, told: false }
    }
}

impl Protocol for TripleWebsocket {
    fn request_headers(&self, _: Option<Duration>) -> HeaderList {
        HeaderList::new()
    }

    fn check_metadata(&self, metadata: &HeaderList) -> Result<(), Status> {
        metadata.iter().next().map_or(Ok(()), |(name, _)| {
            let words = words![
                "triple-websocket has no headers, so the metadata \"",
                lossy(name),
                "\" cannot travel: leave it out, or use transport \"tidewire.v1\"",
            ];
            Err(Status::misuse(Code::Unimplemented, words))
        })
    }

    fn check_close_send(&self) -> Result<(), Status> {
        let words = "the half-close of triple-websocket is the close of the socket, which would lose the answers that are \
                     still to come: cancel, let the server end the call, or use transport \"tidewire.v1\"";
        Err(Status::misuse(Code::FailedPrecondition, words))
    }

    fn compresses(&self) -> bool {
        false
    }

    fn encode(&self, message: &[u8], _: bool) -> Vec<u8> {
        message.to_vec()
    }

    fn handle_headers(&mut self, _: u16, _: &mut HeaderList) -> Result<(), Status> {
        Ok(())
    }

    /// Each chunk is a message, the empty one too.
    fn next(&mut self, chunk: &[u8], at: &mut usize) -> Result<Option<Frame>, Status> {
        self.told = !self.told;
        if !self.told {
            return Ok(None);
        }
        if chunk.len() > self.max_message {
            let declared = chunk.len() as u32;
            return Err(envelope_status(EnvelopeError::TooLarge {
                flags: 0,
                declared,
                limit: self.max_message,
            }));
        }
        *at = chunk.len();
        Ok(Some(Frame::Message(Payload::InChunk(0..chunk.len()))))
    }

    fn handle_inflated(&mut self, _: u8, _: Vec<u8>) -> Result<Option<Frame>, Status> {
        Ok(None)
    }

    fn handle_end(&mut self, _: Option<HeaderList>) -> Frame {
        Frame::End(Status::ok(), HeaderList::new())
    }

    fn handle_close(&self, code: u16, reason: &str) -> Status {
        match code {
            1000 => Status::ok(),
            1011 => Status::new(Code::Unknown, Fault::Peer, reason),
            _ => {
                let mut status = grpc_websockets::close_status(code, reason);
                status.message.push_str(
                    "; dubbo-java closes so where a proxy lets permessage-deflate through, and for a failure of more \
                     than 123 bytes",
                );
                status
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_chunk_is_one_message_the_empty_one_too() {
        let mut protocol = TripleWebsocket::new(4);
        for chunk in [&b"abcd"[..], b"", b"a"] {
            let mut at = 0;
            let frame = protocol.next(chunk, &mut at).unwrap();
            assert_eq!(frame, Some(Frame::Message(Payload::InChunk(0..chunk.len()))));
            assert_eq!(at, chunk.len());
            assert_eq!(protocol.next(chunk, &mut at), Ok(None));
        }
    }

    #[test]
    fn a_message_above_the_limit_is_refused() {
        let status = TripleWebsocket::new(4).next(b"abcde", &mut 0).unwrap_err();
        assert_eq!(status.code, Code::ResourceExhausted);
    }

    #[test]
    fn the_close_code_is_the_status() {
        let table = [
            (1000, "Bye", Code::Ok, Fault::None, ""),
            (1011, "FAILED_PRECONDITION : no", Code::Unknown, Fault::Peer, "FAILED_PRECONDITION : no"),
            (1011, "", Code::Unknown, Fault::Peer, ""),
            (1002, "RSV != 0", Code::Unknown, Fault::Peer, "permessage-deflate"),
            (1006, "", Code::Unavailable, Fault::Transport, "123 bytes"),
            (1001, "", Code::Unavailable, Fault::Transport, "(WebSocket close 1001)"),
            (1009, "", Code::ResourceExhausted, Fault::Peer, "too large"),
        ];
        for (close, reason, code, fault, words) in table {
            let status = TripleWebsocket::new(4).handle_close(close, reason);
            assert_eq!((status.code, status.fault), (code, fault), "{close}");
            assert!(status.message.contains(words), "{status}");
        }
    }

    #[test]
    fn what_cannot_travel_is_refused_in_words() {
        let protocol = TripleWebsocket::new(4);
        assert!(protocol.check_metadata(&HeaderList::new()).is_ok());
        let status = protocol.check_metadata(&HeaderList::from_iter([("x-a", "1")])).unwrap_err();
        assert_eq!(status.code, Code::Unimplemented);
        assert!(status.message.contains("\"x-a\"") && status.message.contains("tidewire.v1"), "{status}");
        let status = protocol.check_close_send().unwrap_err();
        assert_eq!((status.code, status.fault), (Code::FailedPrecondition, Fault::Misuse));
        assert!(status.message.contains("tidewire.v1"), "{status}");
    }
}
