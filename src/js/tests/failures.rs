//! What fails on the way: it ends the call once, names the cause, and nothing goes unhandled.

use js_sys::{Array, Error, Object, Promise, Reflect};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;

use super::script::Response;
use super::stage::{Call, Stage, message};
use crate::call::CallKind::{ServerStream, Unary};

const FAILED: &str = "end 14 by transport: fetch of http://test/greet.GreetService/Greet failed: ";

fn asked(stage: &Stage) -> Call {
    let call = stage.open(&stage.client_over("fetch"), Unary);
    call.send(b"Ada");
    call.call.close_send();
    call
}

fn failure(words: &str) -> JsValue {
    Error::new(words).into()
}

#[wasm_bindgen_test]
async fn a_fetch_that_throws_at_once() {
    let stage = Stage::new();
    let thrown = failure("no network here");
    stage.fetch.set_throws(&thrown);
    let call = asked(&stage);
    stage.sees(&["fetch"]);
    stage.saw(&[&[FAILED, "no network here; "].concat()]).await;
    assert_eq!(call.face.cause(), thrown);
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_fetch_that_is_rejected_and_says_why_only_in_its_cause() {
    let stage = Stage::new();
    let call = asked(&stage);
    let rejected = failure("fetch failed");
    Reflect::set(&rejected, &"cause".into(), &failure("connect ECONNREFUSED")).unwrap();
    stage.fetch.exchange(0).fails(&rejected);
    let end = [FAILED, "fetch failed (connect ECONNREFUSED); "].concat();
    stage.saw(&["fetch", "abort", &end]).await;
    assert_eq!(call.face.cause(), rejected);
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_fetch_that_is_rejected_with_nothing() {
    let stage = Stage::new();
    asked(&stage);
    stage.fetch.exchange(0).fails(&JsValue::UNDEFINED);
    stage.saw(&["fetch", "abort", FAILED]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn an_answer_without_a_body() {
    let stage = Stage::new();
    asked(&stage);
    let response = real_response(None);
    stage.fetch.exchange(0).answers(&response);
    stage.saw(&["fetch", "headers content-type", "end 13 by peer"]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn an_answer_whose_body_somebody_else_reads() {
    let stage = Stage::new();
    asked(&stage);
    let response = real_response(Some("\0"));
    response.body().unwrap().get_reader();
    stage.fetch.exchange(0).answers(&response);
    stage.saw(&["fetch", "headers content-type", "abort", "end 14 by transport"]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn an_answer_that_is_none() {
    for nonsense in [JsValue::UNDEFINED, JsValue::NULL, Object::new().into()] {
        let stage = Stage::new();
        asked(&stage);
        stage.fetch.exchange(0).answers(&nonsense);
        stage.saw(&["fetch", "abort", "end 14 by transport"]).await;
        stage.ends().await;
    }
}

#[wasm_bindgen_test]
async fn an_answer_that_breaks_off_keeps_what_came() {
    let stage = Stage::new();
    let call = stage.open(&stage.client_over("fetch"), ServerStream);
    call.call.close_send();
    let server = stage.fetch.exchange(0);
    server.responds();
    server.sends(&message("one"));
    stage.saw(&["fetch", "headers", "read", "message one", "read"]).await;
    let reset = failure("network error");
    server.breaks(&reset);
    let end =
        "end 14 by transport: the response of http://test/greet.GreetService/Greet broke off: network error";
    stage.saw(&["abort", end]).await;
    assert_eq!(call.face.cause(), reset);
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn an_answer_that_ends_within_a_message() {
    let stage = Stage::new();
    let call = stage.open(&stage.client_over("fetch"), ServerStream);
    call.call.close_send();
    let server = stage.fetch.exchange(0);
    server.responds();
    server.sends(&[message("one"), message("two")[..7].to_vec()].concat());
    server.ends();
    let end = "end 13 by peer: the response ended inside a message: 3 bytes were promised, 2 came";
    stage.saw(&["fetch", "headers", "read", "message one", "read", end]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn bytes_that_make_no_sense_abort_before_the_end_is_told() {
    let stage = Stage::new();
    let call = stage.open(&stage.client_over("fetch"), ServerStream);
    call.call.close_send();
    let server = stage.fetch.exchange(0);
    server.responds();
    server.sends(&[message("one"), vec![0, 0xff, 0xff, 0xff, 0xff]].concat());
    stage.saw(&["fetch", "headers", "read", "abort", "message one", "end 8 by peer"]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_page_in_the_place_of_the_service() {
    let stage = Stage::new();
    asked(&stage);
    let server = stage.fetch.exchange(0);
    server.responds_status(503, &[("content-type", "text/html")]);
    server.ends();
    stage.saw(&["fetch", "headers content-type: text/html", "end 14 by peer", "read"]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_page_that_never_comes_is_not_waited_for() {
    let stage = Stage::new();
    asked(&stage);
    stage.fetch.exchange(0).responds_status(503, &[("content-type", "text/html")]);
    stage.saw(&["fetch", "headers content-type: text/html", "end 14 by peer", "read"]).await;
    stage.advance(60_000.0);
    stage.saw(&["abort"]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_deadline_that_has_passed_sends_nothing() {
    let stage = Stage::new();
    for transport in ["fetch", "grpc-websockets", "tidewire.v1"] {
        stage.open_with(&stage.client_over(transport), Unary, "", 0.0);
        stage.sees(&["end 4 by us"]);
    }
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn commands_after_the_end_are_refused_or_do_nothing() {
    let stage = Stage::new();
    let call = stage.open(&stage.client_over("fetch"), ServerStream);
    call.call.cancel("enough");
    assert!(call.cannot_send().contains("after the end"));
    call.call.close_send();
    call.call.cancel("again");
    call.call.taken(1, 1);
    stage.saw(&["end 1 by us: enough"]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn the_guard_of_these_tests_sees_what_nobody_handles() {
    let stage = Stage::new();
    let _ = Promise::reject(&"nobody".into());
    assert_eq!(stage.unhandled().await, "nobody");
}

#[wasm_bindgen_test]
async fn a_real_fetch_is_called_as_the_runtime_wants_it() {
    let stage = Stage::new();
    let client = stage.real_client("fetch");
    let call = stage.open(&client, Unary);
    call.send(b"Ada");
    call.call.close_send();
    JsFuture::from(call.face.over()).await.unwrap();
    // The test's own web server knows no such page.
    stage.sees(&["headers", "end 12 by peer"]);
    // A body that is real ends in its own time.
    stage.settle().await;
    while stage.timers() > 0 {
        stage.settle().await;
    }
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_real_websocket_that_is_not_let_in() {
    for transport in ["grpc-websockets", "tidewire.v1"] {
        let stage = Stage::new();
        let call = stage.open(&stage.real_client(transport), Unary);
        JsFuture::from(call.face.over()).await.unwrap();
        stage.sees(&["end 14 by transport: the WebSocket to ws://"]);
        stage.ends().await;
    }
}

fn real_response(body: Option<&str>) -> Response {
    let headers = Array::of2(&"content-type".into(), &"application/grpc-web+proto".into());
    let init = Object::new();
    Reflect::set(&init, &"headers".into(), &Array::of1(&headers)).unwrap();
    Response::new(&body.map_or(JsValue::NULL, Into::into), &init)
}
