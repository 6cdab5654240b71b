//! The server of the benchmarks: in one process everything that a client is measured against, so that none has another
//! server than the rest.
//!
//! - `/direct/bench.Bench/…`: gRPC-Web and Connect without the gateway, written by hand.
//! - `/gateway`: the gateway, with the same service on native gRPC as its upstream.
//! - `/echo`: a WebSocket that sends back what comes, the limit of what a call over a socket may reach.
//! - `/bulk`: a WebSocket that answers a text, a number of bytes, with as many, and the text `end` with how many bytes
//!   came before it: the limit of what one can carry one way.
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
use bytes::Bytes;
use tidewire_gateway::{Drain, Gateway, Limits, Server, serve};
use tokio::net::TcpListener;
use tower_http::services::ServeDir;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let folder = args.next().ok_or("usage: tidewire-bench FOLDER [ADDRESS]")?;
    let address = args.next().unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let upstream = start_upstream().await?;
    // As many calls at once as the benchmark opens, and some.
    let limits = Limits { max_streams: 4_000, ..Limits::default() };
    let builder = Gateway::builder().upstream(format!("http://{upstream}"));
    let gateway = builder.limits(Limits { max_message_bytes: 64 << 20, ..limits }).build()?;

    let router = Router::new()
        .nest("/direct", service::router())
        .nest("/gateway", gateway.router())
        .route("/echo", any(|upgrade: WebSocketUpgrade| async { upgrade.on_upgrade(echo) }))
        .route("/bulk", any(|upgrade: WebSocketUpgrade| async { upgrade.on_upgrade(bulk) }))
        .fallback_service(ServeDir::new(folder));
    let listener = TcpListener::bind(address).await?;
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

async fn bulk(mut socket: WebSocket) {
    let (piece, mut came) = (Bytes::from_static(&[0; 64 * 1024]), 0);
    while let Some(Ok(message)) = socket.recv().await {
        let Message::Text(asked) = message else {
            came += message.into_data().len();
            continue;
        };
        let mut left = asked.parse().unwrap_or(0);
        while left > 0 {
            let length = piece.len().min(left);
            if socket.send(Message::Binary(piece.slice(..length))).await.is_err() {
                return;
            }
            left -= length;
        }
        if asked == "end" && socket.send(Message::Text(came.to_string().into())).await.is_err() {
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
