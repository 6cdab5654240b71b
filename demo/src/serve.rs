//! Listening: HTTP/1.1 and HTTP/2 on one port, with or without TLS.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);
/// After a failed accept (mostly: no file handles left), for others to close.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves for ever, in cleartext; HTTP/2 by prior knowledge.
pub async fn plain(listener: TcpListener, site: Router) {
    loop {
        match listener.accept().await {
            Ok((socket, _)) => {
                let _ = socket.set_nodelay(true);
                tokio::spawn(connection(socket, site.clone()));
            }
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

/// Serves for ever over TLS; HTTP/2 by ALPN.
pub async fn tls(listener: TcpListener, acceptor: TlsAcceptor, site: Router) {
    loop {
        match listener.accept().await {
            Ok((socket, _)) => {
                let _ = socket.set_nodelay(true);
                let (acceptor, site) = (acceptor.clone(), site.clone());
                tokio::spawn(async move {
                    // A client that never finishes its handshake, or does not trust us: its business.
                    if let Ok(Ok(socket)) =
                        tokio::time::timeout(HANDSHAKE_LIMIT, acceptor.accept(socket)).await
                    {
                        connection(socket, site).await;
                    }
                });
            }
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

async fn connection(socket: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, site: Router) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new());
    builder.http2().timer(TokioTimer::new()).enable_connect_protocol();
    let service = TowerToHyperService::new(site);
    // An error here is a client that left or broke the protocol; hyper has answered what could be answered.
    let _ = builder.serve_connection_with_upgrades(TokioIo::new(socket), service).await;
}

/// The certificate and key of the TLS port.
pub enum Identity {
    /// PEM files.
    Files {
        /// The chain, leaf first.
        cert: PathBuf,
        /// Its key.
        key: PathBuf,
    },
    /// Made now, for `localhost`; no browser trusts it unless told.
    SelfSigned,
}

impl Identity {
    /// What the TLS port needs.
    pub fn acceptor(&self) -> io::Result<TlsAcceptor> {
        let (chain, key) = match self {
            Self::Files { cert, key } => (read_chain(cert)?, read_key(key)?),
            Self::SelfSigned => self_signed()?,
        };
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key);
        let mut config = config.map_err(io::Error::other)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

type Chain = Vec<CertificateDer<'static>>;

fn self_signed() -> io::Result<(Chain, PrivateKeyDer<'static>)> {
    let names = ["localhost", "127.0.0.1", "::1"].map(String::from);
    let made = rcgen::generate_simple_self_signed(names).map_err(io::Error::other)?;
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    Ok((vec![made.cert.der().clone()], key.into()))
}

fn read_chain(path: &Path) -> io::Result<Chain> {
    let certificates = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    certificates.map_err(|error| unreadable("certificate", path, &error))
}

fn read_key(path: &Path) -> io::Result<PrivateKeyDer<'static>> {
    PrivateKeyDer::from_pem_file(path).map_err(|error| unreadable("key", path, &error))
}

fn unreadable(what: &str, path: &Path, error: &dyn std::fmt::Display) -> io::Error {
    io::Error::other(format!("the TLS {what} {} cannot be read: {error}", path.display()))
}
