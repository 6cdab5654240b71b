//! Upstreams that read nothing: clients can still leave, and other calls go on.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use futures_util::SinkExt as _;
use h2::Reason;
use tidewire_gateway::{Gateway, Limits};
use tungstenite::Message;

use crate::clients::{Running, WINDOW};
use crate::harness::{Upstream, message, soon};
use crate::web::Http1;

/// Half of what the gateway reads ahead: 16 windows.
const AHEAD: usize = 8;

fn piece() -> Bytes {
    [&[0][..], &message(&[7; WINDOW - 5])].concat().into()
}

#[tokio::test]
async fn a_close_behind_unread_messages_is_a_cancel() {
    let mut upstream = Upstream::narrow(1024).await;
    let gateway = Running::narrow(&upstream).await;
    let mut client = gateway.grpc_websocket().await;
    let mut call = upstream.call().await;
    for _ in 0..AHEAD {
        soon(client.send(Message::Binary(piece()))).await.unwrap();
    }
    soon(client.close(None)).await.unwrap();
    assert_eq!(call.is_reset().await, Reason::CANCEL);
}

#[tokio::test]
async fn a_connection_that_ends_behind_unread_chunks_is_a_cancel() {
    let mut upstream = Upstream::narrow(1024).await;
    let gateway = Running::narrow(&upstream).await;
    let mut client = Http1::post(&gateway, "content-type: application/grpc-web\r\n").await;
    let mut call = upstream.call().await;
    for _ in 0..AHEAD {
        client.sends(&message(&[7; WINDOW - 5])).await;
    }
    drop(client);
    assert_eq!(call.is_reset().await, Reason::CANCEL);
}

#[tokio::test]
async fn a_socket_that_dies_with_every_buffer_full_is_a_cancel() {
    let mut upstream = Upstream::narrow(1024).await;
    let gateway = Running::narrow(&upstream).await;
    let mut client = gateway.grpc_websocket().await;
    let mut call = upstream.call().await;
    // Only a ping that meets the closed socket tells of its end.
    let full = async { while client.send(Message::Binary(piece())).await.is_ok() {} };
    assert!(tokio::time::timeout(Duration::from_secs(2), full).await.is_err(), "the client must stall");
    drop(client);
    assert_eq!(call.is_reset().await, Reason::CANCEL);
}

#[tokio::test]
async fn a_connection_that_breaks_with_every_buffer_full_is_a_cancel() {
    let mut upstream = Upstream::narrow(1024).await;
    let gateway = Running::narrow(&upstream).await;
    let mut client = Http1::post(&gateway, "content-type: application/grpc-web\r\n").await;
    let mut call = upstream.call().await;
    let chunk = message(&[7; WINDOW - 5]);
    let full = async {
        use tokio::io::AsyncWriteExt as _;
        client.tcp.write_all(format!("{:x}\r\n", 1_000 * chunk.len()).as_bytes()).await.unwrap();
        while client.tcp.write_all(&chunk).await.is_ok() {}
    };
    assert!(tokio::time::timeout(Duration::from_secs(2), full).await.is_err(), "the client must stall");
    socket2::SockRef::from(&client.tcp).set_linger(Some(Duration::ZERO)).unwrap();
    drop(client);
    assert_eq!(call.is_reset().await, Reason::CANCEL);
}

#[tokio::test]
async fn all_calls_together_read_ahead_no_more_than_allowed() {
    let mut upstream = Upstream::narrow(1024).await;
    let limits = Limits { stream_window: WINDOW as u32, read_ahead: 0, ..Limits::default() };
    let gateway = Running::start(Gateway::builder().upstream(upstream.url()).limits(limits)).await;
    let mut client = Http1::post(&gateway, "content-type: application/grpc-web\r\n").await;
    let mut call = upstream.call().await;
    for _ in 0..AHEAD {
        client.sends(&message(&[7; WINDOW - 5])).await;
    }
    // What is not read ahead stays in the socket, and reading goes on where it stopped.
    client.sends(b"").await;
    for _ in 0..AHEAD {
        call.reads(&message(&[7; WINDOW - 5])).await;
    }
    call.reads_end().await;
}

#[tokio::test]
async fn a_stalled_stream_keeps_new_calls_off_its_connection_while_it_lasts() {
    // The default of many servers: the connection's window is one stream's.
    let mut upstream = Upstream::start().await;
    let gateway = Running::narrow(&upstream).await;
    let mut client = gateway.relay().await;
    let slow = client.opens(&[]);
    client.sends(slow, vec![7; 3 * WINDOW]);
    client.flush().await;
    let mut stalled = upstream.call().await;
    let held = stalled.holds(65_535).await;
    client.round_trip(&mut upstream).await;
    assert_eq!(upstream.connections.load(Ordering::SeqCst), 2);
    let large = client.opens(&[]);
    client.sends(large, vec![8; WINDOW]);
    client.half_closes(large);
    client.flush().await;
    let mut call = upstream.call().await;
    call.reads(&vec![8; WINDOW]).await;
    call.reads_end().await;
    call.ends_ok();
    client.ends(large).await;
    assert_eq!(upstream.connections.load(Ordering::SeqCst), 2);

    client.half_closes(slow);
    client.flush().await;
    let reader = tokio::spawn(async move {
        stalled.body.flow_control().release_capacity(held).unwrap();
        stalled.reads(&vec![7; 3 * WINDOW - held]).await;
        stalled.reads_end().await;
        stalled.ends_ok();
    });
    client.ends(slow).await;
    soon(reader).await.unwrap();
}

/// What HTTP/2 gives a connection to begin with, and what many servers leave it at.
const CONNECTION_WINDOW: usize = 65_535;

#[tokio::test]
async fn a_window_that_is_just_used_up_keeps_new_calls_off_its_connection() {
    for (sent, half_closed) in [(CONNECTION_WINDOW, false), (CONNECTION_WINDOW, true), (65_000, true)] {
        let mut upstream = Upstream::start().await;
        let gateway = Running::narrow(&upstream).await;
        let mut client = gateway.relay().await;
        // Nobody waits for more of the window. The last rest of it would do for the head of a message only.
        let slow = client.opens(&[]);
        client.sends(slow, vec![7; sent]);
        if half_closed {
            client.half_closes(slow);
        }
        client.flush().await;
        let mut unread = upstream.call().await;
        unread.holds(sent).await;

        let id = client.opens(&[]);
        client.sends(id, vec![8; 1_000]);
        client.half_closes(id);
        client.flush().await;
        let mut call = upstream.call().await;
        call.reads(&[8; 1_000]).await;
        call.reads_end().await;
        assert_eq!(upstream.connections.load(Ordering::SeqCst), 2, "{sent} bytes, {half_closed}");
    }
}

#[tokio::test]
async fn a_window_that_was_given_back_takes_calls_again() {
    let mut upstream = Upstream::start().await;
    let gateway = Running::narrow(&upstream).await;
    let mut client = gateway.relay().await;
    let slow = client.opens(&[]);
    client.sends(slow, vec![7; CONNECTION_WINDOW]);
    client.flush().await;
    let mut unread = upstream.call().await;
    let held = unread.holds(CONNECTION_WINDOW).await;
    unread.body.flow_control().release_capacity(held).unwrap();
    // Bytes that only the window given back lets through: so the gateway knows of it.
    client.sends(slow, message(b"more"));
    while client.connection.queued(slow) > 0 {
        assert!(client.step().await);
    }
    unread.reads(&message(b"more")).await;
    client.round_trip(&mut upstream).await;
    assert_eq!(upstream.connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_stream_whose_own_window_is_full_is_no_stall_of_its_connection() {
    let mut upstream = Upstream::narrow(1024).await;
    let gateway = Running::narrow(&upstream).await;
    let mut client = gateway.relay().await;
    let exact = client.opens(&[]);
    client.sends(exact, vec![7; 1024]);
    let waiting = client.opens(&[]);
    client.sends(waiting, vec![7; 3 * WINDOW]);
    client.flush().await;
    let (mut one, mut two) = (upstream.call().await, upstream.call().await);
    one.holds(1024).await;
    two.holds(1024).await;
    client.round_trip(&mut upstream).await;
    assert_eq!(upstream.connections.load(Ordering::SeqCst), 1);
}
