//! The listener: HTTP/1.1 and HTTP/2, TLS if wanted, graceful end.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::{ConfigError, Limits, certificates};
use crate::line::{Line, Tcp};

/// Ends calls and connections: first the new ones, then all. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Drain {
    begun: CancellationToken,
    over: CancellationToken,
    tasks: TaskTracker,
    /// Connections to upstreams: they outlive the tasks by the last resets.
    upstreams: TaskTracker,
}

impl Drain {
    /// Nothing new begins: sockets get GOAWAY, connections close as soon as they have nothing to do.
    pub fn begin(&self) {
        self.begun.cancel();
        self.tasks.close();
    }

    /// What still runs is cancelled, upstream too. Returns when all has ended.
    pub async fn end(&self) {
        self.begin();
        self.over.cancel();
        self.upstreams.close();
        let ended = async {
            self.tasks.wait().await;
            self.upstreams.wait().await;
        };
        // An upstream that does not answer is not waited for.
        let _ = tokio::time::timeout(Duration::from_secs(1), ended).await;
    }

    /// [`begin`](Self::begin), then up to `timeout` for what runs, then [`end`](Self::end).
    pub async fn run(&self, timeout: Duration) {
        self.begin();
        let _ = tokio::time::timeout(timeout, self.tasks.wait()).await;
        self.end().await;
    }

    pub(crate) async fn begun(&self) {
        self.begun.cancelled().await;
    }

    /// Runs it until it is done or everything is over.
    pub(crate) fn track(&self, task: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(self.bound(task));
    }

    /// The same, for a caller that runs it itself.
    pub(crate) fn bound<T>(&self, task: T) -> impl Future<Output = ()> + Send + use<T>
    where
        T: Future<Output = ()> + Send + 'static,
    {
        let over = self.over.clone();
        self.tasks.track_future(async move {
            tokio::select! {
                () = task => {}
                () = over.cancelled() => {}
            }
        })
    }

    /// Runs a connection to an upstream until it ends; or until everything is over and `fence`, whose end proves
    /// that the last resets have left.
    pub(crate) fn keep<C, E>(
        &self,
        connection: C,
        fence: impl Future<Output = ()> + Send + 'static,
    ) -> tokio::task::JoinHandle<()>
    where
        C: Future<Output = Result<(), E>> + Send + 'static,
        E: fmt::Display,
    {
        let Self { over, tasks, .. } = self.clone();
        let over = async move {
            over.cancelled().await;
            tasks.wait().await;
            fence.await;
        };
        self.upstreams.spawn(async move {
            tokio::select! {
                ended = connection => if let Err(error) = ended {
                    tracing::debug!(%error, "upstream connection ended");
                },
                () = over => {}
            }
        })
    }
}

/// A certificate chain and its key, for HTTPS and `wss`.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
}

impl Tls {
    /// From PEM files.
    pub fn new(certificate: &[u8], key: &[u8]) -> Result<Self, ConfigError> {
        let chain = certificates(certificate, "--tls-cert")?;
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|error| ConfigError::new(format!("--tls-key: no private key in PEM: {error}")))?;
        let mut config =
            ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .map_err(|error| ConfigError::new(format!("TLS: {error}")))?
                .with_no_client_auth()
                .with_single_cert(chain, key)
                .map_err(|error| ConfigError::new(format!("--tls-cert and --tls-key: {error}")))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)) })
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

/// How to serve.
#[derive(Debug, Clone)]
pub struct Server {
    /// HTTPS and `wss`; cleartext without.
    pub tls: Option<Tls>,
    /// Those that concern connections: header bytes, streams, windows, handshake and ping times.
    pub limits: Limits,
    /// Connections open at once; more wait to be accepted. Default 10,000.
    pub max_connections: usize,
    /// Shared with the gateways that are served.
    pub drain: Drain,
    /// How long calls may go on once the end was asked for. Default 30 s.
    pub drain_timeout: Duration,
}

impl Server {
    /// Cleartext with default limits, for several gateways that share `drain`; for one, [`crate::Gateway::server`].
    pub fn new(drain: Drain) -> Self {
        Self {
            tls: None,
            limits: Limits::default(),
            max_connections: 10_000,
            drain,
            drain_timeout: Duration::from_secs(30),
        }
    }
}

/// Serves HTTP/1.1 and HTTP/2 (with WebSockets on both) until `shutdown`, then drains.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    server: Server,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let connections = Arc::new(Semaphore::new(server.max_connections.min(Semaphore::MAX_PERMITS)));
    let server = Arc::new(server);
    tokio::select! {
        () = shutdown => {}
        () = accept(&listener, &router, &server, &connections) => {}
    }
    drop(listener);
    server.drain.run(server.drain_timeout).await;
    Ok(())
}

/// Finds dead peers that owe us nothing, which TCP by itself never does.
pub(crate) fn keep_alive(tcp: &TcpStream) {
    let probes = socket2::TcpKeepalive::new()
        .with_time(Duration::from_secs(60))
        .with_interval(Duration::from_secs(15));
    let _ = socket2::SockRef::from(tcp).set_tcp_keepalive(&probes);
}

async fn accept(listener: &TcpListener, router: &Router, server: &Arc<Server>, connections: &Arc<Semaphore>) {
    loop {
        let Ok(permit) = Arc::clone(connections).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((tcp, _)) => {
                let connection = connection(tcp, router.clone(), Arc::clone(server), permit);
                server.drain.track(connection);
            }
            Err(error) => {
                // Out of file descriptors, most likely: it passes when somebody leaves.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn connection(tcp: TcpStream, router: Router, server: Arc<Server>, _permit: OwnedSemaphorePermit) {
    let _ = tcp.set_nodelay(true);
    keep_alive(&tcp);
    let patience = server.limits.handshake_timeout;
    let tcp = Tcp::new(tcp);
    let line = tcp.line();
    match &server.tls {
        Some(tls) => {
            if let Ok(Ok(stream)) = tokio::time::timeout(patience, tls.acceptor.accept(tcp)).await {
                http(stream, line, router, &server).await;
            }
        }
        // The HTTP versions' own timers begin with the first byte.
        None => {
            if let Ok(Ok(())) = tokio::time::timeout(patience, tcp.readable()).await {
                http(tcp, line, router, &server).await;
            }
        }
    }
}

async fn http(
    io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    line: Line,
    router: Router,
    server: &Server,
) {
    let builder = builder(&server.limits);
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request| {
        request.extensions_mut().insert(line.clone());
        router.call(request)
    });
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(io), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = server.drain.begun() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error, "web connection ended");
    }
}

fn builder(limits: &Limits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.handshake_timeout)
        // Also the size of one read of a body: less would cost uploads their speed.
        .max_buf_size((limits.max_header_bytes as usize).max(64 * 1024));
    builder
        .http2()
        .timer(TokioTimer::new())
        .enable_connect_protocol()
        .keep_alive_interval(limits.ping_interval)
        .keep_alive_timeout(limits.ping_interval)
        .max_concurrent_streams(limits.max_streams)
        .initial_stream_window_size(limits.stream_window)
        .initial_connection_window_size(limits.connection_window)
        .max_send_buf_size(limits.stream_window as usize)
        .max_header_list_size(limits.max_header_bytes);
    builder
}
