//! A raw HTTP/2 server that tests script, the gateway in front of it, and raw clients.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{SinkExt as _, StreamExt as _};
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use tidewire::codec::HeaderList;
use tidewire::codec::tidewire_v1::{Connection, Event, Limits as WireLimits, Role};
use tidewire_gateway::{Builder, Gateway, serve};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// Nothing in these tests may take longer.
pub async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), what).await.expect("it did not happen within 10 s")
}

/// That nothing comes can only be seen by waiting.
pub async fn not_now<T>(what: impl Future<Output = T>) {
    assert!(tokio::time::timeout(Duration::from_millis(200), what).await.is_err(), "it should not have come");
}

/// One gRPC message.
pub fn message(payload: &[u8]) -> Bytes {
    let mut bytes = BytesMut::from(&[0][..]);
    bytes.extend_from_slice(&(payload.len() as u32).to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes.freeze()
}

pub fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers
}

pub fn list(pairs: &[(&str, &str)]) -> HeaderList {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect()
}

/// The headers of a `0x80` frame.
pub fn block(frame: &[u8]) -> Vec<(String, String)> {
    assert_eq!(frame[0], 0x80, "not a header frame: {frame:?}");
    let length = u32::from_be_bytes(frame[1..5].try_into().unwrap()) as usize;
    assert_eq!(frame.len(), length + 5);
    let text = std::str::from_utf8(&frame[5..]).unwrap();
    text.split_terminator("\r\n")
        .map(|line| line.split_once(": ").map(|(n, v)| (n.to_owned(), v.to_owned())).unwrap())
        .collect()
}

pub fn value<'a>(block: &'a [(String, String)], name: &str) -> Option<&'a str> {
    block.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
}

/// The server behind the gateway.
pub struct Upstream {
    pub address: SocketAddr,
    pub connections: Arc<AtomicUsize>,
    calls: mpsc::UnboundedReceiver<Call>,
    accepting: tokio::task::JoinHandle<()>,
}

/// One call as the upstream sees it.
pub struct Call {
    pub request: Request<()>,
    pub body: RecvStream,
    respond: SendResponse<Bytes>,
}

impl Upstream {
    pub async fn start() -> Self {
        Self::with(h2::server::Builder::new()).await
    }

    pub async fn with(settings: h2::server::Builder) -> Self {
        Self::at("127.0.0.1:0", settings).await
    }

    pub async fn at(address: &str, settings: h2::server::Builder) -> Self {
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

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub async fn call(&mut self) -> Call {
        soon(self.calls.recv()).await.unwrap()
    }

    /// No call may come.
    pub async fn idle(&mut self) {
        not_now(self.calls.recv()).await;
    }

    pub async fn stop(self) {
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
    pub fn header(&self, name: &str) -> Option<&str> {
        self.request.headers().get(name).map(|value| value.to_str().unwrap())
    }

    /// Exactly these bytes come next.
    pub async fn reads(&mut self, expected: &[u8]) {
        let mut read = BytesMut::new();
        while read.len() < expected.len() {
            let chunk = soon(self.body.data()).await.expect("the request ended early").unwrap();
            self.body.flow_control().release_capacity(chunk.len()).unwrap();
            read.extend_from_slice(&chunk);
        }
        assert_eq!(read, expected);
    }

    /// The client half-closed, and nothing else.
    pub async fn reads_end(&mut self) {
        while let Some(chunk) = soon(self.body.data()).await {
            assert_eq!(chunk.expect("no clean end"), "");
        }
        assert!(soon(self.body.trailers()).await.unwrap().is_none());
    }

    /// The request broke off with a reset.
    pub async fn reads_reset(&mut self) -> Reason {
        loop {
            match soon(self.body.data()).await {
                Some(Ok(chunk)) => drop(self.body.flow_control().release_capacity(chunk.len())),
                Some(Err(error)) => return error.reason().expect("a broken connection is no reset"),
                None => panic!("the request ended cleanly"),
            }
        }
    }

    /// The stream was reset after the request's end.
    pub async fn is_reset(&mut self) -> Reason {
        soon(poll_fn(|cx| self.respond.poll_reset(cx))).await.unwrap()
    }

    pub fn answers(&mut self) -> SendStream<Bytes> {
        self.answers_with(200, &[("content-type", "application/grpc+proto")])
    }

    pub fn answers_with(&mut self, status: u16, pairs: &[(&'static str, &'static str)]) -> SendStream<Bytes> {
        self.respond.send_response(head(status, pairs), false).unwrap()
    }

    pub fn answers_only(&mut self, status: u16, pairs: &[(&'static str, &'static str)]) {
        self.respond.send_response(head(status, pairs), true).unwrap();
    }

    pub fn resets(&mut self, reason: Reason) {
        self.respond.send_reset(reason);
    }
}

fn head(status: u16, pairs: &[(&'static str, &'static str)]) -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = status.try_into().unwrap();
    *response.headers_mut() = headers(pairs);
    response
}

pub fn ok() -> HeaderMap {
    headers(&[("grpc-status", "0"), ("greeted", "1")])
}

/// A gateway that serves until its runtime ends.
pub struct Running {
    pub address: SocketAddr,
    pub gateway: Gateway,
}

impl Running {
    pub async fn before(upstream: &Upstream) -> Self {
        Self::start(Gateway::builder().upstream(upstream.url())).await
    }

    pub async fn start(builder: Builder) -> Self {
        let gateway = builder.build().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve(listener, gateway.router(), gateway.server(), std::future::pending()));
        Self { address, gateway }
    }

    /// An HTTP/2 client connection.
    pub async fn http2(&self) -> h2::client::SendRequest<Bytes> {
        let tcp = soon(TcpStream::connect(self.address)).await.unwrap();
        let (client, connection) = soon(h2::client::handshake(tcp)).await.unwrap();
        tokio::spawn(async move { drop(connection.await) });
        soon(client.ready()).await.unwrap()
    }

    pub async fn post(&self, pairs: &[(&'static str, &'static str)]) -> WebCall {
        let uri = format!("http://{}/greet.GreetService/GreetStream", self.address);
        let mut request = Request::post(uri).body(()).unwrap();
        *request.headers_mut() = headers(&[("content-type", "application/grpc-web+proto")]);
        for (name, value) in &headers(pairs) {
            request.headers_mut().insert(name, value.clone());
        }
        let (response, send) = self.http2().await.send_request(request, false).unwrap();
        WebCall { response: Some(response), send, body: None }
    }

    pub async fn websocket(
        &self,
        path: &str,
        pairs: &[(&'static str, &'static str)],
    ) -> Result<Socket, Refusal> {
        let mut request = format!("ws://{}{path}", self.address).into_client_request().unwrap();
        request.headers_mut().extend(headers(pairs));
        match soon(tokio_tungstenite::connect_async(request)).await {
            Ok((socket, _)) => Ok(socket),
            Err(tokio_tungstenite::tungstenite::Error::Http(response)) => {
                let body = response.body().clone().unwrap_or_default();
                Err((response.status().as_u16(), String::from_utf8(body).unwrap()))
            }
            Err(error) => panic!("{error}"),
        }
    }

    pub async fn relay(&self) -> Client {
        self.relay_with(WireLimits::default()).await
    }

    pub async fn relay_with(&self, limits: WireLimits) -> Client {
        let socket =
            self.websocket("/tidewire.v1", &[("sec-websocket-protocol", "tidewire.v1")]).await.unwrap();
        Client {
            socket,
            connection: Connection::new(Role::Client, limits, Duration::ZERO),
            began: Instant::now(),
            seen: VecDeque::new(),
            releases: true,
        }
    }
}

pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;
/// HTTP status and body.
pub type Refusal = (u16, String);

/// A gRPC-Web call over HTTP/2.
pub struct WebCall {
    response: Option<h2::client::ResponseFuture>,
    pub send: SendStream<Bytes>,
    body: Option<RecvStream>,
}

impl WebCall {
    pub async fn head(&mut self) -> http::response::Parts {
        let (head, body) = soon(self.response.take().unwrap()).await.unwrap().into_parts();
        self.body = Some(body);
        head
    }

    pub fn sends(&mut self, bytes: impl Into<Bytes>) {
        self.send.send_data(bytes.into(), false).unwrap();
    }

    pub fn half_closes(&mut self) {
        self.send.send_data(Bytes::new(), true).unwrap();
    }

    pub async fn chunk(&mut self) -> Option<Result<Bytes, h2::Error>> {
        let body = self.body.as_mut().unwrap();
        let chunk = soon(body.data()).await;
        if let Some(Ok(chunk)) = &chunk {
            body.flow_control().release_capacity(chunk.len()).unwrap();
        }
        chunk
    }

    /// All that is left of the body.
    pub async fn rest(&mut self) -> Bytes {
        let mut rest = BytesMut::new();
        while let Some(chunk) = self.chunk().await {
            rest.extend_from_slice(&chunk.unwrap());
        }
        rest.freeze()
    }
}

/// What a `tidewire.v1` client was told.
#[derive(Debug, PartialEq, Eq)]
pub enum Seen {
    Headers { id: u32, status: u16, headers: HeaderList, fin: bool },
    Data { id: u32, bytes: Bytes, fin: bool },
    Trailers { id: u32, headers: HeaderList },
    Reset { id: u32, code: u32, reason: String },
    GoAway { last: u32, code: u32 },
    Closed(Option<u16>),
}

/// A `tidewire.v1` client.
pub struct Client {
    pub socket: Socket,
    pub connection: Connection,
    began: Instant,
    seen: VecDeque<Seen>,
    /// Whether bytes count as read when they come.
    pub releases: bool,
}

impl Client {
    /// A bidi call; its OPEN leaves with the next flush.
    pub fn opens(&mut self, pairs: &[(&str, &str)]) -> u32 {
        self.opens_as("POST", "/greet.GreetService/GreetStream", pairs, false)
    }

    pub fn opens_as(&mut self, method: &str, path: &str, pairs: &[(&str, &str)], fin: bool) -> u32 {
        let mut headers = list(&[("content-type", "application/grpc+proto"), ("te", "trailers")]);
        headers.extend(list(pairs));
        self.connection.open(method, path, &headers, fin).unwrap()
    }

    pub fn sends(&mut self, id: u32, bytes: impl Into<Bytes>) {
        self.connection.send_data(id, bytes.into(), false);
    }

    pub fn half_closes(&mut self, id: u32) {
        self.connection.send_data(id, Bytes::new(), true);
    }

    pub async fn flush(&mut self) {
        while let Some(message) = self.connection.poll_transmit(65_536) {
            soon(self.socket.send(Message::Binary(message.into()))).await.unwrap();
        }
    }

    pub async fn next(&mut self) -> Seen {
        soon(self.next_without_limit()).await
    }

    pub async fn next_without_limit(&mut self) -> Seen {
        loop {
            self.flush().await;
            if let Some(seen) = self.seen.pop_front() {
                return seen;
            }
            match self.socket.next().await {
                Some(Ok(Message::Binary(bytes))) => {
                    let handled = self.connection.handle_message(self.began.elapsed(), &bytes);
                    while let Some(event) = self.connection.poll_event() {
                        self.note(event, &bytes);
                    }
                    handled.unwrap();
                }
                Some(Ok(Message::Close(frame))) => {
                    self.seen.push_back(Seen::Closed(frame.map(|frame| frame.code.into())));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Seen::Closed(None),
            }
        }
    }

    fn note(&mut self, event: Event, message: &Bytes) {
        self.seen.push_back(match event {
            Event::Headers { id, status, headers, fin } => Seen::Headers { id, status, headers, fin },
            Event::Data { id, range, fin } => {
                if self.releases {
                    self.connection.release(id, range.len());
                }
                Seen::Data { id, bytes: message.slice(range), fin }
            }
            Event::Trailers { id, headers } => Seen::Trailers { id, headers },
            Event::Reset { id, code, reason, .. } => Seen::Reset { id, code, reason },
            Event::GoAway { last, code, .. } => Seen::GoAway { last, code },
            Event::Writable { .. } | Event::Open { .. } => return,
        });
    }

    /// The answer's head.
    pub async fn head(&mut self, of: u32) -> (u16, HeaderList) {
        match self.next().await {
            Seen::Headers { id, status, headers, fin: false } if id == of => (status, headers),
            seen => panic!("expected the head of {of}, came {seen:?}"),
        }
    }

    /// Exactly these bytes come next.
    pub async fn reads(&mut self, of: u32, expected: &[u8]) {
        let mut read = BytesMut::new();
        while read.len() < expected.len() {
            match self.next().await {
                Seen::Data { id, bytes, fin: false } if id == of => read.extend_from_slice(&bytes),
                seen => panic!("expected bytes of {of}, came {seen:?}"),
            }
        }
        assert_eq!(read, expected);
    }

    pub async fn trailers(&mut self, of: u32) -> HeaderList {
        match self.next().await {
            Seen::Trailers { id, headers } if id == of => headers,
            seen => panic!("expected the trailers of {of}, came {seen:?}"),
        }
    }

    pub async fn reset(&mut self, of: u32) -> (u32, String) {
        match self.next().await {
            Seen::Reset { id, code, reason } if id == of => (code, reason),
            seen => panic!("expected a reset of {of}, came {seen:?}"),
        }
    }
}
