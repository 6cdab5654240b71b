//! Native gRPC (`PROTOCOL-HTTP2.md`): enveloped messages, status in real HTTP trailers. Only `tidewire.v1` carries it
//! to a browser.

use std::time::Duration;

use super::envelope::{self, Decoder, Envelope, EnvelopeError, Payload};
use super::gzip::{self, COMPRESSED, Encoding};
use super::{
    Frame, HeaderList, Messages, Protocol, check_type, envelope_status, grpc_timeout, request_headers,
    trailers,
};
use crate::status::Status;
use crate::words::words;

const FAMILY: &str = "application/grpc+";

/// The native dialect of one call.
#[derive(Debug)]
pub struct Grpc {
    decoder: Decoder,
    messages: Messages,
    encoding: Encoding,
    /// Set where the headers already carried a status: trailers-only.
    from_headers: Option<(Status, HeaderList)>,
}

impl Grpc {
    /// A call of such messages.
    pub fn new(messages: Messages) -> Self {
        let encoding = Encoding::new(messages.gzip, gzip::GRPC);
        Self { decoder: Decoder::default(), messages, encoding, from_headers: None }
    }
}

impl Protocol for Grpc {
    fn request_headers(&self, timeout: Option<Duration>) -> HeaderList {
        let kind = words![FAMILY, self.messages.subtype];
        // Protobuf goes without saying.
        let kind = kind.strip_suffix("+proto").unwrap_or(&kind);
        let fixed = [("content-type", kind), ("te", "trailers")];
        request_headers(&fixed, timeout.map(grpc_timeout), self.encoding.offer())
    }

    fn compresses(&self) -> bool {
        self.encoding.asked.send
    }

    fn encode(&self, message: &[u8], gzip: bool) -> Vec<u8> {
        envelope::encode(u8::from(gzip), message)
    }

    fn handle_headers(&mut self, http: u16, headers: &mut HeaderList) -> Result<(), Status> {
        self.from_headers = check_headers(http, headers, &[FAMILY], &self.messages.subtype)?;
        self.encoding.handle_headers(headers);
        Ok(())
    }

    fn next(&mut self, chunk: &[u8], at: &mut usize) -> Result<Option<Frame>, Status> {
        let max_message = self.messages.max;
        let encoding = &self.encoding;
        let limit = |flags: u8| if encoding.has(flags, 0) { max_message } else { 0 };
        let envelope = self.decoder.next(chunk, at, &limit).map_err(|error| refused(error, 0, encoding))?;
        let Some(Envelope { flags, payload }) = envelope else { return Ok(None) };
        check_flags(flags, 0, encoding)?;
        // With messages it is no trailers-only answer: what the headers foretold does not count.
        self.from_headers = None;
        Ok(Some(message(flags, payload, max_message)))
    }

    fn handle_inflated(&mut self, _: u8, bytes: Vec<u8>) -> Result<Option<Frame>, Status> {
        Ok(Some(Frame::Message(Payload::Joined(bytes))))
    }

    fn handle_end(&mut self, trailers: Option<HeaderList>) -> Frame {
        end(&self.decoder, trailers, self.from_headers.take(), "trailers")
    }
}

/// Refuses an answer of none of the families, of which the first was asked for; otherwise gives the status that the
/// headers already carry, if they do.
pub(super) fn check_headers(
    http: u16,
    headers: &HeaderList,
    families: &[&str],
    subtype: &str,
) -> Result<Option<(Status, HeaderList)>, Status> {
    let status = trailers::status(headers);
    match status {
        // Whatever HTTP says, a gRPC server has spoken.
        Some(status) if http != 200 && !status.is_ok() => Err(status),
        Some(status) => Ok(Some((status, headers.clone()))),
        None if http != 200 => Err(trailers::http_status(http, headers, "grpc-status")),
        None => check_type(headers, families, subtype).map(|()| None),
    }
}

/// A message as its envelope brought it. One of no bytes is none of gzip's, whatever the flag says.
pub(super) fn message(flags: u8, payload: Payload, limit: usize) -> Frame {
    if !gzip::IS_BUILT || flags & COMPRESSED == 0 || payload.is_empty() {
        return Frame::Message(payload);
    }
    Frame::Compressed { flags, payload, limit }
}

/// Refuses flags that mean nothing here, and compression that cannot be undone. `known`: the bits that the dialect has
/// besides.
pub(super) fn check_flags(flags: u8, known: u8, encoding: &Encoding) -> Result<(), Status> {
    if encoding.has(flags, known) {
        return Ok(());
    }
    Err(if flags & !known == COMPRESSED {
        encoding.refusal()
    } else {
        let words = words!["the server sent an envelope with flags ", flags, ", which mean nothing here"];
        Status::internal(words)
    })
}

/// The words for an envelope that is not taken: flags that mean nothing come before a length that means nothing.
/// `known`: the bit of the envelope that has the trailers, if the dialect has one.
pub(super) fn refused(error: EnvelopeError, known: u8, encoding: &Encoding) -> Status {
    let EnvelopeError::TooLarge { flags, declared, limit } = error else { return envelope_status(error) };
    match check_flags(flags, known, encoding) {
        Err(status) => status,
        Ok(()) if flags & known == 0 => envelope_status(error),
        Ok(()) => Status::internal(words![
            "the server announced a trailer block of ",
            declared,
            " bytes; at most ",
            limit,
            " are taken",
        ]),
    }
}

/// Refuses what follows the last envelope in its chunk.
pub(super) fn check_surplus(chunk: &[u8], at: usize) -> Result<(), Status> {
    if at < chunk.len() {
        let words = "the server sent more after the trailers, which are the end of the response";
        return Err(Status::internal(words));
    }
    Ok(())
}

/// The end of a body: the status that came, or what its lack means. The trailers count; where they have no status, the
/// headers may.
pub(super) fn end(
    decoder: &Decoder,
    trailers: Option<HeaderList>,
    from_headers: Option<(Status, HeaderList)>,
    place: &str,
) -> Frame {
    let mut list = trailers.unwrap_or_default();
    let mut status = trailers::status(&list);
    if let (None, Some((from_headers, mut headers))) = (&status, from_headers) {
        status = Some(from_headers);
        headers.append(&mut list);
        list = headers;
    }
    let status = match (decoder.finish(), status) {
        (Ok(()), Some(status)) => status,
        (Ok(()), None) => no_status(place),
        // A peer that says why it broke off is believed before our own guess.
        (Err(_), Some(status)) if !status.is_ok() => status,
        (Err(truncated), _) => envelope_status(truncated),
    };
    Frame::End(status, list)
}

fn no_status(place: &str) -> Status {
    let words = words![
        "the response ended without grpc-status: no ",
        place,
        " came; something between may have cut the stream, or CORS hides the header (the server must list \
         grpc-status, grpc-message in Access-Control-Expose-Headers)",
    ];
    Status::internal(words)
}
