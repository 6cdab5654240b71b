//! The requests: those that are there at once, and the task that sends the others as they come.

use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as _, Frame};
use tonic::body::Body;

use super::call::Call;

/// What is gathered of a stream that never waits before it is sent as a stream.
const GATHERED: usize = 1024 * 1024;

/// What was there at once.
pub(super) struct Gathered {
    pub(super) pieces: Vec<Bytes>,
    /// What goes on, if it is not all.
    pub(super) rest: Option<Body>,
}

impl Gathered {
    /// Whether it is one whole message.
    pub(super) fn is_one_message(&self) -> bool {
        let [piece] = self.pieces.as_slice() else { return false };
        let [_, a, b, c, d, message @ ..] = &**piece else { return false };
        self.rest.is_none() && u32::from_be_bytes([*a, *b, *c, *d]) as usize == message.len()
    }

    /// Whether the first message is compressed.
    pub(super) fn begins_compressed(&self) -> bool {
        self.pieces.first().and_then(|piece| piece.first()) == Some(&1)
    }
}

/// Takes what is there without waiting: only so can a unary call be told from a stream.
pub(super) fn gather(mut body: Body) -> Result<Gathered, tonic::Status> {
    let cx = &mut Context::from_waker(Waker::noop());
    let (mut pieces, mut bytes) = (Vec::new(), 0);
    loop {
        match Pin::new(&mut body).poll_frame(cx) {
            Poll::Ready(None) => return Ok(Gathered { pieces, rest: None }),
            Poll::Pending => return Ok(Gathered { pieces, rest: Some(body) }),
            Poll::Ready(Some(frame)) => {
                let Ok(piece) = frame?.into_data() else { continue };
                bytes += piece.len();
                pieces.push(piece);
                // One piece of any size may be all.
                if bytes > GATHERED && pieces.len() > 1 {
                    return Ok(Gathered { pieces, rest: Some(body) });
                }
            }
        }
    }
}

/// Sends requests as they come, while there is room, until they end or the call does.
pub(super) struct Upload {
    pub(super) call: Call,
    pub(super) body: Body,
    pub(super) header_wait: Duration,
}

impl Future for Upload {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self { call, body, header_wait } = &mut *self;
        loop {
            match ready!(poll_piece(call, body, *header_wait, cx)) {
                None => {}
                Some(Ok(None)) => call.close_send(),
                Some(Err(error)) => call.fail(error),
                Some(Ok(Some(piece))) => {
                    call.send(&piece);
                    continue;
                }
            }
            return Poll::Ready(());
        }
    }
}

/// The next piece, or the end of them; `None` once the call has ended.
fn poll_piece(
    call: &Call,
    body: &mut Body,
    header_wait: Duration,
    cx: &mut Context<'_>,
) -> Poll<Option<Result<Option<Bytes>, tonic::Status>>> {
    if ready!(call.poll_room(cx)).is_none() {
        return Poll::Ready(None);
    }
    loop {
        let Poll::Ready(frame) = Pin::new(&mut *body).poll_frame(cx) else {
            call.wait_for_headers(header_wait);
            return Poll::Pending;
        };
        match frame.transpose().map(|frame| frame.map(Frame::into_data)) {
            // Requests have no trailers.
            Ok(Some(Err(_))) => {}
            Ok(data) => return Poll::Ready(Some(Ok(data.and_then(Result::ok)))),
            Err(error) => return Poll::Ready(Some(Err(error))),
        }
    }
}
