//! Connect and Triple's bare form: requests and answers without frames, and GET.

use wasm_bindgen_test::wasm_bindgen_test;

use super::gateway::Gateway;
use super::stage::{Call, JsClient, Stage};
use crate::call::CallKind::{Bidi, ServerStream, Unary};

fn client(stage: &Stage, protocol: &str, transport: &str) -> JsClient {
    stage.client(&[("protocol", protocol.into()), ("transport", transport.into())])
}

/// The wish for a GET.
const GET: u8 = 16;

fn asks(stage: &Stage, client: &JsClient, subtype: &str, wishes: u8) -> Call {
    let call = stage.open_as(client, Unary, "", f64::NAN, subtype, wishes);
    call.send(b"Ada");
    call.call.close_send();
    call
}

#[wasm_bindgen_test]
async fn a_post_has_the_bare_message_and_a_get_has_none() {
    let stage = Stage::new();
    let client = client(&stage, "connect", "fetch");
    asks(&stage, &client, "json", 0);
    asks(&stage, &client, "json", GET);
    stage.sees(&[
        "fetch POST http://test/greet.GreetService/Greet",
        "fetch GET http://test/greet.GreetService/Greet?connect=v1&base64=1&encoding=json&message=QWRh",
    ]);
    let [post, get] = [0, 1].map(|i| stage.fetch.exchange(i));
    assert_eq!(post.header("content-type").unwrap(), "application/json");
    assert_eq!(post.header("connect-protocol-version").unwrap(), "1");
    assert_eq!(post.body().to_vec(), b"Ada");
    assert_eq!(get.header("content-type"), None);
    assert_eq!(get.header("connect-protocol-version"), None);
    assert_eq!(get.header("x-user").unwrap(), "me");
    assert!(get.option("body").is_undefined());
    for exchange in [post, get] {
        exchange.responds_status(200, &[("content-type", "application/json")]);
        exchange.sends(b"Hello");
        exchange.ends();
        stage.saw(&["headers content-type", "read", "read", "joined Hello", "end 0: "]).await;
    }
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_get_through_the_gateway_ends_with_its_head() {
    let stage = Stage::new();
    let client = client(&stage, "connect", "tidewire.v1");
    asks(&stage, &client, "proto", GET);
    let mut gateway = Gateway::accepts(&stage, 0);
    stage.settle().await;
    let query = "?connect=v1&base64=1&encoding=proto&message=QWRh";
    assert_eq!(gateway.hears(), [format!("open 1 GET /greet.GreetService/Greet{query} fin")]);
    client.close();
    stage.forget();
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn a_get_that_is_cancelled_before_its_message_never_leaves() {
    let stage = Stage::new();
    let client = client(&stage, "connect", "tidewire.v1");
    let call = stage.open_as(&client, Unary, "", f64::NAN, "proto", GET);
    call.call.cancel("enough");
    let mut gateway = Gateway::accepts(&stage, 0);
    stage.settle().await;
    assert_eq!(gateway.hears(), [""; 0]);
    client.close();
    stage.forget();
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn an_error_of_triple_is_json_under_an_http_status() {
    let stage = Stage::new();
    asks(&stage, &client(&stage, "triple", "fetch"), "proto", 0);
    let exchange = stage.fetch.exchange(0);
    assert_eq!(exchange.header("content-type").unwrap(), "application/proto");
    exchange.responds_status(500, &[("content-type", "application/json")]);
    exchange.sends(br#"{"code":"code_17","message":"biz"}"#);
    exchange.ends();
    let post = "fetch POST http://test/greet.GreetService/Greet";
    stage.saw(&[post, "headers content-type", "read", "read", "end 2 by peer: biz"]).await;
    stage.ends().await;
}

#[wasm_bindgen_test]
async fn what_cannot_be_spoken_is_refused_before_anything_leaves() {
    let stage = Stage::new();
    let connect = client(&stage, "connect", "auto");
    stage.open_as(&connect, Bidi, "", f64::NAN, "proto", GET);
    stage.saw(&["end 3 by misuse: useHttpGet is for unary calls"]).await;
    stage.open_as(&connect, Unary, "", f64::NAN, "proto\r\nx: y", 0);
    stage.saw(&["end 3 by misuse: contentSubtype"]).await;
    stage.open(&client(&stage, "triple", "auto"), ServerStream);
    stage.saw(&["end 12 by misuse: protocol \"triple\" has unary calls only"]).await;
    stage.ends().await;
}
