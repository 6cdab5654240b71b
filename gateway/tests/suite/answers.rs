//! What the gateway says by itself: wrong requests, foreign origins, upstreams that are not there.

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use tidewire_gateway::{Builder, Gateway, Limits};
use tokio::net::TcpListener;

use crate::clients::{Running, Seen};
use crate::harness::{Upstream, block, headers, soon, value};

const CALL: &str = "/greet.GreetService/GreetStream";
const WEB: (&str, &str) = ("content-type", "application/grpc-web+proto");

struct Answer {
    status: StatusCode,
    headers: http::HeaderMap,
    body: String,
}

async fn ask(
    gateway: &Running,
    method: Method,
    path: &str,
    pairs: &[(&'static str, &'static str)],
) -> Answer {
    let uri = format!("http://{}{path}", gateway.address);
    let mut request = Request::builder().method(method).uri(uri).body(()).unwrap();
    *request.headers_mut() = headers(pairs);
    let (response, _) = gateway.http2().await.send_request(request, true).unwrap();
    let (head, mut body) = soon(response).await.unwrap().into_parts();
    let mut text = Vec::new();
    while let Some(chunk) = soon(body.data()).await {
        text.extend_from_slice(&chunk.unwrap());
    }
    Answer { status: head.status, headers: head.headers, body: String::from_utf8(text).unwrap() }
}

/// An address where nobody listens.
async fn nowhere() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().to_string()
}

async fn before_nothing() -> (Running, String) {
    let address = nowhere().await;
    (Running::start(Gateway::builder().upstream(format!("http://{address}"))).await, address)
}

#[tokio::test]
async fn wrong_requests_get_a_status_and_a_sentence() {
    let (gateway, _) = before_nothing().await;
    let health = ask(&gateway, Method::GET, "/healthz", &[]).await;
    assert_eq!((health.status.as_u16(), health.body.as_str()), (200, "ok"));

    for path in ["/", "/a", "/a/b/c", "/a%2fb/c", "/a/.."] {
        let answer = ask(&gateway, Method::POST, path, &[WEB]).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.body.contains("/<service>/<method>"), "{}", answer.body);
        assert_eq!(answer.headers["grpc-status"], "12");
    }
    let answer = ask(&gateway, Method::GET, CALL, &[]).await;
    assert_eq!(answer.status, 405);
    assert_eq!(answer.headers["allow"], "POST");
    for wrong in [&[][..], &[("content-type", "application/grpc")], &[("content-type", "application/json")]] {
        let answer = ask(&gateway, Method::POST, CALL, wrong).await;
        assert_eq!(answer.status, 415);
        assert!(answer.headers["accept-post"].to_str().unwrap().contains("application/grpc-web+proto"));
    }
    let answer = ask(&gateway, Method::GET, "/tidewire.v1", &[]).await;
    assert_eq!(answer.status, 426);
    assert!(answer.body.contains("tidewire.v1"), "{}", answer.body);
}

#[tokio::test]
async fn wrong_upgrades_get_a_status_and_a_sentence() {
    let (gateway, _) = before_nothing().await;
    for (path, offer) in [
        ("/tidewire.v1", &[("sec-websocket-protocol", "graphql-ws")][..]),
        ("/tidewire.v1", &[]),
        ("/tidewire.v1", &[("sec-websocket-protocol", "grpc-websockets")]),
        (CALL, &[("sec-websocket-protocol", "tidewire.v1")]),
    ] {
        let (status, sentence) = gateway.websocket(path, offer).await.unwrap_err();
        assert_eq!(status, 400, "{path} {offer:?}");
        assert!(sentence.contains("tidewire.v1") && sentence.contains("grpc-websockets"), "{sentence}");
    }
    let (status, sentence) = gateway
        .websocket(
            "/tidewire.v1",
            &[("origin", "https://evil.example"), ("sec-websocket-protocol", "tidewire.v1")],
        )
        .await
        .unwrap_err();
    assert_eq!(status, 403);
    assert!(sentence.contains("https://evil.example"), "{sentence}");
    // Other tokens beside ours, as improbable's server allows it.
    let offer = [("sec-websocket-protocol", "other, gRPC-WebSockets")];
    gateway.websocket(CALL, &offer).await.unwrap();
}

#[tokio::test]
async fn as_many_sockets_as_allowed() {
    let limits = Limits { max_sockets: 1, ..Limits::default() };
    let builder = Gateway::builder().upstream(format!("http://{}", nowhere().await)).limits(limits);
    let gateway = Running::start(builder).await;
    let _first = gateway.relay().await;
    let offer = [("sec-websocket-protocol", "tidewire.v1")];
    let (status, sentence) = gateway.websocket("/tidewire.v1", &offer).await.unwrap_err();
    assert_eq!(status, 503);
    assert!(sentence.contains("--max-sockets"), "{sentence}");
}

#[tokio::test]
async fn an_upstream_that_is_down_is_named() {
    let (gateway, address) = before_nothing().await;
    let expected = format!("the upstream {address} cannot be reached");

    let mut web = gateway.post(&[]).await;
    let head = web.head().await;
    assert_eq!(head.status, 200);
    assert_eq!(head.headers["grpc-status"], "14");
    assert!(head.headers["grpc-message"].to_str().unwrap().contains(&expected));

    let mut relay = gateway.relay().await;
    let id = relay.opens(&[]);
    let (code, reason) = relay.reset(id).await;
    assert_eq!(code, 0x7, "REFUSED_STREAM: nothing was sent");
    assert!(reason.contains(&expected) && reason.contains("is the server running"), "{reason}");

    let offer = [("sec-websocket-protocol", "grpc-websockets")];
    let mut socket = gateway.websocket(CALL, &offer).await.unwrap();
    let trailers = one_block(&mut socket).await;
    assert_eq!(value(&trailers, "grpc-status"), Some("14"));
    assert!(value(&trailers, "grpc-message").unwrap().contains(&expected));
}

#[tokio::test]
async fn an_upstream_that_does_not_speak_http_2_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        use tokio::io::AsyncWriteExt as _;
        while let Ok((mut tcp, _)) = listener.accept().await {
            let _ = tcp.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await;
        }
    });
    let gateway = Running::start(Gateway::builder().upstream(format!("http://{address}"))).await;
    let mut web = gateway.post(&[]).await;
    let head = web.head().await;
    assert_eq!(head.headers["grpc-status"], "14");
    let sentence = head.headers["grpc-message"].to_str().unwrap();
    assert!(sentence.contains("does it speak cleartext HTTP/2"), "{sentence}");
}

#[tokio::test]
async fn a_silent_upstream_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let limits = Limits { connect_timeout: std::time::Duration::from_millis(100), ..Limits::default() };
    let gateway =
        Running::start(Gateway::builder().upstream(format!("http://{address}")).limits(limits)).await;
    let mut web = gateway.post(&[]).await;
    assert_eq!(web.head().await.headers["grpc-status"], "14");
    drop(listener);
}

#[tokio::test]
async fn a_service_that_no_upstream_takes() {
    let mut upstream = Upstream::start().await;
    let gateway = Running::start(Gateway::builder().upstream(format!("other.={}", upstream.url()))).await;

    let answer = ask(&gateway, Method::POST, CALL, &[WEB]).await;
    assert_eq!(answer.status, 404);
    assert_eq!(answer.headers["grpc-status"], "12");

    let mut relay = gateway.relay().await;
    for (method, path, status) in [
        ("POST", CALL, 404),
        ("POST", "/", 404),
        ("POST", "/a/b/c", 404),
        ("PUT", "/other.Service/Method", 405),
        ("CONNECT", "/other.Service/Method", 405),
    ] {
        let id = relay.opens_as(method, path, &[], true);
        let (came, head) = relay.head(id).await;
        assert_eq!(came, status, "{method} {path}");
        assert_eq!(head.first("grpc-status"), Some(&b"12"[..]));
        let seen = relay.next().await;
        assert!(matches!(&seen, Seen::Data { fin: true, bytes, .. } if !bytes.is_empty()), "{seen:?}");
    }

    let offer = [("sec-websocket-protocol", "grpc-websockets")];
    let mut socket = gateway.websocket(CALL, &offer).await.unwrap();
    assert_eq!(value(&one_block(&mut socket).await, "grpc-status"), Some("12"));
    upstream.idle().await;
}

#[tokio::test]
async fn pages_of_allowed_origins_can_read_everything() {
    let mut upstream = Upstream::start().await;
    let builder = Gateway::builder().upstream(upstream.url()).allow_origin("https://app.example");
    let gateway = Running::start(builder).await;

    let preflight = ask(
        &gateway,
        Method::OPTIONS,
        CALL,
        &[
            ("origin", "https://app.example"),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "content-type,x-grpc-web,x-call-id"),
        ],
    )
    .await;
    assert_eq!(preflight.status, 204);
    assert_eq!(preflight.headers["access-control-allow-origin"], "https://app.example");
    assert_eq!(preflight.headers["access-control-allow-methods"], "POST");
    assert_eq!(preflight.headers["access-control-allow-headers"], "content-type,x-grpc-web,x-call-id");
    assert!(!preflight.headers.contains_key("access-control-allow-credentials"));

    let mut client = gateway.post(&[("origin", "https://app.example")]).await;
    let mut call = upstream.call().await;
    assert_eq!(call.header("origin"), None);
    call.answers_only(200, &[("content-type", "application/grpc"), ("grpc-status", "5"), ("x-own", "1")]);
    let head = client.head().await;
    assert_eq!(head.headers["access-control-allow-origin"], "https://app.example");
    let exposed: Vec<_> =
        head.headers["access-control-expose-headers"].to_str().unwrap().split(',').collect();
    for name in ["grpc-status", "grpc-message", "grpc-status-details-bin", "x-own"] {
        assert!(exposed.contains(&name), "{name} is not in {exposed:?}");
    }

    for origin in ["https://evil.example", "https://app.example:444", "null"] {
        let answer = ask(&gateway, Method::POST, CALL, &[WEB, ("origin", origin)]).await;
        assert_eq!(answer.status, 403, "{origin}");
        assert!(answer.body.contains(origin), "{}", answer.body);
    }
    upstream.idle().await;
}

#[tokio::test]
async fn cookies_pass_once_they_are_allowed() {
    let mut upstream = Upstream::start().await;
    let allowing = |builder: Builder| builder.allow_header("cookie").allow_origin("https://app.example");
    let gateway = Running::start(allowing(Gateway::builder().upstream(upstream.url()))).await;

    let mut client = gateway.post(&[("cookie", "a=b"), ("origin", "https://app.example")]).await;
    let mut call = upstream.call().await;
    assert_eq!(call.header("cookie"), Some("a=b"));
    call.answers_only(200, &[("grpc-status", "0"), ("set-cookie", "c=d")]);
    let head = client.head().await;
    assert_eq!(head.headers["access-control-allow-credentials"], "true");
    assert_eq!(head.headers["set-cookie"], "c=d");

    // A page cannot set headers on a WebSocket: the browser's cookie comes with the upgrade.
    let offer = [("sec-websocket-protocol", "grpc-websockets"), ("cookie", "a=b")];
    let mut socket = gateway.websocket(CALL, &offer).await.unwrap();
    futures_util::SinkExt::send(&mut socket, binary("content-type: application/grpc-web\r\n")).await.unwrap();
    assert_eq!(upstream.call().await.header("cookie"), Some("a=b"));
}

fn binary(text: &'static str) -> tungstenite::Message {
    tungstenite::Message::Binary(Bytes::from_static(text.as_bytes()))
}

async fn one_block(socket: &mut crate::clients::Socket) -> Vec<(String, String)> {
    use futures_util::{SinkExt as _, StreamExt as _};
    soon(socket.send(binary("content-type: application/grpc-web+proto\r\n"))).await.unwrap();
    block(&soon(socket.next()).await.unwrap().unwrap().into_data())
}
