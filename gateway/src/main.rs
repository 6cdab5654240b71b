//! The gateway as a program: flags, environment, log, signals.
#![forbid(unsafe_code)]

use std::error::Error;
use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use tidewire_gateway::{Gateway, Limits, Tls, serve};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

/// Brings full-duplex gRPC and Dubbo Triple to browsers: takes tidewire.v1, grpc-websockets and gRPC-Web, speaks
/// gRPC over HTTP/2 to upstreams.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Where to listen; port 0 picks one.
    #[arg(long, env = "TIDEWIRE_LISTEN", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// `[<service prefix>=]<url>`, http (cleartext HTTP/2) or https; repeatable, the longest prefix wins.
    #[arg(long, env = "TIDEWIRE_UPSTREAM", value_delimiter = ',', required = true)]
    upstream: Vec<String>,
    /// PEM file with the authorities to trust for https upstreams, instead of the public ones.
    #[arg(long, env = "TIDEWIRE_UPSTREAM_CA")]
    upstream_ca: Option<PathBuf>,
    /// An origin whose pages may call, or *; repeatable. Default: same origin only.
    #[arg(long, env = "TIDEWIRE_ALLOW_ORIGIN", value_delimiter = ',')]
    allow_origin: Vec<String>,
    /// A request header that reaches upstreams although it would not, such as cookie; repeatable.
    #[arg(long, env = "TIDEWIRE_ALLOW_HEADER", value_delimiter = ',')]
    allow_header: Vec<String>,
    /// PEM file with the certificate chain: serves HTTPS and wss.
    #[arg(long, env = "TIDEWIRE_TLS_CERT", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// PEM file with the certificate's private key.
    #[arg(long, env = "TIDEWIRE_TLS_KEY", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Largest header block taken.
    #[arg(long, env = "TIDEWIRE_MAX_HEADER_BYTES", default_value_t = Limits::default().max_header_bytes)]
    max_header_bytes: u32,
    /// Calls at once on one tidewire.v1 socket or HTTP/2 connection.
    #[arg(long, env = "TIDEWIRE_MAX_STREAMS", default_value_t = Limits::default().max_streams)]
    max_streams: u32,
    /// WebSockets at once.
    #[arg(long, env = "TIDEWIRE_MAX_SOCKETS", default_value_t = Limits::default().max_sockets)]
    max_sockets: usize,
    /// Connections at once; more wait to be accepted.
    #[arg(long, env = "TIDEWIRE_MAX_CONNECTIONS", default_value_t = 10_000)]
    max_connections: usize,
    /// Largest message from a client over gRPC-Web and grpc-websockets; tidewire.v1 relays bytes.
    #[arg(long, env = "TIDEWIRE_MAX_MESSAGE_BYTES", default_value_t = Limits::default().max_message_bytes)]
    max_message_bytes: u32,
    /// Bytes that one call may hold in each direction.
    #[arg(long, env = "TIDEWIRE_STREAM_WINDOW", default_value_t = Limits::default().stream_window)]
    stream_window: u32,
    /// Bytes of its requests that one call over tidewire.v1 may hold: what a client far away can send in a round trip.
    #[arg(long, env = "TIDEWIRE_UPLOAD_WINDOW", default_value_t = Limits::default().upload_window)]
    upload_window: u32,
    /// Bytes that all calls of a connection may hold on their way to upstreams.
    #[arg(long, env = "TIDEWIRE_CONNECTION_WINDOW", default_value_t = Limits::default().connection_window)]
    connection_window: u32,
    /// Bytes that all calls together may read ahead of upstreams that stall, to see clients leave; 16 stream windows
    /// a call.
    #[arg(long, env = "TIDEWIRE_READ_AHEAD", default_value_t = Limits::default().read_ahead)]
    read_ahead: usize,
    /// Seconds for TLS and request headers.
    #[arg(long, env = "TIDEWIRE_HANDSHAKE_TIMEOUT", default_value = "10", value_parser = seconds)]
    handshake_timeout: Duration,
    /// Seconds of silence before a web connection is pinged; twice as long ends it.
    #[arg(long, env = "TIDEWIRE_PING_INTERVAL", default_value = "20", value_parser = seconds)]
    ping_interval: Duration,
    /// Seconds to connect to an upstream.
    #[arg(long, env = "TIDEWIRE_CONNECT_TIMEOUT", default_value = "5", value_parser = seconds)]
    connect_timeout: Duration,
    /// Seconds that calls may go on after SIGTERM.
    #[arg(long, env = "TIDEWIRE_DRAIN_TIMEOUT", default_value = "30", value_parser = seconds)]
    drain_timeout: Duration,
    /// One line per call. What is logged is set by RUST_LOG; default info.
    #[arg(long, env = "TIDEWIRE_LOG", value_enum, default_value_t = Log::Text)]
    log: Log,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Log {
    Text,
    Json,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    log_to_stderr(args.log);
    match run(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tidewire-gateway: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let gateway = gateway(&args)?;
    let mut server = gateway.server();
    server.max_connections = args.max_connections;
    server.drain_timeout = args.drain_timeout;
    if let (Some(certificate), Some(key)) = (&args.tls_cert, &args.tls_key) {
        server.tls = Some(Tls::new(&read(certificate)?, &read(key)?)?);
    }
    let listener = TcpListener::bind(args.listen)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", args.listen))?;
    let scheme = if server.tls.is_some() { "https" } else { "http" };
    println!("tidewire-gateway listens on {scheme}://{}", listener.local_addr()?);
    serve(listener, gateway.router(), server, asked_to_end()).await?;
    Ok(())
}

fn gateway(args: &Args) -> Result<Gateway, Box<dyn Error>> {
    let mut builder = Gateway::builder().limits(limits(args));
    for upstream in &args.upstream {
        builder = builder.upstream(upstream);
    }
    for origin in &args.allow_origin {
        builder = builder.allow_origin(origin);
    }
    for header in &args.allow_header {
        builder = builder.allow_header(header);
    }
    if let Some(path) = &args.upstream_ca {
        builder = builder.upstream_ca(read(path)?);
    }
    Ok(builder.build()?)
}

fn limits(args: &Args) -> Limits {
    Limits {
        max_header_bytes: args.max_header_bytes,
        max_streams: args.max_streams,
        max_sockets: args.max_sockets,
        stream_window: args.stream_window,
        upload_window: args.upload_window,
        connection_window: args.connection_window,
        read_ahead: args.read_ahead,
        max_message_bytes: args.max_message_bytes,
        handshake_timeout: args.handshake_timeout,
        ping_interval: args.ping_interval,
        connect_timeout: args.connect_timeout,
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "expected a number of seconds".to_owned())?;
    let seconds = Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())?;
    if seconds.is_zero() { Err("expected more than 0 seconds".to_owned()) } else { Ok(seconds) }
}

fn log_to_stderr(log: Log) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let ansi = std::io::stderr().is_terminal();
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(ansi);
    match log {
        Log::Text => builder.with_target(false).init(),
        Log::Json => builder.json().flatten_event(true).with_target(false).init(),
    }
}

/// SIGTERM or ctrl-c.
async fn asked_to_end() {
    let interrupted = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        () = interrupted => {}
        () = terminated => {}
    }
}
