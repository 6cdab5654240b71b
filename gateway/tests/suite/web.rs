//! gRPC-Web, as clients over HTTP/2 and HTTP/1.1 speak it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::StreamExt as _;
use h2::Reason;
use tidewire_gateway::{Gateway, Limits};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::clients::Running;
use crate::harness::{Upstream, block, headers, message, not_now, ok, soon, value};

#[tokio::test]
async fn both_halves_stream_and_receiving_goes_on_after_half_close() {
    let mut upstream = Upstream::start().await;
    let gateway = Running::before(&upstream).await;

    let mut client = gateway
        .post(&[
            ("grpc-timeout", "5S"),
            ("x-call-id", "7"),
            ("tri-service-group", "g"),
            ("cookie", "a=b"),
            ("x-forwarded-for", "1.2.3.4"),
        ])
        .await;
    // The call is there before a byte of its body.
    let mut call = upstream.call().await;
    assert_eq!(call.request.method(), "POST");
    assert_eq!(call.request.uri().path(), "/greet.GreetService/GreetStream");
    assert_eq!(call.request.uri().authority().unwrap().as_str(), upstream.address.to_string());
    assert_eq!(call.header("content-type"), Some("application/grpc+proto"));
    assert_eq!(call.header("te"), Some("trailers"));
    assert_eq!(call.header("grpc-timeout"), Some("5S"));
    assert_eq!(call.header("x-call-id"), Some("7"));
    assert_eq!(call.header("tri-service-group"), Some("g"));
    assert_eq!(call.header("cookie"), None);
    assert_eq!(call.header("x-forwarded-for"), None);

    // So is the answer before anything was sent.
    let mut answer = call.answers();
    let head = client.head().await;
    assert_eq!(head.status, 200);
    assert_eq!(head.headers["content-type"], "application/grpc-web+proto");

    client.sends(message(b"one"));
    call.reads(&message(b"one")).await;
    answer.send_data(message(b"re: one"), false).unwrap();
    assert_eq!(client.chunk().await.unwrap().unwrap(), message(b"re: one"));

    client.half_closes();
    call.reads_end().await;
    answer.send_data(message(b"goodbye"), false).unwrap();
    assert_eq!(client.chunk().await.unwrap().unwrap(), message(b"goodbye"));
    answer.send_trailers(ok()).unwrap();
    let trailers = block(&client.rest().await);
    assert_eq!(value(&trailers, "grpc-status"), Some("0"));
    assert_eq!(value(&trailers, "greeted"), Some("1"));
}

#[tokio::test]
async fn http_1_streams_both_ways_too() {
    let mut upstream = Upstream::start().await;
    let gateway = Running::before(&upstream).await;
    let mut client = Http1::post(&gateway, "content-type: application/grpc-web\r\n").await;

    let mut call = upstream.call().await;
    let mut answer = call.answers();
    client.reads_until("\r\n\r\n").await;
    client.sends(&message(b"one")).await;
    call.reads(&message(b"one")).await;
    answer.send_data(message(b"two"), false).unwrap();
    client.reads_until("two\r\n").await;
    client.writes(b"0\r\n\r\n").await;
    call.reads_end().await;
    answer.send_trailers(ok()).unwrap();
    client.reads_until("grpc-status: 0\r\n").await;
    client.reads_until("0\r\n\r\n").await;
}

#[tokio::test]
async fn a_reset_cancels_upstream_at_once() {
    let mut upstream = Upstream::start().await;
    let gateway = Running::before(&upstream).await;

    // Before the head, between messages and inside one, with any code: some clients abort with NO_ERROR.
    for sent in [&message(b"whole")[..], b"\0\0\0\0\x09half"] {
        for reason in [Reason::CANCEL, Reason::NO_ERROR, Reason::INTERNAL_ERROR] {
            let mut client = gateway.post(&[]).await;
            client.sends(sent.to_vec());
            let mut call = upstream.call().await;
            call.reads(sent).await;
            client.send.send_reset(reason);
            assert_eq!(call.reads_reset().await, Reason::CANCEL, "{reason:?}");
        }
    }

    // Between messages, after the head.
    let mut client = gateway.post(&[]).await;
    let mut call = upstream.call().await;
    let _answer = call.answers();
    client.head().await;
    client.send.send_reset(Reason::CANCEL);
    assert_eq!(call.reads_reset().await, Reason::CANCEL);

    // While the client waits for the rest.
    let mut client = gateway.post(&[]).await;
    client.half_closes();
    let mut call = upstream.call().await;
    call.reads_end().await;
    let mut answer = call.answers();
    client.head().await;
    client.send.send_reset(Reason::CANCEL);
    let reset = soon(std::future::poll_fn(|cx| answer.poll_reset(cx))).await.unwrap();
    assert_eq!(reset, Reason::CANCEL);
}

#[tokio::test]
async fn a_lost_http_1_connection_cancels_upstream() {
    let mut upstream = Upstream::start().await;
    let gateway = Running::before(&upstream).await;

    let mut client = Http1::post(&gateway, "content-type: application/grpc-web\r\n").await;
    client.sends(&message(b"one")).await;
    let mut call = upstream.call().await;
    call.reads(&message(b"one")).await;
    drop(client);
    assert_eq!(call.reads_reset().await, Reason::CANCEL);

    let mut client = Http1::post(&gateway, "content-type: application/grpc-web\r\n").await;
    client.writes(b"0\r\n\r\n").await;
    let mut call = upstream.call().await;
    call.reads_end().await;
    drop(client);
    assert_eq!(call.is_reset().await, Reason::CANCEL);
}

#[tokio::test]
async fn an_upload_that_ends_inside_a_message_is_no_half_close() {
    let mut upstream = Upstream::start().await;
    let gateway = Running::before(&upstream).await;
    let mut client = gateway.post(&[]).await;
    let mut call = upstream.call().await;
    client.send.send_data(Bytes::from_static(b"\0\0\0\0\x09half"), true).unwrap();
    assert_eq!(call.reads_reset().await, Reason::CANCEL);
    let head = client.head().await;
    assert_eq!(head.headers["grpc-status"], "3");
    assert!(head.headers["grpc-message"].to_str().unwrap().contains("5 more bytes"));
}

#[tokio::test]
async fn an_upstream_that_ends_early_ends_the_upload() {
    let mut upstream = Upstream::start().await;
    let gateway = Running::before(&upstream).await;
    let mut client = gateway.post(&[]).await;
    client.sends(message(b"one"));
    let mut call = upstream.call().await;
    call.reads(&message(b"one")).await;
    let mut answer = call.answers();
    answer.send_trailers(ok()).unwrap();
    client.head().await;
    assert_eq!(value(&block(&client.rest().await), "grpc-status"), Some("0"));
    let reset = soon(std::future::poll_fn(|cx| client.send.poll_reset(cx))).await.unwrap();
    assert_eq!(reset, Reason::NO_ERROR);
    assert_eq!(call.reads_reset().await, Reason::NO_ERROR);

    // Over HTTP/1.1 the client may go on sending for a while, its answer is whole.
    let mut client = Http1::post(&gateway, "content-type: application/grpc-web\r\n").await;
    let mut call = upstream.call().await;
    call.answers().send_trailers(ok()).unwrap();
    client.reads_until("grpc-status: 0\r\n").await;
    client.sends(&message(b"late")).await;
    client.reads_until("0\r\n\r\n").await;
}

#[tokio::test]
async fn trailers_without_an_end_are_the_upstreams_fault_behind_what_came() {
    let large: &'static str = Box::leak("a".repeat(20_000).into_boxed_str());
    let endless = [("grpc-status", "0"), ("x-large", large)];
    let mut upstream = Upstream::start().await;
    let gateway = Running::before(&upstream).await;

    let mut client = gateway.post(&[]).await;
    let mut answer = upstream.call().await.answers();
    answer.send_data(message(b"one"), false).unwrap();
    client.head().await;
    assert_eq!(client.chunk().await.unwrap().unwrap(), message(b"one"));
    answer.send_trailers(headers(&endless)).unwrap();
    is_the_upstreams_fault(&block(&client.rest().await));

    let mut client = gateway.grpc_websocket().await;
    let mut answer = upstream.call().await.answers();
    answer.send_data(message(b"one"), false).unwrap();
    let mut next = async || soon(client.next()).await.unwrap().unwrap().into_data();
    block(&next().await);
    assert_eq!(next().await, message(b"one"));
    answer.send_trailers(headers(&endless)).unwrap();
    is_the_upstreams_fault(&block(&next().await));
}

fn is_the_upstreams_fault(trailers: &[(String, String)]) {
    assert_eq!(value(trailers, "grpc-status"), Some("13"));
    let sentence = value(trailers, "grpc-message").unwrap();
    assert!(sentence.contains("the upstream") && sentence.contains("--max-header-bytes"), "{sentence}");
}

#[tokio::test]
async fn a_reset_in_mid_message_becomes_a_status_behind_what_came() {
    let mut upstream = Upstream::start().await;
    let gateway = Running::before(&upstream).await;
    for (reason, status) in [
        (Reason::INTERNAL_ERROR, "13"),
        (Reason::REFUSED_STREAM, "14"),
        (Reason::CANCEL, "1"),
        (Reason::ENHANCE_YOUR_CALM, "8"),
        (Reason::INADEQUATE_SECURITY, "7"),
    ] {
        let mut client = gateway.post(&[]).await;
        let mut call = upstream.call().await;
        let mut answer = call.answers();
        answer.send_data(Bytes::from_static(b"\0\0\0\0\x09half"), false).unwrap();
        client.head().await;
        assert_eq!(client.chunk().await.unwrap().unwrap(), &b"\0\0\0\0\x09half"[..]);
        answer.send_reset(reason);
        let trailers = block(&client.rest().await);
        assert_eq!(value(&trailers, "grpc-status"), Some(status), "{reason:?}");
        assert!(value(&trailers, "grpc-message").unwrap().contains("reset the stream"));
    }
}

#[tokio::test]
async fn a_hang_up_before_the_answer_to_a_dubbo_call_names_group_and_version() {
    let mut upstream = Upstream::start().await;
    let gateway = Running::before(&upstream).await;
    for (name, says) in [("tri-service-group", true), ("tri-service-version", true), ("x-call-id", false)] {
        let mut client = gateway.post(&[(name, "nobody")]).await;
        upstream.call().await.resets(Reason::INTERNAL_ERROR);
        let head = client.head().await;
        assert_eq!(head.headers["grpc-status"], "13");
        let words = head.headers["grpc-message"].to_str().unwrap();
        assert_eq!(words.contains("no such tri-service-group or tri-service-version"), says, "{words}");
    }
}

#[tokio::test]
async fn trailers_only_travel_as_headers() {
    let mut upstream = Upstream::start().await;
    let gateway = Running::before(&upstream).await;
    let mut client = gateway.post(&[]).await;
    let mut call = upstream.call().await;
    call.answers_only(
        200,
        &[("content-type", "application/grpc"), ("grpc-status", "9"), ("grpc-message", "100%25")],
    );
    let head = client.head().await;
    assert_eq!(head.headers["grpc-status"], "9");
    assert_eq!(head.headers["grpc-message"], "100%25");
    assert_eq!(head.headers["content-type"], "application/grpc-web+proto");
    assert!(client.rest().await.is_empty());
}

#[tokio::test]
async fn a_stream_without_status_gets_one() {
    let mut upstream = Upstream::start().await;
    let gateway = Running::before(&upstream).await;
    let mut client = gateway.post(&[]).await;
    upstream.call().await.answers().send_data(Bytes::new(), true).unwrap();
    client.head().await;
    assert_eq!(value(&block(&client.rest().await), "grpc-status"), Some("13"));
}

#[tokio::test]
async fn an_answer_that_is_not_grpc_says_so() {
    let mut upstream = Upstream::start().await;
    let gateway = Running::before(&upstream).await;
    for (http, grpc) in [(404, "12"), (415, "2"), (503, "14"), (401, "16"), (400, "13"), (200, "2")] {
        let mut client = gateway.post(&[]).await;
        let mut call = upstream.call().await;
        let mut answer = call.answers_with(http, &[("content-type", "text/html")]);
        answer.send_data(Bytes::from_static(b"<html>"), true).unwrap();
        let head = client.head().await;
        assert_eq!(head.status, 200);
        assert_eq!(head.headers["grpc-status"], grpc, "HTTP {http}");
        let sentence = head.headers["grpc-message"].to_str().unwrap();
        assert!(sentence.contains(&format!("HTTP {http}")) && sentence.contains("text/html"), "{sentence}");
        assert!(client.rest().await.is_empty());
    }
}

#[tokio::test]
async fn a_status_in_the_headers_wins_over_the_http_status() {
    let mut upstream = Upstream::start().await;
    let gateway = Running::before(&upstream).await;
    let mut client = gateway.post(&[]).await;
    upstream.call().await.answers_only(404, &[("grpc-status", "5")]);
    assert_eq!(client.head().await.headers["grpc-status"], "5");
}

#[tokio::test]
async fn text_at_odd_cuts_with_padding_in_the_middle() {
    let mut upstream = Upstream::start().await;
    let gateway = Running::before(&upstream).await;
    let mut client = gateway.post(&[("content-type", "application/grpc-web-text+proto")]).await;
    let text = STANDARD.encode(message(b"one")) + &STANDARD.encode(message(b"second"));
    for cut in text.as_bytes().chunks(3) {
        client.sends(cut.to_vec());
    }
    client.half_closes();
    let mut call = upstream.call().await;
    assert_eq!(call.header("content-type"), Some("application/grpc+proto"));
    call.reads(&[message(b"one"), message(b"second")].concat()).await;
    call.reads_end().await;
    let mut answer = call.answers();
    answer.send_data(message(b"re"), false).unwrap();
    let head = client.head().await;
    assert_eq!(head.headers["content-type"], "application/grpc-web-text+proto");
    assert_eq!(STANDARD.decode(client.chunk().await.unwrap().unwrap()).unwrap(), message(b"re"));
    answer.send_trailers(ok()).unwrap();
    let trailers = block(&STANDARD.decode(client.rest().await).unwrap());
    assert_eq!(value(&trailers, "grpc-status"), Some("0"));
}

#[tokio::test]
async fn accept_chooses_the_form_of_the_answer() {
    let mut upstream = Upstream::start().await;
    let gateway = Running::before(&upstream).await;
    for (content, accept, answered) in [
        ("application/grpc-web", "application/grpc-web-text", "application/grpc-web-text+proto"),
        ("application/grpc-web-text", "application/grpc-web+proto", "application/grpc-web+proto"),
        ("application/grpc-web-text", "*/*", "application/grpc-web-text+proto"),
    ] {
        let mut client = gateway.post(&[("content-type", content), ("accept", accept)]).await;
        upstream.call().await.answers().send_trailers(ok()).unwrap();
        assert_eq!(client.head().await.headers["content-type"], answered, "{content}, accept {accept}");
    }
}

#[tokio::test]
async fn a_message_above_the_limit_is_refused_at_its_prefix() {
    let mut upstream = Upstream::start().await;
    let limits = Limits { max_message_bytes: 1000, ..Limits::default() };
    let gateway = Running::start(Gateway::builder().upstream(upstream.url()).limits(limits)).await;
    for length in [1001, u32::MAX] {
        let mut client = gateway.post(&[]).await;
        let mut call = upstream.call().await;
        client.sends([&[0][..], &length.to_be_bytes()].concat());
        assert_eq!(call.reads_reset().await, Reason::CANCEL);
        let head = client.head().await;
        assert_eq!(head.headers["grpc-status"], "8");
        assert!(head.headers["grpc-message"].to_str().unwrap().contains(&length.to_string()));
    }
}

#[tokio::test]
async fn a_body_in_the_other_form_is_the_clients_fault() {
    let mut upstream = Upstream::start().await;
    let gateway = Running::before(&upstream).await;
    for (content, body, word) in [
        ("application/grpc-web+proto", Bytes::from(STANDARD.encode(message(b"one"))), "grpc-web-text"),
        ("application/grpc-web-text", message(b"one"), "base64"),
        ("application/grpc-web+proto", Bytes::from_static(b"\x80\0\0\0\0"), "0x80"),
    ] {
        let mut client = gateway.post(&[("content-type", content)]).await;
        let mut call = upstream.call().await;
        client.sends(body);
        assert_eq!(call.reads_reset().await, Reason::CANCEL, "{content}");
        let head = client.head().await;
        assert_eq!(head.headers["grpc-status"], "3", "{content}");
        let sentence = head.headers["grpc-message"].to_str().unwrap();
        assert!(sentence.starts_with("the client sent") && sentence.contains(word), "{sentence}");
    }
}

#[tokio::test]
async fn metadata_that_http_forbids_does_not_pass() {
    let mut upstream = Upstream::start().await;
    let gateway = Running::before(&upstream).await;
    for forbidden in ["x-a: a\0b\r\n", "bad name: 1\r\n"] {
        let mut client =
            Http1::post(&gateway, &format!("content-type: application/grpc-web\r\n{forbidden}")).await;
        client.reads_until("HTTP/1.1 400 Bad Request\r\n").await;
    }
    upstream.idle().await;
}

#[tokio::test]
async fn a_cancelled_call_leaves_its_neighbours_alone() {
    let mut upstream = Upstream::start().await;
    let gateway = Running::before(&upstream).await;
    let mut stays = gateway.post(&[]).await;
    let mut call = upstream.call().await;
    let mut leaves = gateway.post(&[]).await;
    let mut other = upstream.call().await;
    leaves.send.send_reset(Reason::CANCEL);
    assert_eq!(other.reads_reset().await, Reason::CANCEL);
    stays.sends(message(b"still here"));
    call.reads(&message(b"still here")).await;
    not_now(call.body.data()).await;
}

/// A client that writes its own bytes.
pub(crate) struct Http1 {
    pub(crate) tcp: TcpStream,
    read: Vec<u8>,
}

impl Http1 {
    pub(crate) async fn post(gateway: &Running, headers: &str) -> Self {
        let tcp = soon(TcpStream::connect(gateway.address)).await.unwrap();
        let mut client = Self { tcp, read: Vec::new() };
        let head = format!(
            "POST /greet.GreetService/GreetStream HTTP/1.1\r\nhost: {}\r\ntransfer-encoding: chunked\r\n{headers}\r\n",
            gateway.address
        );
        client.writes(head.as_bytes()).await;
        client
    }

    pub(crate) async fn writes(&mut self, bytes: &[u8]) {
        soon(self.tcp.write_all(bytes)).await.unwrap();
    }

    pub(crate) async fn sends(&mut self, body: &[u8]) {
        let mut chunk = format!("{:x}\r\n", body.len()).into_bytes();
        chunk.extend_from_slice(body);
        chunk.extend_from_slice(b"\r\n");
        self.writes(&chunk).await;
    }

    /// Reads up to and with the text, once more each time.
    async fn reads_until(&mut self, text: &str) {
        loop {
            if let Some(at) = self.read.windows(text.len()).position(|window| window == text.as_bytes()) {
                self.read.drain(..at + text.len());
                return;
            }
            let mut more = [0; 4096];
            let count = soon(self.tcp.read(&mut more)).await.unwrap();
            assert!(count > 0, "closed before {text:?}: {:?}", String::from_utf8_lossy(&self.read));
            self.read.extend_from_slice(&more[..count]);
        }
    }
}
