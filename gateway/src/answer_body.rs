//! A gRPC-Web answer on its way from the task that relays it to hyper.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http_body::Frame;
use tokio::sync::mpsc;

/// What the relaying task hands to the answer.
pub(crate) enum Answer {
    /// An answer without a body.
    Head(Response<()>),
    /// An answer whose body follows.
    HeadOf(Response<()>),
    Data(Bytes),
    /// The body is complete.
    End,
}

/// The answer once its head is here; `None` if the call was given up before.
pub(crate) async fn receive(mut parts: mpsc::Receiver<Answer>) -> Option<Response> {
    match parts.recv().await? {
        Answer::Head(head) => Some(head.map(|()| Body::empty())),
        Answer::HeadOf(head) => Some(head.map(|()| Body::new(AnswerBody { parts, ended: false }))),
        Answer::Data(_) | Answer::End => None,
    }
}

/// Ends cleanly only behind `End`: a call that was given up must not look complete.
struct AnswerBody {
    parts: mpsc::Receiver<Answer>,
    ended: bool,
}

impl http_body::Body for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        Poll::Ready(match ready!(self.parts.poll_recv(cx)) {
            Some(Answer::Data(chunk)) => Some(Ok(Frame::data(chunk))),
            Some(Answer::End) => {
                self.ended = true;
                None
            }
            Some(Answer::Head(_) | Answer::HeadOf(_)) | None => {
                self.ended = true;
                Some(Err(axum::Error::new("the call was given up")))
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.ended
    }
}
