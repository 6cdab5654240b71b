//! How much an upstream still takes on a connection. h2 does not tell, so it is read off the wire: what goes out as
//! DATA, and what comes back as WINDOW_UPDATE for the whole connection (RFC 9113, section 6.9). So are header blocks
//! that h2 would cut without a word, and empty DATA that it would break the connection for.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Before the first WINDOW_UPDATE, for a connection as for a stream.
const INITIAL: i64 = 65_535;
/// The part of a window that a new call needs. Peers give back what was read at the half at the latest, so the window
/// of a connection on which nothing stalls is larger.
const ENOUGH: i64 = 4;
/// A frame type that nobody has, which is ignored (RFC 9113, section 5.5).
const UNKNOWN: u8 = 0xfb;
/// "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", before a client's first frame.
const PREFACE: usize = 24;

/// The window that all requests on a connection share.
pub(crate) struct Window {
    /// What the peer lets us send.
    left: AtomicI64,
    /// The most that this has been.
    size: AtomicI64,
    /// What h2 was given and has not sent.
    queued: AtomicI64,
    /// What the streams will give to h2 as soon as they may.
    wanted: AtomicI64,
}

impl Window {
    /// Whether one more call will find a part of the window behind all that the others have to send. If not, it would
    /// be held up for as long as they are.
    pub(crate) fn has_room(&self) -> bool {
        self.room() >= self.size.load(Ordering::Relaxed) / ENOUGH
    }

    pub(crate) fn room(&self) -> i64 {
        let [left, queued, wanted] =
            [&self.left, &self.queued, &self.wanted].map(|bytes| bytes.load(Ordering::Relaxed));
        left - queued.max(0) - wanted
    }

    pub(crate) fn has_queued(&self) -> bool {
        self.queued.load(Ordering::Relaxed) > 0
    }

    pub(crate) fn queue(&self, bytes: usize) {
        self.queued.fetch_add(bytes as i64, Ordering::Relaxed);
    }

    /// With no stream left there is nothing on its way: what h2 threw away with a reset stream was never sent.
    pub(crate) fn rest(&self) {
        self.queued.store(0, Ordering::Relaxed);
    }

    fn sent(&self, bytes: i64) {
        self.left.fetch_sub(bytes, Ordering::Relaxed);
        self.queued.fetch_sub(bytes, Ordering::Relaxed);
    }

    fn granted(&self, bytes: i64) {
        let left = self.left.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.size.fetch_max(left, Ordering::Relaxed);
    }
}

impl Default for Window {
    fn default() -> Self {
        let [left, size] = [INITIAL; 2].map(AtomicI64::new);
        Self { left, size, queued: AtomicI64::default(), wanted: AtomicI64::default() }
    }
}

/// One stream's part in `Window::wanted`.
#[derive(Default)]
pub(crate) struct Wanted(i64);

impl Wanted {
    /// A stream takes no more at once than a window of its own, so one that waits for that alone, whatever else it
    /// holds, does not use up a connection that has room for many.
    pub(crate) fn set(&mut self, bytes: usize, of: &Window) {
        let bytes = i64::try_from(bytes).unwrap_or(INITIAL).min(INITIAL);
        of.wanted.fetch_add(bytes - self.0, Ordering::Relaxed);
        self.0 = bytes;
    }
}

/// A client's end of an HTTP/2 connection, with an eye on its window and on the size of header blocks.
pub(crate) struct Watched<T> {
    io: T,
    window: Arc<Window>,
    incoming: Frames,
    outgoing: Frames,
    /// Bytes of the header block that came last, as far as it is there.
    block: usize,
    max_block: usize,
}

impl<T> Watched<T> {
    /// A header block of more than `max_block` bytes breaks the connection.
    pub(crate) fn new(io: T, max_block: usize) -> (Self, Arc<Window>) {
        let window = Arc::<Window>::default();
        let (incoming, outgoing) = (Frames::default(), Frames { skip: PREFACE, ..Frames::default() });
        (Self { io, window: Arc::clone(&window), incoming, outgoing, block: 0, max_block }, window)
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Watched<T> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        ready!(Pin::new(&mut this.io).poll_read(cx, buf))?;
        let came = buf.filled_mut().get_mut(before..).unwrap_or_default();
        let (mut largest, mut empty) = (0, Vec::new());
        this.incoming.read(came, |frame, end| {
            this.window.granted(frame.window_update());
            this.block = frame.header_block(this.block);
            largest = largest.max(this.block);
            if frame.is_empty_data() {
                empty.push(end);
            }
        });
        for end in empty {
            ignore(came, end);
        }
        Poll::Ready(if largest > this.max_block { Err(too_large(largest)) } else { Ok(()) })
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Watched<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = ready!(Pin::new(&mut this.io).poll_write_vectored(cx, bufs))?;
        let mut left = written;
        for buf in bufs {
            let went = buf.get(..left).unwrap_or(buf);
            this.outgoing.read(went, |frame, _| this.window.sent(frame.data()));
            left -= went.len();
        }
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(cx)
    }
}

/// Makes a frame, whose head ends there, one that h2 ignores. h2 counts empty DATA for as long as a connection lives, and
/// breaks it at the hundred-and-first: a server on hyper sends one for each empty chunk of its bodies, and where it hands a
/// body on there is such a chunk in every call. Where the frame's type was read before, it is counted.
fn ignore(came: &mut [u8], end: usize) {
    let kind = end.checked_sub(HEAD - TYPE).and_then(|at| came.get_mut(at));
    if let Some(kind) = kind {
        *kind = UNKNOWN;
    }
}

fn too_large(bytes: usize) -> io::Error {
    let words =
        format!("it sent headers of {bytes} bytes, far more than the gateway takes (--max-header-bytes)");
    io::Error::new(io::ErrorKind::InvalidData, words)
}

/// Finds the frames in one direction, wherever the cuts fall.
#[derive(Default)]
struct Frames {
    head: Head,
    /// Bytes of `head` that are there.
    have: usize,
    /// Bytes before the next head.
    skip: usize,
}

const HEAD: usize = 9;
/// Where a frame's type stands in its head.
const TYPE: usize = 3;

/// A frame's nine bytes, and the four of a WINDOW_UPDATE's payload.
#[derive(Default)]
struct Head([u8; 13]);

impl Frames {
    /// Tells of each where its head ends in `all`, with a WINDOW_UPDATE's payload.
    fn read(&mut self, all: &[u8], mut found: impl FnMut(&Head, usize)) {
        let mut bytes = all;
        while !bytes.is_empty() {
            let skipped = self.skip.min(bytes.len());
            self.skip -= skipped;
            let more = &bytes[skipped..];
            let taken = more.len().min(self.head.size(self.have) - self.have);
            self.head.0[self.have..self.have + taken].copy_from_slice(&more[..taken]);
            self.have += taken;
            bytes = &more[taken..];
            if self.have > 0 && self.have == self.head.size(self.have) {
                found(&self.head, all.len() - bytes.len());
                self.skip = HEAD + self.head.length() - self.have;
                self.have = 0;
            }
        }
    }
}

impl Head {
    /// Bytes of it that are wanted, seen from the first few.
    fn size(&self, have: usize) -> usize {
        if have >= HEAD && self.is_window_update() { 13 } else { HEAD }
    }

    fn length(&self) -> usize {
        let [a, b, c, ..] = self.0;
        u32::from_be_bytes([0, a, b, c]) as usize
    }

    fn is_window_update(&self) -> bool {
        self.0[TYPE] == 8 && self.length() == 4
    }

    /// What a WINDOW_UPDATE gives the connection.
    fn window_update(&self) -> i64 {
        let [_, _, _, _, _, stream @ .., a, b, c, d] = self.0;
        let of_connection = self.is_window_update() && stream == [0; 4];
        if of_connection { i64::from(u32::from_be_bytes([a & 0x7f, b, c, d])) } else { 0 }
    }

    /// Bytes of the header block up to here: HEADERS, and what CONTINUATION adds.
    fn header_block(&self, before: usize) -> usize {
        match self.0[TYPE] {
            1 => self.length(),
            9 => before + self.length(),
            _ => 0,
        }
    }

    /// DATA of nothing that does not end its stream. Padding is something.
    fn is_empty_data(&self) -> bool {
        const END_STREAM: u8 = 1;
        self.0[TYPE] == 0 && self.length() == 0 && self.0[TYPE + 1] & END_STREAM == 0
    }

    /// What DATA takes of the window; padding counts too.
    fn data(&self) -> i64 {
        if self.0[TYPE] == 0 { self.length() as i64 } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_found_wherever_the_cuts_fall() {
        let mut wire = Vec::new();
        for (kind, stream, payload) in [
            (4, 0, &[][..]),
            (0, 1, &[8; 300]),
            (8, 0, &[0x80, 0, 1, 0]),
            (8, 1, &[0, 0, 0, 9]),
            (0, 3, &[]),
            (0, 3, &[0]),
            (6, 0, &[8; 8]),
            (8, 0, &[0, 0, 0, 5]),
        ] {
            wire.extend_from_slice(&[0, (payload.len() >> 8) as u8, payload.len() as u8, kind, 0]);
            wire.extend_from_slice(&[0, 0, 0, stream]);
            wire.extend_from_slice(payload);
        }
        for size in 1..=wire.len() {
            let (mut frames, mut granted, mut sent) = (Frames::default(), 0, 0);
            for piece in wire.chunks(size) {
                frames.read(piece, |frame, _| {
                    granted += frame.window_update();
                    sent += frame.data();
                });
            }
            assert_eq!((granted, sent), (256 + 5, 301), "in pieces of {size}");
        }
    }

    #[test]
    fn a_call_needs_room_behind_all_that_waits() {
        let window = Window::default();
        let (mut one, mut two) = (Wanted::default(), Wanted::default());
        assert!(window.has_room());
        one.set(40_000, &window);
        assert!(window.has_room());
        two.set(10_000, &window);
        assert!(!window.has_room(), "15,535 are less than a quarter");
        two.set(0, &window);
        window.queue(40_000);
        one.set(0, &window);
        window.sent(40_000);
        assert_eq!(window.room(), INITIAL - 40_000);
        window.granted(40_000);
        assert_eq!(window.room(), INITIAL);
        one.set(usize::MAX, &window);
        assert_eq!(window.room(), 0, "a stream takes a window of its own at most");
        window.granted((1 << 20) - INITIAL);
        one.set(0, &window);
        window.sent(700_000);
        assert!(window.has_room());
        window.sent(100_000);
        assert!(!window.has_room(), "a quarter of 1 MiB is more");
    }

    #[test]
    fn what_a_reset_threw_away_is_forgotten_with_the_last_stream() {
        let window = Window::default();
        window.queue(60_000);
        assert!(!window.has_room());
        window.rest();
        assert_eq!(window.room(), INITIAL);
    }
}
