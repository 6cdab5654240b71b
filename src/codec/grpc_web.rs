//! gRPC-Web (`PROTOCOL-WEB.md`), binary and text: enveloped messages, the trailers as a last envelope with flag 0x80.
//! Over `grpc-websockets` the response headers come as a first such envelope.

use std::time::Duration;

use super::envelope::{Decoder, Envelope, Payload};
use super::grpc::{check_flags, check_headers, check_surplus, end, message, refused};
use super::gzip::{self, COMPRESSED, Encoding};
use super::text::{self, NotBase64, TextDecoder};
use super::{
    Frame, HeaderList, MAX_TRAILERS, Messages, Protocol, check_type, envelope, grpc_timeout, is_type,
    request_headers, trailers,
};
use crate::status::Status;
use crate::words::words;

const TRAILER: u8 = 0x80;
const NATIVE: &str = "application/grpc+";
const BINARY: &str = "application/grpc-web+";
const TEXT: &str = "application/grpc-web-text+";
pub(super) const CUT_BASE64: &str = "the response ended inside a base64 quantum: the stream was cut";

/// How gRPC-Web is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Bytes as they are.
    Binary,
    /// Base64 over all of it.
    Text,
    /// Bytes, with the response headers as the first 0x80 envelope: improbable's `grpc-websockets`.
    WebSockets,
}

/// The gRPC-Web dialect of one call.
#[derive(Debug)]
pub struct GrpcWeb {
    form: Form,
    messages: Messages,
    encoding: Encoding,
    decoder: Decoder,
    /// Present while the answer is taken for text.
    plain: Option<Plain>,
    /// Over WebSockets, the first 0x80 envelope is the headers.
    awaits_headers: bool,
    has_message: bool,
    from_headers: Option<(Status, HeaderList)>,
}

/// Text decoded so far, and how much of it has been read.
#[derive(Debug, Default)]
struct Plain {
    decoder: TextDecoder,
    bytes: Vec<u8>,
    at: usize,
    /// Told once everything before it has been read.
    broken: Option<NotBase64>,
}

impl GrpcWeb {
    /// A call of such messages.
    pub fn new(form: Form, messages: Messages) -> Self {
        Self {
            form,
            encoding: Encoding::new(messages.gzip, gzip::GRPC),
            messages,
            decoder: Decoder::default(),
            plain: (text::IS_BUILT && form == Form::Text).then(Plain::default),
            awaits_headers: form == Form::WebSockets,
            has_message: false,
            from_headers: None,
        }
    }

    fn family(&self) -> &'static str {
        if text::IS_BUILT && self.form == Form::Text { TEXT } else { BINARY }
    }

    fn next_binary(&mut self, chunk: &[u8], at: &mut usize) -> Result<Option<Frame>, Status> {
        let (max_message, encoding) = (self.messages.max, &self.encoding);
        let limit = |flags: u8| match flags & TRAILER {
            _ if !encoding.has(flags, TRAILER) => 0,
            TRAILER => MAX_TRAILERS,
            _ => max_message,
        };
        let refused = |error| refused(error, TRAILER, encoding);
        let envelope = self.decoder.next(chunk, at, &limit).map_err(refused)?;
        let Some(Envelope { flags, payload }) = envelope else { return Ok(None) };
        check_flags(flags, TRAILER, encoding)?;
        let awaits_headers = std::mem::take(&mut self.awaits_headers);
        if flags & TRAILER == 0 {
            self.has_message = true;
            return Ok(Some(message(flags, payload, max_message)));
        }
        if flags & COMPRESSED == 0 && awaits_headers {
            let block = trailers::parse_block(payload.bytes(chunk));
            if trailers::status(&block).is_none() {
                self.check_socket_headers(&block)?;
                self.encoding.handle_headers(&block);
                return Ok(Some(Frame::Headers(block)));
            }
        }
        check_surplus(chunk, *at)?;
        Ok(Some(match message(flags, payload, MAX_TRAILERS) {
            Frame::Message(payload) => self.end(Some(trailers::parse_block(payload.bytes(chunk)))),
            compressed => compressed,
        }))
    }

    fn next_text(&mut self, chunk: &[u8], at: &mut usize, mut plain: Plain) -> Result<Option<Frame>, Status> {
        if plain.broken.is_none() {
            plain.broken = plain.decoder.decode(&chunk[*at..], &mut plain.bytes).err();
        }
        *at = chunk.len();
        let own = |payload: Payload| Payload::Joined(payload.into_bytes(&plain.bytes));
        let frame = self.next_binary(&plain.bytes, &mut plain.at)?.map(|frame| match frame {
            Frame::Message(payload) => Frame::Message(own(payload)),
            Frame::Compressed { flags, payload, limit } => {
                Frame::Compressed { flags, payload: own(payload), limit }
            }
            other => other,
        });
        if let (None, Some(error)) = (&frame, plain.broken) {
            return Err(not_base64(error));
        }
        if plain.at == plain.bytes.len() {
            plain.bytes.clear();
            plain.at = 0;
        }
        self.plain = Some(plain);
        Ok(frame)
    }

    /// Over WebSockets a proxy passes its upstream's content type on, which is native gRPC's; the HTTP status is lost.
    fn check_socket_headers(&self, headers: &HeaderList) -> Result<(), Status> {
        match headers.first("content-type") {
            Some(_) => check_type(headers, &[NATIVE, BINARY], &self.messages.subtype),
            None => Ok(()),
        }
    }

    fn end(&mut self, block: Option<HeaderList>) -> Frame {
        // Messages without a trailer frame may be the head of a longer answer, whatever the headers foretold.
        let is_cut = block.is_none() && self.has_message;
        let from_headers = self.from_headers.take().filter(|_| !is_cut);
        end(&self.decoder, block, from_headers, "trailer frame with it")
    }
}

impl Protocol for GrpcWeb {
    fn request_headers(&self, timeout: Option<Duration>) -> HeaderList {
        let kind = words![self.family(), self.messages.subtype];
        let fixed = [("content-type", kind.as_str()), ("accept", &kind), ("x-grpc-web", "1")];
        request_headers(&fixed, timeout.map(grpc_timeout), self.encoding.offer())
    }

    fn compresses(&self) -> bool {
        self.encoding.asked.send
    }

    fn encode(&self, message: &[u8], gzip: bool) -> Vec<u8> {
        let bytes = envelope::encode(u8::from(gzip), message);
        if text::IS_BUILT && self.form == Form::Text { text::encode(&bytes) } else { bytes }
    }

    fn handle_headers(&mut self, http: u16, headers: &mut HeaderList) -> Result<(), Status> {
        let families = match self.form {
            Form::Text => [TEXT, BINARY],
            _ => [BINARY, if text::IS_BUILT { TEXT } else { BINARY }],
        };
        self.from_headers = check_headers(http, headers, &families, &self.messages.subtype)?;
        self.encoding.handle_headers(headers);
        // The answer's own word counts, whatever we asked for.
        if text::IS_BUILT && is_type(headers, TEXT, &self.messages.subtype) {
            self.plain.get_or_insert_default();
        } else {
            self.plain = None;
        }
        Ok(())
    }

    fn next(&mut self, chunk: &[u8], at: &mut usize) -> Result<Option<Frame>, Status> {
        match self.plain.take().filter(|_| text::IS_BUILT) {
            None => self.next_binary(chunk, at),
            Some(plain) => self.next_text(chunk, at, plain),
        }
    }

    fn handle_inflated(&mut self, flags: u8, bytes: Vec<u8>) -> Result<Option<Frame>, Status> {
        if !gzip::IS_BUILT {
            return Ok(None);
        }
        Ok(Some(if flags & TRAILER == 0 {
            Frame::Message(Payload::Joined(bytes))
        } else {
            self.end(Some(trailers::parse_block(&bytes)))
        }))
    }

    fn handle_end(&mut self, _: Option<HeaderList>) -> Frame {
        if text::IS_BUILT && self.plain.as_ref().is_some_and(|plain| !plain.decoder.is_whole()) {
            return Frame::End(Status::internal(CUT_BASE64), HeaderList::new());
        }
        self.end(None)
    }
}

pub(super) fn not_base64(error: NotBase64) -> Status {
    let words = words!["the response is no base64, which grpc-web-text demands: it has the byte ", error.0,];
    Status::internal(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_has_been_read_is_let_go() {
        let mut protocol = GrpcWeb::new(Form::Text, Messages::new(100));
        let mut headers = HeaderList::from_iter([("content-type", "application/grpc-web-text")]);
        protocol.handle_headers(200, &mut headers).unwrap();
        for _ in 0..1000 {
            let chunk = protocol.encode(&[7; 100], false);
            let mut at = 0;
            while protocol.next(&chunk, &mut at).unwrap().is_some() {}
        }
        assert!(protocol.plain.unwrap().bytes.capacity() < 1000);
    }
}
