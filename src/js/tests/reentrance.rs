//! Whoever is told of something may call back at once.

use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use super::gateway::Gateway;
use super::stage::{Call, Stage, message, ok, trailers};
use crate::call::CallKind::{Bidi, ServerStream, Unary};

/// The other side of one call, whatever carries it.
enum Peer {
    Fetch,
    Socket,
    Gateway(Gateway),
}

const TRANSPORTS: [&str; 3] = ["fetch", "grpc-websockets", "tidewire.v1"];

/// A server stream that waits for its headers.
async fn opened(stage: &Stage, transport: &str) -> (Call, Peer) {
    let call = stage.open(&stage.client_over(transport), ServerStream);
    call.send(b"all");
    call.call.close_send();
    let peer = match transport {
        "fetch" => Peer::Fetch,
        "grpc-websockets" => {
            stage.sockets.socket(0).opens();
            Peer::Socket
        }
        _ => {
            let mut gateway = Gateway::accepts(stage, 0);
            stage.settle().await;
            gateway.hears();
            Peer::Gateway(gateway)
        }
    };
    stage.settle().await;
    stage.forget();
    (call, peer)
}

impl Peer {
    /// Headers, and one after the other some messages.
    async fn tells(&mut self, stage: &Stage, messages: &[&str]) {
        let body = messages.iter().flat_map(|text| message(text)).collect::<Vec<_>>();
        match self {
            Self::Fetch => {
                stage.fetch.exchange(0).responds();
                stage.settle().await;
                stage.fetch.exchange(0).sends(&body);
            }
            Self::Socket => {
                stage.sockets.socket(0).message(&trailers("content-type: application/grpc-web+proto\r\n"));
                stage.sockets.socket(0).message(&body);
            }
            Self::Gateway(gateway) => {
                gateway.headers(1);
                messages.iter().for_each(|text| gateway.replies(1, text));
                gateway.flushes();
            }
        }
        stage.settle().await;
    }

    /// Only the gateway's socket outlives its call.
    async fn is_let_go(&self, stage: Stage) {
        if let Self::Gateway(gateway) = self {
            gateway.socket.closes(1000, "");
        }
        stage.settle().await;
        stage.forget();
        stage.ends().await;
    }
}

#[wasm_bindgen_test]
async fn a_cancel_while_the_headers_are_told() {
    for transport in TRANSPORTS {
        let stage = Stage::new();
        let (call, mut peer) = opened(&stage, transport).await;
        call.on("headers", |call| call.cancel("not this one"));
        peer.tells(&stage, &["never told"]).await;
        assert_eq!(stage.told(), ["headers", "end 1 by us: not this one"], "{transport}");
        peer.is_let_go(stage).await;
    }
}

#[wasm_bindgen_test]
async fn a_cancel_while_messages_are_told() {
    for transport in TRANSPORTS {
        let stage = Stage::new();
        let (call, mut peer) = opened(&stage, transport).await;
        call.on("messages", |call| call.cancel("enough"));
        peer.tells(&stage, &["a"]).await;
        assert_eq!(stage.told(), ["headers", "message a", "end 1 by us: enough"], "{transport}");
        peer.is_let_go(stage).await;
    }
}

#[wasm_bindgen_test]
async fn a_cancel_behind_an_end_that_is_still_to_be_told_changes_nothing() {
    let stage = Stage::new();
    let (call, _) = opened(&stage, "fetch").await;
    call.on("messages", |call| call.cancel("too late"));
    stage.fetch.exchange(0).responds();
    stage.fetch.exchange(0).sends(&[message("all there is"), ok()].concat());
    stage.fetch.exchange(0).ends();
    stage.saw(&["headers", "read", "read", "message all there is", "end 0"]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn every_command_while_the_end_is_told() {
    for transport in TRANSPORTS {
        let stage = Stage::new();
        let (call, peer) = opened(&stage, transport).await;
        call.on("end", |call| {
            call.close_send();
            call.cancel("again");
            call.taken(1, 1);
        });
        call.call.cancel("first");
        assert_eq!(stage.told(), ["end 1 by us: first"], "{transport}");
        assert!(call.cannot_send().contains("after the end"));
        peer.is_let_go(stage).await;
    }
}

#[wasm_bindgen_test]
async fn an_answer_to_each_message_from_where_it_is_told() {
    let stage = Stage::new();
    let client = stage.client_over("tidewire.v1");
    let call = stage.open(&client, Bidi);
    let mut gateway = Gateway::accepts(&stage, 0);
    stage.settle().await;
    gateway.hears();
    call.on("headers", {
        let call = call.clone();
        move |_| assert!(call.send(b"first"))
    });
    call.on("messages", {
        let call = call.clone();
        move |_| {
            assert!(call.send(b"and this"));
            call.call.taken(1, 3);
            call.call.close_send();
        }
    });
    gateway.headers(1);
    gateway.flushes();
    stage.settle().await;
    assert_eq!(gateway.hears(), ["data 1 first"]);
    gateway.replies(1, "one");
    gateway.flushes();
    stage.settle().await;
    assert_eq!(gateway.hears(), ["data 1 and this fin"]);
    client.close();
    let expected = ["connect", "headers", "message one", "close 1000", "end 14"];
    stage.saw_but("send", &expected).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_reader_that_takes_from_where_it_is_told_reads_on_once() {
    let stage = Stage::new();
    let client = stage.client(&[("receiveWindowBytes", 100.into())]);
    let call = stage.open(&client, ServerStream);
    call.on("messages", |call| call.taken(1, 80));
    call.call.close_send();
    let server = stage.fetch.exchange(0);
    server.responds();
    stage.saw(&["fetch", "headers", "read"]).await;
    for _ in 0..3 {
        server.sends(&message(&"a".repeat(80)));
        stage.saw(&["message aaa", "read"]).await;
    }
    stage.completes(0).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn another_call_from_where_the_end_of_one_is_told() {
    let stage = std::rc::Rc::new(Stage::new());
    let client = stage.client_over("tidewire.v1");
    let call = stage.open_with(&client, Bidi, "first", f64::NAN);
    call.on("end", {
        let (stage, client) = (stage.clone(), client.clone());
        move |_| {
            let again = stage.open_with(&client, Bidi, "second", f64::NAN);
            again.send(b"again");
        }
    });
    stage.sockets.socket(0).closes(1006, "");
    stage.saw(&["connect", "first: end 14 by transport", "connect"]).await;
    let mut gateway = Gateway::accepts(&stage, 1);
    stage.saw(&["send"]).await;
    assert_eq!(gateway.hears(), ["open 1 POST /greet.GreetService/Greet", "data 1 again"]);
    client.close();
    stage.saw(&["close 1000", "second: end 14"]).await;
    assert_eq!(stage.timers(), 0);
}

#[wasm_bindgen_test]
async fn a_client_that_is_closed_while_a_message_is_told() {
    let stage = Stage::new();
    let client = stage.client_over("tidewire.v1");
    let call = stage.open_with(&client, Bidi, "a", f64::NAN);
    stage.open_with(&client, Bidi, "b", f64::NAN);
    call.on("messages", {
        let client = client.clone();
        move |_| client.close()
    });
    let mut gateway = Gateway::accepts(&stage, 0);
    stage.settle().await;
    gateway.hears();
    for id in [1, 2] {
        gateway.headers(id);
        gateway.replies(id, "one");
    }
    gateway.flushes();
    let ends = ["close 1000", "b: end 14 by transport", "a: end 14 by transport"];
    let expected = [&["connect", "a: headers", "b: headers", "a: message one"][..], &ends].concat();
    stage.saw_but("send", &expected).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_cancel_where_room_is_told() {
    let stage = Stage::new();
    let call = stage.open(&stage.client_over("grpc-websockets"), Bidi);
    call.on("room", |call| call.cancel("changed my mind"));
    assert!(!call.send(&[0; 100_000]));
    stage.sockets.socket(0).opens();
    stage.saw_but("send", &["connect", "room", "close 1000", "end 1 by us: changed my mind"]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_cancel_from_within_the_callers_own_fetch() {
    let stage = Stage::new();
    let call = stage.open(&stage.client_over("fetch"), Unary);
    let cancelled = call.call.clone();
    stage.fetch.set_inside(Closure::once_into_js(move || cancelled.cancel("a signal fired")));
    call.send(b"Ada");
    call.call.close_send();
    stage.settle().await;
    assert_eq!(stage.told(), ["end 1 by us: a signal fired"]);
    stage.forget();
    stage.ends().await;
}
