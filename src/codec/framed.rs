//! A dialect for a caller that frames and compresses its messages for itself, as tonic does: envelopes pass as they are,
//! both ways, and nothing is joined, inflated or copied here. The dialect below still knows its headers, its trailers
//! and its flags.

use std::time::Duration;

use super::envelope::{EnvelopeError, PREFIX, Payload};
use super::gzip::COMPRESSED;
use super::text::{self, TextDecoder};
use super::{Frame, HeaderList, Protocol, envelope_status, essence, grpc_web, too_large, trailers};
use crate::status::Status;

/// What gzip is offered by: the caller says so itself.
const ENCODINGS: [&str; 4] =
    ["grpc-encoding", "grpc-accept-encoding", "connect-content-encoding", "connect-accept-encoding"];

const BINARY: &str = "application/grpc-web";
const TEXT: &str = "application/grpc-web-text";

/// How the dialect below writes what stands around the messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// The bit of an envelope's flags that says: no message, but the end; 0 where there is none.
    pub last: u8,
    /// Requests go out in base64.
    pub text: bool,
}

/// Such a dialect. Its messages ([`Frame::Message`]) are pieces of the framed body: cut anywhere, whole only together.
pub struct Framed {
    inner: Box<dyn Protocol>,
    shape: Shape,
    max: usize,
    place: Place,
    /// Present where the answer is text: its decoder, and what it has decoded and nobody has read.
    plain: Option<(TextDecoder, Vec<u8>)>,
}

/// Where in the body the next byte stands.
#[derive(Clone, Copy, Debug)]
enum Place {
    Prefix {
        bytes: [u8; PREFIX],
        got: usize,
    },
    Payload {
        promised: usize,
        got: usize,
    },
    /// In an envelope that is no message.
    Inner,
}

const START: Place = Place::Prefix { bytes: [0; PREFIX], got: 0 };

impl Framed {
    /// What `inner` speaks, with messages of at most `max` bytes, as they are on the wire.
    pub fn new(inner: Box<dyn Protocol>, shape: Shape, max: usize) -> Self {
        Self { inner, shape, max, place: START, plain: None }
    }

    fn next_binary(&mut self, chunk: &[u8], at: &mut usize) -> Result<Option<Frame>, Status> {
        let start = *at;
        self.pass(chunk, at)?;
        if *at > start {
            return Ok(Some(Frame::Message(Payload::InChunk(start..*at))));
        }
        if !matches!(self.place, Place::Inner) {
            return Ok(None);
        }
        let frame = self.inner.next(chunk, at)?;
        if matches!(frame, Some(Frame::Headers(_))) {
            self.place = START;
        }
        Ok(frame)
    }

    /// Moves on over all that passes as it is. What is refused behind it is refused when nothing stands before it.
    fn pass(&mut self, chunk: &[u8], at: &mut usize) -> Result<(), Status> {
        let start = *at;
        loop {
            let rest = &chunk[*at..];
            match &mut self.place {
                Place::Inner => return Ok(()),
                Place::Payload { promised, got } if got == promised => self.place = START,
                Place::Prefix { bytes: [_, length @ ..], got: PREFIX } => {
                    let promised = u32::from_be_bytes(*length) as usize;
                    if promised > self.max {
                        return if *at > start { Ok(()) } else { Err(too_large(promised, self.max)) };
                    }
                    self.place = Place::Payload { promised, got: 0 };
                }
                _ if rest.is_empty() => return Ok(()),
                Place::Payload { promised, got } => {
                    let take = rest.len().min(*promised - *got);
                    *got += take;
                    *at += take;
                }
                Place::Prefix { got: 0, .. } if rest[0] & self.shape.last != 0 => self.place = Place::Inner,
                Place::Prefix { bytes, got } => {
                    if *got == 0
                        && let Err(status) = seen(&mut *self.inner, rest[0])
                    {
                        return if *at > start { Ok(()) } else { Err(status) };
                    }
                    bytes[*got] = rest[0];
                    *got += 1;
                    *at += 1;
                }
            }
        }
    }

    fn next_text(
        &mut self,
        chunk: &[u8],
        at: &mut usize,
        mut decoder: TextDecoder,
        mut bytes: Vec<u8>,
    ) -> Result<Option<Frame>, Status> {
        let decoded = decoder.decode(&chunk[*at..], &mut bytes);
        *at = chunk.len();
        let mut read = 0;
        let frame = match self.next_binary(&bytes, &mut read)? {
            Some(Frame::Message(payload)) => {
                Some(Frame::Message(Payload::Joined(payload.into_bytes(&bytes))))
            }
            Some(Frame::Compressed { flags, payload, limit }) => {
                let payload = Payload::Joined(payload.into_bytes(&bytes));
                Some(Frame::Compressed { flags, payload, limit })
            }
            other => other,
        };
        if let (None, Err(error)) = (&frame, decoded) {
            return Err(grpc_web::not_base64(error));
        }
        bytes.drain(..read);
        self.plain = Some((decoder, bytes));
        Ok(frame)
    }

    /// The words for a body that ends inside an envelope.
    fn truncated(&self) -> Option<Status> {
        let (promised, got) = match self.place {
            Place::Prefix { got, .. } if got > 0 => (PREFIX, got),
            Place::Payload { promised, got } if got < promised => (promised, got),
            _ => return None,
        };
        Some(envelope_status(EnvelopeError::Truncated { promised, got }))
    }
}

/// Tells the dialect of a message that passes: in its stead it reads one of no bytes.
fn seen(inner: &mut dyn Protocol, flags: u8) -> Result<(), Status> {
    let flags = if flags == COMPRESSED { 0 } else { flags };
    inner.next(&[flags, 0, 0, 0, 0], &mut 0).map(drop)
}

impl Protocol for Framed {
    fn is_get(&self) -> bool {
        self.inner.is_get()
    }

    fn request_headers(&self, timeout: Option<Duration>) -> HeaderList {
        let mut headers = self.inner.request_headers(timeout);
        headers.retain(|(name, _)| !ENCODINGS.contains(&name.as_str()));
        headers
    }

    fn check_metadata(&self, metadata: &HeaderList) -> Result<(), Status> {
        self.inner.check_metadata(metadata)
    }

    fn check_close_send(&self) -> Result<(), Status> {
        self.inner.check_close_send()
    }

    fn compresses(&self) -> bool {
        false
    }

    /// Of a piece of the framed body.
    fn encode(&self, framed: &[u8], _: bool) -> Vec<u8> {
        if self.shape.text { text::encode(framed) } else { framed.to_vec() }
    }

    fn handle_headers(&mut self, http: u16, headers: &mut HeaderList) -> Result<(), Status> {
        let is_text = essence(headers).starts_with(TEXT.as_bytes());
        self.plain = is_text.then(Default::default);
        if !is_text {
            return self.inner.handle_headers(http, headers);
        }
        // What is decoded here is binary for the dialect below.
        let mut binary = headers.clone();
        for (_, value) in binary.iter_mut().filter(|(name, _)| name == "content-type") {
            *value = [BINARY.as_bytes(), &value.trim_ascii_start()[TEXT.len()..]].concat();
        }
        self.inner.handle_headers(http, &mut binary)
    }

    fn next(&mut self, chunk: &[u8], at: &mut usize) -> Result<Option<Frame>, Status> {
        match self.plain.take() {
            None => self.next_binary(chunk, at),
            Some((decoder, bytes)) => self.next_text(chunk, at, decoder, bytes),
        }
    }

    fn handle_inflated(&mut self, flags: u8, bytes: Vec<u8>) -> Result<Option<Frame>, Status> {
        self.inner.handle_inflated(flags, bytes)
    }

    fn handle_end(&mut self, trailers: Option<HeaderList>) -> Frame {
        if self.plain.as_ref().is_some_and(|(decoder, _)| !decoder.is_whole()) {
            return Frame::End(grpc_web::cut_base64(), HeaderList::new());
        }
        // A peer that says why it broke off is believed before our own guess.
        let says = trailers.as_ref().and_then(trailers::status).is_some_and(|status| !status.is_ok());
        match self.truncated() {
            Some(status) if !says => Frame::End(status, trailers.unwrap_or_default()),
            _ => self.inner.handle_end(trailers),
        }
    }

    fn handle_close(&self, code: u16, reason: &str) -> Status {
        self.inner.handle_close(code, reason)
    }
}
