//! Requests that stream over `fetch`, where the browser can: Chromium over HTTPS.

use wasm_bindgen_test::wasm_bindgen_test;

use super::stage::{Call, JsClient, Stage, message, ok};
use crate::call::CallKind::{Bidi, ClientStream};
use crate::transport::HIGH_WATER;

fn secure(stage: &Stage) -> JsClient {
    stage.client(&[("baseUrl", "https://test".into()), ("transport", "fetch".into())])
}

async fn opened(stage: &Stage) -> Call {
    let call = stage.open(&secure(stage), ClientStream);
    stage.saw(&["fetch POST https://test/greet"]).await;
    call
}

#[wasm_bindgen_test]
async fn the_request_leaves_at_open_and_its_messages_as_they_are_sent() {
    let stage = Stage::new();
    let call = opened(&stage).await;
    let server = stage.fetch.exchange(0);
    assert_eq!(server.option("duplex"), "half");
    for text in ["a", "b"] {
        assert!(call.send(text.as_bytes()));
        assert_eq!(server.takes_once().await.unwrap(), Some(message(text)));
    }
    call.call.close_send();
    stage.sees(&["upload closes"]);
    assert_eq!(server.takes_once().await.unwrap(), None);
    server.responds();
    server.sends(&[message("Hello, a, b"), ok()].concat());
    stage.saw(&["headers", "read", "read", "message Hello, a, b", "end 0"]).await;
    server.ends();
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_cancel_breaks_the_upload_then_aborts_then_tells() {
    let stage = Stage::new();
    let call = opened(&stage).await;
    call.send(b"a");
    let server = stage.fetch.exchange(0);
    assert_eq!(server.takes_once().await.unwrap(), Some(message("a")));
    server.responds();
    stage.saw(&["headers", "read"]).await;
    call.call.cancel("left the page");
    // `abort` alone would end the upload as if it were complete.
    stage.sees(&["upload fails: the call was cancelled", "abort", "end 1 by us: left the page"]);
    assert!(server.takes_once().await.is_err(), "the server saw a clean end");
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn before_the_answer_a_broken_upload_is_enough() {
    let stage = Stage::new();
    let call = opened(&stage).await;
    call.call.cancel("left the page");
    // In Chromium it ends the request too.
    stage.saw_but("abort", &["upload fails: the call was cancelled", "end 1 by us: left the page"]).await;
    assert!(stage.fetch.exchange(0).takes_once().await.is_err(), "the server saw a clean end");
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_deadline_breaks_the_upload_too() {
    let stage = Stage::new();
    stage.open_with(&secure(&stage), ClientStream, "", 250.0);
    stage.advance(251.0);
    stage.saw_but("abort", &["fetch", "upload fails", "end 4 by us"]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_server_that_ends_early_ends_the_upload() {
    let stage = Stage::new();
    let call = opened(&stage).await;
    let server = stage.fetch.exchange(0);
    call.send(b"a");
    server.responds();
    server.sends(&[message("enough"), ok()].concat());
    stage.saw(&["headers", "read", "upload closes", "read", "message enough", "end 0"]).await;
    server.ends();
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_sender_waits_for_room_and_is_told_of_it_once() {
    let stage = Stage::new();
    let call = opened(&stage).await;
    let server = stage.fetch.exchange(0);
    let piece = vec![b'x'; HIGH_WATER / 2];
    assert!(call.send(&piece));
    assert!(!call.send(&piece), "the envelopes count too");
    stage.saw(&[]).await;
    server.takes_once().await.unwrap();
    stage.saw(&["room"]).await;
    server.takes_once().await.unwrap();
    stage.saw(&[]).await;
    call.call.cancel("");
    stage.saw_but("abort", &["upload fails", "end 1"]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn an_upload_that_the_runtime_gave_up_takes_no_more_and_the_answer_tells_why() {
    let stage = Stage::new();
    let call = opened(&stage).await;
    let server = stage.fetch.exchange(0);
    let stream = server.option("body");
    let cancel: js_sys::Function = js_sys::Reflect::get(&stream, &"cancel".into()).unwrap().into();
    cancel.call0(&stream).unwrap();
    call.send(b"into the void");
    call.call.close_send();
    server.fails(&js_sys::Error::new("connection reset"));
    let end = "end 14 by transport: fetch of https://test/greet.GreetService/Greet failed: connection reset";
    stage.saw_but("abort", &["upload fails", end]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn what_the_browser_cannot_carry_is_refused_before_anything_is_sent() {
    let stage = Stage::new();
    stage.open(&secure(&stage), Bidi);
    stage.sees(&["end 12 by misuse"]);
    let plain = stage.client_over("fetch");
    stage.open(&plain, ClientStream);
    stage.sees(&["end 12 by misuse"]);
    stage.ends().await;
}

/// Plain HTTP, where no browser streams requests.
fn collecting(stage: &Stage, bytes: u32) -> JsClient {
    stage.client(&[("transport", "fetch".into()), ("bufferRequestBytes", bytes.into())])
}

#[wasm_bindgen_test]
async fn collected_requests_leave_as_one_at_the_half_close() {
    let stage = Stage::new();
    let call = stage.open(&collecting(&stage, 12), Bidi);
    for text in ["a", "b"] {
        assert!(call.send(text.as_bytes()));
    }
    stage.saw(&[]).await;
    call.call.close_send();
    stage.sees(&["fetch POST http://test/greet"]);
    let server = stage.fetch.exchange(0);
    assert_eq!(server.body().to_vec(), [message("a"), message("b")].concat());
    assert!(server.option("duplex").is_undefined());
    server.responds();
    server.sends(&[message("Hello, a"), message("Hello, b"), ok()].concat());
    stage.saw(&["headers", "read", "read", "message Hello, a", "message Hello, b", "end 0"]).await;
    server.ends();
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn no_request_at_all_leaves_without_a_body() {
    let stage = Stage::new();
    let call = stage.open(&collecting(&stage, 12), ClientStream);
    call.call.close_send();
    stage.saw(&["fetch POST http://test/greet"]).await;
    let server = stage.fetch.exchange(0);
    assert!(server.option("body").is_undefined(), "undici would never end it");
    server.responds();
    server.sends(&[message("nobody"), ok()].concat());
    stage.saw(&["headers", "read", "read", "message nobody", "end 0"]).await;
    server.ends();
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn more_than_is_collected_ends_the_call_and_nothing_leaves() {
    let stage = Stage::new();
    let call = stage.open(&collecting(&stage, 11), ClientStream);
    for text in ["a", "b", "c"] {
        call.send(text.as_bytes());
    }
    stage.saw(&["end 8 by misuse: the requests of this call are more than bufferRequestBytes"]).await;
    stage.ends().await;
}
