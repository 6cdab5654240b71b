//! The answer: a future of its head, then its body. Whoever drops either has no more use for the call.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame};

use super::call::Call;
use super::local::Confined;

/// The caller's hold on a call. Letting go of it cancels; after the end that has no effect.
struct Held(Call);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.cancel("the answer was dropped before its end");
    }
}

/// Resolves to the answer's head. Dropping it cancels the call.
pub struct ResponseFuture {
    body: ResponseBody,
    /// Why there is no call.
    refused: Option<tonic::Status>,
}

impl ResponseFuture {
    pub(super) fn new(call: Result<Call, tonic::Status>) -> Self {
        match call {
            Ok(call) => Self { body: ResponseBody(Some(Confined::new(Held(call)))), refused: None },
            Err(status) => Self { body: ResponseBody(None), refused: Some(status) },
        }
    }
}

impl Future for ResponseFuture {
    type Output = Result<http::Response<ResponseBody>, tonic::Status>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(status) = self.refused.take() {
            return Poll::Ready(Err(status));
        }
        // Polled after its end, there is nothing to tell any more.
        let Some(held) = &self.body.0 else { return Poll::Pending };
        let headers = ready!(held.get().0.poll_headers(cx));
        let body = std::mem::take(&mut self.body);
        Poll::Ready(headers.map(|headers| {
            let mut response = http::Response::new(body);
            *response.headers_mut() = headers;
            response
        }))
    }
}

/// The answer's body: framed messages, many in a piece, and the trailers. Dropping it cancels the call.
///
/// Pieces are slices of the buffer that the network's chunk was copied into, whole: [`Bytes`] without a copy.
#[derive(Default)]
pub struct ResponseBody(Option<Confined<Held>>);

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = tonic::Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, tonic::Status>>> {
        self.0.as_ref().map_or(Poll::Ready(None), |held| held.get().0.poll_frame(cx))
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(|held| held.get().0.is_finished())
    }
}

impl fmt::Debug for ResponseFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

impl fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody").finish_non_exhaustive()
    }
}
