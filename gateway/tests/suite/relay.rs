//! `tidewire.v1`: exchanges relayed as they are.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use futures_util::SinkExt as _;
use h2::Reason;
use tidewire::codec::tidewire_v1::Limits as WireLimits;
use tungstenite::Message;

use crate::clients::{Running, Seen, relayed};
use crate::harness::{Upstream, headers, list, message, not_now, ok, soon};

#[tokio::test]
async fn a_conversation_with_half_close() {
    let (mut upstream, mut client) = relayed().await;

    let id = client.opens(&[
        ("grpc-timeout", "5S"),
        ("x-a", "1"),
        ("x-a", "2"),
        ("host", "evil"),
        ("cookie", "a=b"),
    ]);
    client.flush().await;
    let mut call = upstream.call().await;
    assert_eq!(call.request.method(), "POST");
    assert_eq!(call.request.uri().path(), "/greet.GreetService/GreetStream");
    assert_eq!(call.header("content-type"), Some("application/grpc+proto"));
    assert_eq!(call.header("te"), Some("trailers"));
    assert_eq!(call.header("grpc-timeout"), Some("5S"));
    assert_eq!(call.header("host"), None);
    assert_eq!(call.header("cookie"), None);
    let repeated: Vec<_> = call.request.headers().get_all("x-a").iter().collect();
    assert_eq!(repeated, ["1", "2"]);

    let mut answer = call.answers();
    let (status, head) = client.head(id).await;
    assert_eq!(status, 200);
    assert_eq!(head.first("content-type"), Some(&b"application/grpc+proto"[..]));

    client.sends(id, message(b"one"));
    client.flush().await;
    call.reads(&message(b"one")).await;
    answer.send_data(message(b"re: one"), false).unwrap();
    client.reads(id, &message(b"re: one")).await;

    client.half_closes(id);
    client.flush().await;
    call.reads_end().await;
    answer.send_data(message(b"goodbye"), false).unwrap();
    client.reads(id, &message(b"goodbye")).await;
    answer.send_trailers(ok()).unwrap();
    assert_eq!(client.trailers(id).await, list(&[("grpc-status", "0"), ("greeted", "1")]));
    assert_eq!(client.connection.open_streams(), 0);
}

#[tokio::test]
async fn a_request_without_body_ends_with_its_headers() {
    let (mut upstream, mut client) = relayed().await;
    let id = client.opens_as("GET", "/greet.GreetService/Greet?message=1&base64=1", &[], true);
    client.flush().await;
    let mut call = upstream.call().await;
    assert!(call.body.is_end_stream(), "END_STREAM must be on HEADERS");
    assert_eq!(call.request.method(), "GET");
    assert_eq!(call.request.uri().query(), Some("message=1&base64=1"));
    call.answers_only(204, &[]);
    let seen = client.next().await;
    assert!(matches!(seen, Seen::Headers { id: of, status: 204, fin: true, .. } if of == id), "{seen:?}");
}

#[tokio::test]
async fn odd_answers_arrive_as_odd_as_they_were_sent() {
    let (mut upstream, mut client) = relayed().await;

    // No gRPC at all.
    let id = client.opens_as("POST", "/greet.GreetService/Greet", &[], true);
    client.flush().await;
    let mut call = upstream.call().await;
    call.answers_with(418, &[("content-type", "text/html"), ("set-cookie", "a=b")])
        .send_data(Bytes::from_static(b"<html>"), true)
        .unwrap();
    let (status, head) = client.head(id).await;
    assert_eq!(status, 418);
    assert_eq!(head.first("content-type"), Some(&b"text/html"[..]), "{head:?}");
    match client.next().await {
        Seen::Data { bytes, fin, .. } => {
            assert_eq!(bytes, "<html>");
            if !fin {
                assert_eq!(client.next().await, Seen::Data { id, bytes: Bytes::new(), fin: true });
            }
        }
        seen => panic!("{seen:?}"),
    }

    // A status beyond HTTP's, trailers behind a body that is cut inside a message.
    let id = client.opens_as("POST", "/greet.GreetService/Greet", &[], true);
    client.flush().await;
    let mut call = upstream.call().await;
    let mut answer = call.answers_with(800, &[]);
    answer.send_data(Bytes::from_static(b"\x81\0\0"), false).unwrap();
    answer.send_trailers(headers(&[("odd", ""), ("odd", "2")])).unwrap();
    assert_eq!(client.head(id).await.0, 800);
    client.reads(id, b"\x81\0\0").await;
    assert_eq!(client.trailers(id).await, list(&[("odd", ""), ("odd", "2")]));
}

#[tokio::test]
async fn resets_pass_with_their_codes_both_ways() {
    let (mut upstream, mut client) = relayed().await;

    for code in [0x8_u32, 0x2, 0xb] {
        let (id, mut call) = client.begins(&mut upstream).await;
        client.connection.reset(id, code, "left the page");
        client.flush().await;
        assert_eq!(u32::from(call.reads_reset().await), code);
    }

    for code in [0x2_u32, 0x7, 0x8, 0xb, 0xc] {
        let (id, mut call) = client.begins(&mut upstream).await;
        let mut answer = call.answers();
        client.head(id).await;
        // What came before the reset is not lost.
        answer.send_data(Bytes::from_static(b"\0\0\0\0\x09half"), false).unwrap();
        client.reads(id, b"\0\0\0\0\x09half").await;
        answer.send_reset(Reason::from(code));
        let (came, reason) = client.reset(id).await;
        assert_eq!(came, code);
        assert!(reason.contains(&upstream.address.to_string()), "{reason}");
    }
}

#[tokio::test]
async fn a_cancel_before_the_upstream_answers() {
    let (mut upstream, mut client) = relayed().await;
    let id = client.opens_as("POST", "/greet.GreetService/Greet", &[], true);
    client.flush().await;
    let mut call = upstream.call().await;
    client.connection.reset(id, 0x8, "");
    client.flush().await;
    assert_eq!(call.is_reset().await, Reason::CANCEL);
}

/// As hyper does for an empty chunk; h2 by itself would take a hundred on a connection.
#[tokio::test]
async fn an_upstream_may_send_an_empty_frame_before_all_trailers() {
    let (mut upstream, mut client) = relayed().await;
    for _ in 0..150 {
        let id = client.opens_as("POST", "/greet.GreetService/Greet", &[], true);
        client.flush().await;
        let mut answer = upstream.call().await.answers();
        answer.send_data(message(b"one"), false).unwrap();
        answer.send_data(Bytes::new(), false).unwrap();
        answer.send_trailers(ok()).unwrap();
        client.head(id).await;
        client.reads(id, &message(b"one")).await;
        client.trailers(id).await;
    }
    assert_eq!(upstream.connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_upstream_that_ends_early_completes_the_exchange() {
    let (mut upstream, mut client) = relayed().await;
    let id = client.opens(&[]);
    client.sends(id, message(b"one"));
    client.flush().await;
    let mut call = upstream.call().await;
    call.reads(&message(b"one")).await;
    call.answers().send_trailers(ok()).unwrap();
    client.head(id).await;
    client.trailers(id).await;
    assert_eq!(client.reset(id).await.0, 0, "NO_ERROR: the answer stands, no more of the request is wanted");
    assert_eq!(call.reads_reset().await, Reason::NO_ERROR);

    // The socket goes on.
    let (id, mut call) = client.begins(&mut upstream).await;
    call.ends_ok();
    client.ends(id).await;
}

#[tokio::test]
async fn what_the_window_holds_of_a_small_request_goes_with_an_early_answer() {
    let mut upstream = Upstream::narrow(1024).await;
    let mut client = Running::before(&upstream).await.relay().await;
    let id = client.opens(&[]);
    client.sends(id, vec![7; 3_000]);
    client.half_closes(id);
    client.flush().await;
    let mut call = upstream.call().await;
    call.ends_ok();
    client.ends(id).await;
    assert_eq!(call.is_reset().await, Reason::NO_ERROR);
}

#[tokio::test]
async fn a_lost_socket_cancels_all_its_calls() {
    let (mut upstream, mut client) = relayed().await;
    for _ in 0..3 {
        client.opens(&[]);
    }
    client.flush().await;
    let mut calls = [upstream.call().await, upstream.call().await, upstream.call().await];
    drop(client);
    for call in &mut calls {
        assert_eq!(call.reads_reset().await, Reason::CANCEL);
    }
}

#[tokio::test]
async fn two_hundred_calls_share_a_socket_and_few_connections() {
    const CALLS: usize = 200;
    let mut settings = h2::server::Builder::new();
    settings.max_concurrent_streams(60);
    let mut upstream = Upstream::with(settings).await;
    let gateway = Running::before(&upstream).await;
    let mut client = gateway.relay().await;

    // All are open at once, and each gets its own bytes back.
    let ids: Vec<u32> = (0..CALLS).map(|_| client.opens(&[])).collect();
    for &id in &ids {
        client.sends(id, message(id.to_string().as_bytes()));
    }
    let echo = tokio::spawn(async move {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..CALLS {
            let mut call = upstream.call().await;
            tasks.spawn(async move {
                let mut answer = call.answers();
                while let Some(chunk) = call.body.data().await {
                    let chunk = chunk.unwrap();
                    call.body.flow_control().release_capacity(chunk.len()).unwrap();
                    answer.send_data(chunk, false).unwrap();
                }
                answer.send_trailers(ok()).unwrap();
            });
        }
        soon(tasks.join_all()).await;
        upstream.connections.load(Ordering::SeqCst)
    });
    let (mut echoed, mut ended) = (0, 0);
    while ended < CALLS {
        match client.next().await {
            Seen::Headers { .. } => {}
            Seen::Data { id, bytes, .. } => {
                assert_eq!(bytes, message(id.to_string().as_bytes()));
                echoed += 1;
                if echoed == CALLS {
                    ids.iter().for_each(|&id| client.half_closes(id));
                }
            }
            Seen::Trailers { .. } => ended += 1,
            seen => panic!("{seen:?}"),
        }
    }
    assert_eq!(soon(echo).await.unwrap(), 4, "60 streams a connection");
}

#[tokio::test]
async fn a_burst_comes_back_in_few_messages() {
    let mut upstream = Upstream::start().await;
    let gateway = Running::before(&upstream).await;
    let limits = WireLimits { stream_window: 1 << 20, ..WireLimits::default() };
    let mut client = gateway.relay_with(limits).await;
    let (id, mut call) = client.begins(&mut upstream).await;
    let mut answer = call.answers();
    client.head(id).await;
    for _ in 0..1000 {
        answer.send_data(message(b"small"), false).unwrap();
    }
    let mut left = 10_000;
    let mut events = 0;
    while left > 0 {
        match client.next().await {
            Seen::Data { bytes, .. } => left -= bytes.len(),
            seen => panic!("{seen:?}"),
        }
        events += 1;
    }
    assert!(events < 500, "1000 messages came in {events} frames");
}

#[tokio::test]
async fn metadata_that_http_forbids_resets_its_call_alone() {
    let (mut upstream, mut client) = relayed().await;
    client.flush().await;
    // HELLO went out; this is an OPEN that a correct client never writes.
    let mut open = b"\x04POST\x00\x1f/greet.GreetService/GreetStream\x03x-a\x00\x03a\nb".to_vec();
    let mut frame = vec![1, 0, 0, 0, 0, 1, 0, 0, open.len() as u8];
    frame.append(&mut open);
    soon(client.socket.send(Message::Binary(frame.into()))).await.unwrap();
    let bytes = soon(async {
        use futures_util::StreamExt as _;
        // HELLO, then the reset.
        client.socket.next().await.unwrap().unwrap();
        client.socket.next().await.unwrap().unwrap().into_data()
    })
    .await;
    assert_eq!(bytes[0], 5, "RESET: {bytes:?}");
    assert_eq!(bytes[9..13], 1_u32.to_be_bytes(), "PROTOCOL_ERROR");
    upstream.idle().await;
}

#[tokio::test]
async fn broken_wire_closes_the_socket_and_cancels_upstream() {
    let mut upstream = Upstream::start().await;
    let gateway = Running::before(&upstream).await;
    for bad in
        [Message::Text("{}".into()), Message::Binary(Bytes::from_static(&[3, 0, 0, 0, 0, 1, 255, 255, 255]))]
    {
        let mut client = gateway.relay().await;
        let (_, mut call) = client.begins(&mut upstream).await;
        soon(client.socket.send(bad)).await.unwrap();
        let seen = client.next().await;
        assert!(matches!(seen, Seen::GoAway { code: 1, .. }), "{seen:?}");
        loop {
            match client.next().await {
                Seen::Closed(code) => break assert_eq!(code, Some(1002)),
                seen => drop(seen),
            }
        }
        assert_eq!(call.reads_reset().await, Reason::CANCEL);
    }
}

#[tokio::test]
async fn a_client_that_only_pings_is_answered() {
    let upstream = Upstream::start().await;
    let gateway = Running::before(&upstream).await;
    let mut client = gateway.relay().await;
    client.flush().await;
    let ping = [&[7, 0, 0, 0, 0, 0, 0, 0, 8][..], b"12345678"].concat();
    soon(client.socket.send(Message::Binary(ping.into()))).await.unwrap();
    let acked = soon(async {
        use futures_util::StreamExt as _;
        client.socket.next().await.unwrap().unwrap();
        client.socket.next().await.unwrap().unwrap().into_data()
    })
    .await;
    assert_eq!(acked, [&[7, 1, 0, 0, 0, 0, 0, 0, 8][..], b"12345678"].concat());
    not_now(client.next_without_limit()).await;
}

#[tokio::test]
async fn an_answer_with_too_large_headers_ends_its_call_alone() {
    let (mut upstream, mut client) = relayed().await;
    let large: &'static str = Box::leak("a".repeat(20_000).into_boxed_str());
    for pairs in [&[("x-large", large)][..], &[("x-a", &large[..8_000]), ("x-b", &large[..8_400])]] {
        let (id, mut call) = client.begins(&mut upstream).await;
        let _answer = call.answers_with(200, pairs);
        let (_, reason) = client.reset(id).await;
        assert!(reason.contains("larger headers") || reason.contains("16384"), "{reason}");
    }
    // Trailers without an end take nothing back of what came before them.
    let (id, mut call) = client.begins(&mut upstream).await;
    let mut answer = call.answers();
    client.head(id).await;
    answer.send_data(message(b"one"), false).unwrap();
    client.reads(id, &message(b"one")).await;
    answer.send_trailers(headers(&[("x-large", large)])).unwrap();
    let (_, reason) = client.reset(id).await;
    assert!(reason.contains("the upstream") && reason.contains("larger headers"), "{reason}");

    let (id, mut call) = client.begins(&mut upstream).await;
    let _answer = call.answers();
    client.head(id).await;
}

#[tokio::test]
async fn trailers_that_h2_would_cut_break_the_connection() {
    let (mut upstream, mut client) = relayed().await;
    // Above eight limits, of which the wire has five bits a byte.
    let large: &'static str = Box::leak("a".repeat(140_000).into_boxed_str());
    let (id, mut call) = client.begins(&mut upstream).await;
    let mut answer = call.answers();
    client.head(id).await;
    answer.send_trailers(headers(&[("grpc-status", "0"), ("x-large", large)])).unwrap();
    let (_, reason) = client.reset(id).await;
    assert!(reason.contains("broke") && reason.contains("--max-header-bytes"), "{reason}");
}

#[tokio::test]
async fn ten_thousand_round_trips() {
    const ROUNDS: usize = 10_000;
    let (mut upstream, mut client) = relayed().await;
    let (id, mut call) = client.begins(&mut upstream).await;
    let echo = tokio::spawn(async move {
        let mut answer = call.answers();
        for _ in 0..ROUNDS {
            call.reads(&message(b"ping")).await;
            answer.send_data(message(b"pong"), false).unwrap();
        }
        call.reads_end().await;
        answer.send_trailers(ok()).unwrap();
    });
    client.head(id).await;
    for _ in 0..ROUNDS {
        client.sends(id, message(b"ping"));
        client.reads(id, &message(b"pong")).await;
    }
    client.half_closes(id);
    client.trailers(id).await;
    soon(echo).await.unwrap();
}
