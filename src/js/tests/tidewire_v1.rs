//! `tidewire.v1`: all calls of a client on one socket.

use wasm_bindgen_test::wasm_bindgen_test;

use super::gateway::Gateway;
use super::stage::{Call, JsClient, Stage};
use crate::call::CallKind::{Bidi, ServerStream};
use crate::transport::HIGH_WATER;

const CONNECT: &str = "connect ws://test/tidewire.v1 tidewire.v1";
const OPEN_1: &str = "open 1 POST /greet.GreetService/Greet";
const OPEN_2: &str = "open 2 POST /greet.GreetService/Greet";

fn client(stage: &Stage) -> JsClient {
    stage.client_over("tidewire.v1")
}

/// A bidi call that has heard the gateway's headers.
async fn talking(stage: &Stage, client: &JsClient) -> (Call, Gateway) {
    let call = stage.open(client, Bidi);
    let mut gateway = Gateway::accepts(stage, 0);
    gateway.headers(1);
    stage.saw(&[CONNECT, "send"]).await;
    assert_eq!(gateway.hears(), [OPEN_1]);
    gateway.headers(1);
    gateway.flushes();
    stage.saw(&["headers content-type: application/grpc"]).await;
    (call, gateway)
}

#[wasm_bindgen_test]
async fn calls_wait_for_the_socket_and_leave_with_its_hello_in_one_message() {
    let stage = Stage::new();
    let client = client(&stage);
    let first = stage.open_with(&client, Bidi, "first", f64::NAN);
    let second = stage.open_with(&client, ServerStream, "second", f64::NAN);
    first.send(b"a");
    second.send(b"b");
    second.call.close_send();
    stage.saw(&[CONNECT]).await;

    let mut gateway = Gateway::accepts(&stage, 0);
    stage.sees(&["send"]);
    assert_eq!(gateway.hears(), [OPEN_1, OPEN_2, "data 1 a", "data 2 b fin"]);

    for id in [1, 2] {
        gateway.headers(id);
        gateway.replies(id, &format!("{id}"));
        gateway.ends(id, "0");
    }
    gateway.flushes();
    // Control frames do not wait for data.
    let headers = ["first: headers", "second: headers"];
    let rest = ["first: message 1", "second: message 2", "first: end 0", "second: end 0"];
    stage.saw_but("send", &[&headers[..], &rest].concat()).await;
    client.close();
    stage.saw(&["close 1000"]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn what_one_task_sends_goes_out_as_one_message() {
    let stage = Stage::new();
    let client = client(&stage);
    let (call, mut gateway) = talking(&stage, &client).await;
    let before = gateway.messages;
    for text in ["a", "b", "c"] {
        assert!(call.send(text.as_bytes()));
    }
    call.call.close_send();
    stage.sees(&[]);
    stage.saw(&["send"]).await;
    assert_eq!(gateway.hears().len(), 1, "small pieces of one stream are put together");
    assert_eq!(gateway.messages, before + 1);
    gateway.ends(1, "0");
    gateway.flushes();
    stage.saw(&["end 0: "]).await;
    client.close();
    stage.saw(&["close 1000"]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn messages_are_handed_over_as_places_in_the_buffer_that_came() {
    let stage = Stage::new();
    let client = client(&stage);
    let (call, mut gateway) = talking(&stage, &client).await;
    gateway.replies(1, "one");
    gateway.replies(1, "three");
    let came = gateway.flushes().unwrap();
    stage.saw(&["message one", "message three"]).await;
    assert!(js_sys::Object::is(&call.face.buffer().buffer(), &came), "a copy was made");
    // Behind the head of the frame.
    assert_eq!(call.face.spans().to_vec(), [9 + 5, 3, 9 + 8 + 5, 5]);
    call.call.cancel("");
    client.close();
    stage.saw(&["end 1", "close 1000"]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_message_that_frames_cut_is_joined_once() {
    let stage = Stage::new();
    let client = client(&stage);
    let (call, mut gateway) = talking(&stage, &client).await;
    let text = "x".repeat(200_000);
    gateway.replies(1, &text);
    gateway.flushes();
    stage.saw_but("send", &["joined of 200000 bytes"]).await;
    assert_eq!(call.face.joined().unwrap().to_vec(), text.as_bytes());
    call.call.cancel("");
    client.close();
    stage.saw_but("send", &["end 1", "close 1000"]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_cancel_resets_its_stream_in_the_same_task_and_leaves_the_others_alone() {
    let stage = Stage::new();
    let client = client(&stage);
    let (call, mut gateway) = talking(&stage, &client).await;
    let other = stage.open_with(&client, Bidi, "other", f64::NAN);
    other.send(b"still here");
    call.send(b"never leaves");
    call.call.cancel("left the page");
    stage.sees(&["end 1 by us: left the page"]);
    stage.saw(&["send"]).await;
    assert_eq!(gateway.hears(), ["reset 1 8", OPEN_2, "data 2 still here"]);

    // What was under way to the first is skipped.
    gateway.replies(1, "late");
    gateway.headers(2);
    gateway.ends(2, "0");
    gateway.flushes();
    stage.saw_but("send", &["other: headers", "other: end 0"]).await;
    client.close();
    stage.saw(&["close 1000"]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_call_that_is_cancelled_before_the_socket_opens_is_never_heard_of() {
    let stage = Stage::new();
    let client = client(&stage);
    let call = stage.open(&client, Bidi);
    call.send(b"a");
    stage.saw(&[CONNECT]).await;
    call.call.cancel("");
    stage.saw(&["end 1 by us"]).await;
    let mut gateway = Gateway::accepts(&stage, 0);
    stage.saw(&["send"]).await;
    assert_eq!(gateway.hears(), [""; 0]);
    client.close();
    stage.saw(&["close 1000"]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_reader_that_is_behind_holds_the_gateway_back_until_it_has_caught_up() {
    let stage = Stage::new();
    let options = [("transport", "tidewire.v1".into()), ("receiveWindowBytes", (128 * 1024).into())];
    let client = stage.client(&options);
    let (call, mut gateway) = talking(&stage, &client).await;
    // More than the windows on the way.
    let pieces = 32;
    for _ in 0..pieces {
        gateway.replies(1, &"x".repeat(64 * 1024));
    }
    for _ in 0..pieces {
        gateway.flushes();
        stage.settle().await;
        gateway.hears();
    }
    let waits = gateway.holds_back(1);
    assert!(waits > 512 * 1024, "only {waits} bytes wait at the gateway");
    call.on("messages", |call| call.taken(1, 64 * 1024));
    call.call.taken(pieces, pieces * 64 * 1024);
    for _ in 0..pieces {
        stage.settle().await;
        gateway.hears();
        gateway.flushes();
    }
    assert_eq!(gateway.holds_back(1), 0);
    stage.forget();
    gateway.ends(1, "0");
    gateway.flushes();
    stage.saw_but("send", &["end 0"]).await;
    client.close();
    stage.saw(&["close 1000"]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_sender_waits_while_the_gateway_takes_nothing() {
    let stage = Stage::new();
    let client = client(&stage);
    let (call, mut gateway) = talking(&stage, &client).await;
    let piece = vec![b'x'; HIGH_WATER / 2];
    // Two fill the gateway's window; then as much again may wait here.
    for _ in 0..3 {
        assert!(call.send(&piece));
        stage.settle().await;
    }
    assert!(!call.send(&piece));
    stage.saw_but("send", &[]).await;
    gateway.hears();
    gateway.takes(1, HIGH_WATER);
    gateway.flushes();
    stage.saw_but("send", &["room"]).await;
    call.call.cancel("");
    client.close();
    stage.saw(&["end 1", "close 1000"]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn what_the_runtime_cannot_send_waits_in_its_stream_and_goes_on_by_itself() {
    let stage = Stage::new();
    let client = client(&stage);
    let (call, mut gateway) = talking(&stage, &client).await;
    gateway.socket.buffers(1 << 20);
    call.send(b"waits");
    stage.saw(&[]).await;
    stage.advance(4.0);
    stage.saw(&[]).await;
    gateway.socket.buffers(1000);
    stage.advance(4.0);
    stage.saw(&["send"]).await;
    assert_eq!(gateway.hears(), ["data 1 waits"]);
    call.call.cancel("");
    client.close();
    stage.saw(&["end 1", "close 1000"]).await;
    stage.ends().await;
}
