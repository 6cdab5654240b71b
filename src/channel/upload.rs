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
    while let Poll::Ready(piece) = poll_piece(&mut body, cx) {
        let Some(piece) = piece? else { return Ok(Gathered { pieces, rest: None }) };
        bytes += piece.len();
        pieces.push(piece);
        // One piece of any size may be all.
        if bytes > GATHERED && pieces.len() > 1 {
            break;
        }
    }
    Ok(Gathered { pieces, rest: Some(body) })
}

/// The next piece, or the end of them.
fn poll_piece(body: &mut Body, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, tonic::Status>> {
    loop {
        let frame = ready!(Pin::new(&mut *body).poll_frame(cx)).transpose()?;
        match frame.map(Frame::into_data) {
            // Requests have no trailers.
            Some(Err(_)) => {}
            data => return Poll::Ready(Ok(data.and_then(Result::ok))),
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
        while ready!(call.poll_room(cx)).is_some() {
            match poll_piece(body, cx) {
                Poll::Ready(Ok(Some(piece))) => {
                    call.send(&piece);
                    continue;
                }
                Poll::Ready(Ok(None)) => call.close_send(),
                Poll::Ready(Err(error)) => call.fail(error),
                Poll::Pending => {
                    call.wait_for_headers(*header_wait);
                    return Poll::Pending;
                }
            }
            break;
        }
        Poll::Ready(())
    }
}
