//! One bare message each way, as Connect's unary calls (protocol reference, "Unary RPCs") and Triple's bare form have
//! it: no envelopes, the end of the body is the end of the message, errors are JSON under an HTTP status, and trailing
//! metadata comes as headers that begin with `trailer-`.

use std::time::Duration;

use super::connect::{LACKS, VERSION, connect_timeout};
use super::envelope::Payload;
use super::gzip::{self, COMPRESSED, Encoding};
use super::{
    Frame, HeaderList, MAX_TRAILERS, Messages, Protocol, check_type, connect_error, is_type, request_headers,
    too_large, trailers, triple,
};
use crate::base64;
use crate::status::{Code, Status};
use crate::words::words;

pub(super) const FAMILY: &str = "application/";
const TRAILER: &str = "trailer-";

/// What is spoken around the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Connect.
    Connect,
    /// Connect by a GET, for methods without side effects: the message is in the URL.
    ConnectGet,
    /// Triple, as dubbo-go and dubbo-java take it.
    Triple,
}

/// The unary dialect of one call.
#[derive(Debug)]
pub struct Bare {
    dialect: Dialect,
    messages: Messages,
    encoding: Encoding,
    /// The transport undoes `content-encoding`, and offers to, as `fetch` does.
    is_inflated: bool,
    answer: Answer,
    trailers: HeaderList,
    body: Vec<u8>,
    /// The body is gzip.
    is_gzip: bool,
}

/// What the body is.
#[derive(Clone, Copy, Debug)]
enum Answer {
    Message,
    /// An error, with the HTTP status that it came under.
    Error(u16),
    /// It has been told.
    Told,
}

impl Bare {
    /// A call of such messages. `is_inflated`: the transport undoes `content-encoding`, and offers to, as `fetch` does.
    pub fn new(dialect: Dialect, messages: Messages, is_inflated: bool) -> Self {
        let (trailers, body) = Default::default();
        let encoding = Encoding::new(messages.gzip, gzip::HTTP);
        let answer = Answer::Message;
        Self { dialect, messages, encoding, is_inflated, answer, trailers, body, is_gzip: false }
    }

    /// The most that the body may be, as it is and inflated.
    fn limit(&self) -> usize {
        match self.answer {
            Answer::Error(_) => self.messages.max.max(MAX_TRAILERS),
            _ => self.messages.max,
        }
    }

    /// `fetch` does not say what it has undone, and leaves as it is what it does not know.
    fn check_encoding(&mut self, headers: &HeaderList) -> Result<(), Status> {
        self.encoding.handle_headers(headers);
        let is_plain = match &*self.encoding.named {
            b"" | b"identity" => true,
            b"gzip" | b"deflate" | b"br" | b"zstd" => self.is_inflated,
            _ => false,
        };
        if is_plain {
            return Ok(());
        }
        self.is_gzip = self.encoding.has(COMPRESSED, 0);
        if self.is_gzip { Ok(()) } else { Err(self.encoding.refusal()) }
    }

    fn error(&mut self, http: u16) -> Status {
        let Some(error) = connect_error::parse(&self.body) else {
            return trailers::http_status(http, &self.trailers, LACKS);
        };
        let is_triple = self.dialect == Dialect::Triple;
        let inferred = if is_triple { triple::code_from_http(http) } else { Code::from_http(http) };
        error.status(inferred, &mut self.trailers)
    }
}

impl Protocol for Bare {
    fn is_get(&self) -> bool {
        self.dialect == Dialect::ConnectGet
    }

    fn request_headers(&self, timeout: Option<Duration>) -> HeaderList {
        let kind = words![FAMILY, self.messages.subtype];
        let (mut gzip, names) = self.encoding.offer();
        // The URL says what is compressed, and the transport what may be.
        gzip.send &= self.dialect != Dialect::ConnectGet;
        gzip.accept &= !self.is_inflated;
        let all = [("content-type", kind.as_str()), VERSION];
        let fixed = match self.dialect {
            Dialect::Connect => &all[..],
            Dialect::ConnectGet => &[],
            Dialect::Triple => &all[..1],
        };
        // Triple's own go along with every protocol to a Dubbo server.
        let timeout = timeout.filter(|_| self.dialect != Dialect::Triple);
        request_headers(fixed, timeout.map(connect_timeout), (gzip, names))
    }

    fn compresses(&self) -> bool {
        self.encoding.asked.send
    }

    fn encode(&self, message: &[u8], gzip: bool) -> Vec<u8> {
        if self.dialect != Dialect::ConnectGet {
            return message.to_vec();
        }
        // In the order that the specification recommends, for the sake of caches.
        let compression = if gzip { "&compression=gzip" } else { "" };
        let subtype = &self.messages.subtype;
        let mut query =
            words!["?connect=v1&base64=1", compression, "&encoding=", subtype, "&message="].into_bytes();
        query.append(&mut base64::encode_url(message));
        query
    }

    fn handle_headers(&mut self, http: u16, headers: &mut HeaderList) -> Result<(), Status> {
        if http == 200 {
            check_type(headers, &[FAMILY], &self.messages.subtype)?;
        } else if !is_type(headers, FAMILY, "json") {
            return Err(trailers::http_status(http, headers, LACKS));
        }
        self.check_encoding(headers)?;
        self.trailers = take_trailers(headers);
        if http != 200 {
            self.answer = Answer::Error(http);
            // An error has no message before it: its headers are its metadata, as in gRPC's trailers-only.
            let mut all = headers.clone();
            all.append(&mut self.trailers);
            self.trailers = all;
        }
        Ok(())
    }

    fn next(&mut self, chunk: &[u8], at: &mut usize) -> Result<Option<Frame>, Status> {
        let more = &chunk[*at..];
        *at = chunk.len();
        let limit = self.limit();
        if more.len() > limit - self.body.len() {
            return Err(match self.answer {
                Answer::Error(http) => trailers::http_status(http, &self.trailers, LACKS),
                // At least this much: the end has not come.
                _ => too_large(self.body.len() + more.len(), limit),
            });
        }
        self.body.extend_from_slice(more);
        Ok(None)
    }

    /// The body, which is told when it is asked for its end again.
    fn handle_inflated(&mut self, _: u8, bytes: Vec<u8>) -> Result<Option<Frame>, Status> {
        self.body = bytes;
        Ok(None)
    }

    fn handle_end(&mut self, _: Option<HeaderList>) -> Frame {
        // A body of no bytes is none of gzip's, whatever the headers say.
        if std::mem::take(&mut self.is_gzip) && !self.body.is_empty() {
            let payload = Payload::Joined(std::mem::take(&mut self.body));
            return Frame::Compressed { flags: COMPRESSED, payload, limit: self.limit() };
        }
        let status = match std::mem::replace(&mut self.answer, Answer::Told) {
            Answer::Message => return Frame::Message(Payload::Joined(std::mem::take(&mut self.body))),
            Answer::Error(http) => self.error(http),
            Answer::Told => Status::ok(),
        };
        Frame::End(status, std::mem::take(&mut self.trailers))
    }
}

/// Takes the trailing metadata out of the headers.
fn take_trailers(headers: &mut HeaderList) -> HeaderList {
    let mut trailers = HeaderList::new();
    for (name, value) in &std::mem::take(headers) {
        match name.strip_prefix(TRAILER.as_bytes()) {
            Some(rest) => trailers.push(rest, value),
            None => headers.push(name, value),
        }
    }
    trailers
}
