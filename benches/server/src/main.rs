//! The server of the benchmarks: in one process everything that a client is measured against, so that none has another
//! server than the rest.
//!
//! - `/direct/bench.Bench/…`: gRPC-Web and Connect without the gateway, written by hand.
//! - `/gateway`: the gateway, with the same service on native gRPC as its upstream.
//! - `/echo`: a WebSocket that sends back what comes, the limit of what a call over a socket may reach.
//! - everything else: files of the folder that is given.
#![forbid(unsafe_code)]

mod replies;
mod service;

use std::error::Error;
use std::io::{self, Read};
use std::net::SocketAddr;

use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::routing::any;
use axum::serve::ListenerExt;
use tidewire_gateway::{Drain, Gateway, Limits, Server, serve};
use tokio::net::TcpListener;
use tower_http::services::ServeDir;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: tidewire-bench FOLDER")?;
    let upstream = start_upstream().await?;
    // As many calls at once as the benchmark opens, and some.
    let limits = Limits { max_streams: 4_000, ..Limits::default() };
    let builder = Gateway::builder().upstream(format!("http://{upstream}"));
    let gateway = builder.limits(Limits { max_message_bytes: 64 << 20, ..limits }).build()?;

    let router = Router::new()
        .nest("/direct", service::router())
        .nest("/gateway", gateway.router())
        .route("/echo", any(|upgrade: WebSocketUpgrade| async { upgrade.on_upgrade(echo) }))
        .fallback_service(ServeDir::new(folder));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on http://{}\nupstream on http://{upstream}", listener.local_addr()?);
    serve(listener, router, Server { limits, ..Server::new(Drain::default()) }, stdin_ended()).await?;
    Ok(())
}

/// The service for itself, on cleartext HTTP/2.
async fn start_upstream() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    tokio::spawn(async move { axum::serve(listener, service::router()).await });
    Ok(address)
}

async fn echo(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        if matches!(message, Message::Binary(_)) && socket.send(message).await.is_err() {
            return;
        }
    }
}

/// A harness that dies takes this server along.
async fn stdin_ended() {
    let (ended, end) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _ = io::copy(&mut io::stdin().by_ref(), &mut io::sink());
        let _ = ended.send(());
    });
    let _ = end.await;
}
