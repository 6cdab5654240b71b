//! Connect's streams (protocol reference, "Streaming RPCs"): enveloped messages, then the end of the stream as a last
//! envelope with flag 0x02, in JSON. Its unary calls are [`bare`](super::bare).

use std::time::Duration;

use super::connect_error::{self, WireError};
use super::envelope::{self, Decoder, Envelope, Payload};
use super::grpc::{check_flags, check_surplus, message, refused};
use super::gzip::{self, Encoding};
use super::json::Json;
use super::{
    Frame, HeaderList, MAX_TRAILERS, Messages, Protocol, check_type, envelope_status, request_headers,
    timeout, trailers,
};
use crate::status::{Code, Status};
use crate::words::words;

const END_STREAM: u8 = 0x02;
const FAMILY: &str = "application/connect+";
pub(super) const VERSION: (&str, &str) = ("connect-protocol-version", "1");
/// What an HTTP error lacks where something else than the service has sent it.
pub(super) const LACKS: &str = "error in JSON";

pub(super) fn connect_timeout(timeout: Duration) -> (&'static str, String) {
    ("connect-timeout-ms", timeout::encode_millis(timeout))
}

/// The streaming dialect of one call.
#[derive(Debug)]
pub struct Connect {
    messages: Messages,
    encoding: Encoding,
    decoder: Decoder,
}

impl Connect {
    /// A call of such messages.
    pub fn new(messages: Messages) -> Self {
        let encoding = Encoding::new(messages.gzip, gzip::CONNECT);
        Self { messages, encoding, decoder: Decoder::default() }
    }

    /// An end has at least the room that trailers have in gRPC, and that of a message, since it may carry several.
    fn max_end(&self) -> usize {
        self.messages.max.max(MAX_TRAILERS)
    }
}

impl Protocol for Connect {
    fn request_headers(&self, timeout: Option<Duration>) -> HeaderList {
        let kind = words![FAMILY, self.messages.subtype];
        let fixed = [("content-type", kind.as_str()), VERSION];
        request_headers(&fixed, timeout.map(connect_timeout), self.encoding.offer())
    }

    fn compresses(&self) -> bool {
        self.encoding.asked.send
    }

    fn encode(&self, message: &[u8], gzip: bool) -> Vec<u8> {
        envelope::encode(u8::from(gzip), message)
    }

    fn handle_headers(&mut self, http: u16, headers: &mut HeaderList) -> Result<(), Status> {
        if http != 200 {
            return Err(trailers::http_status(http, headers, LACKS));
        }
        self.encoding.handle_headers(headers);
        check_type(headers, &[FAMILY], &self.messages.subtype)
    }

    fn next(&mut self, chunk: &[u8], at: &mut usize) -> Result<Option<Frame>, Status> {
        let (max_message, max_end, encoding) = (self.messages.max, self.max_end(), &self.encoding);
        let limit = |flags: u8| match flags & END_STREAM {
            _ if !encoding.has(flags, END_STREAM) => 0,
            0 => max_message,
            _ => max_end,
        };
        let refused = |error| refused(error, END_STREAM, encoding);
        let envelope = self.decoder.next(chunk, at, &limit).map_err(refused)?;
        let Some(Envelope { flags, payload }) = envelope else { return Ok(None) };
        check_flags(flags, END_STREAM, encoding)?;
        if flags & END_STREAM == 0 {
            return Ok(Some(message(flags, payload, max_message)));
        }
        check_surplus(chunk, *at)?;
        match message(flags, payload, max_end) {
            Frame::Message(payload) => end(payload.bytes(chunk)).map(Some),
            compressed => Ok(Some(compressed)),
        }
    }

    fn handle_inflated(&mut self, flags: u8, bytes: Vec<u8>) -> Result<Option<Frame>, Status> {
        if flags & END_STREAM == 0 {
            return Ok(Some(Frame::Message(Payload::Joined(bytes))));
        }
        end(&bytes).map(Some)
    }

    fn handle_end(&mut self, _: Option<HeaderList>) -> Frame {
        let status = self.decoder.finish().map_or_else(envelope_status, |()| {
            Status::internal("the response ended without Connect's end of the stream: it was cut on the way")
        });
        Frame::End(status, HeaderList::new())
    }
}

/// What the last envelope says.
fn end(text: &[u8]) -> Result<Frame, Status> {
    let (mut error, mut metadata) = (None, HeaderList::new());
    if parse_end(text, &mut error, &mut metadata).is_none() {
        let words = "the end of the stream is not the JSON of Connect";
        return Err(Status::internal(words));
    }
    let status = error.map_or_else(Status::ok, |error| error.status(Code::Unknown, &mut metadata));
    Ok(Frame::End(status, metadata))
}

/// The error, if there is one, and the trailing metadata; `None` where the text is no such end.
fn parse_end(text: &[u8], error: &mut Option<WireError>, metadata: &mut HeaderList) -> Option<()> {
    let mut json = Json::new(text);
    if !json.enter(b'{')? {
        return None;
    }
    while json.more(b'}')? {
        match json.name()? {
            b"error" if json.is_object() => connect_error::read(&mut json, error.get_or_insert_default())?,
            b"metadata" if json.enter(b'{')? => read_metadata(&mut json, metadata)?,
            b"metadata" => {}
            _ => json.skip()?,
        }
    }
    json.is_at_end().then_some(())
}

fn read_metadata(json: &mut Json<'_>, metadata: &mut HeaderList) -> Option<()> {
    while json.more(b'}')? {
        let name = json.name()?.to_ascii_lowercase();
        if json.enter(b'[')? {
            while json.more(b']')? {
                metadata.push(&name, json.text()?);
            }
        }
    }
    Some(())
}
