//! Answers over `fetch`.

use js_sys::Uint8Array;
use wasm_bindgen_test::wasm_bindgen_test;

use super::stage::{Call, Stage, message, ok, trailers};
use crate::call::CallKind::{ServerStream, Unary};

/// A server stream whose request has left and whose headers have come.
async fn answered(stage: &Stage) -> Call {
    let call = stage.open(&stage.client_over("fetch"), ServerStream);
    call.send(b"all");
    call.call.close_send();
    stage.fetch.exchange(0).responds();
    stage.saw(&["fetch POST http://test/greet", "headers content-type", "read"]).await;
    call
}

#[wasm_bindgen_test]
async fn a_unary_call_is_one_post_that_leaves_when_it_is_complete() {
    let stage = Stage::new();
    let client = stage.client(&[("credentials", "include".into())]);
    let call = stage.open(&client, Unary);
    assert!(call.send(b"Ada"));
    stage.saw(&[]).await;
    call.call.close_send();
    stage.sees(&["fetch POST http://test/greet.GreetService/Greet"]);

    let request = stage.fetch.exchange(0);
    assert_eq!(request.header("content-type").unwrap(), "application/grpc-web+proto");
    assert_eq!(request.header("x-grpc-web").unwrap(), "1");
    assert_eq!(request.header("x-user").unwrap(), "me");
    assert_eq!(request.header("grpc-timeout"), None);
    assert_eq!(request.body().to_vec(), message("Ada"));
    assert_eq!(request.option("credentials"), "include");

    request.responds();
    request.sends(&[message("Hello, Ada"), ok()].concat());
    // One more read takes the end of the body, which leaves the connection fit for the next request.
    let expected = ["headers content-type", "read", "read", "message Hello, Ada", "end 0: "];
    stage.saw(&expected).await;
    request.ends();
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn credentials_are_left_to_the_runtime_unless_given() {
    let stage = Stage::new();
    answered(&stage).await;
    assert!(stage.fetch.exchange(0).option("credentials").is_undefined());
    stage.completes(0).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn messages_that_lie_whole_in_a_chunk_are_handed_over_as_places_in_that_very_chunk() {
    let stage = Stage::new();
    let call = answered(&stage).await;
    let chunk = stage.fetch.exchange(0).sends(&[message("a"), message(""), message("ccc")].concat());
    stage.saw(&["message a", "message ", "message ccc", "read"]).await;
    assert!(js_sys::Object::is(&call.face.buffer(), &chunk), "a copy was made");
    assert_eq!(call.face.spans().to_vec(), [5, 1, 11, 0, 16, 3]);
    assert!(call.face.joined().is_none());

    // The chunk itself may be a part of a larger buffer.
    let larger = Uint8Array::from([b"before".to_vec(), message("d"), b"behind".to_vec()].concat().as_slice());
    stage.fetch.exchange(0).chunk(&larger.subarray(6, 12));
    stage.saw(&["message d", "read"]).await;
    assert_eq!(call.face.spans().to_vec(), [5, 1]);

    stage.completes(0).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_message_that_chunks_cut_is_joined_once_and_the_rest_of_its_last_chunk_is_not() {
    let stage = Stage::new();
    let call = answered(&stage).await;
    let server = stage.fetch.exchange(0);
    let stream = [message("before"), message(&"x".repeat(300)), message("behind")].concat();
    let (first, rest) = stream.split_at(20);
    let (second, third) = rest.split_at(200);

    server.sends(first);
    stage.saw(&["message before", "read"]).await;
    server.sends(second);
    stage.saw(&["read"]).await;
    let last = server.sends(third);
    stage.saw(&["joined of 300 bytes", "message behind", "read"]).await;
    assert_eq!(call.face.joined().unwrap().to_vec(), [b'x'; 300]);
    assert!(js_sys::Object::is(&call.face.buffer(), &last));
    assert_eq!(call.face.spans().length(), 2);

    stage.completes(0).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn bytes_one_by_one_make_the_same_conversation() {
    let stage = Stage::new();
    answered(&stage).await;
    let messages = [message("one"), message("")].concat();
    for byte in messages.iter().chain(&ok()) {
        stage.fetch.exchange(0).sends(&[*byte]);
    }
    let mut expected = vec!["read"; messages.len() + ok().len()];
    // There is nothing to join.
    expected.insert(messages.len() - 1, "message ");
    expected.insert(message("one").len() - 1, "joined one");
    expected.push("end 0");
    stage.saw(&expected).await;
    stage.fetch.exchange(0).ends();
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn reading_stops_while_the_reader_is_behind_and_goes_on_when_it_has_caught_up() {
    let stage = Stage::new();
    let client = stage.client(&[("receiveWindowBytes", 200.into())]);
    let call = stage.open(&client, ServerStream);
    call.call.close_send();
    let server = stage.fetch.exchange(0);
    server.responds();
    server.sends(&message(&"a".repeat(80)));
    server.sends(&message(&"b".repeat(80)));
    server.sends(&message("c"));
    let expected = ["fetch", "headers", "read", "message aaa", "read", "message bbb"];
    stage.saw(&expected).await;

    call.call.taken(1, 80);
    stage.saw(&["read", "message c"]).await;
    call.call.taken(1, 80);
    stage.saw(&["read"]).await;
    call.call.taken(1, 1);
    stage.saw(&[]).await;
    stage.completes(0).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_status_in_the_headers_is_the_end_and_the_body_is_let_go() {
    let stage = Stage::new();
    let call = stage.open(&stage.client_over("fetch"), Unary);
    call.send(b"Ada");
    call.call.close_send();
    let server = stage.fetch.exchange(0);
    let headers =
        [("content-type", "application/grpc-web+proto"), ("grpc-status", "5"), ("grpc-message", "nobody")];
    server.responds_status(200, &headers);
    server.ends();
    stage.saw(&["fetch", "headers", "read", "end 5 by peer: nobody"]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn what_goes_on_after_the_end_is_cut_off() {
    let stage = Stage::new();
    answered(&stage).await;
    let server = stage.fetch.exchange(0);
    server.sends(&trailers("grpc-status: 9\r\ngrpc-message: enough\r\n"));
    stage.saw(&["read", "end 9 by peer: enough"]).await;
    server.sends(&message("and yet more"));
    stage.saw(&["abort"]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_body_that_stays_open_after_the_end_is_not_waited_for() {
    let stage = Stage::new();
    answered(&stage).await;
    stage.fetch.exchange(0).sends(&ok());
    stage.saw(&["read", "end 0"]).await;
    stage.advance(60_000.0);
    stage.saw(&["abort"]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_cancel_aborts_before_the_end_is_told_and_nothing_is_told_after() {
    let stage = Stage::new();
    let call = answered(&stage).await;
    call.call.cancel("left the page");
    call.call.cancel("again");
    stage.sees(&["abort", "end 1 by us: left the page"]);
    stage.fetch.exchange(0).sends(&message("late"));
    stage.saw(&[]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_cancel_before_the_answer_aborts_the_request() {
    let stage = Stage::new();
    let call = stage.open(&stage.client_over("fetch"), ServerStream);
    call.call.close_send();
    call.call.cancel("");
    stage.saw(&["fetch", "abort", "end 1 by us: the call was cancelled here"]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_cancel_before_the_request_is_complete_sends_nothing() {
    let stage = Stage::new();
    let call = stage.open(&stage.client_over("fetch"), Unary);
    call.send(b"half");
    call.call.cancel("");
    stage.saw(&["end 1 by us"]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_fetch_that_ignores_the_abort_is_not_listened_to() {
    let stage = Stage::new();
    let call = stage.open(&stage.client_over("fetch"), ServerStream);
    call.call.close_send();
    let server = stage.fetch.exchange(0);
    server.responds();
    call.call.cancel("");
    stage.saw(&["fetch", "abort", "end 1 by us", "read"]).await;
    server.sends(&message("late"));
    stage.saw(&[]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_deadline_aborts_and_ends_the_call_when_its_timer_fires() {
    let stage = Stage::new();
    let client = stage.client_over("fetch");
    let call = stage.open_with(&client, ServerStream, "", 250.0);
    call.call.close_send();
    assert_eq!(stage.fetch.exchange(0).header("grpc-timeout").unwrap(), "250000u");
    stage.fetch.exchange(0).responds();
    stage.saw(&["fetch", "headers", "read"]).await;
    assert_eq!(stage.timers(), 1);
    stage.advance(249.0);
    stage.saw(&[]).await;
    stage.advance(2.0);
    stage.sees(&["abort", "end 4 by us: the deadline of 250 ms"]);
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_deadline_beyond_the_longest_timer_does_not_fire_early() {
    let stage = Stage::new();
    let forty_days = 40.0 * 86_400_000.0;
    let call = stage.open_with(&stage.client_over("fetch"), ServerStream, "", forty_days);
    call.call.close_send();
    stage.advance(25.0 * 86_400_000.0);
    assert_eq!(stage.timers(), 1, "the timer was set again");
    stage.saw(&["fetch"]).await;
    stage.advance(15.0 * 86_400_000.0 + 1.0);
    stage.saw(&["abort", "end 4 by us"]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn the_end_of_a_call_takes_its_deadline_with_it() {
    let stage = Stage::new();
    let call = stage.open_with(&stage.client_over("fetch"), Unary, "", 250.0);
    call.send(b"Ada");
    call.call.close_send();
    let server = stage.fetch.exchange(0);
    server.responds();
    server.sends(&[message("Hello"), ok()].concat());
    stage.saw(&["fetch", "headers", "read", "read", "message Hello", "end 0"]).await;
    server.ends();
    stage.ends().await;
}
