//! One call, between the driver, which tells, and the tasks that ask: what is told waits here, and wakes who asked.

use std::cell::{RefCell, RefMut};
use std::collections::VecDeque;
use std::ops::Range;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http_body::Frame;
use wasm_bindgen::JsValue;

use super::convert::{header_map, ok_trailers, set_encoding, tonic_status};
use crate::codec::HeaderList;
use crate::codec::envelope::Payload;
use crate::codec::framed::Framed;
use crate::driver::{Driver, Face};
use crate::status::Status;
use crate::transport::Chunk;
use crate::transport::select::Below;
use crate::transport::timer::Timer;

/// Less than this part of a chunk is not worth the chunk.
const SMALL: usize = 4;

/// What was told and not yet asked for.
#[derive(Default)]
struct Told {
    /// Until they are handed over: with the answer, or behind it with the trailers.
    headers: Option<HeaderList>,
    /// The one encoding that the caller takes.
    encoding: Option<HeaderValue>,
    pieces: VecDeque<Bytes>,
    end: Option<(Status, HeaderList)>,
    /// The end is told, or was handed over.
    ended: bool,
    /// Why the requests failed here, which is the end that counts.
    failure: Option<tonic::Status>,
    /// There is no room to send.
    full: bool,
    /// The wait for the headers is over.
    waited: bool,
    wait: Option<Timer>,
    /// Who asks for the answer.
    receiver: Option<Waker>,
    /// Who waits for room.
    sender: Option<Waker>,
}

impl Told {
    /// An end before any answer: without headers, or with headers that are all there is.
    fn is_refused(&self) -> bool {
        let trailers_only = |trailers| self.headers.as_ref().is_none_or(|headers| headers == trailers);
        self.pieces.is_empty()
            && self.end.as_ref().is_some_and(|(status, trailers)| !status.is_ok() && trailers_only(trailers))
    }

    /// Headers that carry a status may be all there is: what follows says whether the call was refused.
    fn is_answered(&self) -> bool {
        let foretold = |headers: &HeaderList| headers.first("grpc-status").is_some();
        !self.pieces.is_empty()
            || self.end.is_some()
            || self.waited
            || self.headers.as_ref().is_some_and(|headers| !foretold(headers))
    }

    fn take_error(&mut self) -> Option<tonic::Status> {
        let (status, mut trailers) = self.end.take_if(|(status, _)| !status.is_ok())?;
        let mut all = self.headers.take().filter(|late| *late != trailers).unwrap_or_default();
        all.append(&mut trailers);
        Some(self.failure.take().unwrap_or_else(|| tonic_status(status, &all)))
    }
}

/// Tells [`Told`], and wakes who waits for it.
pub(super) struct RustFace(RefCell<Told>);

impl RustFace {
    /// `encoding`: the answer's messages can be compressed by nothing else.
    pub(super) fn new(encoding: Option<HeaderValue>) -> Self {
        Self(RefCell::new(Told { encoding, ..Told::default() }))
    }

    fn tell(&self, tell: impl FnOnce(&mut Told)) {
        tell(&mut self.0.borrow_mut());
        self.wake(|told| &mut told.receiver);
    }

    /// Nothing is borrowed meanwhile: an executor may poll at once.
    fn wake(&self, who: impl FnOnce(&mut Told) -> &mut Option<Waker>) {
        let waker = who(&mut self.0.borrow_mut()).take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Face for RustFace {
    type Protocol = Framed<Below>;

    fn headers(&self, headers: HeaderList) {
        self.tell(|told| {
            told.headers = Some(headers);
            told.wait = None;
        });
    }

    fn messages(&self, chunk: Option<Chunk<'_>>, pieces: Vec<Payload>) {
        self.tell(|told| {
            for piece in pieces {
                let piece = match (piece, chunk) {
                    (Payload::Joined(bytes), _) => bytes.into(),
                    (Payload::InChunk(range), Some(chunk)) => slice(chunk, range, !told.pieces.is_empty()),
                    // Only a chunk gives such a payload.
                    (Payload::InChunk(_), None) => continue,
                };
                told.pieces.push_back(piece);
            }
        });
    }

    fn room(&self) {
        self.0.borrow_mut().full = false;
        self.wake(|told| &mut told.sender);
    }

    fn end(&self, status: Status, trailers: HeaderList, _: JsValue) {
        self.tell(|told| {
            told.end = Some((status, trailers));
            told.ended = true;
            told.wait = None;
        });
        self.wake(|told| &mut told.sender);
    }
}

/// A slice keeps all of its chunk, which other calls share. One that has to wait behind others is copied where it is a
/// small part: or a reader that is behind would hold many times what its window allows.
fn slice(chunk: Chunk<'_>, range: Range<usize>, waits: bool) -> Bytes {
    let bytes = &chunk.bytes[range.clone()];
    if waits && bytes.len() < chunk.whole.len() / SMALL {
        return Bytes::copy_from_slice(bytes);
    }
    let start = chunk.offset + range.start;
    chunk.whole.slice(start..start + range.len())
}

/// A call that was opened, for its two halves.
#[derive(Clone)]
pub(super) struct Call(pub(super) Rc<Driver<RustFace>>);

impl Call {
    fn told(&self) -> RefMut<'_, Told> {
        self.0.face().0.borrow_mut()
    }

    /// The answer's headers, or why there is no answer.
    pub(super) fn poll_headers(&self, cx: &mut Context<'_>) -> Poll<Result<HeaderMap, tonic::Status>> {
        let told = &mut *self.told();
        if told.is_refused()
            && let Some(error) = told.take_error()
        {
            return Poll::Ready(Err(error));
        }
        if !told.is_answered() {
            told.receiver = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let is_early = told.headers.is_none();
        let mut headers = header_map(&told.headers.take().unwrap_or_default());
        // tonic reads here, and never again, what the messages are compressed by.
        if let (true, Some(encoding)) = (is_early, told.encoding.take()) {
            set_encoding(&mut headers, encoding);
        }
        Poll::Ready(Ok(headers))
    }

    /// What the answer goes on with: pieces of the framed messages, then the trailers or why there are none.
    pub(super) fn poll_frame(
        &self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, tonic::Status>>> {
        // Nothing is borrowed while the driver is told: it may tell in turn.
        let piece = self.told().pieces.pop_front();
        if let Some(piece) = piece {
            self.0.taken(1, piece.len());
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        let told = &mut *self.told();
        if let Some(error) = told.take_error() {
            return Poll::Ready(Some(Err(error)));
        }
        if let Some((_, mut trailers)) = told.end.take() {
            let mut all = told.headers.take().unwrap_or_default();
            all.append(&mut trailers);
            return Poll::Ready(Some(Ok(Frame::trailers(ok_trailers(&all)))));
        }
        if told.ended {
            return Poll::Ready(None);
        }
        told.receiver = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Whether everything was handed over.
    pub(super) fn is_finished(&self) -> bool {
        let told = self.told();
        told.ended && told.end.is_none() && told.pieces.is_empty()
    }

    /// Sends a piece of the framed requests.
    pub(super) fn send(&self, framed: &[u8]) {
        // Where it cannot be sent, the call has ended: that is told as its end.
        let room = self.0.send(framed).unwrap_or(true);
        self.told().full = !room;
    }

    pub(super) fn close_send(&self) {
        // What has no half-close is not taken for a channel.
        let _ = self.0.close_send();
    }

    /// The requests failed: the server sees the call cancelled, the caller sees why.
    pub(super) fn fail(&self, error: tonic::Status) {
        self.told().failure = Some(error);
        self.cancel("the request stream failed");
    }

    pub(super) fn cancel(&self, reason: &str) {
        self.0.cancel(reason);
    }

    /// Whether to send more: `Some` once there is room, `None` at the end of the call.
    pub(super) fn poll_room(&self, cx: &mut Context<'_>) -> Poll<Option<()>> {
        let told = &mut *self.told();
        if told.ended {
            return Poll::Ready(None);
        }
        // Also while it waits for requests, the sender is to hear of the end.
        told.sender = Some(cx.waker().clone());
        if told.full { Poll::Pending } else { Poll::Ready(Some(())) }
    }

    /// Nothing is there to be sent: from now on the answer waits for its headers no longer than this.
    pub(super) fn wait_for_headers(&self, limit: Duration) {
        let told = &mut *self.told();
        if told.waited || told.wait.is_some() || told.headers.is_some() || told.ended {
            return;
        }
        let this = Rc::downgrade(&self.0);
        let over = move || {
            if let Some(driver) = this.upgrade() {
                driver.face().tell(|told| told.waited = true);
            }
        };
        told.wait = Some(Timer::after(limit, Box::new(over)));
    }
}
