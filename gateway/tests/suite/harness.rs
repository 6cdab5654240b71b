//! A raw HTTP/2 server that tests script, and the little languages of the wires.

use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use tidewire::codec::HeaderList;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// Nothing in these tests may take longer.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), what).await.expect("it did not happen within 10 s")
}

/// That nothing comes can only be seen by waiting.
pub(crate) async fn not_now<T>(what: impl Future<Output = T>) {
    assert!(tokio::time::timeout(Duration::from_millis(200), what).await.is_err(), "it should not have come");
}

/// One gRPC message.
pub(crate) fn message(payload: &[u8]) -> Bytes {
    let mut bytes = BytesMut::from(&[0][..]);
    bytes.extend_from_slice(&(payload.len() as u32).to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes.freeze()
}

pub(crate) fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers
}

pub(crate) fn list(pairs: &[(&str, &str)]) -> HeaderList {
    pairs.iter().copied().collect()
}

/// The headers of a `0x80` frame.
pub(crate) fn block(frame: &[u8]) -> Vec<(String, String)> {
    assert_eq!(frame[0], 0x80, "not a header frame: {frame:?}");
    let length = u32::from_be_bytes(frame[1..5].try_into().unwrap()) as usize;
    assert_eq!(frame.len(), length + 5);
    let text = std::str::from_utf8(&frame[5..]).unwrap();
    text.split_terminator("\r\n")
        .map(|line| line.split_once(": ").map(|(n, v)| (n.to_owned(), v.to_owned())).unwrap())
        .collect()
}

pub(crate) fn value<'a>(block: &'a [(String, String)], name: &str) -> Option<&'a str> {
    block.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
}

/// The server behind the gateway.
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    pub(crate) connections: Arc<AtomicUsize>,
    calls: mpsc::UnboundedReceiver<Call>,
    accepting: tokio::task::JoinHandle<()>,
}

/// One call as the upstream sees it.
pub(crate) struct Call {
    pub(crate) request: Request<()>,
    pub(crate) body: RecvStream,
    respond: SendResponse<Bytes>,
}

impl Upstream {
    pub(crate) async fn start() -> Self {
        Self::with(h2::server::Builder::new()).await
    }

    pub(crate) async fn with(settings: h2::server::Builder) -> Self {
        Self::at("127.0.0.1:0", settings).await
    }

    pub(crate) async fn at(address: &str, settings: h2::server::Builder) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let (caller, calls) = mpsc::unbounded_channel();
        let count = Arc::clone(&connections);
        let accepting = tokio::spawn(async move {
            let mut tasks = tokio::task::JoinSet::new();
            while let Ok((tcp, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                tasks.spawn(take_calls(tcp, settings.clone(), caller.clone()));
            }
        });
        Self { address, connections, calls, accepting }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) async fn call(&mut self) -> Call {
        soon(self.calls.recv()).await.unwrap()
    }

    /// An upstream with small windows for streams and a large one for the connection.
    pub(crate) async fn narrow(window: usize) -> Self {
        let mut settings = h2::server::Builder::new();
        settings.initial_window_size(window as u32).initial_connection_window_size(1 << 24);
        Self::with(settings).await
    }

    /// No call may come.
    pub(crate) async fn idle(&mut self) {
        not_now(self.calls.recv()).await;
    }

    pub(crate) async fn stop(self) {
        self.accepting.abort();
        let _ = self.accepting.await;
    }
}

async fn take_calls(tcp: TcpStream, settings: h2::server::Builder, caller: mpsc::UnboundedSender<Call>) {
    let Ok(mut connection) = settings.handshake::<_, Bytes>(tcp).await else { return };
    while let Some(Ok((request, respond))) = connection.accept().await {
        let (parts, body) = request.into_parts();
        let _ = caller.send(Call { request: Request::from_parts(parts, ()), body, respond });
    }
}

impl Call {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.request.headers().get(name).map(|value| value.to_str().unwrap())
    }

    /// Exactly these bytes come next.
    pub(crate) async fn reads(&mut self, expected: &[u8]) {
        let mut read = BytesMut::new();
        while read.len() < expected.len() {
            let chunk = soon(self.body.data()).await.expect("the request ended early").unwrap();
            self.body.flow_control().release_capacity(chunk.len()).unwrap();
            read.extend_from_slice(&chunk);
        }
        assert_eq!(read, expected);
    }

    /// Takes this many bytes at least and gives no window back for them; says how many.
    pub(crate) async fn holds(&mut self, least: usize) -> usize {
        let mut held = 0;
        while held < least {
            held += soon(self.body.data()).await.expect("the request ended early").unwrap().len();
        }
        held
    }

    /// The client half-closed, and nothing else.
    pub(crate) async fn reads_end(&mut self) {
        while let Some(chunk) = soon(self.body.data()).await {
            assert_eq!(chunk.expect("no clean end"), "");
        }
        assert!(soon(self.body.trailers()).await.unwrap().is_none());
    }

    /// The request broke off with a reset.
    pub(crate) async fn reads_reset(&mut self) -> Reason {
        loop {
            match soon(self.body.data()).await {
                Some(Ok(chunk)) => drop(self.body.flow_control().release_capacity(chunk.len())),
                Some(Err(error)) => return error.reason().expect("a broken connection is no reset"),
                None => panic!("the request ended cleanly"),
            }
        }
    }

    /// The stream was reset after the request's end.
    pub(crate) async fn is_reset(&mut self) -> Reason {
        soon(poll_fn(|cx| self.respond.poll_reset(cx))).await.unwrap()
    }

    pub(crate) fn resets(&mut self, reason: Reason) {
        self.respond.send_reset(reason);
    }

    pub(crate) fn answers(&mut self) -> SendStream<Bytes> {
        self.answers_with(200, &[("content-type", "application/grpc+proto")])
    }

    pub(crate) fn answers_with(
        &mut self,
        status: u16,
        pairs: &[(&'static str, &'static str)],
    ) -> SendStream<Bytes> {
        self.respond.send_response(head(status, pairs), false).unwrap()
    }

    /// OK, without a message.
    pub(crate) fn ends_ok(&mut self) {
        self.answers_only(200, &[("grpc-status", "0")]);
    }

    pub(crate) fn answers_only(&mut self, status: u16, pairs: &[(&'static str, &'static str)]) {
        self.respond.send_response(head(status, pairs), true).unwrap();
    }
}

fn head(status: u16, pairs: &[(&'static str, &'static str)]) -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = status.try_into().unwrap();
    *response.headers_mut() = headers(pairs);
    response
}

pub(crate) fn ok() -> HeaderMap {
    headers(&[("grpc-status", "0"), ("greeted", "1")])
}
