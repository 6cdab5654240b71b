//! What needs a client on bare HTTP/2: cancels, a lost connection, deadlines that only the server keeps, and more
//! metadata than tonic's client takes.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may")]

mod harness;

use harness::{Bare, Seen};
use serde_json::json;
use tidewire_demo::greeter;
use tidewire_demo::observed::Observed;

async fn start() -> (Bare, Observed) {
    let observed = Observed::default();
    let address = greeter::start("127.0.0.1:0".parse().unwrap(), observed.clone()).await.unwrap();
    (Bare::connect(address).await, observed)
}

#[tokio::test]
async fn a_cancel_is_no_half_close_while_the_greeter_waits_for_requests() {
    let (mut client, observed) = start().await;
    let seen = Seen::of(&observed, "a");
    let mut call = client.open("GreetStream", "a", &[]);
    call.send("Ada");
    assert_eq!(call.receive().await, "Hello, Ada");
    call.cancel();
    assert_eq!(seen.story().await, "open message reply cancelled end");
    assert_eq!(seen.end().await, json!({ "code": 1, "count": 1 }));

    let cancelled = seen.until("cancelled").await.pop().unwrap();
    let error = cancelled["detail"]["error"].as_str().unwrap();
    assert!(error.contains("stream no longer needed"), "not the words for CANCEL: {error}");
}

#[tokio::test]
async fn a_cancel_reaches_a_call_that_never_ends() {
    let (mut client, observed) = start().await;
    let seen = Seen::of(&observed, "a");
    let mut call = client.open("GreetStream", "a", &[("x-never-end", "1")]);
    call.half_close();
    seen.until("half-close").await;
    assert_eq!(observed.open_calls(), 1);
    call.cancel();
    assert_eq!(seen.story().await, "open half-close cancelled end");
    assert_eq!(observed.open_calls(), 0);
}

#[tokio::test]
async fn a_cancel_reaches_a_greeter_that_reads_nothing() {
    let (mut client, observed) = start().await;
    let seen = Seen::of(&observed, "a");
    let mut call = client.open("GreetStream", "a", &[("x-stall", "1")]);
    call.send("Ada");
    seen.until("open").await;
    call.cancel();
    assert_eq!(seen.story().await, "open cancelled end");
}

#[tokio::test]
async fn a_cancel_reaches_a_client_stream() {
    let (mut client, observed) = start().await;
    let seen = Seen::of(&observed, "a");
    let mut call = client.open("GreetClientStream", "a", &[]);
    call.send("Ada");
    seen.until("message").await;
    call.cancel();
    assert_eq!(seen.story().await, "open message cancelled end");
}

#[tokio::test]
async fn a_cancel_reaches_a_flood_of_replies() {
    let (mut client, observed) = start().await;
    let seen = Seen::of(&observed, "a");
    let mut call = client.open("GreetServerStream", "a", &[("x-count", "1000000000")]);
    call.send("Ada");
    call.half_close();
    assert_eq!(call.receive().await, "Hello, Ada 1");
    call.cancel();
    let story = seen.story().await;
    assert!(story.starts_with("open message reply") && story.ends_with("cancelled end"), "{story}");
}

#[tokio::test]
async fn a_cancel_reaches_a_unary_call_at_work() {
    let (mut client, observed) = start().await;
    let seen = Seen::of(&observed, "a");
    let mut call = client.open("Greet", "a", &[("x-delay", "60000")]);
    call.send("Ada");
    call.half_close();
    seen.until("message").await;
    call.cancel();
    assert_eq!(seen.story().await, "open message cancelled end");
}

#[tokio::test]
async fn a_lost_connection_cancels_its_calls() {
    let (mut client, observed) = start().await;
    let seen = ["a", "b"].map(|id| Seen::of(&observed, id));
    let _talking = client.open("GreetStream", "a", &[]);
    let _uploading = client.open("GreetClientStream", "b", &[]);
    for call in &seen {
        call.until("open").await;
    }
    client.cut();
    for call in &seen {
        assert_eq!(call.story().await, "open cancelled end");
    }
}

#[tokio::test]
async fn the_greeters_own_deadline_ends_every_kind() {
    let (mut client, observed) = start().await;
    for method in ["Greet", "GreetStream", "GreetClientStream", "GreetServerStream"] {
        let seen = Seen::of(&observed, method);
        let mut call = client.open(method, method, &[("grpc-timeout", "80m"), ("x-never-end", "1")]);
        call.send("Ada");
        call.half_close();
        assert_eq!(call.trailers().await["grpc-status"], "4", "{method}");
        let story = seen.story().await;
        assert!(story.ends_with("deadline end") && !story.contains("cancelled"), "{method}: {story}");
        assert_eq!(seen.until("open").await[0]["detail"]["timeout"], "80m");
        assert_eq!(seen.end().await["code"], 4);
    }
}

#[tokio::test]
async fn fifty_kilobytes_of_metadata_come_back() {
    let (mut client, _) = start().await;
    let value = "v".repeat(10_000);
    let names = ["echo-1", "echo-2", "echo-3", "echo-4", "echo-5"].map(|name| (name, &*value));
    let mut call = client.open("GreetStream", "a", &names);
    call.half_close();
    let trailers = call.trailers().await;
    assert_eq!(trailers["grpc-status"], "0");
    assert_eq!(trailers["echo-5"], value);
}
