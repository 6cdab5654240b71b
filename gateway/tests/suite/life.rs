//! The gateway's own life: mounting, TLS, restarts of upstreams, drain.

use std::time::Duration;

use axum::Router;
use bytes::Bytes;
use h2::Reason;
use http::{Method, Request};
use tidewire_gateway::{Drain, Gateway, Server, Tls, serve};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::rustls::{self, pki_types::ServerName};

use crate::clients::{Running, Seen};
use crate::harness::{Upstream, list, message, ok, soon};

#[tokio::test]
async fn two_gateways_below_prefixes_of_one_server() {
    let mut one = Upstream::start().await;
    let mut two = Upstream::start().await;
    let drain = Drain::default();
    let build = |upstream: &Upstream| {
        Gateway::builder().upstream(upstream.url()).drain(drain.clone()).build().unwrap()
    };
    let router = Router::new().nest("/one", build(&one).router()).nest("/two", build(&two).router());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, router, Server::new(drain), std::future::pending()));

    for (prefix, upstream) in [("one", &mut one), ("two", &mut two)] {
        let uri = format!("http://{address}/{prefix}/greet.GreetService/Greet");
        let request = Request::post(uri).header("content-type", "application/grpc-web").body(()).unwrap();
        let (mut client, connection) =
            h2::client::handshake(TcpStream::connect(address).await.unwrap()).await.unwrap();
        tokio::spawn(async move { drop(connection.await) });
        let (response, _) = client.send_request(request, true).unwrap();
        let mut call = upstream.call().await;
        assert_eq!(call.request.uri().path(), "/greet.GreetService/Greet");
        call.ends_ok();
        assert_eq!(soon(response).await.unwrap().status(), 200);
    }
    let socket = tungstenite::client::ClientRequestBuilder::new(
        format!("ws://{address}/two/tidewire.v1").parse().unwrap(),
    )
    .with_sub_protocol("tidewire.v1");
    soon(tokio_tungstenite::connect_async(socket)).await.unwrap();
}

#[tokio::test]
async fn an_upstream_that_comes_back_is_dialled_again() {
    let upstream = Upstream::start().await;
    let address = upstream.address.to_string();
    let gateway = Running::before(&upstream).await;
    let mut client = gateway.relay().await;
    let mut upstream = upstream;
    let (id, mut call) = client.begins(&mut upstream).await;
    let _answer = call.answers();
    client.head(id).await;

    // It dies in mid-call.
    upstream.stop().await;
    let (code, reason) = client.reset(id).await;
    assert_eq!(code, 0xa, "CONNECT_ERROR");
    assert!(reason.contains(&address) && reason.contains("broke"), "{reason}");
    let id = client.opens(&[]);
    assert_eq!(client.reset(id).await.0, 0x7);

    let mut upstream = Upstream::at(&address, h2::server::Builder::new()).await;
    let (id, mut call) = client.begins(&mut upstream).await;
    call.ends_ok();
    client.ends(id).await;
}

#[tokio::test]
async fn a_drain_lets_calls_end_and_takes_no_new_ones() {
    let mut upstream = Upstream::start().await;
    let gateway = Running::before(&upstream).await;
    let mut client = gateway.relay().await;
    let (id, mut call) = client.begins(&mut upstream).await;
    let mut answer = call.answers();
    client.head(id).await;

    gateway.gateway.drain().begin();
    assert_eq!(client.next().await, Seen::GoAway { last: id, code: 0 });
    assert!(client.connection.open("POST", "/a/b", &list(&[]), true).is_err());
    client.sends(id, message(b"still here"));
    client.half_closes(id);
    client.flush().await;
    call.reads(&message(b"still here")).await;
    call.reads_end().await;
    answer.send_trailers(ok()).unwrap();
    client.trailers(id).await;
    assert_eq!(client.next().await, Seen::Closed(Some(1001)));
}

#[tokio::test]
async fn after_the_drain_timeout_calls_are_cancelled_upstream() {
    let mut upstream = Upstream::start().await;
    let gateway = Gateway::builder().upstream(upstream.url()).build().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut server = gateway.server();
    server.drain_timeout = Duration::from_millis(100);
    let (end, ended) = oneshot::channel::<()>();
    let serving = tokio::spawn(serve(listener, gateway.router(), server, async move { drop(ended.await) }));
    let running = Running { address, gateway };

    let mut client = running.relay().await;
    let (_, mut relayed) = client.begins(&mut upstream).await;
    let _web = running.post(&[]).await;
    let mut translated = upstream.call().await;

    end.send(()).unwrap();
    assert_eq!(relayed.reads_reset().await, Reason::CANCEL);
    assert_eq!(translated.reads_reset().await, Reason::CANCEL);
    soon(serving).await.unwrap().unwrap();
    assert!(TcpStream::connect(address).await.is_err(), "it must have stopped listening");
}

#[tokio::test]
async fn tls_on_both_sides_with_http_2_by_alpn() {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (certified.cert.pem(), certified.signing_key.serialize_pem());

    // The upstream behind TLS is a gateway's own listener: it speaks h2 by ALPN.
    let mut plain = Upstream::start().await;
    let inner = serve_tls(Gateway::builder().upstream(plain.url()), &certificate, &key).await;
    let outer = Gateway::builder()
        .upstream(format!("https://localhost:{}", inner.port()))
        .upstream_ca(certificate.clone());
    let outer = serve_tls(outer, &certificate, &key).await;

    let mut client = tls_client(outer, &certificate).await;
    let request = Request::post(format!("https://localhost:{}/greet.GreetService/Greet", outer.port()))
        .header("content-type", "application/grpc-web+proto")
        .body(())
        .unwrap();
    let (response, _) = client.send_request(request, true).unwrap();
    // The inner gateway answers the outer's native gRPC with 415: TLS and HTTP/2 worked on both legs.
    let head = soon(response).await.unwrap();
    assert_eq!(head.headers()["grpc-status"], "2");
    assert!(head.headers()["grpc-message"].to_str().unwrap().contains("HTTP 415"));
    plain.idle().await;

    // A certificate nobody vouches for.
    let distrusting = Gateway::builder().upstream(format!("https://localhost:{}", inner.port()));
    let mut web = Running::start(distrusting).await.post(&[]).await;
    let head = web.head().await;
    assert_eq!(head.headers["grpc-status"], "14");
    assert!(head.headers["grpc-message"].to_str().unwrap().contains("--upstream-ca"));
}

#[tokio::test]
async fn a_websocket_over_http_2() {
    let upstream = Upstream::start().await;
    let gateway = Running::before(&upstream).await;
    let (head, mut send, mut body) = websocket_over_http_2(&gateway).await;
    assert_eq!(head.status, 200);
    assert_eq!(head.headers["sec-websocket-protocol"], "tidewire.v1");
    let bytes = soon(body.data()).await.unwrap().unwrap();
    assert_eq!(bytes[0], 0x82, "a binary WebSocket message");
    assert_eq!(bytes[2], 0, "HELLO comes first: {bytes:?}");

    // A browser waits for the answer to its close frame, and for the end of the stream.
    send.send_data(Bytes::from_static(&[0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]), false).unwrap();
    let mut rest = Vec::new();
    while let Some(bytes) = soon(body.data()).await {
        rest.extend_from_slice(&bytes.unwrap());
    }
    assert_eq!(rest, [0x88, 2, 0x03, 0xe8]);
}

/// Head, and both halves, of an upgrade to `tidewire.v1`.
async fn websocket_over_http_2(
    gateway: &Running,
) -> (http::response::Parts, h2::SendStream<Bytes>, h2::RecvStream) {
    let mut client = gateway.http2().await;
    // The server's SETTINGS allow extended CONNECT; they come with the first answer at the latest.
    let health = Request::get(format!("http://{}/healthz", gateway.address)).body(()).unwrap();
    soon(client.send_request(health, true).unwrap().0).await.unwrap();
    assert!(client.is_extended_connect_protocol_enabled());

    let request = Request::builder()
        .method(Method::CONNECT)
        .uri(format!("http://{}/tidewire.v1", gateway.address))
        .header("sec-websocket-version", "13")
        .header("sec-websocket-protocol", "tidewire.v1")
        .extension(h2::ext::Protocol::from_static("websocket"))
        .body(())
        .unwrap();
    let (response, send) = client.send_request(request, false).unwrap();
    let (head, body) = soon(response).await.unwrap().into_parts();
    (head, send, body)
}

async fn serve_tls(builder: tidewire_gateway::Builder, certificate: &str, key: &str) -> std::net::SocketAddr {
    let gateway = builder.build().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut server = gateway.server();
    server.tls = Some(Tls::new(certificate.as_bytes(), key.as_bytes()).unwrap());
    tokio::spawn(serve(listener, gateway.router(), server, std::future::pending()));
    address
}

async fn tls_client(address: std::net::SocketAddr, ca: &str) -> h2::client::SendRequest<Bytes> {
    use rustls::pki_types::{CertificateDer, pem::PemObject as _};
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca.as_bytes()).unwrap()).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(config));
    let tcp = TcpStream::connect(address).await.unwrap();
    let tls = soon(connector.connect(ServerName::try_from("localhost").unwrap(), tcp)).await.unwrap();
    assert_eq!(tls.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (client, connection) = soon(h2::client::handshake(tls)).await.unwrap();
    tokio::spawn(async move { drop(connection.await) });
    soon(client.ready()).await.unwrap()
}
