//! The grammar: bytes to frames and back. Payloads are borrowed; what a frame means is decided elsewhere.

use crate::codec::HeaderList;
use crate::words::lossy;

/// Frame types.
pub(super) mod kind {
    pub(crate) const HELLO: u8 = 0x0;
    pub(crate) const OPEN: u8 = 0x1;
    pub(crate) const HEADERS: u8 = 0x2;
    pub(crate) const DATA: u8 = 0x3;
    pub(crate) const TRAILERS: u8 = 0x4;
    pub(crate) const RESET: u8 = 0x5;
    pub(crate) const WINDOW: u8 = 0x6;
    pub(crate) const PING: u8 = 0x7;
    pub(crate) const GOAWAY: u8 = 0x8;
}

/// The sender's half of the stream ends with this frame.
pub(super) const FIN: u8 = 0x01;
/// This PING answers one.
pub(super) const ACK: u8 = 0x01;
/// Type, flags, stream, length.
pub(super) const HEADER_LEN: usize = 9;
/// What the length field can say.
pub(super) const MAX_PAYLOAD: u32 = 0x00ff_ffff;

/// Each header counts this much beside its bytes, as in HTTP/2 (RFC 9113 §6.5.2): a block of many empty headers
/// costs its receiver far more than its bytes.
const HEADER_COST: usize = 32;
/// A reason is for people: longer ones are cut when sent, and when received.
const MAX_REASON_SENT: usize = 256;
const MAX_REASON_TAKEN: usize = 1024;

/// One frame of a WebSocket message.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame<'a> {
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
    pub(super) payload: &'a [u8],
    /// Where the payload begins in the message.
    pub(super) offset: usize,
}

impl Frame<'_> {
    pub(super) fn fin(&self) -> bool {
        self.flags & FIN != 0
    }
}

/// The message ends inside a frame.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CutOff {
    pub(super) promised: usize,
    pub(super) came: usize,
}

/// The frames of one message, in order; ends after an error.
pub(super) struct Frames<'a> {
    message: &'a [u8],
    at: usize,
}

impl<'a> Frames<'a> {
    pub(super) fn of(message: &'a [u8]) -> Self {
        Self { message, at: 0 }
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = Result<Frame<'a>, CutOff>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.message.get(self.at..).filter(|rest| !rest.is_empty())?;
        let offset = self.at + HEADER_LEN;
        self.at = self.message.len();
        let Some((&[kind, flags, s0, s1, s2, s3, l0, l1, l2], body)) = rest.split_first_chunk() else {
            return Some(Err(CutOff { promised: HEADER_LEN, came: rest.len() }));
        };
        let length = u32::from_be_bytes([0, l0, l1, l2]) as usize;
        let Some(payload) = body.get(..length) else {
            return Some(Err(CutOff { promised: HEADER_LEN + length, came: rest.len() }));
        };
        self.at = offset + length;
        let stream = u32::from_be_bytes([s0, s1, s2, s3]);
        Some(Ok(Frame { kind, flags, stream, payload, offset }))
    }
}

/// Why a payload cannot be taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Malformed {
    /// It breaks the grammar: the peer does not speak this wire.
    Grammar,
    /// It holds what HTTP forbids there: one call is wrong.
    Forbidden(&'static str),
    /// It is larger than the limit (payload bytes, and 32 for each header).
    TooLarge(usize),
}

/// The `id, value` pairs of a HELLO.
pub(super) fn read_hello(payload: &[u8]) -> Result<impl Iterator<Item = (u16, u32)>, Malformed> {
    let (pairs, rest) = payload.as_chunks::<6>();
    if !rest.is_empty() {
        return Err(Malformed::Grammar);
    }
    Ok(pairs.iter().map(|&[i0, i1, v0, v1, v2, v3]| {
        (u16::from_be_bytes([i0, i1]), u32::from_be_bytes([v0, v1, v2, v3]))
    }))
}

/// Method, path and headers of an OPEN.
pub(super) fn read_open(payload: &[u8], limit: u32) -> Result<(String, String, HeaderList), Malformed> {
    check_size(payload, limit)?;
    let mut reader = Reader(payload);
    let method = reader.string8()?;
    let path = reader.string16()?;
    check_method(method)?;
    check_path(path)?;
    let headers = reader.headers(payload.len(), limit)?;
    Ok((ascii(method), ascii(path), headers))
}

/// Status and headers of a HEADERS.
pub(super) fn read_headers(payload: &[u8], limit: u32) -> Result<(u16, HeaderList), Malformed> {
    check_size(payload, limit)?;
    let mut reader = Reader(payload);
    let status = u16::from_be_bytes(reader.array()?);
    if !(200..=999).contains(&status) {
        return Err(Malformed::Forbidden("a status outside 200 to 999"));
    }
    Ok((status, reader.headers(payload.len(), limit)?))
}

/// The headers of a TRAILERS.
pub(super) fn read_trailers(payload: &[u8], limit: u32) -> Result<HeaderList, Malformed> {
    check_size(payload, limit)?;
    Reader(payload).headers(payload.len(), limit)
}

/// Code and reason of a RESET.
pub(super) fn read_reset(payload: &[u8]) -> Result<(u32, String), Malformed> {
    let mut reader = Reader(payload);
    Ok((u32::from_be_bytes(reader.array()?), reader.reason()))
}

/// The increment of a WINDOW.
pub(super) fn read_window(payload: &[u8]) -> Result<u32, Malformed> {
    match u32::from_be_bytes(payload.try_into().map_err(|_| Malformed::Grammar)?) {
        0 => Err(Malformed::Grammar),
        increment => Ok(increment),
    }
}

/// Last stream, code and reason of a GOAWAY.
pub(super) fn read_goaway(payload: &[u8]) -> Result<(u32, u32, String), Malformed> {
    let mut reader = Reader(payload);
    let last = u32::from_be_bytes(reader.array()?);
    Ok((last, u32::from_be_bytes(reader.array()?), reader.reason()))
}

/// The length of the whole frame that `bytes`, written by this module, begin with.
pub(super) fn whole_len(bytes: &[u8]) -> usize {
    match Frames::of(bytes).next() {
        Some(Ok(frame)) => HEADER_LEN + frame.payload.len(),
        _ => bytes.len(),
    }
}

pub(super) fn write_hello(out: &mut Vec<u8>, values: impl IntoIterator<Item = (u16, u32)>) {
    let start = begin(out, kind::HELLO, 0, 0);
    for (id, value) in values {
        out.extend_from_slice(&id.to_be_bytes());
        out.extend_from_slice(&value.to_be_bytes());
    }
    finish(out, start);
}

/// A whole OPEN, without FIN: see [`set_fin`].
pub(super) fn open(
    id: u32,
    method: &str,
    path: &str,
    headers: &HeaderList,
    limit: u32,
) -> Result<Vec<u8>, Malformed> {
    check_method(method.as_bytes())?;
    check_path(path.as_bytes())?;
    let mut out = Vec::new();
    begin(&mut out, kind::OPEN, 0, id);
    put_string8(&mut out, method.as_bytes())?;
    put_string16(&mut out, path.as_bytes())?;
    finish_block(out, headers, limit)
}

/// A whole HEADERS, without FIN: see [`set_fin`].
pub(super) fn headers(id: u32, status: u16, headers: &HeaderList, limit: u32) -> Result<Vec<u8>, Malformed> {
    if !(200..=999).contains(&status) {
        return Err(Malformed::Forbidden("a status outside 200 to 999"));
    }
    let mut out = Vec::new();
    begin(&mut out, kind::HEADERS, 0, id);
    out.extend_from_slice(&status.to_be_bytes());
    finish_block(out, headers, limit)
}

/// A whole TRAILERS.
pub(super) fn trailers(id: u32, headers: &HeaderList, limit: u32) -> Result<Vec<u8>, Malformed> {
    let mut out = Vec::new();
    begin(&mut out, kind::TRAILERS, 0, id);
    finish_block(out, headers, limit)
}

/// Marks a whole frame as its half's last.
pub(super) fn set_fin(frame: &mut [u8]) {
    if let Some(flags) = frame.get_mut(1) {
        *flags |= FIN;
    }
}

/// Begins a frame; returns what [`finish`] needs once the payload is written.
pub(super) fn begin(out: &mut Vec<u8>, kind: u8, flags: u8, stream: u32) -> usize {
    let start = out.len();
    let [s0, s1, s2, s3] = stream.to_be_bytes();
    out.extend_from_slice(&[kind, flags, s0, s1, s2, s3, 0, 0, 0]);
    start
}

/// Writes the length of the frame that began at `start`.
pub(super) fn finish(out: &mut [u8], start: usize) {
    let length = out.len() - start - HEADER_LEN;
    debug_assert!(length <= MAX_PAYLOAD as usize, "callers keep to the limits");
    let [.., l0, l1, l2] = (length as u32).to_be_bytes();
    out[start + 6..start + HEADER_LEN].copy_from_slice(&[l0, l1, l2]);
}

pub(super) fn write_reset(out: &mut Vec<u8>, id: u32, code: u32, reason: &str) {
    let start = begin(out, kind::RESET, 0, id);
    out.extend_from_slice(&code.to_be_bytes());
    out.extend_from_slice(shortened(reason).as_bytes());
    finish(out, start);
}

pub(super) fn write_window(out: &mut Vec<u8>, id: u32, increment: u32) {
    let start = begin(out, kind::WINDOW, 0, id);
    out.extend_from_slice(&increment.to_be_bytes());
    finish(out, start);
}

pub(super) fn write_ping(out: &mut Vec<u8>, flags: u8, payload: [u8; 8]) {
    let start = begin(out, kind::PING, flags, 0);
    out.extend_from_slice(&payload);
    finish(out, start);
}

pub(super) fn write_goaway(out: &mut Vec<u8>, last: u32, code: u32, reason: &str) {
    let start = begin(out, kind::GOAWAY, 0, 0);
    out.extend_from_slice(&last.to_be_bytes());
    out.extend_from_slice(&code.to_be_bytes());
    out.extend_from_slice(shortened(reason).as_bytes());
    finish(out, start);
}

/// Takes fields off the front of a payload.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (head, rest) = self.0.split_first_chunk().ok_or(Malformed::Grammar)?;
        self.0 = rest;
        Ok(*head)
    }

    fn string8(&mut self) -> Result<&'a [u8], Malformed> {
        let [length] = self.array()?;
        self.bytes(usize::from(length))
    }

    fn string16(&mut self) -> Result<&'a [u8], Malformed> {
        let length = u16::from_be_bytes(self.array()?);
        self.bytes(usize::from(length))
    }

    fn bytes(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (head, rest) = self.0.split_at_checked(length).ok_or(Malformed::Grammar)?;
        self.0 = rest;
        Ok(head)
    }

    /// A header block, to the end; `size` is that of the whole payload.
    fn headers(&mut self, size: usize, limit: u32) -> Result<HeaderList, Malformed> {
        let mut headers = HeaderList::new();
        for count in 1.. {
            if self.0.is_empty() {
                break;
            }
            check_cost(size, count, limit)?;
            let name = self.string8()?;
            let value = self.string16()?;
            check_header(name, value)?;
            headers.push(name, value);
        }
        Ok(headers)
    }

    fn reason(self) -> String {
        lossy(&self.0[..self.0.len().min(MAX_REASON_TAKEN)]).into_owned()
    }
}

/// Appends the header block to a frame begun at 0 and closes it.
fn finish_block(mut out: Vec<u8>, headers: &HeaderList, limit: u32) -> Result<Vec<u8>, Malformed> {
    for (name, value) in headers {
        check_header(name, value)?;
        put_string8(&mut out, name)?;
        put_string16(&mut out, value)?;
    }
    check_cost(out.len() - HEADER_LEN, headers.iter().count(), limit)?;
    finish(&mut out, 0);
    Ok(out)
}

fn put_string8(out: &mut Vec<u8>, bytes: &[u8]) -> Result<(), Malformed> {
    let length = u8::try_from(bytes.len()).map_err(|_| Malformed::TooLarge(bytes.len()))?;
    out.push(length);
    out.extend_from_slice(bytes);
    Ok(())
}

fn put_string16(out: &mut Vec<u8>, bytes: &[u8]) -> Result<(), Malformed> {
    let length = u16::try_from(bytes.len()).map_err(|_| Malformed::TooLarge(bytes.len()))?;
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
    Ok(())
}

fn check_size(payload: &[u8], limit: u32) -> Result<(), Malformed> {
    check_cost(payload.len(), 0, limit)
}

fn check_cost(size: usize, headers: usize, limit: u32) -> Result<(), Malformed> {
    let cost = size + headers * HEADER_COST;
    if cost > limit as usize { Err(Malformed::TooLarge(cost)) } else { Ok(()) }
}

fn check_method(method: &[u8]) -> Result<(), Malformed> {
    if method.is_empty() || !method.iter().all(|&byte| is_token(byte)) {
        return Err(Malformed::Forbidden("a method that is no HTTP token"));
    }
    Ok(())
}

fn check_path(path: &[u8]) -> Result<(), Malformed> {
    if path.first() != Some(&b'/') || !path.iter().all(u8::is_ascii_graphic) {
        return Err(Malformed::Forbidden("a path that does not begin with '/' or is not printable ASCII"));
    }
    Ok(())
}

/// As HTTP/2 does: a name is a lower-case token (so no pseudo-header either), a value has no control characters
/// but TAB.
fn check_header(name: &[u8], value: &[u8]) -> Result<(), Malformed> {
    if name.is_empty() || !name.iter().all(|&byte| is_token(byte) && !byte.is_ascii_uppercase()) {
        return Err(Malformed::Forbidden("a header name that is no lower-case HTTP token"));
    }
    if !value.iter().all(|&byte| byte == b'\t' || (byte >= b' ' && byte != 0x7f)) {
        return Err(Malformed::Forbidden("a control character in a header value"));
    }
    Ok(())
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Loses nothing: the checks above leave ASCII only.
fn ascii(bytes: &[u8]) -> String {
    lossy(bytes).into_owned()
}

fn shortened(reason: &str) -> &str {
    &reason[..reason.floor_char_boundary(MAX_REASON_SENT)]
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: u32 = 16_384;

    fn list(pairs: &[(&str, &[u8])]) -> HeaderList {
        pairs.iter().copied().collect()
    }

    fn only(message: &[u8]) -> Frame<'_> {
        let mut frames = Frames::of(message);
        let frame = frames.next().expect("a frame").expect("whole");
        assert!(frames.next().is_none());
        frame
    }

    /// The example of `docs/tidewire-v1.md`, byte by byte.
    #[test]
    fn the_documented_example() {
        let mut message = Vec::new();
        write_hello(&mut message, [(1, 262_144)]);
        message.extend(open(1, "POST", "/a.B/C", &list(&[("te", b"trailers")]), LIMIT).expect("fits"));
        let start = begin(&mut message, kind::DATA, FIN, 1);
        message.extend_from_slice(&[0, 0, 0, 0, 0]);
        finish(&mut message, start);
        let documented = [
            &[0x00, 0x00, 0, 0, 0, 0, 0, 0, 6, 0, 1, 0, 4, 0, 0][..],
            &[0x01, 0x00, 0, 0, 0, 1, 0, 0, 26],
            b"\x04POST\x00\x06/a.B/C\x02te\x00\x08trailers",
            &[0x03, 0x01, 0, 0, 0, 1, 0, 0, 5, 0, 0, 0, 0, 0],
        ];
        assert_eq!(message, documented.concat());
    }

    #[test]
    fn what_is_written_is_read() {
        let headers_in = list(&[("a", b""), ("a", b"\xff\tz"), ("x-bin", b"AAE")]);
        let frame = open(7, "GET", "/x?y=%20", &headers_in, LIMIT).expect("fits");
        let expected = Ok(("GET".to_owned(), "/x?y=%20".to_owned(), headers_in.clone()));
        assert_eq!(read_open(only(&frame).payload, LIMIT), expected);

        let mut frame = headers(7, 404, &headers_in, LIMIT).expect("fits");
        assert!(!only(&frame).fin());
        set_fin(&mut frame);
        assert!(only(&frame).fin());
        assert_eq!(read_headers(only(&frame).payload, LIMIT), Ok((404, headers_in.clone())));

        let frame = trailers(7, &headers_in, LIMIT).expect("fits");
        assert_eq!(read_trailers(only(&frame).payload, LIMIT), Ok(headers_in));

        let mut frame = Vec::new();
        write_goaway(&mut frame, 7, 11, "über");
        assert_eq!(read_goaway(only(&frame).payload), Ok((7, 11, "über".to_owned())));
    }

    #[test]
    fn a_block_at_the_limit_passes_and_one_above_it_does_not_on_either_side() {
        let headers = list(&[("a", &[b'x'; 100]), ("b", b"")]);
        let frame = trailers(1, &headers, LIMIT).expect("fits");
        let cost = u32::try_from(frame.len() - HEADER_LEN + 2 * 32).expect("small");
        assert!(trailers(1, &headers, cost).is_ok());
        assert!(read_trailers(&frame[HEADER_LEN..], cost).is_ok());
        let above = Malformed::TooLarge(cost as usize);
        assert_eq!(trailers(1, &headers, cost - 1).as_ref(), Err(&above));
        assert_eq!(read_trailers(&frame[HEADER_LEN..], cost - 1), Err(above));
    }

    #[test]
    fn strings_that_their_length_field_cannot_say_are_refused() {
        let name = "n".repeat(256);
        assert_eq!(trailers(1, &list(&[(&name, b"")]), MAX_PAYLOAD), Err(Malformed::TooLarge(256)));
        assert!(trailers(1, &list(&[(&name[1..], b"")]), MAX_PAYLOAD).is_ok());
        let value = vec![b'v'; 65_536];
        assert_eq!(trailers(1, &list(&[("n", &value)]), MAX_PAYLOAD), Err(Malformed::TooLarge(65_536)));
        assert!(trailers(1, &list(&[("n", &value[1..])]), MAX_PAYLOAD).is_ok());
    }

    #[test]
    fn every_cut_of_a_message_is_an_error_or_a_frame_boundary() {
        let mut message = Vec::new();
        write_ping(&mut message, 0, [1; 8]);
        let boundary = message.len();
        write_window(&mut message, 3, 5);
        for cut in 1..message.len() {
            let last = Frames::of(&message[..cut]).last().expect("something");
            assert_eq!(last.is_ok(), cut == boundary, "cut at {cut}");
        }
        assert_eq!(whole_len(&message), boundary);
    }

    #[test]
    fn every_cut_of_a_header_block_is_grammar_or_a_header_boundary() {
        let frame = trailers(1, &list(&[("a", b"12"), ("b", b"3")]), LIMIT).expect("fits");
        let payload = &frame[HEADER_LEN..];
        let good: Vec<usize> =
            (0..=payload.len()).filter(|&cut| read_trailers(&payload[..cut], LIMIT).is_ok()).collect();
        assert_eq!(good, [0, 6, 11]);
    }
}
