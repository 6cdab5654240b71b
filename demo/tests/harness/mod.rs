//! Reading the observed log, and a client on bare HTTP/2 frames.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part")]

use std::net::SocketAddr;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use h2::client::{ResponseFuture, SendRequest};
use h2::{Reason, RecvStream, SendStream};
use http::HeaderMap;
use prost::Message;
use serde_json::Value;
use tidewire_demo::observed::Observed;
use tidewire_demo::proto::{GreetRequest, GreetResponse};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// Nothing here takes so long, unless it hangs.
pub const LIMIT: Duration = Duration::from_secs(10);

/// What the greeter saw of one call.
pub struct Seen {
    observed: Observed,
    id: String,
}

impl Seen {
    pub fn of(observed: &Observed, id: &str) -> Self {
        Self { observed: observed.clone(), id: id.into() }
    }

    /// Waits for the first event called `last`, and gives all up to it.
    pub async fn until(&self, last: &str) -> Vec<Value> {
        let log = self.observed.log(&self.id);
        let mut events: Vec<Value> = Vec::new();
        loop {
            let news = log.after(events.len(), LIMIT).await;
            assert!(!news.is_empty(), "no `{last}` after {events:#?}");
            for event in news {
                events.push(serde_json::from_str(&event).unwrap());
                if events[events.len() - 1]["what"] == last {
                    return events;
                }
            }
        }
    }

    /// What happened from `open` to `end`, in one line.
    pub async fn story(&self) -> String {
        let events = self.until("end").await;
        events.iter().map(|event| event["what"].as_str().unwrap()).collect::<Vec<_>>().join(" ")
    }

    /// The detail of `end`.
    pub async fn end(&self) -> Value {
        self.until("end").await.pop().unwrap()["detail"].take()
    }
}

/// A client on bare HTTP/2: tonic's own client cannot reset a call whose requests are still open.
pub struct Bare {
    requests: SendRequest<Bytes>,
    connection: JoinHandle<()>,
}

impl Bare {
    pub async fn connect(address: SocketAddr) -> Self {
        let socket = TcpStream::connect(address).await.unwrap();
        let (requests, connection) = h2::client::handshake(socket).await.unwrap();
        let connection = tokio::spawn(async move {
            let _ = connection.await;
        });
        Self { requests: requests.ready().await.unwrap(), connection }
    }

    /// Opens the call `id`; nothing but the headers goes out.
    pub fn open(&mut self, method: &str, id: &str, metadata: &[(&str, &str)]) -> BareCall {
        let mut request = http::Request::post(format!("http://greeter/greet.GreetService/{method}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("x-call-id", id);
        for (name, value) in metadata {
            request = request.header(*name, *value);
        }
        let (response, body) = self.requests.send_request(request.body(()).unwrap(), false).unwrap();
        BareCall { response: Some(response), body, replies: None }
    }

    /// Cuts the connection, without a word.
    pub fn cut(self) {
        self.connection.abort();
    }
}

/// A call on bare HTTP/2.
pub struct BareCall {
    response: Option<ResponseFuture>,
    body: SendStream<Bytes>,
    replies: Option<RecvStream>,
}

impl BareCall {
    pub fn send(&mut self, name: &str) {
        self.body.send_data(enveloped(name), false).unwrap();
    }

    pub fn half_close(&mut self) {
        self.body.send_data(Bytes::new(), true).unwrap();
    }

    /// RST_STREAM with CANCEL, as grpc-go and grpc-java cancel a call.
    pub fn cancel(&mut self) {
        self.body.send_reset(Reason::CANCEL);
    }

    /// The next reply: each is small, so it comes in a DATA frame of its own.
    pub async fn receive(&mut self) -> String {
        let data = within(self.replies().await.data()).await.unwrap().unwrap();
        GreetResponse::decode(&data[5..]).unwrap().greeting
    }

    /// Reads to the end.
    pub async fn trailers(&mut self) -> HeaderMap {
        let response = within(self.response.take().unwrap()).await.unwrap();
        if response.headers().contains_key("grpc-status") {
            return response.headers().clone();
        }
        let mut replies = response.into_body();
        while let Some(data) = within(replies.data()).await {
            let taken = data.unwrap().len();
            replies.flow_control().release_capacity(taken).unwrap();
        }
        within(replies.trailers()).await.unwrap().unwrap()
    }

    async fn replies(&mut self) -> &mut RecvStream {
        if let Some(response) = self.response.take() {
            self.replies = Some(within(response).await.unwrap().into_body());
        }
        self.replies.as_mut().unwrap()
    }
}

/// A request as one gRPC message.
pub fn enveloped(name: &str) -> Bytes {
    let message = GreetRequest { name: name.into() };
    let mut frame = BytesMut::new();
    frame.put_u8(0);
    frame.put_u32(message.encoded_len() as u32);
    message.encode(&mut frame).unwrap();
    frame.freeze()
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, future).await.expect("it took too long")
}
