//! `grpc-websockets`: a socket for each call.

use js_sys::Error;
use wasm_bindgen_test::wasm_bindgen_test;

use super::script::FakeSocket;
use super::stage::{Call, Stage, message, ok, trailers};
use crate::call::CallKind::{Bidi, ServerStream};
use crate::transport::HIGH_WATER;

const CONNECT: &str = "connect ws://test/greet.GreetService/Greet grpc-websockets";

/// A bidi call whose socket is open.
async fn talking(stage: &Stage) -> (Call, FakeSocket) {
    let call = stage.open(&stage.client_over("grpc-websockets"), Bidi);
    let socket = stage.sockets.socket(0);
    socket.opens();
    stage.saw(&[CONNECT, "send"]).await;
    socket.message(&trailers("content-type: application/grpc-web+proto\r\n"));
    stage.saw(&["headers content-type: application/grpc-web+proto"]).await;
    socket.sent();
    (call, socket)
}

/// A message as it goes out.
fn data(text: &str) -> Vec<u8> {
    [vec![0], message(text)].concat()
}

#[wasm_bindgen_test]
async fn what_is_said_before_the_socket_opens_is_kept_and_sent_in_its_order() {
    let stage = Stage::new();
    let call = stage.open(&stage.client_over("grpc-websockets"), Bidi);
    assert!(call.send(b"a"));
    assert!(call.send(b"b"));
    call.call.close_send();
    stage.saw(&[CONNECT]).await;
    let socket = stage.sockets.socket(0);
    socket.opens();
    stage.sees(&["send", "send", "send", "send"]);
    let sent = socket.sent();
    let head = String::from_utf8(sent[0].clone()).unwrap();
    assert!(head.contains("x-user: me\r\n"), "{head}");
    assert_eq!(sent[1..], [data("a"), data("b"), vec![1]]);

    socket.message(&trailers("content-type: application/grpc-web+proto\r\n"));
    socket.message(&message("A"));
    socket.message(&[message("B"), ok()].concat());
    stage.saw(&["headers", "message A", "close 1000", "message B", "end 0: "]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn messages_are_handed_over_as_places_in_the_buffer_that_came() {
    let stage = Stage::new();
    let (call, socket) = talking(&stage).await;
    let came = socket.message(&[message("one"), message("two")].concat());
    stage.sees(&["message one", "message two"]);
    assert!(js_sys::Object::is(&call.face.buffer().buffer(), &came), "a copy was made");
    assert_eq!(call.face.spans().to_vec(), [5, 3, 13, 3]);
    socket.message(&ok());
    stage.saw(&["close 1000", "end 0"]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn after_the_end_the_socket_is_closed_and_has_nobody_to_tell() {
    let stage = Stage::new();
    let (_call, socket) = talking(&stage).await;
    assert_eq!(socket.listens(), "onopen onmessage onclose");
    socket.message(&ok());
    stage.saw(&["close 1000", "end 0"]).await;
    assert_eq!(socket.listens(), "");
    socket.message(&message("late"));
    socket.text("late");
    socket.errs(false);
    socket.closes(1000, "");
    socket.errs(true);
    stage.saw(&[]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_cancel_closes_the_socket_before_the_end_is_told() {
    let stage = Stage::new();
    let (call, socket) = talking(&stage).await;
    call.call.cancel("left the page");
    stage.sees(&["close 1000", "end 1 by us: left the page"]);
    assert_eq!(socket.listens(), "");
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_cancel_before_the_socket_opens_sends_nothing() {
    let stage = Stage::new();
    let call = stage.open(&stage.client_over("grpc-websockets"), Bidi);
    call.send(b"a");
    call.call.cancel("");
    stage.saw(&[CONNECT, "close 1000", "end 1 by us"]).await;
    stage.sockets.socket(0).opens();
    stage.saw(&[]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_deadline_closes_a_socket_that_never_opens() {
    let stage = Stage::new();
    stage.open_with(&stage.client_over("grpc-websockets"), ServerStream, "", 250.0);
    stage.advance(251.0);
    stage.saw(&[CONNECT, "close 1000", "end 4 by us"]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_close_without_a_status_ends_the_call_by_its_code() {
    let table = [
        (1000, "end 13 by peer"),
        (1001, "end 14 by transport"),
        (1006, "end 14 by transport"),
        (1008, "end 7 by peer"),
        (1009, "end 8 by peer"),
        (1011, "end 2 by peer"),
        (4007, "end 7 by peer"),
        // Deno's word for a connection that was lost.
        (0, "end 14 by transport: the connection was lost before the call ended (WebSocket close 1006"),
    ];
    for (code, end) in table {
        let stage = Stage::new();
        let (_call, socket) = talking(&stage).await;
        socket.message(&message("kept"));
        socket.closes(code, "");
        stage.saw(&["message kept", end]).await;
        assert_eq!(socket.listens(), "");
        stage.ends().await;
    }
}

#[wasm_bindgen_test]
async fn a_close_before_the_socket_opened_is_the_transports_fault() {
    let stage = Stage::new();
    stage.open(&stage.client_over("grpc-websockets"), Bidi);
    stage.sockets.socket(0).closes(1006, "");
    let end =
        "end 14 by transport: the WebSocket to ws://test/greet.GreetService/Greet did not open (close 1006)";
    stage.saw(&[CONNECT, end]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn an_error_that_closes_the_socket_is_its_close_and_any_other_is_not() {
    let stage = Stage::new();
    let (_call, socket) = talking(&stage).await;
    socket.errs(false);
    stage.saw(&[]).await;
    // Node 22 says no more than this.
    socket.errs(true);
    stage.saw(&["end 14 by transport"]).await;
    socket.closes(1006, "");
    stage.saw(&[]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_socket_that_cannot_be_made() {
    let stage = Stage::new();
    let thrown = Error::new("the port 9 is blocked").into();
    stage.sockets.set_throws(&thrown);
    let call = stage.open(&stage.client_over("grpc-websockets"), Bidi);
    call.send(b"a");
    stage.sees(&[CONNECT]);
    let end =
        "end 14 by transport: no WebSocket to ws://test/greet.GreetService/Greet could be made: the port 9";
    stage.saw(&[end]).await;
    assert_eq!(call.face.cause(), thrown);
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_text_message_ends_the_call() {
    let stage = Stage::new();
    let (_call, socket) = talking(&stage).await;
    socket.text("hello");
    stage.saw(&["close 1000", "end 13 by peer"]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_sender_waits_while_the_runtime_holds_much_and_is_told_of_room_once() {
    let stage = Stage::new();
    let (call, socket) = talking(&stage).await;
    socket.buffers(HIGH_WATER + 1);
    assert!(!call.send(b"a"));
    stage.saw(&["send"]).await;
    assert_eq!(stage.timers(), 1);
    stage.advance(100.0);
    stage.saw(&[]).await;
    socket.buffers(HIGH_WATER);
    stage.advance(4.0);
    stage.saw(&["room"]).await;
    assert_eq!(stage.timers(), 0, "nobody waits any more");
    assert!(call.send(b"b"));

    socket.buffers(HIGH_WATER + 1);
    assert!(!call.send(b"c"));
    call.call.cancel("");
    stage.saw(&["send", "send", "close 1000", "end 1 by us"]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn what_waits_for_the_socket_to_open_counts_too() {
    let stage = Stage::new();
    let call = stage.open(&stage.client_over("grpc-websockets"), Bidi);
    assert!(!call.send(&vec![0; HIGH_WATER]));
    stage.saw(&[CONNECT]).await;
    stage.sockets.socket(0).opens();
    // Headers, and messages of 32 KiB.
    stage.saw(&["send", "send", "send", "send", "room"]).await;
    call.call.cancel("");
    stage.saw(&["close 1000", "end 1"]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_flood_that_nobody_reads_ends_the_call_and_names_the_cure() {
    let stage = Stage::new();
    let window = 1000;
    let options = [
        ("transport", "grpc-websockets".into()),
        ("receiveWindowBytes", window.into()),
        ("maxReceiveMessageBytes", window.into()),
    ];
    stage.open(&stage.client(&options), ServerStream);
    let socket = stage.sockets.socket(0);
    socket.opens();
    let flood = "x".repeat(995);
    // Eight windows and a message may wait; the headers came before the reader fell behind.
    socket.message(&trailers("content-type: application/grpc-web+proto\r\n"));
    for _ in 0..9 {
        socket.message(&message(&flood));
    }
    stage.saw(&[&[CONNECT, "send", "headers"][..], &["message of"; 9]].concat()).await;
    socket.message(&message(&flood));
    stage.sees(&["message of", "close 1000", "end 8 by us: the server sends faster than this call is read"]);
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_reader_that_keeps_up_may_read_for_ever() {
    let stage = Stage::new();
    let options = [("transport", "grpc-websockets".into()), ("receiveWindowBytes", 100.into())];
    let call = stage.open(&stage.client(&options), ServerStream);
    call.on("messages", |call| call.taken(1, 100));
    let socket = stage.sockets.socket(0);
    socket.opens();
    socket.message(&trailers("content-type: application/grpc-web+proto\r\n"));
    stage.saw(&[CONNECT, "send", "headers"]).await;
    let five_mib = 5 * (1 << 20) / 100;
    for _ in 0..five_mib {
        socket.message(&message(&"x".repeat(100)));
    }
    stage.saw(&vec!["message xxx"; five_mib]).await;
    socket.message(&ok());
    stage.saw(&["close 1000", "end 0"]).await;
    stage.ends().await;
}
