//! `grpc-websockets`, as improbable's and nice-grpc's clients speak it.

use bytes::{Bytes, BytesMut};
use futures_util::{SinkExt as _, StreamExt as _};
use h2::Reason;
use tidewire_gateway::{Gateway, Limits};
use tungstenite::Message;

use crate::clients::{Running, Socket};
use crate::harness::{Upstream, block, message, ok, soon, value};

const BLOCK: &str =
    "Content-Type: application/grpc-web+proto\r\nX-Grpc-Web: 1\r\ngrpc-timeout: 5S\r\nx-a: 1, 2\r\n";

#[tokio::test]
async fn a_conversation_with_half_close() {
    let mut upstream = Upstream::start().await;
    let gateway = Running::before(&upstream).await;
    let mut client = connect(&gateway).await;
    send(&mut client, BLOCK.as_bytes()).await;

    let mut call = upstream.call().await;
    assert_eq!(call.request.uri().path(), "/greet.GreetService/GreetStream");
    assert_eq!(call.header("content-type"), Some("application/grpc+proto"));
    assert_eq!(call.header("te"), Some("trailers"));
    assert_eq!(call.header("grpc-timeout"), Some("5S"));
    assert_eq!(call.header("x-a"), Some("1, 2"));
    assert_eq!(call.header("x-grpc-web"), None);

    let mut answer = call.answers();
    let head = block(&binary(&mut client).await);
    assert_eq!(value(&head, "content-type"), Some("application/grpc+proto"));

    // The cuts of WebSocket messages mean nothing.
    let bytes = message(b"one");
    send(&mut client, &[b"\0", &bytes[..3]].concat()).await;
    send(&mut client, &[b"\0", &bytes[3..]].concat()).await;
    call.reads(&bytes).await;
    answer.send_data(message(b"re: one"), false).unwrap();
    assert_eq!(binary(&mut client).await, message(b"re: one"));

    send(&mut client, &[1]).await;
    call.reads_end().await;
    answer.send_data(message(b"goodbye"), false).unwrap();
    assert_eq!(binary(&mut client).await, message(b"goodbye"));
    answer.send_trailers(ok()).unwrap();
    assert_eq!(value(&block(&binary(&mut client).await), "grpc-status"), Some("0"));
    assert_eq!(closed(&mut client).await, 1000);
}

#[tokio::test]
async fn leaving_is_a_cancel_and_never_a_half_close() {
    let mut upstream = Upstream::start().await;
    let gateway = Running::before(&upstream).await;

    // By a close frame.
    let mut client = connect(&gateway).await;
    send(&mut client, BLOCK.as_bytes()).await;
    let mut call = upstream.call().await;
    soon(client.close(None)).await.unwrap();
    assert_eq!(call.reads_reset().await, Reason::CANCEL);

    // By a lost connection.
    let mut client = connect(&gateway).await;
    send(&mut client, BLOCK.as_bytes()).await;
    let mut call = upstream.call().await;
    drop(client);
    assert_eq!(call.reads_reset().await, Reason::CANCEL);

    // After half-close.
    let mut client = connect(&gateway).await;
    send(&mut client, BLOCK.as_bytes()).await;
    send(&mut client, &[1]).await;
    let mut call = upstream.call().await;
    call.reads_end().await;
    soon(client.close(None)).await.unwrap();
    assert_eq!(call.is_reset().await, Reason::CANCEL);
}

#[tokio::test]
async fn trailers_only_are_one_block() {
    let mut upstream = Upstream::start().await;
    let gateway = Running::before(&upstream).await;
    let mut client = connect(&gateway).await;
    send(&mut client, BLOCK.as_bytes()).await;
    upstream.call().await.answers_only(200, &[("content-type", "application/grpc"), ("grpc-status", "9")]);
    assert_eq!(value(&block(&binary(&mut client).await), "grpc-status"), Some("9"));
    assert_eq!(closed(&mut client).await, 1000);
}

#[tokio::test]
async fn a_reset_in_mid_message_becomes_a_status_behind_what_came() {
    let mut upstream = Upstream::start().await;
    let gateway = Running::before(&upstream).await;
    let mut client = connect(&gateway).await;
    send(&mut client, BLOCK.as_bytes()).await;
    let mut call = upstream.call().await;
    let mut answer = call.answers();
    block(&binary(&mut client).await);
    answer.send_data(Bytes::from_static(b"\0\0\0\0\x09half"), false).unwrap();
    assert_eq!(binary(&mut client).await, &b"\0\0\0\0\x09half"[..]);
    answer.send_reset(Reason::ENHANCE_YOUR_CALM);
    assert_eq!(value(&block(&binary(&mut client).await), "grpc-status"), Some("8"));
    assert_eq!(closed(&mut client).await, 1000);
}

#[tokio::test]
async fn an_upstream_that_ends_early_ends_the_call() {
    let mut upstream = Upstream::start().await;
    let gateway = Running::before(&upstream).await;
    let mut client = connect(&gateway).await;
    send(&mut client, BLOCK.as_bytes()).await;
    let mut call = upstream.call().await;
    call.answers().send_trailers(ok()).unwrap();
    block(&binary(&mut client).await);
    assert_eq!(value(&block(&binary(&mut client).await), "grpc-status"), Some("0"));
    assert_eq!(call.reads_reset().await, Reason::NO_ERROR);
    assert_eq!(closed(&mut client).await, 1000);
}

#[tokio::test]
async fn bad_input_gets_a_status_that_says_whose_fault_it_is() {
    let mut upstream = Upstream::start().await;
    let limits = Limits { max_message_bytes: 1000, ..Limits::default() };
    let gateway = Running::start(Gateway::builder().upstream(upstream.url()).limits(limits)).await;
    let binary_of = |bytes: &[u8]| Message::Binary(bytes.to_vec().into());
    let cases = [
        (Message::Text("hello".into()), "3", "text message"),
        (binary_of(b"\x02abc"), "3", "neither"),
        (binary_of(b""), "3", "empty"),
        (binary_of(b"\0AAAAAA"), "3", "0x41"),
        (binary_of(b"\0\0\xff\xff\xff\xff"), "8", "4294967295"),
        (binary_of(&[0; 2000]), "8", "above 1000"),
    ];
    for (bad, status, word) in cases {
        let mut client = connect(&gateway).await;
        send(&mut client, BLOCK.as_bytes()).await;
        let mut call = upstream.call().await;
        soon(client.send(bad)).await.unwrap();
        assert_eq!(call.reads_reset().await, Reason::CANCEL, "{word}");
        refused(&mut client, status, word).await;
    }
    // A half-close inside a message, and a message behind a half-close.
    for (messages, word) in
        [([&b"\0\0\0"[..], &[1]], "ended inside"), ([&[1], &b"\0\0"[..]], "after its half-close")]
    {
        let mut client = connect(&gateway).await;
        send(&mut client, BLOCK.as_bytes()).await;
        let _call = upstream.call().await;
        for message in messages {
            send(&mut client, message).await;
        }
        refused(&mut client, "3", word).await;
    }
    let endless = ["x-large: ", &"a".repeat(20_000)].concat();
    for (block, status, word) in [
        (endless.as_str(), "8", "above 1000"),
        ("content-type: application/grpc-web+proto\r\nx-a: a\0b", "3", "x-a"),
        ("no colon here", "3", "colon"),
        ("content-type: application/grpc-web+proto\r\nbad name: 1", "3", "bad name"),
        ("content-type: text/html", "12", "text/html"),
    ] {
        let mut client = connect(&gateway).await;
        send(&mut client, block.as_bytes()).await;
        refused(&mut client, status, word).await;
    }
    upstream.idle().await;
}

#[tokio::test]
async fn a_client_that_says_nothing_is_not_waited_for() {
    let upstream = Upstream::start().await;
    let limits = Limits { handshake_timeout: std::time::Duration::from_millis(100), ..Limits::default() };
    let gateway = Running::start(Gateway::builder().upstream(upstream.url()).limits(limits)).await;
    let mut client = connect(&gateway).await;
    refused(&mut client, "3", "no header block").await;
}

#[tokio::test]
async fn a_dead_client_is_found_by_ping() {
    let mut upstream = Upstream::start().await;
    let limits = Limits { ping_interval: std::time::Duration::from_millis(100), ..Limits::default() };
    let gateway = Running::start(Gateway::builder().upstream(upstream.url()).limits(limits)).await;
    let mut client = connect(&gateway).await;
    send(&mut client, BLOCK.as_bytes()).await;
    let mut call = upstream.call().await;
    // A client that is not polled answers no ping.
    assert_eq!(call.reads_reset().await, Reason::CANCEL);

    let mut client = connect(&gateway).await;
    send(&mut client, BLOCK.as_bytes()).await;
    let mut call = upstream.call().await;
    let _answer = call.answers();
    block(&binary(&mut client).await);
    for _ in 0..5 {
        let ping = soon(client.next()).await.unwrap().unwrap();
        assert!(ping.is_ping(), "{ping:?}");
    }
}

async fn connect(gateway: &Running) -> Socket {
    gateway
        .websocket("/greet.GreetService/GreetStream", &[("sec-websocket-protocol", "grpc-websockets")])
        .await
        .unwrap()
}

async fn send(client: &mut Socket, bytes: &[u8]) {
    soon(client.send(Message::Binary(bytes.to_vec().into()))).await.unwrap();
}

async fn binary(client: &mut Socket) -> Bytes {
    match soon(client.next()).await.unwrap().unwrap() {
        Message::Binary(bytes) => bytes,
        other => panic!("{other:?}"),
    }
}

async fn closed(client: &mut Socket) -> u16 {
    match soon(client.next()).await.unwrap().unwrap() {
        Message::Close(Some(frame)) => frame.code.into(),
        other => panic!("{other:?}"),
    }
}

async fn refused(client: &mut Socket, status: &str, word: &str) {
    let trailers = block(&BytesMut::from(binary(client).await));
    assert_eq!(value(&trailers, "grpc-status"), Some(status), "{word}");
    let sentence = value(&trailers, "grpc-message").unwrap();
    assert!(sentence.contains(word), "{word:?} is not in {sentence:?}");
    assert_eq!(closed(client).await, 1000);
}
