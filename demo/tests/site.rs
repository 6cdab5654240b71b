//! The web server as pages meet it: calls through the gateway, logs, files.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may")]

mod harness;

use std::net::SocketAddr;
use std::path::PathBuf;

use axum::body::Body;
use harness::{LIMIT, Seen, enveloped};
use http::{Request, Response, StatusCode, Uri};
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tidewire_demo::greeter;
use tidewire_demo::observed::Observed;
use tidewire_demo::servers::Server;
use tidewire_demo::site::Site;
use tokio::net::TcpListener;

/// A site on a port of its own.
async fn serve(site: Site) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = site.router().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// A site with our own greeter behind it.
async fn with_greeter() -> (SocketAddr, Observed, Uri) {
    let observed = Observed::default();
    let greeter = greeter::start("127.0.0.1:0".parse().unwrap(), observed.clone()).await.unwrap();
    let upstream: Uri = format!("http://{greeter}").parse().unwrap();
    let servers = vec![Server::tonic(upstream.clone())];
    let address = serve(Site { servers, observed: observed.clone(), ..Site::default() }).await;
    (address, observed, upstream)
}

async fn send(request: Request<Body>) -> Response<String> {
    let response = Client::builder(TokioExecutor::new()).build_http().request(request);
    let (parts, body) =
        tokio::time::timeout(LIMIT, response).await.expect("an answer in time").unwrap().into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    Response::from_parts(parts, String::from_utf8_lossy(&bytes).into_owned())
}

async fn get(address: SocketAddr, path: &str) -> Response<String> {
    send(Request::get(format!("http://{address}{path}")).body(Body::empty()).unwrap()).await
}

async fn get_json(address: SocketAddr, path: &str) -> Value {
    serde_json::from_str(get(address, path).await.body()).unwrap()
}

/// A gRPC-Web call as a page makes it.
async fn greet(address: SocketAddr, server: &str, id: &str) -> Response<String> {
    let request = Request::post(format!("http://{address}/{server}/greet.GreetService/Greet"))
        .header("content-type", "application/grpc-web+proto")
        .header("x-call-id", id)
        .body(enveloped("Ada").into());
    send(request.unwrap()).await
}

#[tokio::test]
async fn a_page_calls_through_the_gateway_and_reads_the_log() {
    let (site, observed, _) = with_greeter().await;
    let response = greet(site, "tonic", "a").await;
    assert!(!response.headers().contains_key("cache-control"), "the site may not add metadata to calls");
    let answer = response.into_body();
    assert!(answer.contains("Hello, Ada") && answer.contains("grpc-status: 0"), "{answer:?}");
    assert!(answer.contains("greeted: 1"), "{answer:?}");

    assert_eq!(Seen::of(&observed, "a").story().await, "open message reply end");
    let log = get_json(site, "/observed/tonic/a?after=2&wait=1000").await;
    assert_eq!(log["events"][0]["what"], "reply");
    assert_eq!(get_json(site, "/observed/tonic/stats").await["open"], 0);
}

#[tokio::test]
async fn servers_are_listed_for_the_page() {
    let (upstream, mounted) =
        ("http://127.0.0.1:1", "go=http://127.0.0.1:2,observed=http://127.0.0.1:3,about=Go");
    let servers = vec![mounted.parse().unwrap(), Server::foreign(upstream.parse().unwrap())];
    let site = serve(Site { servers, ..Site::default() }).await;
    let listed = get_json(site, "/servers").await;
    assert_eq!(
        listed[0],
        json!({ "name": "go", "about": "Go", "upstream": "http://127.0.0.1:2/", "observed": true })
    );
    assert_eq!((&listed[1]["name"], &listed[1]["observed"]), (&json!("upstream"), &json!(false)));
    assert_eq!(get_json(site, "/observed/upstream/a").await, json!({ "events": [] }));
}

#[tokio::test]
async fn another_servers_log_is_passed_on_while_it_waits() {
    let (there, observed, upstream) = with_greeter().await;
    let mounted = format!("other={upstream},observed=http://{there}");
    let mounted = mounted.replace("/,", ",").parse().unwrap();
    let here = serve(Site { servers: vec![mounted], ..Site::default() }).await;

    let reading =
        tokio::spawn(async move { get_json(here, "/observed/other/a%20b?after=0&wait=10000").await });
    greet(here, "other", "a b").await;
    assert_eq!(reading.await.unwrap()["events"][0]["what"], "open");
    assert_eq!(Seen::of(&observed, "a b").story().await, "open message reply end");
    assert_eq!(get_json(here, "/observed/other/stats").await["open"], 0);
}

#[tokio::test]
async fn a_log_that_cannot_be_read_says_where_it_should_be() {
    let server = "gone=http://127.0.0.1:1,observed=http://127.0.0.1:1".parse().unwrap();
    let site = serve(Site { servers: vec![server], ..Site::default() }).await;
    let answer = get(site, "/observed/gone/a").await;
    assert_eq!(answer.status(), StatusCode::BAD_GATEWAY);
    assert!(answer.body().contains("kept at http://127.0.0.1:1"), "{}", answer.body());
    assert_eq!(get(site, "/observed/nobody/a").await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn files_have_their_types_and_are_asked_for_each_time() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("site");
    std::fs::create_dir_all(&folder).unwrap();
    for name in ["index.html", "a.js", "a.css", "a.wasm", "a.json", "a.svg"] {
        std::fs::write(folder.join(name), "x").unwrap();
    }
    let folders = ["/", "/tidewire"].map(|path| (path.to_owned(), folder.clone())).to_vec();
    let site = serve(Site { folders, ..Site::default() }).await;
    for (path, kind) in [
        ("/", "text/html"),
        ("/a.js", "text/javascript"),
        ("/tidewire/a.js", "text/javascript"),
        ("/tidewire/a.wasm", "application/wasm"),
        ("/a.css", "text/css"),
        ("/a.json", "application/json"),
        ("/a.svg", "image/svg+xml"),
    ] {
        let answer = get(site, path).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        assert_eq!(answer.headers()["content-type"], kind, "{path}");
        assert_eq!(answer.headers()["cache-control"], "no-cache", "{path}");
    }
    for path in ["/nothing", "/tidewire/nothing", "/../Cargo.toml"] {
        assert_eq!(get(site, path).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn two_meanings_of_one_path_are_refused() {
    let twice = ["/x", "/x/"].map(|path| (path.to_owned(), PathBuf::from(".")));
    let error = Site { folders: twice.to_vec(), ..Site::default() }.router().unwrap_err();
    assert!(error.to_string().contains("/x would have two meanings"), "{error}");

    let servers = vec!["go=http://127.0.0.1:1".parse().unwrap(); 2];
    assert!(Site { servers, ..Site::default() }.router().is_err());
}

#[tokio::test]
async fn a_missing_folder_is_named() {
    let folders = vec![("/".to_owned(), PathBuf::from("no/such/folder"))];
    let error = Site { folders, ..Site::default() }.router().unwrap_err();
    assert!(error.to_string().contains("no/such/folder"), "{error}");
}
