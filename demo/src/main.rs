//! The demo server.
#![forbid(unsafe_code)]

use std::future::pending;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use http::Uri;
use tidewire_demo::greeter;
use tidewire_demo::observed::Observed;
use tidewire_demo::servers::{Server, http_uri};
use tidewire_demo::site::Site;
use tidewire_demo::tls::Identity;
use tidewire_gateway::{Drain, Server as Listening, serve};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// A greeter on tonic with the gateway before it, and the pages to try it from.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// Where pages and calls are served.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The same over TLS (HTTP/2 for browsers).
    #[arg(long)]
    tls_listen: Option<SocketAddr>,
    /// PEM chain; without one, a self-signed certificate is made.
    #[arg(long, requires_all = ["tls_listen", "tls_key"])]
    tls_cert: Option<PathBuf>,
    /// PEM key of that certificate.
    #[arg(long, requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Where the greeter itself listens, for native clients; any port unless given.
    #[arg(long, default_value = "127.0.0.1:0")]
    greeter_listen: SocketAddr,
    /// Folder of the pages, served at `/`.
    #[arg(long)]
    www: Option<PathBuf>,
    /// Folder of the built npm package, served at `/tidewire/`.
    #[arg(long)]
    package: Option<PathBuf>,
    /// More files: PATH=DIR, served at /PATH/.
    #[arg(long, value_parser = folder, value_name = "PATH=DIR")]
    also: Vec<(String, PathBuf)>,
    /// One more server behind the gateway: NAME=URL[,observed=URL][,about=TEXT], mounted at /NAME.
    #[arg(long, value_name = "NAME=URL")]
    mount: Vec<Server>,
    /// Any server of yours, mounted at /upstream.
    #[arg(long, value_parser = http_uri, value_name = "URL")]
    upstream: Option<Uri>,
    /// An origin besides this server's own whose pages may call; `*` for all.
    #[arg(long, value_name = "ORIGIN")]
    allow_origin: Vec<String>,
    /// End when stdin does, so that a test harness that dies takes this server along.
    #[arg(long)]
    exit_on_stdin_eof: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tidewire-demo: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> io::Result<()> {
    let observed = Observed::default();
    let greeter = greeter::start(options.greeter_listen, observed.clone()).await?;
    let site = site(&options, greeter, observed)?.router()?;

    let listener = bind(options.listen).await?;
    let mut ready = format!("listening on http://{}", listener.local_addr()?);
    let plain = Listening { limits: Site::limits(), ..Listening::new(Drain::default()) };
    tokio::spawn(serve(listener, site.clone(), plain.clone(), pending()));
    if let Some(address) = options.tls_listen {
        let tls = Listening { tls: Some(identity(&options).load()?), ..plain };
        let listener = bind(address).await?;
        ready += &format!("\nlistening on https://{}", listener.local_addr()?);
        tokio::spawn(serve(listener, site, tls, pending()));
    }
    println!("{ready}");
    tokio::select! {
        signal = tokio::signal::ctrl_c() => signal,
        () = stdin_eof(options.exit_on_stdin_eof) => Ok(()),
    }
}

fn site(options: &Options, greeter: SocketAddr, observed: Observed) -> io::Result<Site> {
    let here: Uri = format!("http://{greeter}").parse().map_err(io::Error::other)?;
    let mut servers = vec![Server::tonic(here)];
    servers.extend(options.mount.iter().cloned());
    servers.extend(options.upstream.iter().cloned().map(Server::foreign));

    let package = options.package.iter().map(|folder| ("/tidewire".to_owned(), folder.clone()));
    let www = options.www.iter().map(|folder| ("/".to_owned(), folder.clone()));
    let folders = options.also.iter().cloned().chain(package).chain(www).collect();
    Ok(Site { servers, observed, folders, allow_origins: options.allow_origin.clone() })
}

fn identity(options: &Options) -> Identity {
    match (&options.tls_cert, &options.tls_key) {
        (Some(cert), Some(key)) => Identity::Files { cert: cert.clone(), key: key.clone() },
        _ => Identity::SelfSigned,
    }
}

async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|error| io::Error::new(error.kind(), format!("cannot listen on {address}: {error}")))
}

fn folder(text: &str) -> Result<(String, PathBuf), String> {
    let (path, folder) = text.split_once('=').ok_or("expected PATH=DIR")?;
    let path = path.trim_matches('/');
    if path.is_empty() {
        return Err("expected a path before `=`; --www serves `/`".into());
    }
    Ok((format!("/{path}"), folder.into()))
}

/// On a thread of its own: tokio's stdin would keep the process from ending for another reason.
async fn stdin_eof(wanted: bool) {
    if !wanted {
        return pending().await;
    }
    let (ended, end) = oneshot::channel();
    std::thread::spawn(move || {
        let _ = io::copy(&mut io::stdin().by_ref(), &mut io::sink());
        let _ = ended.send(());
    });
    let _ = end.await;
}
