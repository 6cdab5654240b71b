//! A native client for the gateway alone: `gateway-load URL flood|echo|pingpong|idle COUNT SIZE`. Prints one line of
//! JSON. What the gateway needed meanwhile is read off its process by whoever started it.
#![forbid(unsafe_code)]

use std::error::Error;
use std::ops::Range;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use tidewire::codec::HeaderList;
use tidewire::codec::tidewire_v1::{Connection, Event, Limits, Role};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// What the npm package lets a gateway send.
const LIMITS: Limits = Limits {
    stream_window: 1024 * 1024,
    connection_window: 64 * 1024 * 1024,
    max_frame: 64 * 1024,
    max_streams: 1,
    max_headers: 64 * 1024,
};
/// Streams that share a flood.
const STREAMS: usize = 8;
/// Streams on one socket that is idle.
const PER_SOCKET: usize = 500;
const BUDGET: usize = 64 * 1024;
/// What an echo may have on its way.
const ON_THE_WAY: usize = 256 * 1024;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [url, what, count, size] = args.as_slice() else {
        return Err("usage: gateway-load URL flood|echo|pingpong|idle COUNT SIZE".into());
    };
    let (count, size) = (count.parse()?, size.parse()?);
    match what.as_str() {
        "flood" => flood(url, count, size).await,
        "echo" => echo(url, count, size).await,
        "pingpong" => pingpong(url, count, size).await,
        "idle" => idle(url, count).await,
        _ => Err(format!("there is no `{what}`").into()),
    }
}

/// `count` messages from the server, over a few streams of one socket.
async fn flood(url: &str, count: usize, size: usize) -> Result<()> {
    let mut link = Link::connect(url).await?;
    let begun = Instant::now();
    for _ in 0..STREAMS {
        let id = link.open("ServerStream")?;
        link.connection.send_data(id, spec(count / STREAMS, size), true);
    }
    let (mut bytes, mut ended) = (0, 0);
    while ended < STREAMS {
        link.step(|event| match event {
            Event::Data { range, .. } => bytes += range.len(),
            Event::Trailers { .. } | Event::Reset { .. } => ended += 1,
            _ => {}
        })
        .await?;
    }
    report(bytes / framed(size).len(), begun.elapsed(), &[]);
    Ok(())
}

/// `count` messages there and back on one stream.
async fn echo(url: &str, count: usize, size: usize) -> Result<()> {
    let mut link = Link::connect(url).await?;
    let begun = Instant::now();
    let (id, frame) = (link.open("Echo")?, framed(size));
    let (total, mut sent, mut back, mut ended) = (frame.len() * count, 0, 0, false);
    while !ended {
        while sent < total && sent - back < ON_THE_WAY {
            sent += frame.len();
            link.connection.send_data(id, &frame, sent == total);
        }
        link.step(|event| match event {
            Event::Data { range, .. } => back += range.len(),
            Event::Trailers { .. } | Event::Reset { .. } => ended = true,
            _ => {}
        })
        .await?;
    }
    report(back / frame.len(), begun.elapsed(), &[]);
    Ok(())
}

/// One message at a time. Of the same bytes to the raw echo beside the gateway: what a WebSocket takes by itself.
async fn pingpong(url: &str, count: usize, size: usize) -> Result<()> {
    let frame = framed(size);
    let mut times = Vec::with_capacity(count);
    let begun = Instant::now();
    if url.ends_with("/echo") {
        let (mut socket, _) = connect_async(url).await?;
        for _ in 0..count {
            let sent = Instant::now();
            socket.send(Message::Binary(frame.clone().into())).await?;
            socket.next().await.ok_or("the echo went away")??;
            times.push(sent.elapsed());
        }
    } else {
        let mut link = Link::connect(url).await?;
        let id = link.open("Echo")?;
        for _ in 0..count {
            let (sent, mut back) = (Instant::now(), 0);
            link.connection.send_data(id, &frame, false);
            while back < frame.len() {
                link.step(|event| {
                    if let Event::Data { range, .. } = event {
                        back += range.len();
                    }
                })
                .await?;
            }
            times.push(sent.elapsed());
        }
    }
    report(count, begun.elapsed(), &times);
    Ok(())
}

/// `count` streams that carry nothing; says so once all are open, and stays until stdin ends.
async fn idle(url: &str, count: usize) -> Result<()> {
    let mut links = Vec::new();
    for first in (0..count).step_by(PER_SOCKET) {
        let mut link = Link::connect(url).await?;
        let streams = PER_SOCKET.min(count - first);
        for _ in 0..streams {
            link.open("Echo")?;
        }
        let mut opened = 0;
        while opened < streams {
            link.step(|event| opened += usize::from(matches!(event, Event::Headers { .. }))).await?;
        }
        links.push(link);
    }
    report(count, Duration::ZERO, &[]);
    tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink())).await??;
    Ok(())
}

struct Link {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    connection: Connection,
    began: Instant,
}

impl Link {
    async fn connect(url: &str) -> Result<Self> {
        let mut request = url.into_client_request()?;
        request.headers_mut().insert("sec-websocket-protocol", "tidewire.v1".parse()?);
        let (socket, _) = connect_async(request).await?;
        if let MaybeTlsStream::Plain(stream) = socket.get_ref() {
            stream.set_nodelay(true)?;
        }
        let connection = Connection::new(Role::Client, LIMITS, Duration::ZERO);
        Ok(Self { socket, connection, began: Instant::now() })
    }

    fn open(&mut self, method: &str) -> Result<u32> {
        let headers = [("content-type", "application/grpc+proto"), ("te", "trailers")];
        let headers = HeaderList::from_iter(headers);
        let path = format!("/bench.Bench/{method}");
        self.connection.open("POST", &path, &headers, false).map_err(|error| error.message().into())
    }

    /// Sends what there is, takes one message, and tells what it brought; what is read is given back at once.
    async fn step(&mut self, mut tell: impl FnMut(&Event)) -> Result<()> {
        while let Some(message) = self.connection.poll_transmit(BUDGET) {
            self.socket.send(Message::Binary(message.into())).await?;
        }
        let message = self.socket.next().await.ok_or("the gateway went away")??;
        if let Message::Binary(bytes) = message {
            let now = self.began.elapsed();
            self.connection.handle_message(now, &bytes).map_err(|error| error.message)?;
            while let Some(event) = self.connection.poll_event() {
                if let Event::Data { id, range, .. } = &event {
                    self.connection.release(*id, Range::len(range));
                }
                tell(&event);
            }
        }
        Ok(())
    }
}

/// `bench.Spec`, framed.
fn spec(count: usize, size: usize) -> Bytes {
    let varint = |mut value: usize| {
        let mut bytes = Vec::new();
        while value > 127 {
            bytes.push(value as u8 | 128);
            value >>= 7;
        }
        bytes.push(value as u8);
        bytes
    };
    frame([vec![8], varint(count), vec![16], varint(size)].concat()).into()
}

/// `bench.Payload` of so many bytes (fewer than 128), framed.
fn framed(size: usize) -> Vec<u8> {
    frame([vec![10, size as u8], vec![b'x'; size]].concat())
}

fn frame(message: Vec<u8>) -> Vec<u8> {
    [vec![0], (message.len() as u32).to_be_bytes().to_vec(), message].concat()
}

fn report(count: usize, took: Duration, times: &[Duration]) {
    let mut times: Vec<f64> = times.iter().map(|time| time.as_secs_f64() * 1e3).collect();
    times.sort_by(f64::total_cmp);
    let at = |part: f64| times.get((times.len() as f64 * part) as usize).copied().unwrap_or_default();
    let (ms, p50, p99) = (took.as_secs_f64() * 1e3, at(0.5), at(0.99));
    println!("{{\"count\":{count},\"ms\":{ms:.3},\"p50\":{p50:.4},\"p99\":{p99:.4}}}");
}
