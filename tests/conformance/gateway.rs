//! The gateway before whatever server a case of the conformance suite names: `/to/<port>` stands before the server at
//! that port of this machine. Each run of the suite starts servers at ports of its own, and the gateway itself reaches
//! configured upstreams only.
#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::error::Error;
use std::io::{self, Read as _};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use tidewire_gateway::{ConfigError, Drain, Gateway, Server, serve};
use tokio::net::TcpListener;
use tower::ServiceExt as _;

type Gateways = Arc<Mutex<HashMap<u16, Router>>>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on http://{}", listener.local_addr()?);
    let router = Router::new().fallback(call).with_state(Gateways::default());
    serve(listener, router, Server::new(Drain::default()), stdin_eof()).await?;
    Ok(())
}

async fn call(State(gateways): State<Gateways>, mut request: Request) -> Response {
    let path = request.uri().path_and_query().map_or("", |path| path.as_str());
    let parsed = path.strip_prefix("/to/").and_then(|rest| {
        let (port, _) = rest.split_once('/')?;
        Some((port.parse::<u16>().ok()?, rest[port.len()..].parse().ok()?))
    });
    let Some((port, uri)) = parsed else {
        return (StatusCode::NOT_FOUND, "expected /to/<port>/…\n").into_response();
    };
    *request.uri_mut() = uri;
    match gateway(&gateways, port) {
        Ok(gateway) => gateway.oneshot(request).await.into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

fn gateway(gateways: &Gateways, port: u16) -> Result<Router, ConfigError> {
    let mut gateways = gateways.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(router) = gateways.get(&port) {
        return Ok(router.clone());
    }
    let gateway =
        Gateway::builder().upstream(format!("http://127.0.0.1:{port}")).allow_origin("*").build()?;
    Ok(gateways.entry(port).or_insert_with(|| gateway.router()).clone())
}

/// The test that started us is gone.
async fn stdin_eof() {
    let (gone, wait) = tokio::sync::oneshot::channel::<()>();
    std::thread::spawn(move || {
        let _ = io::copy(&mut io::stdin().by_ref(), &mut io::sink());
        drop(gone);
    });
    let _ = wait.await;
}
