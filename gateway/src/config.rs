//! What can be set, and its defaults.

use std::fmt;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::gateway::Gateway;
use crate::headers::HeaderPolicy;
use crate::origin::Origins;
use crate::serve::Drain;
use crate::upstream::Upstreams;

/// Bounds of memory and patience.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Largest header block taken, in bytes, on every wire. Default 16 KiB.
    pub max_header_bytes: u32,
    /// Calls open at once on one `tidewire.v1` socket, or one HTTP/2 connection. Default 1,000.
    pub max_streams: u32,
    /// WebSockets open at once; one more is answered with 503. Default 10,000.
    pub max_sockets: usize,
    /// Bytes that one call may hold in each direction. Default 256 KiB.
    pub stream_window: u32,
    /// Bytes of its requests that one call over `tidewire.v1` may hold instead: the client may be far away, and can send
    /// no more than this in a round trip. Default 1 MiB.
    pub upload_window: u32,
    /// Bytes that all calls of one web connection may hold on their way to upstreams. Default 16 MiB.
    pub connection_window: u32,
    /// Bytes that all calls together may hold beyond their windows, each at most 16 of its windows, while their
    /// upstreams do not take them: over gRPC-Web on HTTP/1.1 and `grpc-websockets` only who reads on sees that
    /// the client left. Default 256 MiB.
    pub read_ahead: usize,
    /// Largest message a client may send where the gateway reads gRPC envelopes (gRPC-Web,
    /// `grpc-websockets`). Default 16 MiB.
    pub max_message_bytes: u32,
    /// From connect to the end of TLS and of the request's headers. Default 10 s.
    pub handshake_timeout: Duration,
    /// A web connection that is silent for so long is pinged, for twice as long taken for dead. Default 20 s.
    pub ping_interval: Duration,
    /// To a working HTTP/2 connection with an upstream. Default 5 s.
    pub connect_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_header_bytes: 16 * 1024,
            max_streams: 1_000,
            max_sockets: 10_000,
            stream_window: 256 * 1024,
            upload_window: 1024 * 1024,
            connection_window: 16 * 1024 * 1024,
            read_ahead: 256 * 1024 * 1024,
            max_message_bytes: 16 * 1024 * 1024,
            handshake_timeout: Duration::from_secs(10),
            ping_interval: Duration::from_secs(20),
            connect_timeout: Duration::from_secs(5),
        }
    }
}

/// Settings that cannot work; the text says which and what was expected.
#[derive(Debug)]
pub struct ConfigError(String);

impl ConfigError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

/// Makes a [`Gateway`]; begin with [`Gateway::builder`]. Nothing is checked before [`Builder::build`].
#[derive(Debug, Default)]
#[must_use]
pub struct Builder {
    upstreams: Vec<String>,
    upstream_ca: Option<Vec<u8>>,
    origins: Vec<String>,
    headers: Vec<String>,
    limits: Limits,
    drain: Drain,
}

impl Builder {
    /// `[<service prefix>=]<url>`, where the URL is `http://host:port` (cleartext HTTP/2) or `https://host:port`.
    /// The longest prefix of a service's name decides.
    pub fn upstream(mut self, spec: impl Into<String>) -> Self {
        self.upstreams.push(spec.into());
        self
    }

    /// PEM certificates of the authorities to trust for `https` upstreams, instead of the public ones.
    pub fn upstream_ca(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.upstream_ca = Some(pem.into());
        self
    }

    /// An origin whose pages may call, such as `https://app.example.com`; `*` for any. Without one: same origin.
    pub fn allow_origin(mut self, origin: impl Into<String>) -> Self {
        self.origins.push(origin.into());
        self
    }

    /// A request header that passes although it does not by default, such as `cookie`. On WebSockets it is taken
    /// from the upgrade request, for calls that do not set it themselves.
    pub fn allow_header(mut self, name: impl Into<String>) -> Self {
        self.headers.push(name.into());
        self
    }

    /// Bounds other than the defaults.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Shares a [`Drain`] with other gateways and with [`crate::serve`].
    pub fn drain(mut self, drain: Drain) -> Self {
        self.drain = drain;
        self
    }

    /// Checks the settings. Connects to nothing yet.
    pub fn build(self) -> Result<Gateway, ConfigError> {
        let upstreams =
            Upstreams::new(&self.upstreams, self.upstream_ca.as_deref(), &self.limits, &self.drain)?;
        let headers = self
            .headers
            .iter()
            .map(|name| name.parse().map_err(|_| ConfigError::new(format!("{name:?} is not a header name"))))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Gateway::new(
            upstreams,
            Origins::new(&self.origins)?,
            HeaderPolicy::new(headers),
            self.limits,
            self.drain,
        ))
    }
}

/// The certificates in a PEM file; `what` names the setting in errors.
pub(crate) fn certificates(pem: &[u8], what: &str) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| ConfigError::new(format!("{what}: not a PEM file: {error}")))?;
    if certificates.is_empty() {
        return Err(ConfigError::new(format!("{what}: there is no certificate in this PEM file")));
    }
    Ok(certificates)
}
