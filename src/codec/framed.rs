//! A dialect for a caller that frames and compresses its messages for itself, as tonic does: envelopes pass as they are,
//! both ways, and nothing is joined, inflated or copied here. The dialect below still knows its headers, its trailers
//! and its flags.

use std::time::Duration;

use super::envelope::{self, EnvelopeError, PREFIX, Payload};
use super::gzip::{self, COMPRESSED, Compression, Names};
use super::text::{self, TextDecoder};
use super::{
    Frame, HeaderList, NO_MESSAGE, Protocol, SECOND_MESSAGE, envelope_status, essence, grpc_web, too_large,
    trailers,
};
use crate::status::{Code, Fault, Status};

const BINARY: &str = "application/grpc-web";
const TEXT: &str = "application/grpc-web-text";

/// How the dialect below writes what stands around the messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// gRPC, and gRPC-Web in its binary forms.
    Grpc {
        /// The bit of an envelope's flags that says: no message, but the end; 0 where there is none.
        last: u8,
    },
    /// gRPC-Web, base64.
    Text,
    /// A stream of Connect.
    Connect,
    /// One message without an envelope. `is_inflated`: the transport undoes `content-encoding`, and offers to.
    Bare {
        /// As `fetch` does.
        is_inflated: bool,
    },
}

impl Shape {
    /// The same: but a shape that this build never makes is none, so that the compiler leaves out what is for it.
    fn built(self) -> Self {
        let is_built = match self {
            // Native gRPC is carried by `tidewire.v1` alone.
            Self::Grpc { last } => last != 0 || cfg!(feature = "tidewire-v1"),
            Self::Text => text::IS_BUILT,
            Self::Connect => cfg!(feature = "connect"),
            Self::Bare { .. } => cfg!(any(feature = "connect", feature = "triple")),
        };
        if is_built { self } else { Self::Grpc { last: 0x80 } }
    }

    fn last(self) -> u8 {
        match self {
            Self::Grpc { last } => last,
            Self::Text => 0x80,
            Self::Connect => 0x02,
            Self::Bare { .. } => 0,
        }
    }

    fn names(self) -> &'static Names {
        match self {
            Self::Grpc { .. } | Self::Text => gzip::GRPC,
            Self::Connect => gzip::CONNECT,
            Self::Bare { .. } => gzip::HTTP,
        }
    }
}

/// What the caller does itself.
#[derive(Clone, Debug, Default)]
pub struct Own {
    /// What its messages are compressed by, as `grpc-encoding` has it.
    pub encoding: Option<Vec<u8>>,
    /// What it takes, as `grpc-accept-encoding` has it.
    pub accept: Option<Vec<u8>>,
    /// The method answers with exactly one message.
    pub single: bool,
    /// The largest message that is taken, in bytes as they are on the wire.
    pub max: usize,
}

impl Own {
    /// What the dialect below is to know of it: enough to read what it has compressed besides messages.
    pub fn compression(&self) -> Compression {
        Compression { accept: self.takes(b"gzip"), send: false }
    }

    fn takes(&self, encoding: &[u8]) -> bool {
        let accepted = self.accept.as_deref().unwrap_or_default();
        accepted.split(|byte| *byte == b',').any(|name| name.trim_ascii() == encoding)
    }
}

/// Such a dialect. Its messages ([`Frame::Message`]) are pieces of the framed body: cut anywhere, whole only together.
pub struct Framed<P: ?Sized + Protocol = dyn Protocol> {
    inner: Box<P>,
    shape: Shape,
    own: Own,
    /// Where in the body the next byte stands, while envelopes pass: their prefix, as far as it has come,
    prefix: [u8; PREFIX],
    got: usize,
    /// and how much of the message is still to come behind it.
    left: usize,
    /// In what is no message, or has no envelope.
    is_inner: bool,
    messages: usize,
    http: u16,
    /// The answer's messages may be compressed, and the caller takes what they are compressed by.
    is_readable: bool,
    /// Present where the answer is text: its decoder, and what it has decoded and nobody has read.
    plain: Option<(TextDecoder, Vec<u8>)>,
}

impl<P: ?Sized + Protocol> Framed<P> {
    /// What `inner` speaks.
    pub fn new(inner: Box<P>, shape: Shape, own: Own) -> Self {
        let is_inner = matches!(shape.built(), Shape::Bare { .. });
        Self {
            inner,
            shape,
            own,
            prefix: [0; PREFIX],
            got: 0,
            left: 0,
            is_inner,
            messages: 0,
            http: 0,
            is_readable: false,
            plain: None,
        }
    }

    fn shape(&self) -> Shape {
        self.shape.built()
    }

    fn next_binary(&mut self, chunk: &[u8], at: &mut usize) -> Result<Option<Frame>, Status> {
        let start = *at;
        self.pass(chunk, at)?;
        if *at > start {
            return Ok(Some(Frame::Message(Payload::InChunk(start..*at))));
        }
        if !self.is_inner {
            return Ok(None);
        }
        let mut frame = self.inner.next(chunk, at)?;
        match &mut frame {
            Some(Frame::Headers(headers)) => {
                self.is_inner = false;
                self.check_encoding(headers);
            }
            Some(frame) if self.is_message(frame) => {
                return Err(Status::new(Code::Unimplemented, Fault::Peer, SECOND_MESSAGE));
            }
            _ => {}
        }
        Ok(frame.map(|frame| self.last(frame)))
    }

    /// Moves on over all that passes as it is. What is refused behind it is refused when nothing stands before it.
    fn pass(&mut self, chunk: &[u8], at: &mut usize) -> Result<(), Status> {
        let start = *at;
        while let (false, Some(byte)) = (self.is_inner, chunk.get(*at)) {
            if self.left > 0 {
                let take = self.left.min(chunk.len() - *at);
                self.left -= take;
                *at += take;
            } else if let Err(status) = self.prefix(*byte, at) {
                // The prefix of what is too large does not pass: the caller would refuse it in words of its own.
                *at -= self.got.min(*at - start);
                self.got = 0;
                return if *at == start { Err(status) } else { Ok(()) };
            }
        }
        Ok(())
    }

    /// A byte of an envelope's prefix.
    fn prefix(&mut self, byte: u8, at: &mut usize) -> Result<(), Status> {
        if self.got == 0 && !self.begins(byte)? {
            self.is_inner = true;
            return Ok(());
        }
        self.prefix[self.got] = byte;
        self.got += 1;
        *at += 1;
        if self.got == PREFIX {
            let promised = self.promised();
            if promised > self.own.max {
                return Err(too_large(promised, self.own.max));
            }
            self.messages += 1;
            (self.left, self.got) = (promised, 0);
        }
        Ok(())
    }

    fn promised(&self) -> usize {
        let [_, length @ ..] = self.prefix;
        u32::from_be_bytes(length) as usize
    }

    /// Whether a message begins, which passes. The dialect below reads, in its stead, one of no bytes; of one that is
    /// compressed and that the caller cannot undo, one of a byte, which it refuses in its own words.
    fn begins(&mut self, flags: u8) -> Result<bool, Status> {
        // A message behind the one that is due does not pass either: it counts once it is whole.
        if flags & self.shape().last() != 0 || self.own.single && self.messages == 1 {
            return Ok(false);
        }
        let (seen, length) = match flags {
            COMPRESSED if self.is_readable => (0, 0),
            COMPRESSED => (COMPRESSED, 1),
            other => (other, 0),
        };
        // Of ordinary ones the first alone is news: that there are any.
        if seen != 0 || self.messages == 0 {
            self.inner.next(&[seen, 0, 0, 0, length], &mut 0)?;
        }
        Ok(true)
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

    /// Whether what the dialect below has read is a message in an envelope, where all but a surplus one pass.
    fn is_message(&self, frame: &Frame) -> bool {
        match (self.shape(), frame) {
            (Shape::Bare { .. }, _) => false,
            (_, Frame::Message(_)) => true,
            (shape, Frame::Compressed { flags, .. }) => flags & shape.last() == 0,
            _ => false,
        }
    }

    /// Names the messages' encoding as the caller knows it. What the transport has undone is not for the caller to undo;
    /// and one that it does not take is for us to refuse, at the first message that has it: tonic refuses the name alone.
    fn check_encoding(&mut self, headers: &mut HeaderList) {
        let encoding = self.shape().names().0;
        let named = headers.first(encoding).map(<[u8]>::trim_ascii);
        self.is_readable = named.is_some_and(|named| self.own.takes(named));
        match self.shape() {
            Shape::Bare { is_inflated: true } => {}
            Shape::Bare { .. } => rename(headers, encoding),
            _ if self.is_readable || named == Some(b"identity") => rename(headers, encoding),
            _ => remove(headers, &[encoding]),
        }
    }

    /// The words for a body that ends inside an envelope.
    fn truncated(&self) -> Option<Status> {
        let (promised, got) = match (self.got, self.left) {
            (0, 0) => return None,
            (0, left) => (self.promised(), self.promised() - left),
            (got, _) => (PREFIX, got),
        };
        Some(envelope_status(EnvelopeError::Truncated { promised, got }))
    }

    /// The frame at the end of a bare message is the message; with its envelope it is one like any other.
    fn wrapped(&mut self, frame: Frame) -> Frame {
        match frame {
            other if !matches!(self.shape(), Shape::Bare { .. }) => other,
            Frame::Message(payload) => self.enveloped(0, &payload),
            Frame::Compressed { flags, payload, .. } if self.http == 200 => {
                // The dialect has had its message: one of no bytes, which nobody is told of.
                let _ = self.inner.handle_inflated(flags, Vec::new());
                self.inner.handle_end(None);
                self.enveloped(COMPRESSED, &payload)
            }
            other => other,
        }
    }

    fn enveloped(&mut self, flags: u8, payload: &Payload) -> Frame {
        self.messages += 1;
        Frame::Message(Payload::Joined(envelope::encode(flags, payload.bytes(&[]))))
    }

    fn last(&self, frame: Frame) -> Frame {
        match frame {
            Frame::End(status, trailers) if status.is_ok() && self.own.single && self.messages == 0 => {
                Frame::End(Status::new(Code::Unimplemented, Fault::Peer, NO_MESSAGE), trailers)
            }
            other => other,
        }
    }
}

fn remove(headers: &mut HeaderList, names: &[&str]) {
    let is_other = |name: &[u8]| !names.iter().any(|other| other.as_bytes() == name);
    *headers = headers.iter().filter(|(name, _)| is_other(name)).collect();
}

fn rename(headers: &mut HeaderList, encoding: &str) {
    if encoding == gzip::GRPC.0 {
        return;
    }
    let own = gzip::GRPC.0.as_bytes();
    let renamed = |name| if name == encoding.as_bytes() { own } else { name };
    *headers = headers.iter().map(|(name, value)| (renamed(name), value)).collect();
}

impl<P: ?Sized + Protocol> Protocol for Framed<P> {
    fn is_get(&self) -> bool {
        self.inner.is_get()
    }

    fn request_headers(&self, timeout: Option<Duration>) -> HeaderList {
        let (encoding, accept) = *self.shape().names();
        let mut headers = self.inner.request_headers(timeout);
        remove(&mut headers, &[encoding, accept]);
        let mut push = |name: &str, value: &Option<Vec<u8>>| {
            if let Some(value) = value {
                headers.push(name, value);
            }
        };
        // The query of a GET says it itself.
        if !self.inner.is_get() {
            push(encoding, &self.own.encoding);
        }
        if self.shape() != (Shape::Bare { is_inflated: true }) {
            push(accept, &self.own.accept);
        }
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

    /// Of a piece of the framed body; of a bare message, all of it.
    fn encode(&self, framed: &[u8], _: bool) -> Vec<u8> {
        match self.shape() {
            Shape::Grpc { .. } | Shape::Connect => framed.to_vec(),
            Shape::Text => text::encode(framed),
            Shape::Bare { .. } => {
                let message = framed.get(PREFIX..).unwrap_or_default();
                self.inner.encode(message, framed.first() == Some(&COMPRESSED))
            }
        }
    }

    fn handle_headers(&mut self, http: u16, headers: &mut HeaderList) -> Result<(), Status> {
        self.http = http;
        let is_text = text::IS_BUILT && essence(headers).starts_with(TEXT.as_bytes());
        self.plain = is_text.then(Default::default);
        if is_text {
            // What is decoded here is binary for the dialect below.
            let subtype = |kind: &[u8]| kind.trim_ascii_start()[TEXT.len()..].to_vec();
            let mut binary = HeaderList::new();
            for (name, value) in &*headers {
                match name {
                    b"content-type" => binary.push(name, [BINARY.as_bytes(), &subtype(value)].concat()),
                    _ => binary.push(name, value),
                }
            }
            self.check_encoding(headers);
            return self.inner.handle_headers(http, &mut binary);
        }
        self.inner.handle_headers(http, headers)?;
        self.check_encoding(headers);
        Ok(())
    }

    fn next(&mut self, chunk: &[u8], at: &mut usize) -> Result<Option<Frame>, Status> {
        match self.plain.take().filter(|_| text::IS_BUILT) {
            None => self.next_binary(chunk, at),
            Some((decoder, bytes)) => self.next_text(chunk, at, decoder, bytes),
        }
    }

    fn handle_inflated(&mut self, flags: u8, bytes: Vec<u8>) -> Result<Option<Frame>, Status> {
        if !gzip::IS_BUILT {
            return Ok(None);
        }
        Ok(self.inner.handle_inflated(flags, bytes)?.map(|frame| self.last(frame)))
    }

    fn handle_end(&mut self, trailers: Option<HeaderList>) -> Frame {
        if text::IS_BUILT && self.plain.as_ref().is_some_and(|(decoder, _)| !decoder.is_whole()) {
            return Frame::End(Status::internal(grpc_web::CUT_BASE64), HeaderList::new());
        }
        // A peer that says why it broke off is believed before our own guess.
        let says = |trailers: &HeaderList| trailers::status(trailers).is_some_and(|status| !status.is_ok());
        let says = cfg!(feature = "tidewire-v1") && trailers.as_ref().is_some_and(says);
        match self.truncated() {
            Some(status) if !says => Frame::End(status, trailers.unwrap_or_default()),
            _ => {
                let frame = self.inner.handle_end(trailers);
                let frame = self.wrapped(frame);
                self.last(frame)
            }
        }
    }

    fn handle_close(&self, code: u16, reason: &str) -> Status {
        self.inner.handle_close(code, reason)
    }
}
