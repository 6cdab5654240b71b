//! What is handed to tonic, and what letting go of it does.

use std::error::Error as _;
use std::time::Duration;

use http::HeaderMap;
use wasm_bindgen_test::wasm_bindgen_test;

use super::troupe::{builder, channel, next, now, piece, unary};
use crate::channel::{Credentials, Transport};
use crate::js::tests::stage::{Stage, message, ok, trailers};
use crate::status::{Fault, Status};

const WEB: (&str, &str) = ("content-type", "application/grpc-web+proto");

#[wasm_bindgen_test]
async fn a_chunk_is_handed_over_as_one_slice_of_its_one_copy() {
    let stage = Stage::new();
    let answer = unary(&channel(&stage, builder(Transport::Fetch)), &[], message("Ada"));
    let server = stage.fetch.exchange(0);
    assert_eq!(server.body().to_vec(), message("Ada"));
    server.responds();
    let (_, mut body) = answer.await.unwrap().into_parts();
    let framed = [message("one"), message(""), message("two")].concat();
    let chunk = [framed.clone(), ok()].concat();
    server.sends(&chunk);
    let slice = piece(&mut body).await;
    assert_eq!(slice, framed);
    // Behind the slice stands the room of the rest of the chunk: it is the very buffer that was copied into.
    assert_eq!(slice.try_into_mut().unwrap().capacity(), chunk.len());
    let trailers = next(&mut body).await.unwrap().unwrap().into_trailers().unwrap();
    assert_eq!(trailers["grpc-status"], "0");
    assert!(next(&mut body).await.is_none());
    server.ends();
    stage.saw(&["fetch POST http://test/greet.GreetService/Greet", "read", "read"]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_dropped_future_aborts_the_request() {
    let stage = Stage::new();
    let mut answer = unary(&channel(&stage, builder(Transport::Fetch)), &[], message("Ada"));
    assert!(now(&mut answer).is_none());
    stage.saw(&["fetch"]).await;
    drop(answer);
    stage.sees(&["abort"]);
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_dropped_body_aborts_the_answer_and_after_the_end_nothing() {
    let stage = Stage::new();
    let channel = channel(&stage, builder(Transport::Fetch));
    for ended in [false, true] {
        let answer = unary(&channel, &[], message("Ada"));
        let server = stage.fetch.exchange(usize::from(ended));
        server.responds();
        let (_, mut body) = answer.await.unwrap().into_parts();
        server.sends(&[message("one"), if ended { ok() } else { Vec::new() }].concat());
        piece(&mut body).await;
        stage.saw(&["fetch", "read", "read"]).await;
        drop(body);
        stage.sees(if ended { &[] } else { &["abort"] });
        if ended {
            server.ends();
        }
    }
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn an_answer_that_is_not_polled_is_read_no_further_than_its_window() {
    let stage = Stage::new();
    let channel = channel(&stage, builder(Transport::Fetch).receive_window_bytes(1000));
    let answer = unary(&channel, &[], message("Ada"));
    let server = stage.fetch.exchange(0);
    server.responds();
    let (_, mut body) = answer.await.unwrap().into_parts();
    let large = message(&"x".repeat(1000));
    server.sends(&large);
    stage.saw(&["fetch", "read"]).await;
    assert_eq!(piece(&mut body).await, large);
    stage.saw(&["read"]).await;
    server.sends(&ok());
    assert!(next(&mut body).await.unwrap().unwrap().is_trailers());
    server.ends();
    stage.saw(&["read"]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn an_error_has_details_metadata_and_the_fault_as_its_source() {
    let stage = Stage::new();
    let channel = channel(&stage, builder(Transport::Fetch));
    let answer = unary(&channel, &[], message("Ada"));
    let server = stage.fetch.exchange(0);
    // In the headers, as a service refuses a call: the call itself fails.
    server.responds_status(
        200,
        &[WEB, ("grpc-status", "5"), ("grpc-message", "gr%C3%BC%C3%9Ft"), ("x-why-bin", "AQ,Ag")],
    );
    server.ends();
    let error = answer.await.unwrap_err();
    assert_eq!((error.code(), error.message()), (tonic::Code::NotFound, "grüßt"));
    let why: Vec<_> =
        error.metadata().get_all_bin("x-why-bin").iter().map(|value| value.to_bytes().unwrap()).collect();
    assert_eq!(why, [[1u8].as_slice(), &[2]]);
    let source = error.source().and_then(|source| source.downcast_ref::<Status>()).unwrap();
    assert_eq!(source.fault, Fault::Peer);

    // Behind a message: the stream fails, after it.
    let answer = unary(&channel, &[], message("Ada"));
    let server = stage.fetch.exchange(1);
    server.responds();
    let block =
        "grpc-status: 9\r\ngrpc-message: no\r\ngrpc-status-details-bin: CAkSAm5v\r\nx-n: 1\r\nx-n: 2\r\n";
    server.sends(&[message("one"), trailers(block)].concat());
    let (_, mut body) = answer.await.unwrap().into_parts();
    assert_eq!(piece(&mut body).await, message("one"));
    let error = next(&mut body).await.unwrap().unwrap_err();
    assert_eq!(
        (error.code(), error.details()),
        (tonic::Code::FailedPrecondition, b"\x08\x09\x12\x02no".as_slice())
    );
    assert_eq!(error.metadata().get_all("x-n").iter().collect::<Vec<_>>(), ["1", "2"]);
    assert!(error.metadata().get("grpc-status").is_none());
    assert!(next(&mut body).await.is_none());
    server.ends();
    stage.settle().await;
    stage.forget();
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn what_is_no_grpc_and_a_network_that_fails_are_errors_of_the_call() {
    let stage = Stage::new();
    let channel = channel(&stage, builder(Transport::Fetch));
    let answer = unary(&channel, &[], message("Ada"));
    stage.fetch.exchange(0).responds_status(200, &[("content-type", "text/html")]);
    let error = answer.await.unwrap_err();
    assert_eq!(error.code(), tonic::Code::Unknown);
    assert!(error.message().contains("text/html"), "{error}");

    let answer = unary(&channel, &[], message("Ada"));
    stage.fetch.exchange(1).fails(&js_sys::Error::new("Failed to fetch"));
    let error = answer.await.unwrap_err();
    assert_eq!(error.code(), tonic::Code::Unavailable);
    let source = error.source().and_then(|source| source.downcast_ref::<Status>()).unwrap();
    assert_eq!(source.fault, Fault::Transport);
    // The page's body stays open, and is not waited for.
    stage.settle().await;
    stage.advance(60_000.0);
    stage.forget();
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_deadline_of_the_request_is_sent_once_and_kept_here() {
    let stage = Stage::new();
    let channel = channel(&stage, builder(Transport::Fetch).timeout(Duration::from_secs(9)));
    let mut answer = unary(&channel, &[("grpc-timeout", "250000u")], message("Ada"));
    assert_eq!(stage.fetch.exchange(0).header("grpc-timeout").unwrap(), "250000u");
    assert!(now(&mut answer).is_none());
    stage.saw(&["fetch"]).await;
    stage.advance(249.0);
    stage.saw(&[]).await;
    stage.advance(2.0);
    stage.sees(&["abort"]);
    assert_eq!(answer.await.unwrap_err().code(), tonic::Code::DeadlineExceeded);

    // One that has passed sends nothing; one that is none is the caller's fault.
    let passed = unary(&channel, &[("grpc-timeout", "0n")], message("Ada")).await.unwrap_err();
    assert_eq!(passed.code(), tonic::Code::DeadlineExceeded);
    let none = unary(&channel, &[("grpc-timeout", "soon")], message("Ada")).await.unwrap_err();
    assert_eq!(none.code(), tonic::Code::InvalidArgument);
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn defaults_of_the_channel_give_way_to_the_calls_own() {
    let stage = Stage::new();
    let metadata: HeaderMap = [("x-app", "shop"), ("x-user", "nobody")]
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .into_iter()
        .collect();
    let defaults = builder(Transport::Fetch).metadata(metadata).timeout(Duration::from_secs(9));
    let defaults = defaults.fetch_init("redirect", "error").fetch_init("method", "PUT");
    let channel = channel(&stage, defaults.credentials(Credentials::Include));
    let own = [("x-user", "me"), ("grpc-encoding", "gzip"), ("grpc-accept-encoding", "gzip,zstd")];
    let answer = unary(&channel, &own, message("Ada"));
    let server = stage.fetch.exchange(0);
    for (name, value) in [
        ("x-app", "shop"),
        ("x-user", "me"),
        ("grpc-timeout", "9000000u"),
        ("grpc-encoding", "gzip"),
        ("grpc-accept-encoding", "gzip,zstd"),
        ("content-type", "application/grpc-web+proto"),
    ] {
        assert_eq!(server.header(name).as_deref(), Some(value), "{name}");
    }
    assert_eq!(server.option("credentials"), "include");
    assert_eq!(server.option("redirect"), "error");
    assert_eq!(server.option("method"), "POST", "the channel's own members stay");
    drop(answer);
    let refused = unary(&channel, &[("cookie", "a=b")], message("Ada")).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::InvalidArgument);
    stage.saw(&["fetch", "abort"]).await;
    stage.ends().await;
}
