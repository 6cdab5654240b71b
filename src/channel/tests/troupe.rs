//! What a test stands on: a channel on the stage's fakes, requests that come when the test says, and an answer that is
//! polled when the test says.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http_body::{Body as _, Frame};
use tonic::body::Body;
use tower_service::Service;
use wasm_bindgen::JsCast as _;

use crate::channel::local::Confined;
use crate::channel::{Builder, Channel, ResponseBody, ResponseFuture, Transport};
use crate::js::tests::stage::{PATH, Stage};

pub(in crate::channel) fn builder(transport: Transport) -> Builder {
    Channel::builder("http://test").transport(transport)
}

pub(in crate::channel) fn channel(stage: &Stage, builder: Builder) -> Channel {
    let (fetch, sockets) = (stage.fetch.fetch(), stage.sockets.constructor());
    builder.build_on(fetch.unchecked_into(), sockets.unchecked_into()).unwrap()
}

/// A request as tonic's client makes it.
pub(super) fn request(headers: &[(&str, &str)], body: Body) -> http::Request<Body> {
    let own = [("te", "trailers"), ("content-type", "application/grpc")];
    let request = http::Request::post(PATH);
    own.iter()
        .chain(headers)
        .fold(request, |request, (name, value)| request.header(*name, *value))
        .body(body)
        .unwrap()
}

/// The call of one message, which is there at once.
pub(in crate::channel) fn unary(
    channel: &Channel,
    headers: &[(&str, &str)],
    message: Vec<u8>,
) -> ResponseFuture {
    let requests = Requests::default();
    requests.say(message);
    requests.end();
    channel.clone().call(request(headers, requests.body()))
}

/// Requests that come when the test says; how often they were polled.
#[derive(Clone, Default)]
pub(super) struct Requests(Rc<Script>);

#[derive(Default)]
struct Script {
    said: RefCell<VecDeque<Option<Result<Bytes, tonic::Status>>>>,
    asks: RefCell<Option<Waker>>,
    polls: Cell<usize>,
    dropped: Cell<bool>,
}

impl Requests {
    pub(super) fn body(&self) -> Body {
        Body::new(RequestBody(Confined::new(self.clone())))
    }

    pub(super) fn say(&self, framed: Vec<u8>) {
        self.next(Some(Ok(framed.into())));
    }

    pub(super) fn fail(&self, error: tonic::Status) {
        self.next(Some(Err(error)));
    }

    pub(super) fn end(&self) {
        self.next(None);
    }

    fn next(&self, next: Option<Result<Bytes, tonic::Status>>) {
        self.0.said.borrow_mut().push_back(next);
        let asks = self.0.asks.borrow_mut().take();
        if let Some(waker) = asks {
            waker.wake();
        }
    }

    /// Requests that were said and not taken.
    pub(super) fn waiting(&self) -> usize {
        self.0.said.borrow().len()
    }

    pub(super) fn is_dropped(&self) -> bool {
        self.0.dropped.get()
    }
}

struct RequestBody(Confined<Requests>);

impl Drop for RequestBody {
    fn drop(&mut self) {
        self.0.get().0.dropped.set(true);
    }
}

impl http_body::Body for RequestBody {
    type Data = Bytes;
    type Error = tonic::Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, tonic::Status>>> {
        let script = &self.0.get().0;
        script.polls.set(script.polls.get() + 1);
        let Some(next) = script.said.borrow_mut().pop_front() else {
            *script.asks.borrow_mut() = Some(cx.waker().clone());
            return Poll::Pending;
        };
        Poll::Ready(next.map(|next| next.map(Frame::data)))
    }
}

/// What a future says now, without anybody to wake.
pub(super) fn now<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    let cx = &mut Context::from_waker(Waker::noop());
    match Pin::new(future).poll(cx) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// The next frame, which is data.
pub(super) async fn piece(body: &mut ResponseBody) -> Bytes {
    next(body).await.unwrap().unwrap().into_data().unwrap()
}

pub(super) async fn next(body: &mut ResponseBody) -> Option<Result<Frame<Bytes>, tonic::Status>> {
    poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await
}
