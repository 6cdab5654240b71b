//! Calls over `tidewire.v1`, whose gateway is the real connection on a scripted socket.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake};

use http_body::Body as _;
use tower_service::Service as _;
use wasm_bindgen_test::wasm_bindgen_test;

use super::troupe::{Requests, builder, channel, next, piece, request, unary};
use crate::channel::local::Confined;
use crate::channel::{CallKind, Channel, ResponseBody, ResponseFuture, Transport};
use crate::js::tests::gateway::Gateway;
use crate::js::tests::stage::{Stage, message};

#[wasm_bindgen_test]
async fn calls_share_a_socket_and_each_has_its_slices() {
    let stage = Stage::new();
    let channel = channel(&stage, builder(Transport::TidewireV1));
    let (one, two) = (unary(&channel, &[], message("Ada")), unary(&channel, &[], message("Bo")));
    let mut gateway = Gateway::accepts(&stage, 0);
    stage.settle().await;
    let opened = gateway.hears();
    assert_eq!(opened.iter().filter(|line| line.starts_with("open")).count(), 2, "{opened:?}");
    for (id, text) in [(1, "for one"), (2, "for two")] {
        gateway.headers(id);
        gateway.replies(id, text);
        gateway.ends(id, "0");
    }
    gateway.flushes();
    for (answer, text) in [(one, "for one"), (two, "for two")] {
        let mut body = answer.await.unwrap().into_body();
        assert_eq!(piece(&mut body).await, message(text));
        assert!(next(&mut body).await.unwrap().unwrap().is_trailers());
        assert!(body.is_end_stream());
    }
    stage.forget();
    drop(channel);
    stage.settle().await;
    stage.forget();
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn what_waits_behind_others_does_not_keep_the_whole_chunk() {
    let stage = Stage::new();
    let channel = channel(&stage, builder(Transport::TidewireV1));
    let (small, large) = (unary(&channel, &[], message("Ada")), unary(&channel, &[], message("Bo")));
    let mut gateway = Gateway::accepts(&stage, 0);
    stage.settle().await;
    gateway.hears();
    gateway.headers(1);
    gateway.headers(2);
    for _ in 0..2 {
        gateway.replies(1, "small");
        gateway.replies(2, &"x".repeat(10_000));
        gateway.flushes();
    }
    let mut body = small.await.unwrap().into_body();
    let first = piece(&mut body).await;
    let second = piece(&mut body).await;
    assert_eq!((&first, &second), (&message("small").into(), &message("small").into()));
    // The first is a slice of its chunk, the second had to wait behind it.
    drop(body);
    drop(large);
    assert!(first.try_into_mut().unwrap().capacity() > 10_000);
    assert!(second.try_into_mut().unwrap().capacity() < 1_000);
    stage.settle().await;
    stage.forget();
    drop(channel);
    stage.settle().await;
    stage.forget();
    stage.ends().await;
}

/// tonic does not say which of its calls are unary: those that do leave by the socket that a stream has opened.
#[wasm_bindgen_test]
async fn what_says_that_it_is_unary_takes_an_open_socket() {
    let stage = Stage::new();
    let channel = channel(&stage, builder(Transport::Auto));
    let _before = says_unary(&channel);
    stage.saw(&["fetch"]).await;
    let _stream = channel.clone().call(request(&[], Requests::default().body()));
    let mut gateway = Gateway::accepts(&stage, 0);
    stage.settle().await;
    assert_eq!(opens(&mut gateway), 1);
    stage.forget();

    let _unary = says_unary(&channel);
    stage.saw(&["send"]).await;
    assert_eq!(opens(&mut gateway), 1);
    let _perhaps_a_stream = unary(&channel, &[], message("Ada"));
    stage.saw(&["fetch"]).await;
    assert_eq!(opens(&mut gateway), 0);
    gateway.socket.closes(1006, "");
    stage.settle().await;
    stage.forget();
    let _behind = says_unary(&channel);
    stage.saw(&["fetch"]).await;
}

fn says_unary(channel: &Channel) -> ResponseFuture {
    let requests = Requests::default();
    requests.say(message("Ada"));
    requests.end();
    let mut request = request(&[], requests.body());
    request.extensions_mut().insert(CallKind::Unary);
    channel.clone().call(request)
}

fn opens(gateway: &mut Gateway) -> usize {
    gateway.hears().iter().filter(|line| line.starts_with("open")).count()
}

/// Polls as soon as it is woken, from within whatever wakes it: no executor has to be patient.
struct Eager(Confined<Mutex<State>>);

enum State {
    Head(ResponseFuture),
    Body(ResponseBody, Vec<u8>),
    Busy,
    Ended(Vec<u8>),
}

impl Eager {
    fn poll(self: &Arc<Self>) {
        let waker = self.clone().into();
        let cx = &mut Context::from_waker(&waker);
        loop {
            let state = std::mem::replace(&mut *self.0.get().lock().unwrap(), State::Busy);
            let next = match state {
                State::Head(mut answer) => match Pin::new(&mut answer).poll(cx) {
                    Poll::Pending => return self.set(State::Head(answer)),
                    Poll::Ready(answer) => State::Body(answer.unwrap().into_body(), Vec::new()),
                },
                State::Body(mut body, mut all) => match Pin::new(&mut body).poll_frame(cx) {
                    Poll::Pending => return self.set(State::Body(body, all)),
                    Poll::Ready(None) => State::Ended(all),
                    Poll::Ready(Some(frame)) => {
                        all.extend(frame.unwrap().into_data().into_iter().flatten());
                        State::Body(body, all)
                    }
                },
                done => return self.set(done),
            };
            self.set(next);
        }
    }

    fn set(&self, state: State) {
        *self.0.get().lock().unwrap() = state;
    }
}

impl Wake for Eager {
    fn wake(self: Arc<Self>) {
        self.poll();
    }
}

#[wasm_bindgen_test]
async fn an_executor_may_poll_from_within_the_wake() {
    let stage = Stage::new();
    let channel = channel(&stage, builder(Transport::TidewireV1));
    let requests = Requests::default();
    let answer = channel.clone().call(request(&[], requests.body()));
    let eager = Arc::new(Eager(Confined::new(Mutex::new(State::Head(answer)))));
    eager.poll();
    let mut gateway = Gateway::accepts(&stage, 0);
    stage.settle().await;
    gateway.hears();
    gateway.headers(1);
    gateway.replies(1, "one");
    gateway.flushes();
    gateway.replies(1, "two");
    gateway.ends(1, "0");
    gateway.flushes();
    let State::Ended(all) = std::mem::replace(&mut *eager.0.get().lock().unwrap(), State::Busy) else {
        panic!("the answer has not ended")
    };
    assert_eq!(all, [message("one"), message("two")].concat());
    stage.settle().await;
    assert!(requests.is_dropped());
    stage.forget();
    drop(channel);
    stage.settle().await;
    stage.forget();
    stage.ends().await;
}
