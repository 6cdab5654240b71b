//! Requests that come over time, over `grpc-websockets`: a socket a call, whose every message is seen.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use futures_core::Stream;
use tower_service::Service as _;
use wasm_bindgen_test::wasm_bindgen_test;

use super::troupe::{Requests, builder, channel, next, now, piece, request};
use crate::channel::{ResponseFuture, Transport, local};
use crate::js::tests::script::FakeSocket;
use crate::js::tests::stage::{Stage, message, trailers};

const HEADERS: &str = "content-type: application/grpc\r\nx-from: server\r\n";

/// A call whose requests are still to come, on a socket that is open.
async fn open(stage: &Stage, requests: &Requests) -> (ResponseFuture, FakeSocket) {
    let channel = channel(stage, builder(Transport::GrpcWebsockets));
    let answer = channel.clone().call(request(&[], requests.body()));
    let socket = stage.sockets.socket(0);
    socket.opens();
    stage.saw(&["connect ws://test/greet.GreetService/Greet grpc-websockets", "send"]).await;
    socket.sent();
    (answer, socket)
}

fn data(framed: &[u8]) -> Vec<u8> {
    [&[0], framed].concat()
}

#[wasm_bindgen_test]
async fn requests_leave_as_they_come_and_their_end_is_the_half_close() {
    let (stage, requests) = (Stage::new(), Requests::default());
    let (answer, socket) = open(&stage, &requests).await;
    requests.say(message("one"));
    stage.saw(&["send"]).await;
    assert_eq!(socket.sent(), [data(&message("one"))]);
    requests.say([message("two"), message("three")].concat());
    requests.end();
    stage.saw(&["send", "send"]).await;
    assert_eq!(socket.sent(), [data(&[message("two"), message("three")].concat()), vec![1]]);
    assert!(requests.is_dropped());

    socket.message(&trailers(HEADERS));
    let (head, mut body) = answer.await.unwrap().into_parts();
    assert_eq!(head.headers["x-from"], "server");
    socket.message(&message("Hello"));
    assert_eq!(piece(&mut body).await, message("Hello"));
    socket.message(&trailers("grpc-status: 0\r\n"));
    assert!(next(&mut body).await.unwrap().unwrap().is_trailers());
    stage.saw(&["close 1000"]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn requests_are_polled_only_while_there_is_room() {
    let (stage, requests) = (Stage::new(), Requests::default());
    let (answer, socket) = open(&stage, &requests).await;
    socket.buffers(100_000);
    requests.say(message("one"));
    requests.say(message("two"));
    stage.saw(&["send"]).await;
    assert_eq!(requests.waiting(), 1);
    stage.advance(100.0);
    stage.saw(&[]).await;
    assert_eq!(requests.waiting(), 1);
    socket.buffers(0);
    stage.advance(100.0);
    stage.saw(&["send"]).await;
    assert_eq!(requests.waiting(), 0);
    drop(answer);
    stage.saw(&["close 1000"]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn an_answer_whose_headers_wait_for_a_request_is_handed_over_without_them() {
    let (stage, requests) = (Stage::new(), Requests::default());
    let (mut answer, socket) = open(&stage, &requests).await;
    stage.advance(299.0);
    assert!(now(&mut answer).is_none());
    stage.advance(2.0);
    let (head, mut body) = now(&mut answer).unwrap().unwrap().into_parts();
    assert!(head.headers.is_empty());
    requests.say(message("ping"));
    stage.saw(&["send"]).await;
    socket.message(&[trailers(HEADERS), message("pong")].concat());
    assert_eq!(piece(&mut body).await, message("pong"));
    socket.message(&trailers("grpc-status: 0\r\nx-last: 1\r\n"));
    let trailers = next(&mut body).await.unwrap().unwrap().into_trailers().unwrap();
    assert_eq!(
        (&trailers["x-from"], &trailers["x-last"]),
        (&"server".parse().unwrap(), &"1".parse().unwrap())
    );
    stage.saw(&["close 1000"]).await;
    assert!(requests.is_dropped(), "the server has ended: nobody waits for requests any more");
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_fetch_that_collects_requests_sends_them_at_their_end() {
    let (stage, requests) = (Stage::new(), Requests::default());
    let collects = channel(&stage, builder(Transport::Fetch).buffer_request_bytes(1000));
    let answer = collects.clone().call(request(&[], requests.body()));
    requests.say(message("one"));
    stage.saw(&[]).await;
    requests.say(message("two"));
    requests.end();
    stage.saw(&["fetch"]).await;
    assert_eq!(stage.fetch.exchange(0).body().to_vec(), [message("one"), message("two")].concat());
    drop(answer);
    stage.sees(&["abort"]);

    let refused = channel(&stage, builder(Transport::Fetch)).call(request(&[], Requests::default().body()));
    let error = refused.await.unwrap_err();
    assert_eq!(error.code(), tonic::Code::Unimplemented);
    assert!(error.message().contains("tidewire.v1"), "{error}");
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn requests_that_are_not_send_go_in_by_local() {
    fn as_tonic_demands<S: Stream<Item = u8> + Send + 'static>(stream: S) -> S {
        stream
    }
    struct Counts(Rc<Cell<u8>>);
    impl Stream for Counts {
        type Item = u8;

        fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<u8>> {
            self.0.set(self.0.get() + 1);
            Poll::Ready(Some(self.0.get()))
        }
    }
    let count = Rc::new(Cell::new(6));
    let mut stream = as_tonic_demands(local(Counts(count.clone())));
    assert_eq!(poll_fn(|cx| Pin::new(&mut stream).poll_next(cx)).await, Some(7));
    assert_eq!(count.get(), 7);
}

#[wasm_bindgen_test]
async fn requests_that_fail_cancel_the_call_and_are_its_error() {
    let (stage, requests) = (Stage::new(), Requests::default());
    let (answer, _) = open(&stage, &requests).await;
    requests.fail(tonic::Status::data_loss("the disk is gone"));
    stage.saw(&["close 1000"]).await;
    let error = answer.await.unwrap_err();
    assert_eq!((error.code(), error.message()), (tonic::Code::DataLoss, "the disk is gone"));
    assert!(requests.is_dropped());
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_dropped_answer_lets_go_of_the_requests() {
    let (stage, requests) = (Stage::new(), Requests::default());
    let (answer, _) = open(&stage, &requests).await;
    drop(answer);
    stage.saw(&["close 1000"]).await;
    assert!(requests.is_dropped());
    stage.ends().await;
}
