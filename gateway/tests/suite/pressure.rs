//! Back-pressure, end to end and in both directions: who does not read is not written to, and nothing grows.

use std::future::poll_fn;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use h2::SendStream;
use tidewire::codec::tidewire_v1::Limits as WireLimits;
use tidewire_gateway::{Gateway, Limits};
use tungstenite::Message;

use crate::clients::{Client, Running, Seen, WINDOW};
use crate::harness::{Upstream, message, ok, soon};

#[tokio::test]
async fn a_client_that_does_not_read_stalls_its_upstream_and_no_other() {
    let mut upstream = Upstream::start().await;
    let gateway = Running::narrow(&upstream).await;
    let mut client = gateway.relay().await;
    client.releases = false;
    let (slow, mut call) = client.begins(&mut upstream).await;
    let mut answer = call.answers();
    client.head(slow).await;

    // The client's window and the gateway's fill up, then the upstream may send no more.
    let mut sent = 0;
    let (sender, client) = (flood(&mut answer, &mut sent), drain_socket(&mut client));
    tokio::select! {
        () = sender => {}
        () = client => unreachable!(),
    }
    assert_eq!(sent, 2 * WINDOW, "one window at the client, one in the gateway");
}

#[tokio::test]
async fn other_calls_pass_a_stalled_one_and_it_goes_on_when_read() {
    let mut upstream = Upstream::start().await;
    let gateway = Running::narrow(&upstream).await;
    let mut client = gateway.relay().await;
    client.releases = false;
    let (slow, mut call) = client.begins(&mut upstream).await;
    let mut stalled = call.answers();
    stalled.reserve_capacity(WINDOW);
    stalled.send_data(vec![7; WINDOW].into(), false).unwrap();
    stalled.send_data(vec![8; WINDOW].into(), true).unwrap();
    client.head(slow).await;
    client.reads(slow, &vec![7; WINDOW]).await;

    let (quick, mut call) = client.begins(&mut upstream).await;
    let mut answer = call.answers();
    answer.send_data(message(b"quick"), false).unwrap();
    answer.send_trailers(ok()).unwrap();
    client.head(quick).await;
    client.reads(quick, &message(b"quick")).await;
    client.trailers(quick).await;
    client.reset(quick).await;

    client.connection.release(slow, WINDOW);
    client.releases = true;
    let mut left = WINDOW;
    let mut ended = false;
    while left > 0 || !ended {
        match client.next().await {
            Seen::Data { id, bytes, fin } if id == slow => {
                left -= bytes.len();
                ended |= fin;
            }
            seen => panic!("{seen:?}"),
        }
    }
}

#[tokio::test]
async fn an_upstream_that_does_not_read_stalls_its_client() {
    let mut upstream = Upstream::narrow(WINDOW).await;
    let gateway = Running::narrow(&upstream).await;
    let mut client = gateway.relay().await;
    let id = client.opens(&[]);
    client.sends(id, vec![7; 10 * WINDOW]);
    client.flush().await;
    let mut call = upstream.call().await;

    // The gateway gave one window back, the upstream's; the second it holds.
    while client.connection.queued(id) > 8 * WINDOW {
        assert!(soon(client.step()).await);
    }
    assert_eq!(client.connection.queued(id), 8 * WINDOW);
    assert!(
        tokio::time::timeout(Duration::from_millis(300), client.step()).await.is_err(),
        "no more window may come"
    );

    // Reading starts it again, to the last byte.
    client.half_closes(id);
    let reader = tokio::spawn(async move {
        call.reads(&vec![7; 10 * WINDOW]).await;
        call.reads_end().await;
        call.ends_ok();
    });
    client.ends(id).await;
    soon(reader).await.unwrap();
}

#[tokio::test]
async fn an_upload_of_tidewire_v1_has_a_window_of_its_own() {
    let mut upstream = Upstream::narrow(WINDOW).await;
    let window = WINDOW as u32;
    let limits = Limits { stream_window: window, upload_window: 2 * window, ..Limits::default() };
    let gateway = Running::start(Gateway::builder().upstream(upstream.url()).limits(limits)).await;
    let mut client = gateway.relay().await;
    let id = client.opens(&[]);
    client.sends(id, vec![7; 10 * WINDOW]);
    client.flush().await;
    let mut call = upstream.call().await;

    // One window is the upstream's, two are the gateway's.
    while client.connection.queued(id) > 7 * WINDOW {
        assert!(soon(client.step()).await);
    }
    assert_eq!(client.connection.queued(id), 7 * WINDOW);
    let more = tokio::time::timeout(Duration::from_millis(300), client.step()).await;
    assert!(more.is_err(), "no more window may come");

    // A cancel passes all of it.
    client.connection.reset(id, 0x8, "");
    client.flush().await;
    assert_eq!(call.is_reset().await, h2::Reason::CANCEL);
}

#[tokio::test]
async fn many_small_pieces_that_waited_arrive_in_order() {
    let mut upstream = Upstream::narrow(16).await;
    let gateway = Running::narrow(&upstream).await;
    let mut client = gateway.relay().await;
    let id = client.opens(&[]);
    let mut expected = Vec::new();
    for number in 0..2_000_u32 {
        let piece = vec![number as u8; if number % 100 == 0 { 5_000 } else { 10 }];
        expected.extend_from_slice(&piece);
        client.sends(id, piece);
        client.flush().await;
    }
    client.half_closes(id);
    client.flush().await;
    let mut call = upstream.call().await;
    let reader = tokio::spawn(async move {
        call.reads(&expected).await;
        call.reads_end().await;
        call.ends_ok();
    });
    client.ends(id).await;
    soon(reader).await.unwrap();
}

#[tokio::test]
async fn a_cancel_passes_a_full_window() {
    let mut upstream = Upstream::narrow(1024).await;
    let gateway = Running::narrow(&upstream).await;
    let mut client = gateway.relay().await;
    let id = client.opens(&[]);
    client.sends(id, vec![7; WINDOW]);
    client.flush().await;
    let mut call = upstream.call().await;
    client.connection.reset(id, 0x8, "");
    client.flush().await;
    assert_eq!(call.is_reset().await, h2::Reason::CANCEL);
}

#[tokio::test]
async fn a_reset_waits_for_what_came_before_it() {
    let mut upstream = Upstream::start().await;
    let gateway = Running::narrow(&upstream).await;
    let mut client = gateway.relay().await;
    client.releases = false;
    let (id, mut call) = client.begins(&mut upstream).await;
    let mut answer = call.answers();
    answer.send_data(vec![7; 2 * WINDOW].into(), false).unwrap();
    client.head(id).await;
    client.reads(id, &vec![7; WINDOW]).await;
    // By now the rest is at the gateway, without window.
    client.round_trip(&mut upstream).await;
    answer.send_reset(h2::Reason::INTERNAL_ERROR);
    // Now the reset is there, too, and waits.
    client.round_trip(&mut upstream).await;
    client.connection.release(id, WINDOW);
    client.releases = true;
    let mut read = 0;
    loop {
        match client.next().await {
            Seen::Data { id: of, bytes, fin: false } if of == id => read += bytes.len(),
            Seen::Reset { id: of, code: 0x2, .. } if of == id => break,
            seen => panic!("{seen:?}"),
        }
    }
    // HTTP/2 gives window back in halves at least: some of the second half may still have been at the upstream.
    assert!(read >= WINDOW / 2, "the reset overtook what came before it: {read} bytes");
}

#[tokio::test]
async fn sixty_four_mebibytes_arrive_whole() {
    const TOTAL: usize = 64 << 20;
    let mut upstream = Upstream::start().await;
    let gateway = Running::before(&upstream).await;
    let limits = WireLimits { stream_window: 1 << 18, connection_window: 1 << 20, ..WireLimits::default() };
    let mut client = gateway.relay_with(limits).await;
    let (id, mut call) = client.begins(&mut upstream).await;
    let mut answer = call.answers();
    let sender = tokio::spawn(async move { answer_at_length(&mut answer, TOTAL).await });
    client.head(id).await;
    let mut read = 0;
    loop {
        match client.next().await {
            Seen::Data { bytes, .. } => read += bytes.len(),
            Seen::Trailers { .. } => break,
            seen => panic!("{seen:?}"),
        }
    }
    assert_eq!(read, TOTAL);
    soon(sender).await.unwrap();
}

#[tokio::test]
async fn answers_larger_than_any_window_arrive_whole_on_the_other_wires() {
    const TOTAL: usize = 4 << 20;
    let mut upstream = Upstream::start().await;
    let gateway = Running::narrow(&upstream).await;

    let mut client = gateway.post(&[]).await;
    let mut answer = upstream.call().await.answers();
    let sender = tokio::spawn(async move { answer_at_length(&mut answer, TOTAL).await });
    client.head().await;
    let body = client.rest().await;
    assert_eq!(body[TOTAL], 0x80, "the trailer frame must follow the last byte");
    soon(sender).await.unwrap();

    let mut client = gateway.grpc_websocket().await;
    let mut answer = upstream.call().await.answers();
    let sender = tokio::spawn(async move { answer_at_length(&mut answer, TOTAL).await });
    soon(client.next()).await.unwrap().unwrap(); // the header block
    let mut read = 0;
    while read < TOTAL {
        read += soon(client.next()).await.unwrap().unwrap().into_data().len();
    }
    assert_eq!(read, TOTAL);
    soon(sender).await.unwrap();
}

#[tokio::test]
async fn grpc_web_holds_back_both_ways() {
    let mut upstream = Upstream::narrow(WINDOW).await;
    let gateway = Running::narrow(&upstream).await;

    // Down: the client reads nothing of the body.
    let mut client = gateway.post(&[]).await;
    let mut answer = upstream.call().await.answers();
    client.head().await;
    let mut sent = 0;
    flood(&mut answer, &mut sent).await;
    assert!(sent <= 5 * WINDOW, "{sent} bytes are on the way to a client that does not read");

    // Up: the upstream reads nothing.
    let mut client = gateway.post(&[]).await;
    let _call = upstream.call().await;
    let mut sent = 0;
    flood(&mut client.send, &mut sent).await;
    assert!(sent <= 5 * WINDOW, "{sent} bytes are on the way to an upstream that does not read");
}

#[tokio::test]
async fn grpc_websockets_hold_back_up() {
    let mut upstream = Upstream::narrow(WINDOW).await;
    let gateway = Running::narrow(&upstream).await;
    let mut client = gateway.grpc_websocket().await;
    let mut call = upstream.call().await;
    // TCP's own buffers take some megabytes; without back-pressure this would never stall.
    let chunk = Bytes::from([&[0][..], &message(&[7; 32_000])].concat());
    let mut sent = 0;
    let stalled = loop {
        let send = client.send(Message::Binary(chunk.clone()));
        if tokio::time::timeout(Duration::from_millis(500), send).await.is_err() {
            break true;
        }
        sent += chunk.len();
        if sent > 64 << 20 {
            break false;
        }
    };
    assert!(stalled, "{sent} bytes went to an upstream that does not read");
    drop(client);
    assert_eq!(call.reads_reset().await, h2::Reason::CANCEL);
}

/// That many bytes as the window allows, then trailers.
async fn answer_at_length(answer: &mut SendStream<Bytes>, total: usize) {
    let mut left = total;
    while left > 0 {
        answer.reserve_capacity(left);
        let room = poll_fn(|cx| answer.poll_capacity(cx)).await.unwrap().unwrap().min(left);
        answer.send_data(vec![(left >> 20) as u8; room].into(), false).unwrap();
        left -= room;
    }
    answer.send_trailers(ok()).unwrap();
}

/// Sends until the window has been closed for a while, or it is clear that it never will be.
async fn flood(send: &mut SendStream<Bytes>, sent: &mut usize) {
    while *sent < 64 * WINDOW {
        send.reserve_capacity(WINDOW);
        let room = poll_fn(|cx| send.poll_capacity(cx));
        let Ok(room) = tokio::time::timeout(Duration::from_millis(500), room).await else { return };
        let room = room.unwrap().unwrap();
        send.send_data(vec![0; room].into(), false).unwrap();
        *sent += room;
    }
}

/// Lets the client's wire do its part; nobody reads the calls.
async fn drain_socket(client: &mut Client) {
    loop {
        client.next_without_limit().await;
    }
}
