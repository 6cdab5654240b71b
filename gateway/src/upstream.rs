//! Where calls go: routes by service prefix, and a few HTTP/2 connections per upstream.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use futures_util::FutureExt as _;
use h2::SendStream;
use h2::client::{ResponseFuture, SendRequest};
use http::{HeaderMap, Method, Request, Uri, Version};

use crate::config::{ConfigError, Limits};
use crate::dial::Dialer;
use crate::serve::Drain;
use crate::window::{Wanted, Window};

/// Enough for 64 × the peer's stream limit; beyond that calls queue for a free stream.
const MAX_CONNECTIONS: usize = 64;
/// Connections without a stream that are kept for the next.
const MAX_IDLE: usize = 4;

/// The configured upstreams; the longest prefix of the service's name decides.
pub(crate) struct Upstreams {
    routes: Vec<(String, Arc<Upstream>)>,
}

impl Upstreams {
    /// `specs`: `[<service prefix>=]<url>`.
    pub(crate) fn new(
        specs: &[String],
        ca: Option<&[u8]>,
        limits: &Limits,
        drain: &Drain,
    ) -> Result<Self, ConfigError> {
        let mut routes = Vec::with_capacity(specs.len());
        for spec in specs {
            let (prefix, url) = match spec.split_once('=') {
                Some((prefix, url)) => (prefix.trim_start_matches('/'), url),
                None => ("", spec.as_str()),
            };
            routes.push((prefix.to_owned(), Arc::new(Upstream::new(Dialer::new(url, ca, limits, drain)?))));
        }
        if routes.is_empty() {
            return Err(ConfigError::new("no upstream is given; pass --upstream http://host:port"));
        }
        routes.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
        Ok(Self { routes })
    }

    pub(crate) fn find(&self, service: &str) -> Option<&Arc<Upstream>> {
        self.routes
            .iter()
            .find(|(prefix, _)| service.starts_with(prefix.as_str()))
            .map(|(_, upstream)| upstream)
    }
}

/// One server, with the connections to it.
pub(crate) struct Upstream {
    /// `host:port` as configured, for people.
    pub(crate) name: String,
    dialer: Dialer,
    connections: Mutex<Vec<Connection>>,
    /// Held while dialling, so that a burst dials once; keeps the last failure for those who waited for it.
    dialling: tokio::sync::Mutex<Option<(Instant, String)>>,
}

/// A stream that has been opened on an upstream. Dropping it resets the stream with CANCEL.
pub(crate) struct Exchange {
    pub(crate) send: SendStream<Bytes>,
    pub(crate) response: ResponseFuture,
    pub(crate) slot: Slot,
}

/// Counts as one of its connection's streams until it is dropped.
pub(crate) struct Slot {
    load: Arc<Load>,
    wanted: Wanted,
}

struct Connection {
    send: SendRequest<Bytes>,
    load: Arc<Load>,
    closed: tokio::task::JoinHandle<()>,
}

struct Load {
    /// A connection's streams.
    open: AtomicUsize,
    window: Arc<Window>,
}

impl Upstream {
    fn new(dialer: Dialer) -> Self {
        let name = dialer.authority.to_string();
        Self { name, dialer, connections: Mutex::default(), dialling: tokio::sync::Mutex::default() }
    }

    /// Bytes that one stream may hold in each direction.
    pub(crate) fn window(&self) -> usize {
        self.dialer.limits.stream_window as usize
    }

    /// Bytes of headers that an answer may have.
    pub(crate) fn max_headers(&self) -> usize {
        self.dialer.limits.max_header_bytes as usize
    }

    /// A request to this upstream for a path and headers that were checked before.
    pub(crate) fn request(
        &self,
        method: Method,
        path: &str,
        headers: HeaderMap,
    ) -> Result<Request<()>, String> {
        let uri = Uri::builder()
            .scheme(self.dialer.scheme)
            .authority(self.dialer.authority.clone())
            .path_and_query(path)
            .build()
            .map_err(|error| format!("the client sent the path {path:?}: {error}"))?;
        let mut request = Request::new(());
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.version_mut() = Version::HTTP_2;
        *request.headers_mut() = headers;
        Ok(request)
    }

    /// Sends the request's headers. Fails with a sentence; nothing was sent then.
    pub(crate) async fn open(&self, request: Request<()>, half_closed: bool) -> Result<Exchange, String> {
        let mut reason = String::new();
        // A kept connection may turn out to be dead or going away: then another one is tried.
        for _ in 0..3 {
            let (mut send, slot) = self.connection().await?;
            match send.send_request(request.clone(), half_closed) {
                Ok((response, send)) => return Ok(Exchange { send, response, slot }),
                Err(error) => reason = error.to_string(),
            }
        }
        Err(self.unreachable(&reason))
    }

    /// One with a free stream and room for what it sends; a new one if there is none.
    async fn connection(&self) -> Result<(SendRequest<Bytes>, Slot), String> {
        if let Some(found) = self.with_room() {
            return Ok(found);
        }
        let asked = Instant::now();
        let mut last_failure = self.dialling.lock().await;
        if let Some(found) = self.with_room() {
            return Ok(found);
        }
        if let Some((at, reason)) = &*last_failure
            && *at >= asked
        {
            return self.roomiest().ok_or_else(|| self.unreachable(reason));
        }
        if let Some(found) = self.least_loaded_if_full() {
            return Ok(found);
        }
        match self.dialer.dial().await {
            Ok(dialled) => {
                *last_failure = None;
                let load = Arc::new(Load { open: AtomicUsize::new(0), window: dialled.window });
                let connection = Connection { send: dialled.send, load, closed: dialled.closed };
                let found = connection.take();
                self.connections.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
                Ok(found)
            }
            Err(reason) => {
                *last_failure = Some((Instant::now(), reason.clone()));
                self.roomiest().ok_or_else(|| self.unreachable(&reason))
            }
        }
    }

    fn with_room(&self) -> Option<(SendRequest<Bytes>, Slot)> {
        let mut connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        let mut idle = 0;
        connections.retain(|connection| {
            let is_idle = connection.load.open() == 0;
            idle += usize::from(is_idle);
            connection.is_usable() && (!is_idle || idle <= MAX_IDLE && connection.load.window.has_room())
        });
        let free = |connection: &&Connection| connection.has_stream() && connection.load.window.has_room();
        connections.iter().find(free).map(Connection::take)
    }

    /// Better than none.
    fn roomiest(&self) -> Option<(SendRequest<Bytes>, Slot)> {
        let connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        let with_stream = connections.iter().filter(|connection| connection.has_stream());
        with_stream.max_by_key(|connection| connection.load.window.room()).map(Connection::take)
    }

    fn least_loaded_if_full(&self) -> Option<(SendRequest<Bytes>, Slot)> {
        let connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        if connections.len() < MAX_CONNECTIONS {
            return None;
        }
        let load = |connection: &&Connection| (!connection.load.window.has_room(), connection.load.open());
        connections.iter().min_by_key(load).map(Connection::take)
    }

    fn unreachable(&self, reason: &str) -> String {
        format!("the upstream {} cannot be reached: {reason}", self.name)
    }
}

impl Connection {
    /// False once it closed or was told GOAWAY; its streams run on.
    fn is_usable(&self) -> bool {
        !self.closed.is_finished() && matches!(self.send.clone().ready().now_or_never(), Some(Ok(_)))
    }

    fn has_stream(&self) -> bool {
        self.load.open() < self.send.current_max_send_streams()
    }

    fn take(&self) -> (SendRequest<Bytes>, Slot) {
        self.load.open.fetch_add(1, Ordering::Relaxed);
        (self.send.clone(), Slot { load: Arc::clone(&self.load), wanted: Wanted::default() })
    }
}

impl Load {
    fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }
}

impl Slot {
    /// Whether something of this stream, or of another on its connection, may wait in h2.
    pub(crate) fn has_queued(&self) -> bool {
        self.load.window.has_queued()
    }

    /// The stream gave this much to h2, and has so much more for it.
    pub(crate) fn sends(&mut self, bytes: usize, waiting: usize) {
        self.load.window.queue(bytes);
        self.wanted.set(waiting, &self.load.window);
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.wanted.set(0, &self.load.window);
        if self.load.open.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.load.window.rest();
        }
    }
}

/// Splits `/<service>/<method>[?query]`; `None` for any other shape.
pub(crate) fn split_path(path: &str) -> Option<(&str, &str)> {
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    let (service, method) = path.strip_prefix('/')?.split_once('/')?;
    [service, method].iter().all(|part| is_name(part)).then_some((service, method))
}

fn is_name(part: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"._-$~".contains(&byte);
    !part.is_empty() && !part.bytes().all(|byte| byte == b'.') && part.bytes().all(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_service_and_method_make_a_path() {
        assert_eq!(split_path("/greet.GreetService/Greet"), Some(("greet.GreetService", "Greet")));
        assert_eq!(split_path("/a.B$C/m?x=1/2"), Some(("a.B$C", "m")));
        for path in ["", "/", "/a", "/a/", "//m", "/a/b/c", "a/b", "/../m", "/a/..", "/a%2f/b", "/a b/c", "*"]
        {
            assert_eq!(split_path(path), None, "{path}");
        }
    }

    #[test]
    fn the_longest_prefix_wins() {
        let specs = ["http://a:1", "greet.=http://b:1", "greet.Greet=http://c:1"].map(String::from);
        let upstreams = Upstreams::new(&specs, None, &Limits::default(), &Drain::default()).unwrap();
        let name = |service| upstreams.find(service).map(|upstream| upstream.name.clone());
        assert_eq!(name("greet.GreetService").as_deref(), Some("c:1"));
        assert_eq!(name("greet.Other").as_deref(), Some("b:1"));
        assert_eq!(name("other").as_deref(), Some("a:1"));
    }

    #[test]
    fn a_wrong_upstream_says_what_was_expected() {
        for spec in ["localhost:50051", "ftp://a", "http://a/base", "x=", "http://"] {
            let error = Upstreams::new(&[spec.to_owned()], None, &Limits::default(), &Drain::default())
                .err()
                .unwrap();
            assert!(error.to_string().contains("expected http://host:port"), "{error}");
        }
        assert!(Upstreams::new(&[], None, &Limits::default(), &Drain::default()).is_err());
    }
}
