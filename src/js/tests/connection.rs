//! The shared socket of `tidewire.v1`: how it is lost, and that nothing else is lost with it than what was on it.

use js_sys::Error;
use wasm_bindgen_test::wasm_bindgen_test;

use super::gateway::Gateway;
use super::stage::{Call, JsClient, Stage};
use crate::call::CallKind::{Bidi, Unary};

const CONNECT: &str = "connect ws://test/tidewire.v1 tidewire.v1";

fn client(stage: &Stage) -> JsClient {
    stage.client_over("tidewire.v1")
}

fn named(stage: &Stage, client: &JsClient, name: &str) -> Call {
    stage.open_with(client, Bidi, name, f64::NAN)
}

/// Two calls that have left, on a socket that is open.
async fn two(stage: &Stage, client: &JsClient) -> Gateway {
    named(stage, client, "a");
    named(stage, client, "b");
    let mut gateway = Gateway::accepts(stage, 0);
    stage.saw(&[CONNECT, "send"]).await;
    assert_eq!(gateway.hears().len(), 2);
    gateway
}

#[wasm_bindgen_test]
async fn a_lost_socket_ends_its_calls_and_the_next_call_gets_another() {
    let stage = Stage::new();
    let client = client(&stage);
    let gateway = two(&stage, &client).await;
    assert_eq!(stage.timers(), 1, "the keep-alive");
    gateway.socket.closes(1006, "");
    let lost = "the connection to ws://test/tidewire.v1 was lost (WebSocket close 1006)";
    let ends = ["a", "b"].map(|name| format!("{name}: end 14 by transport: {lost}"));
    stage.saw(&[&ends[0], &ends[1]]).await;
    assert_eq!((gateway.socket.listens().as_str(), stage.timers()), ("", 0));

    let call = stage.open(&client, Bidi);
    stage.saw(&[CONNECT]).await;
    let mut gateway = Gateway::accepts(&stage, 1);
    stage.saw(&["send"]).await;
    assert_eq!(gateway.hears(), ["open 1 POST /greet.GreetService/Greet"]);
    call.call.cancel("");
    client.close();
    stage.saw(&["end 1", "close 1000"]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_socket_that_never_opens_ends_all_that_waited_for_it() {
    let stage = Stage::new();
    let client = client(&stage);
    named(&stage, &client, "a");
    named(&stage, &client, "b");
    // Node 22 says no more than this.
    stage.sockets.socket(0).errs(true);
    let why = "end 14 by transport: the WebSocket to ws://test/tidewire.v1 did not open (close 1006): no tidewire.v1";
    stage.saw(&[CONNECT, &["a: ", why].concat(), &["b: ", why].concat()]).await;
    stage.sockets.socket(0).closes(1006, "");
    stage.saw(&[]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_socket_that_cannot_be_made() {
    let stage = Stage::new();
    let client = client(&stage);
    let thrown = Error::new("blocked").into();
    stage.sockets.set_throws(&thrown);
    let call = stage.open(&client, Bidi);
    stage.sees(&[CONNECT]);
    stage.saw(&["end 14 by transport: no WebSocket to ws://test/tidewire.v1 could be made: blocked"]).await;
    assert_eq!(call.face.cause(), thrown);
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_text_message_is_the_end_of_the_socket() {
    let stage = Stage::new();
    let client = client(&stage);
    let gateway = two(&stage, &client).await;
    gateway.socket.text("hello");
    stage.saw(&["close 1000", "a: end 13 by peer", "b: end 13 by peer"]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_message_that_makes_no_sense_is_answered_and_is_the_end_of_the_socket() {
    let stage = Stage::new();
    let client = client(&stage);
    let mut gateway = two(&stage, &client).await;
    gateway.headers(1);
    gateway.flushes();
    stage.saw(&["a: headers"]).await;
    gateway.socket.message(b"garbage");
    stage.saw(&["a: end 13 by peer", "b: end 13 by peer", "send", "close 1000"]).await;
    // GOAWAY: type 8, stream 0.
    let sent = gateway.socket.sent();
    assert_eq!(sent[0][..6], [8, 0, 0, 0, 0, 0]);
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_reset_ends_one_call_and_keeps_its_code() {
    let stage = Stage::new();
    let client = client(&stage);
    let mut gateway = two(&stage, &client).await;
    gateway.resets(1, 0xb, "slow down");
    gateway.resets(2, 0x7, "the upstream is down");
    gateway.flushes();
    stage
        .saw(&[
            "a: end 8 by peer: the stream was reset by the other side (HTTP/2 error 11): slow down",
            "b: end 14 by peer: the stream was reset by the other side (HTTP/2 error 7): the upstream is down",
        ])
        .await;
    client.close();
    stage.saw(&["close 1000"]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_gateway_that_leaves_gets_no_new_calls_and_finishes_the_old() {
    let stage = Stage::new();
    let client = client(&stage);
    let mut gateway = two(&stage, &client).await;
    gateway.leaves();
    gateway.flushes();
    stage.saw(&[]).await;
    named(&stage, &client, "c");
    stage.saw(&[CONNECT]).await;
    for id in [1, 2] {
        gateway.headers(id);
        gateway.ends(id, "0");
    }
    gateway.flushes();
    stage.saw_but("send", &["a: headers", "b: headers", "a: end 0", "b: end 0", "close 1000"]).await;

    let mut next = Gateway::accepts(&stage, 1);
    stage.saw(&["send"]).await;
    assert_eq!(next.hears(), ["open 1 POST /greet.GreetService/Greet"]);
    client.close();
    stage.saw(&["close 1000", "c: end 14"]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_gateway_that_is_silent_is_asked_and_then_taken_for_dead() {
    let stage = Stage::new();
    let client = client(&stage);
    let gateway = two(&stage, &client).await;
    stage.advance(19_000.0);
    stage.saw(&[]).await;
    stage.advance(1_500.0);
    stage.saw(&["send"]).await;
    // PING: type 7, stream 0, eight bytes.
    assert_eq!(gateway.socket.sent()[0][..9], [7, 0, 0, 0, 0, 0, 0, 0, 8]);
    stage.advance(20_500.0);
    stage.saw_but("send", &["close 1000", "a: end 14 by transport", "b: end 14 by transport"]).await;
    assert_eq!(gateway.socket.listens(), "");
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_gateway_that_answers_is_kept() {
    let stage = Stage::new();
    let client = client(&stage);
    let mut gateway = two(&stage, &client).await;
    for _ in 0..10 {
        stage.advance(20_500.0);
        stage.saw(&["send"]).await;
        assert_eq!(gateway.hears(), [""; 0], "a ping");
        gateway.flushes();
        stage.saw(&[]).await;
    }
    client.close();
    stage.saw(&["close 1000", "a: end 14", "b: end 14"]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_closed_client_lets_go_of_everything_and_can_be_used_again() {
    let stage = Stage::new();
    let client = client(&stage);
    let gateway = two(&stage, &client).await;
    client.close();
    client.close();
    let closed = "end 14 by transport: the client was closed";
    stage.saw(&["close 1000", &["a: ", closed].concat(), &["b: ", closed].concat()]).await;
    assert_eq!((gateway.socket.listens().as_str(), stage.timers()), ("", 0));
    gateway.socket.message(b"late");
    gateway.socket.closes(1000, "");
    stage.saw(&[]).await;

    stage.open(&client, Unary);
    stage.saw(&[CONNECT]).await;
    client.close();
    stage.saw(&["close 1000", "end 14"]).await;
    stage.ends().await;
}
