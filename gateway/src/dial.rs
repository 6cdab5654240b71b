//! Opens HTTP/2 connections: TCP, TLS where asked, and proof that the other side speaks HTTP/2.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use h2::client::SendRequest;
use h2::{Ping, PingPong};
use http::Uri;
use http::uri::Authority;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::config::{ConfigError, Limits, certificates};
use crate::serve::{Drain, keep_alive};
use crate::window::{Watched, Window};

/// Of trailers that are larger than h2's own limit it drops fields and says nothing. So that limit is this many times
/// ours, which is held in `exchange.rs`.
const HEADROOM: u32 = 8;
/// What h2 still cuts and our own limit does not see has a single field above 7 limits. On the wire that is at least
/// this many, coded as densely as HPACK can.
const MAX_BLOCK: u32 = 4;

/// An upstream's address and how to reach it.
pub(crate) struct Dialer {
    pub(crate) scheme: &'static str,
    pub(crate) authority: Authority,
    host: String,
    port: u16,
    tls: Option<TlsConnector>,
    pub(crate) limits: Limits,
    drain: Drain,
}

/// A fresh connection, and the future that ends when it does.
pub(crate) struct Dialled {
    pub(crate) send: SendRequest<Bytes>,
    pub(crate) closed: tokio::task::JoinHandle<()>,
    pub(crate) window: Arc<Window>,
}

impl Dialer {
    /// `url`: `http://host[:port]` (cleartext HTTP/2) or `https://host[:port]`.
    pub(crate) fn new(
        url: &str,
        ca: Option<&[u8]>,
        limits: &Limits,
        drain: &Drain,
    ) -> Result<Self, ConfigError> {
        let wrong = |what: &str| {
            ConfigError::new(format!(
                "--upstream {url}: {what}; expected http://host:port or https://host:port"
            ))
        };
        let uri: Uri = url.parse().map_err(|error| wrong(&format!("{error}")))?;
        let (scheme, default_port) = match uri.scheme_str() {
            Some("http") => ("http", 80),
            Some("https") => ("https", 443),
            _ => return Err(wrong("the scheme is missing or unknown")),
        };
        if uri.path_and_query().is_some_and(|path| path != "/") {
            return Err(wrong("a path is not supported"));
        }
        let authority = uri.authority().cloned().ok_or_else(|| wrong("the host is missing"))?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = authority.port_u16().unwrap_or(default_port);
        let tls = if scheme == "https" { Some(connector(ca)?) } else { None };
        Ok(Self { scheme, authority, host, port, tls, limits: limits.clone(), drain: drain.clone() })
    }

    /// Fails with a clause for people: what went wrong and what would help.
    pub(crate) async fn dial(&self) -> Result<Dialled, String> {
        let timeout: Duration = self.limits.connect_timeout;
        tokio::time::timeout(timeout, self.dial_without_limit()).await.unwrap_or_else(|_| {
            Err(format!(
                "no HTTP/2 connection within {timeout:?}; is it up, and does it speak {}?",
                self.speaks()
            ))
        })
    }

    async fn dial_without_limit(&self) -> Result<Dialled, String> {
        let tcp = TcpStream::connect((self.host.as_str(), self.port))
            .await
            .map_err(|error| format!("{error}; is the server running, and listening there?"))?;
        let _ = tcp.set_nodelay(true);
        keep_alive(&tcp);
        let Some(tls) = &self.tls else { return self.handshake(tcp).await };
        let name = ServerName::try_from(self.host.clone()).map_err(|error| error.to_string())?;
        let stream = tls.connect(name, tcp).await.map_err(|error| {
            format!("TLS failed: {error}; does --upstream-ca name the authority that signed its certificate?")
        })?;
        if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
            return Err("it does not offer HTTP/2 (ALPN h2), which gRPC needs".to_owned());
        }
        self.handshake(stream).await
    }

    /// Waits for the answer to a PING: the peer's SETTINGS come before it, so its stream limit is known,
    /// and a peer that is not HTTP/2 shows now instead of in somebody's call.
    async fn handshake<T>(&self, io: T) -> Result<Dialled, String>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let failed = |error: h2::Error| format!("{error}; does it speak {}?", self.speaks());
        let max_headers = self.limits.max_header_bytes;
        let (io, window) = Watched::new(io, max_headers.saturating_mul(MAX_BLOCK) as usize);
        let (send, mut connection) = h2::client::Builder::new()
            .initial_window_size(self.limits.stream_window)
            // Each stream is bounded by its own window; a shared one would let a slow reader stall the others. One
            // below the largest: dubbo-java counts one more, and hangs up where that overflows.
            .initial_connection_window_size((1 << 31) - 2)
            .max_header_list_size(max_headers.saturating_mul(HEADROOM))
            .max_send_buffer_size(self.limits.stream_window as usize)
            .max_concurrent_reset_streams(1_000)
            .enable_push(false)
            .handshake(io)
            .await
            .map_err(failed)?;
        let Some(mut ping) = connection.ping_pong() else {
            return Err("its connection takes no PING".to_owned());
        };
        tokio::select! {
            ended = &mut connection => return Err(ended.err().map_or_else(|| "it hung up".to_owned(), failed)),
            answered = answered(&mut ping) => answered.map_err(failed)?,
        }
        let closed = self.drain.keep(connection, async move { drop(answered(&mut ping).await) });
        Ok(Dialled { send, closed, window })
    }

    fn speaks(&self) -> &'static str {
        if self.tls.is_some() { "HTTP/2 over TLS" } else { "cleartext HTTP/2 (prior knowledge)" }
    }
}

async fn answered(ping: &mut PingPong) -> Result<(), h2::Error> {
    ping.send_ping(Ping::opaque())?;
    poll_fn(|cx| ping.poll_pong(cx)).await.map(|_| ())
}

fn connector(ca: Option<&[u8]>) -> Result<TlsConnector, ConfigError> {
    let mut roots = RootCertStore::empty();
    match ca {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(pem) => {
            for certificate in certificates(pem, "--upstream-ca")? {
                roots
                    .add(certificate)
                    .map_err(|error| ConfigError::new(format!("--upstream-ca: {error}")))?;
            }
        }
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| ConfigError::new(format!("TLS: {error}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}
