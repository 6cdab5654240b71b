//! The greeter behind tonic-web, as one of the servers that tests call directly: the flags and the line of
//! tests/README.md. Native gRPC is spoken on the same port.
#![forbid(unsafe_code)]

use std::io::{self, Read};
use std::net::SocketAddr;

use axum::Router;
use tidewire_demo::observed::Observed;
use tidewire_demo::{greeter, log_api};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> io::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let observed = Observed::default();
    let greeter = greeter::start_web(address(&args, "-port"), observed.clone()).await?;
    let listener = TcpListener::bind(address(&args, "-observed-port")).await?;
    println!("listening on {greeter} observed {}", listener.local_addr()?);

    let log = Router::new().nest("/observed", log_api::router(&[], observed));
    let serving = tokio::spawn(async move { axum::serve(listener, log).await });
    if args.iter().any(|arg| arg == "-exit-on-stdin-eof") {
        std::thread::spawn(|| {
            let _ = io::copy(&mut io::stdin().by_ref(), &mut io::sink());
            std::process::exit(0);
        });
    }
    serving.await.map_err(io::Error::other)?
}

/// On this port of the loopback interface; 0, or no flag: any.
fn address(args: &[String], flag: &str) -> SocketAddr {
    let value = args.iter().skip_while(|arg| *arg != flag).nth(1);
    SocketAddr::from(([127, 0, 0, 1], value.and_then(|port| port.parse().ok()).unwrap_or(0)))
}
