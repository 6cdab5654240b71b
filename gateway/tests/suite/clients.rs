//! A running gateway, and raw clients of its wires.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{SinkExt as _, StreamExt as _};
use h2::{RecvStream, SendStream};
use http::Request;
use tidewire::codec::HeaderList;
use tidewire::codec::tidewire_v1::{Connection, Event, Limits as WireLimits, Role};
use tidewire_gateway::{Builder, Gateway, Limits, serve};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use tungstenite::Message;
use tungstenite::client::IntoClientRequest as _;

use crate::harness::{Call, Upstream, headers, list, soon};

/// A small stream window, so that little fills it.
pub(crate) const WINDOW: usize = 65_536;

/// An upstream, and a `tidewire.v1` client before a gateway before it.
pub(crate) async fn relayed() -> (Upstream, Client) {
    let upstream = Upstream::start().await;
    let client = Running::before(&upstream).await.relay().await;
    (upstream, client)
}

/// A gateway that serves until its runtime ends.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) gateway: Gateway,
}

impl Running {
    pub(crate) async fn before(upstream: &Upstream) -> Self {
        Self::start(Gateway::builder().upstream(upstream.url())).await
    }

    /// With windows of `WINDOW`.
    pub(crate) async fn narrow(upstream: &Upstream) -> Self {
        let limits =
            Limits { stream_window: WINDOW as u32, upload_window: WINDOW as u32, ..Limits::default() };
        Self::start(Gateway::builder().upstream(upstream.url()).limits(limits)).await
    }

    pub(crate) async fn start(builder: Builder) -> Self {
        let gateway = builder.build().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve(listener, gateway.router(), gateway.server(), std::future::pending()));
        Self { address, gateway }
    }

    /// An HTTP/2 client connection.
    pub(crate) async fn http2(&self) -> h2::client::SendRequest<Bytes> {
        let tcp = soon(TcpStream::connect(self.address)).await.unwrap();
        let (client, connection) = soon(h2::client::handshake(tcp)).await.unwrap();
        tokio::spawn(async move { drop(connection.await) });
        soon(client.ready()).await.unwrap()
    }

    pub(crate) async fn post(&self, pairs: &[(&'static str, &'static str)]) -> WebCall {
        let uri = format!("http://{}/greet.GreetService/GreetStream", self.address);
        let mut request = Request::post(uri).body(()).unwrap();
        *request.headers_mut() = headers(&[("content-type", "application/grpc-web+proto")]);
        for (name, value) in &headers(pairs) {
            request.headers_mut().insert(name, value.clone());
        }
        let (response, send) = self.http2().await.send_request(request, false).unwrap();
        WebCall { response: Some(response), send, body: None }
    }

    pub(crate) async fn websocket(
        &self,
        path: &str,
        pairs: &[(&'static str, &'static str)],
    ) -> Result<Socket, Refusal> {
        let mut request = format!("ws://{}{path}", self.address).into_client_request().unwrap();
        request.headers_mut().extend(headers(pairs));
        match soon(tokio_tungstenite::connect_async(request)).await {
            Ok((socket, _)) => Ok(socket),
            Err(tungstenite::Error::Http(response)) => {
                let body = response.body().clone().unwrap_or_default();
                Err((response.status().as_u16(), String::from_utf8(body).unwrap()))
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// A `grpc-websockets` call whose header block was sent.
    pub(crate) async fn grpc_websocket(&self) -> Socket {
        let offer = [("sec-websocket-protocol", "grpc-websockets")];
        let mut socket = self.websocket("/greet.GreetService/GreetStream", &offer).await.unwrap();
        let head = Bytes::from_static(b"content-type: application/grpc-web+proto\r\n");
        soon(socket.send(Message::Binary(head))).await.unwrap();
        socket
    }

    pub(crate) async fn relay(&self) -> Client {
        self.relay_with(WireLimits::default()).await
    }

    pub(crate) async fn relay_with(&self, limits: WireLimits) -> Client {
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

pub(crate) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;
/// HTTP status and body.
pub(crate) type Refusal = (u16, String);

/// A gRPC-Web call over HTTP/2.
pub(crate) struct WebCall {
    response: Option<h2::client::ResponseFuture>,
    pub(crate) send: SendStream<Bytes>,
    body: Option<RecvStream>,
}

impl WebCall {
    pub(crate) async fn head(&mut self) -> http::response::Parts {
        let (head, body) = soon(self.response.take().unwrap()).await.unwrap().into_parts();
        self.body = Some(body);
        head
    }

    pub(crate) fn sends(&mut self, bytes: impl Into<Bytes>) {
        self.send.send_data(bytes.into(), false).unwrap();
    }

    pub(crate) fn half_closes(&mut self) {
        self.send.send_data(Bytes::new(), true).unwrap();
    }

    pub(crate) async fn chunk(&mut self) -> Option<Result<Bytes, h2::Error>> {
        let body = self.body.as_mut().unwrap();
        let chunk = soon(body.data()).await;
        if let Some(Ok(chunk)) = &chunk {
            body.flow_control().release_capacity(chunk.len()).unwrap();
        }
        chunk
    }

    /// All that is left of the body.
    pub(crate) async fn rest(&mut self) -> Bytes {
        let mut rest = BytesMut::new();
        while let Some(chunk) = self.chunk().await {
            rest.extend_from_slice(&chunk.unwrap());
        }
        rest.freeze()
    }
}

/// What a `tidewire.v1` client was told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Headers { id: u32, status: u16, headers: HeaderList, fin: bool },
    Data { id: u32, bytes: Bytes, fin: bool },
    Trailers { id: u32, headers: HeaderList },
    Reset { id: u32, code: u32, reason: String },
    GoAway { last: u32, code: u32 },
    Closed(Option<u16>),
}

/// A `tidewire.v1` client.
pub(crate) struct Client {
    pub(crate) socket: Socket,
    pub(crate) connection: Connection,
    began: Instant,
    seen: VecDeque<Seen>,
    /// Whether bytes count as read when they come.
    pub(crate) releases: bool,
}

impl Client {
    /// A bidi call; its OPEN leaves with the next flush.
    pub(crate) fn opens(&mut self, pairs: &[(&str, &str)]) -> u32 {
        self.opens_as("POST", "/greet.GreetService/GreetStream", pairs, false)
    }

    pub(crate) fn opens_as(&mut self, method: &str, path: &str, pairs: &[(&str, &str)], fin: bool) -> u32 {
        let mut headers = list(&[("content-type", "application/grpc+proto"), ("te", "trailers")]);
        headers.append(&mut list(pairs));
        self.connection.open(method, path, &headers, fin).unwrap()
    }

    /// A bidi call, and its other end.
    pub(crate) async fn begins(&mut self, upstream: &mut Upstream) -> (u32, Call) {
        let id = self.opens(&[]);
        self.flush().await;
        (id, upstream.call().await)
    }

    /// A call that sends nothing, there and back: what was sent before it has arrived by then.
    pub(crate) async fn round_trip(&mut self, upstream: &mut Upstream) {
        let id = self.opens_as("POST", "/greet.GreetService/Greet", &[], true);
        self.flush().await;
        upstream.call().await.ends_ok();
        self.ends(id).await;
    }

    pub(crate) fn sends(&mut self, id: u32, bytes: impl Into<Bytes>) {
        let bytes: Bytes = bytes.into();
        self.connection.send_data(id, bytes, false);
    }

    pub(crate) fn half_closes(&mut self, id: u32) {
        self.connection.send_data(id, Bytes::new(), true);
    }

    pub(crate) async fn flush(&mut self) {
        while let Some(message) = self.connection.poll_transmit(65_536) {
            soon(self.socket.send(Message::Binary(message.into()))).await.unwrap();
        }
    }

    pub(crate) async fn next(&mut self) -> Seen {
        soon(self.next_without_limit()).await
    }

    pub(crate) async fn next_without_limit(&mut self) -> Seen {
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

    /// Takes one WebSocket message and sends what it allows. False once the socket is closed.
    pub(crate) async fn step(&mut self) -> bool {
        let Some(Ok(message)) = soon(self.socket.next()).await else { return false };
        self.connection.handle_message(Duration::ZERO, &message.into_data()).unwrap();
        self.flush().await;
        true
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
    pub(crate) async fn head(&mut self, of: u32) -> (u16, HeaderList) {
        match self.next().await {
            Seen::Headers { id, status, headers, fin: false } if id == of => (status, headers),
            seen => panic!("expected the head of {of}, came {seen:?}"),
        }
    }

    /// The answer is a head and no more.
    pub(crate) async fn ends(&mut self, of: u32) {
        match self.next().await {
            Seen::Headers { id, fin: true, .. } if id == of => {}
            seen => panic!("expected the end of {of}, came {seen:?}"),
        }
    }

    /// Exactly these bytes come next.
    pub(crate) async fn reads(&mut self, of: u32, expected: &[u8]) {
        let mut read = BytesMut::new();
        while read.len() < expected.len() {
            match self.next().await {
                Seen::Data { id, bytes, fin: false } if id == of => read.extend_from_slice(&bytes),
                seen => panic!("expected bytes of {of}, came {seen:?}"),
            }
        }
        assert_eq!(read, expected);
    }

    pub(crate) async fn trailers(&mut self, of: u32) -> HeaderList {
        match self.next().await {
            Seen::Trailers { id, headers } if id == of => headers,
            seen => panic!("expected the trailers of {of}, came {seen:?}"),
        }
    }

    pub(crate) async fn reset(&mut self, of: u32) -> (u32, String) {
        match self.next().await {
            Seen::Reset { id, code, reason } if id == of => (code, reason),
            seen => panic!("expected a reset of {of}, came {seen:?}"),
        }
    }
}
