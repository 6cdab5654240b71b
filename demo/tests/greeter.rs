//! What a native gRPC client makes the greeter see: the reference for every other client.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may")]

mod harness;

use harness::{LIMIT, Seen};
use prost::Message;
use serde_json::Value;
use tidewire_demo::behaviour::ASKED_TO_FAIL;
use tidewire_demo::greeter;
use tidewire_demo::observed::Observed;
use tidewire_demo::proto::greet_service_client::GreetServiceClient;
use tidewire_demo::proto::{ErrorInfo, GreetRequest, GreetResponse, RpcStatus};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::{AsciiMetadataValue, BinaryMetadataKey, BinaryMetadataValue, MetadataKey, MetadataMap};
use tonic::transport::Channel;
use tonic::{Code, Request, Status, Streaming};

struct Peer {
    client: GreetServiceClient<Channel>,
    seen: Seen,
    observed: Observed,
}

/// A bidi call in progress.
struct Talk {
    requests: mpsc::Sender<GreetRequest>,
    replies: Streaming<GreetResponse>,
    headers: MetadataMap,
}

impl Peer {
    async fn start() -> Self {
        let observed = Observed::default();
        let address = greeter::start("127.0.0.1:0".parse().unwrap(), observed.clone()).await.unwrap();
        let channel = Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
        let client = GreetServiceClient::new(channel).max_decoding_message_size(usize::MAX);
        Self { client, seen: Seen::of(&observed, "c"), observed }
    }

    async fn talk(&mut self, metadata: &[(&'static str, &str)]) -> Result<Talk, Status> {
        let (requests, outgoing) = mpsc::channel(1);
        let request = with(ReceiverStream::new(outgoing), metadata);
        let response = self.client.greet_stream(request).await?;
        let headers = response.metadata().clone();
        Ok(Talk { requests, replies: response.into_inner(), headers })
    }
}

impl Talk {
    async fn send(&self, name: &str) {
        self.requests.send(named(name)).await.unwrap();
    }

    async fn receive(&mut self) -> Option<String> {
        let reply = tokio::time::timeout(LIMIT, self.replies.message()).await.expect("a reply in time");
        reply.unwrap().map(|reply| reply.greeting)
    }
}

fn named(name: &str) -> GreetRequest {
    GreetRequest { name: name.into() }
}

fn with<T>(message: T, metadata: &[(&'static str, &str)]) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("x-call-id", AsciiMetadataValue::from_static("c"));
    for (name, value) in metadata {
        request.metadata_mut().append(MetadataKey::from_static(name), value.parse().unwrap());
    }
    request
}

/// The status of a stream that must not end with OK.
async fn failure(mut replies: Streaming<GreetResponse>) -> Status {
    loop {
        match tokio::time::timeout(LIMIT, replies.message()).await.expect("an end in time") {
            Ok(Some(_)) => {}
            Ok(None) => panic!("ended with OK"),
            Err(status) => return status,
        }
    }
}

async fn every(mut replies: Streaming<GreetResponse>) -> Vec<GreetResponse> {
    let mut all = Vec::new();
    while let Some(reply) = replies.message().await.unwrap() {
        all.push(reply);
    }
    all
}

#[tokio::test]
async fn unary_greets_and_is_written_down() {
    let mut peer = Peer::start().await;
    let reply = peer.client.greet(with(named("Ada"), &[])).await.unwrap();
    assert_eq!(reply.metadata().get("greeted").unwrap(), "1");
    assert_eq!(reply.into_inner().greeting, "Hello, Ada");

    let events = peer.seen.until("end").await;
    assert_eq!(peer.seen.story().await, "open message reply end");
    assert_eq!(events[0]["detail"]["method"], "Greet");
    assert_eq!(events[0]["detail"]["timeout"], Value::Null);
    assert_eq!(events[0]["detail"]["metadata"]["content-type"][0], "application/grpc");
    assert_eq!(events[1]["detail"], serde_json::json!({ "count": 1, "name": "Ada" }));
    assert_eq!(events[3]["detail"], serde_json::json!({ "code": 0, "count": 1 }));
    assert_eq!(peer.observed.open_calls(), 0);
}

#[tokio::test]
async fn bidi_answers_in_between_and_ends_after_half_close() {
    let mut peer = Peer::start().await;
    let mut talk = peer.talk(&[]).await.unwrap();
    for name in ["Ada", "Grace"] {
        talk.send(name).await;
        assert_eq!(talk.receive().await.unwrap(), format!("Hello, {name}"));
    }
    let Talk { requests, mut replies, .. } = talk;
    drop(requests);
    assert_eq!(replies.message().await.unwrap(), None);
    assert_eq!(replies.trailers().await.unwrap().unwrap().get("greeted").unwrap(), "2");
    assert_eq!(peer.seen.story().await, "open message reply message half-close end");
}

#[tokio::test]
async fn a_client_stream_is_answered_once_after_half_close() {
    let mut peer = Peer::start().await;
    let names = tokio_stream::iter(["Ada", "Grace", "Edsger"].map(named));
    let reply = peer.client.greet_client_stream(with(names, &[])).await.unwrap();
    assert_eq!(reply.metadata().get("greeted").unwrap(), "3");
    assert_eq!(reply.into_inner().greeting, "Hello, Ada, Grace, Edsger");
    assert_eq!(peer.seen.story().await, "open message message message half-close reply end");
}

#[tokio::test]
async fn a_server_stream_has_ten_replies_unless_told() {
    let mut peer = Peer::start().await;
    let replies = peer.client.greet_server_stream(with(named("Ada"), &[])).await.unwrap().into_inner();
    let replies = every(replies).await;
    assert_eq!(replies.len(), 10);
    assert_eq!(replies[9].greeting, "Hello, Ada 10");
    assert_eq!(peer.seen.story().await, "open message reply end");

    let padded = &[("x-count", "3"), ("x-size", "100000")];
    let replies = peer.client.greet_server_stream(with(named("Ada"), padded)).await.unwrap().into_inner();
    let replies = every(replies).await;
    assert_eq!(replies.iter().map(|reply| reply.greeting.len()).collect::<Vec<_>>(), [100_000; 3]);
    assert!(replies[2].greeting.starts_with("Hello, Ada 3...."));
}

#[tokio::test]
async fn a_message_of_forty_megabytes_goes_both_ways() {
    let mut peer = Peer::start().await;
    let name = "x".repeat(40 << 20);
    let reply = peer.client.greet(with(named(&name), &[])).await.unwrap().into_inner();
    assert_eq!(reply.greeting.len(), name.len() + "Hello, ".len());
    assert_eq!(peer.seen.until("message").await[1]["detail"]["name"], "x".repeat(64));
}

#[tokio::test]
async fn headers_come_back_twice_repeats_and_binary_included() {
    let mut peer = Peer::start().await;
    let mut request = with(named("Ada"), &[("echo-a", "1"), ("echo-a", "2"), ("other", "x")]);
    for bytes in [&b"\x00\xff"[..], b"two"] {
        let value = BinaryMetadataValue::from_bytes(bytes);
        request.metadata_mut().append_bin(BinaryMetadataKey::from_static("echo-b-bin"), value);
    }
    let mut replies = peer.client.greet_server_stream(request).await.unwrap();
    let headers = replies.metadata().clone();
    let trailers = replies.get_mut().trailers().await.unwrap().unwrap();
    for metadata in [headers, trailers] {
        let ascii: Vec<_> = metadata.get_all("echo-a").iter().collect();
        assert_eq!(ascii, ["1", "2"]);
        let binary: Vec<_> =
            metadata.get_all_bin("echo-b-bin").iter().map(|v| v.to_bytes().unwrap()).collect();
        assert_eq!(binary, [&b"\x00\xff"[..], b"two"]);
        assert!(!metadata.contains_key("other"));
    }
    let seen = peer.seen.until("open").await[0]["detail"]["metadata"].take();
    assert_eq!(seen["echo-a"], serde_json::json!(["1", "2"]));
    assert_eq!(seen["echo-b-bin"], serde_json::json!(["AP8", "dHdv"]));
}

#[tokio::test]
async fn it_fails_as_asked_with_code_message_and_detail() {
    let mut peer = Peer::start().await;
    let mut talk = peer.talk(&[("x-fail-after", "2"), ("echo-a", "1")]).await.unwrap();
    assert_eq!(talk.headers.get("echo-a").unwrap(), "1");
    for name in ["Ada", "Grace"] {
        talk.send(name).await;
        assert_eq!(talk.receive().await.unwrap(), format!("Hello, {name}"));
    }
    let status = failure(talk.replies).await;
    assert_eq!((status.code(), status.message()), (Code::FailedPrecondition, ASKED_TO_FAIL));
    assert_eq!(status.metadata().get("greeted").unwrap(), "2");
    assert_eq!(status.metadata().get("echo-a").unwrap(), "1");
    let details = RpcStatus::decode(status.details()).unwrap().details;
    assert_eq!(details[0].type_url, "type.googleapis.com/google.rpc.ErrorInfo");
    assert_eq!(ErrorInfo::decode(&*details[0].value).unwrap().reason, "ASKED_TO_FAIL");
    assert_eq!(peer.seen.story().await, "open message reply message end");
    assert_eq!(peer.seen.end().await, serde_json::json!({ "code": 9, "count": 2 }));
}

#[tokio::test]
async fn failing_at_once_answers_in_the_headers_on_every_kind() {
    let asked = &[("x-fail-after", "0"), ("x-fail-code", "16"), ("echo-a", "1")];
    let mut peer = Peer::start().await;
    let names = || tokio_stream::pending::<GreetRequest>();
    let failures = [
        peer.client.greet(with(named("Ada"), asked)).await.unwrap_err(),
        peer.client.greet_stream(with(names(), asked)).await.unwrap_err(),
        peer.client.greet_client_stream(with(names(), asked)).await.unwrap_err(),
        peer.client.greet_server_stream(with(named("Ada"), asked)).await.unwrap_err(),
    ];
    for status in failures {
        assert_eq!((status.code(), status.message()), (Code::Unauthenticated, ASKED_TO_FAIL));
        assert_eq!(status.metadata().get("greeted").unwrap(), "0");
        assert_eq!(status.metadata().get("echo-a").unwrap(), "1");
    }
    assert_eq!(peer.seen.story().await, "open end");
    assert_eq!(peer.observed.open_calls(), 0);
}

#[tokio::test]
async fn it_greets_first_when_asked_before_anything_was_sent() {
    let mut peer = Peer::start().await;
    let mut talk = peer.talk(&[("x-greet-first", "1")]).await.unwrap();
    assert_eq!(talk.receive().await.unwrap(), "Welcome");
    talk.send("Ada").await;
    assert_eq!(talk.receive().await.unwrap(), "Hello, Ada");
}

#[tokio::test]
async fn it_goes_on_sending_after_half_close() {
    let mut peer = Peer::start().await;
    let Talk { requests, mut replies, .. } = peer.talk(&[("x-after-close", "3")]).await.unwrap();
    requests.send(named("Ada")).await.unwrap();
    drop(requests);
    let mut heard = Vec::new();
    while let Some(reply) = replies.message().await.unwrap() {
        heard.push(reply.greeting);
    }
    assert_eq!(heard, ["Hello, Ada", "Goodbye 1", "Goodbye 2", "Goodbye 3"]);
    assert_eq!(peer.seen.story().await, "open message reply half-close end");
}

#[tokio::test]
async fn it_ends_early_though_the_client_would_go_on() {
    let mut peer = Peer::start().await;
    let mut talk = peer.talk(&[("x-end-after", "1")]).await.unwrap();
    talk.send("Ada").await;
    assert_eq!(talk.receive().await.unwrap(), "Hello, Ada");
    assert_eq!(talk.receive().await, None);
    assert_eq!(peer.seen.story().await, "open message reply end");
    assert_eq!(peer.seen.end().await, serde_json::json!({ "code": 0, "count": 1 }));
}

#[tokio::test]
async fn a_wrong_value_is_the_callers_fault_and_named() {
    let mut peer = Peer::start().await;
    let status = peer.talk(&[("x-end-after", "soon")]).await.err().unwrap();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().contains("x-end-after"), "{}", status.message());
}
