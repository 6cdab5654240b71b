//! `grpc-websockets`, improbable's wire: one WebSocket a call.
//!
//! The client sends a header block, then messages of `0` and bytes, then the single byte `1` as half-close; to cancel
//! it closes. The gateway sends a header block, bytes, a trailer block, and closes. A block is a `0x80` frame.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream::SplitStream;
use futures_util::{SinkExt as _, StreamExt as _};
use h2::{FlowControl, Reason, RecvStream};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, Method, Request, response};
use tokio::sync::{Mutex, OwnedSemaphorePermit};

use crate::answer;
use crate::call_log::{self, CallLog};
use crate::envelope::Envelopes;
use crate::exchange::{self, Download, Ending, Part, Upload};
use crate::gateway::Shared;
use crate::headers;
use crate::read_ahead::ReadAhead;
use crate::signs::{Signs, Sink, Watch, until_dead};
use crate::status::{Code, Status, header_frame, shown};
use crate::translate::{self, WebType};
use crate::upstream::Upstream;

const NAME: &str = "grpc-websockets";

/// Allocated for every socket.
const READ_BUFFER: usize = 16 * 1024;

/// How long a client may take to close the socket after the call has ended.
const CLOSE_PATIENCE: Duration = Duration::from_secs(5);

pub(crate) fn accept(
    shared: Arc<Shared>,
    upstream: Option<Arc<Upstream>>,
    path: String,
    parts: &Parts,
    upgrade: WebSocketUpgrade,
    permit: OwnedSemaphorePermit,
) -> Response {
    let of_upgrade = shared.headers.of_upgrade(&parts.headers);
    let watch = Watch::of(parts);
    // Existing clients put a whole gRPC message into one WebSocket message.
    let largest = shared.limits.max_message_bytes as usize + 6;
    let upgrade = upgrade.max_message_size(largest).max_frame_size(largest);
    upgrade.read_buffer_size(READ_BUFFER).on_upgrade(move |socket| {
        let drain = shared.drain.clone();
        drain.bound(async move {
            let (sink, stream) = socket.split();
            let sink = Arc::new(Mutex::new(sink));
            let mut call = Call {
                frames: Frames::new(stream, Arc::clone(&sink), watch, &shared),
                blocks: Blocks { sink, path, upstream_name: String::new(), hint: "", head_status: None },
            };
            call.run(&shared, upstream, of_upgrade).await;
            drop(permit);
        })
    })
}

struct Call {
    frames: Frames,
    blocks: Blocks,
}

impl Call {
    async fn run(&mut self, shared: &Shared, upstream: Option<Arc<Upstream>>, of_upgrade: HeaderMap) {
        let log = CallLog::begin(NAME, &self.blocks.path);
        let ending = match self.begin(shared, upstream, of_upgrade).await {
            Ok((upstream, request)) => self.relay(&upstream, request, shared.limits.ping_interval).await,
            Err(ending) => ending,
        };
        log.end(&ending, self.blocks.head_status.clone());
        match ending {
            // Who left may not take any more.
            Ending::Left(_) => drop(tokio::time::timeout(CLOSE_PATIENCE, self.blocks.finish(&ending)).await),
            _ => self.blocks.finish(&ending).await,
        }
        self.frames.closed().await;
    }

    /// The request, once its header block has come.
    async fn begin(
        &mut self,
        shared: &Shared,
        upstream: Option<Arc<Upstream>>,
        of_upgrade: HeaderMap,
    ) -> Result<(Arc<Upstream>, Request<()>), Ending> {
        let refused = |code, sentence: String| Ending::Refused(Status::new(code, sentence));
        let patience = shared.limits.handshake_timeout;
        let block =
            tokio::time::timeout(patience, self.frames.header_block()).await.unwrap_or_else(|_| {
                let sentence = format!("the client sent no header block within {patience:?}");
                Err(refused(Code::InvalidArgument, sentence))
            })?;
        let mut asked = parse_block(&block, shared.limits.max_header_bytes)
            .map_err(|sentence| refused(Code::InvalidArgument, sentence))?;
        headers::add_missing(&mut asked, &of_upgrade);
        let native = native_type(&asked).map_err(|sentence| refused(Code::Unimplemented, sentence))?;
        let Some(upstream) = upstream else {
            let sentence = format!("{}: {}", self.blocks.path, answer::NO_UPSTREAM);
            return Err(refused(Code::Unimplemented, sentence));
        };
        self.blocks.upstream_name.clone_from(&upstream.name);
        let mut passed = shared.headers.translated(&asked);
        self.blocks.hint = translate::hint(&passed);
        passed.insert(CONTENT_TYPE, native);
        let request = upstream
            .request(Method::POST, &self.blocks.path, passed)
            .map_err(|sentence| refused(Code::InvalidArgument, sentence))?;
        Ok((upstream, request))
    }

    async fn relay(&mut self, upstream: &Upstream, request: Request<()>, interval: Duration) -> Ending {
        let dead = until_dead(Arc::clone(&self.blocks.sink), Arc::clone(&self.frames.signs), interval);
        exchange::run(upstream, request, false, &mut self.frames, &mut self.blocks, dead).await
    }
}

/// The client's half.
struct Frames {
    stream: SplitStream<WebSocket>,
    sink: Sink,
    watch: Watch,
    read_ahead: ReadAhead,
    envelopes: Envelopes,
    half_closed: bool,
    gone: bool,
    signs: Arc<Signs>,
    largest: u32,
}

impl Frames {
    fn new(stream: SplitStream<WebSocket>, sink: Sink, watch: Watch, shared: &Shared) -> Self {
        let largest = shared.limits.max_message_bytes;
        Self {
            stream,
            sink,
            watch,
            read_ahead: shared.read_ahead.clone(),
            envelopes: Envelopes::new(largest),
            half_closed: false,
            gone: false,
            signs: Arc::default(),
            largest,
        }
    }

    async fn header_block(&mut self) -> Result<Bytes, Ending> {
        self.binary().await
    }

    /// The next binary message.
    async fn binary(&mut self) -> Result<Bytes, Ending> {
        loop {
            let message = self.stream.next().await;
            self.signs.heard();
            match message {
                Some(Ok(Message::Binary(bytes))) => return Ok(bytes),
                Some(Ok(Message::Text(_))) => {
                    let sentence = "the client sent a text message; grpc-websockets is binary only";
                    return Err(Ending::Refused(Status::new(Code::InvalidArgument, sentence)));
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Err(error)) => return Err(self.failed(error)),
                Some(Ok(Message::Close(_))) | None => {
                    self.gone = true;
                    return Err(Ending::Left(Reason::CANCEL));
                }
            }
        }
    }

    fn failed(&mut self, error: axum::Error) -> Ending {
        self.gone = true;
        if !is_too_large(error) {
            return Ending::Left(Reason::CANCEL);
        }
        let most = self.largest;
        let sentence = format!("the client sent a message above {most} bytes (--max-message-bytes)");
        Ending::Refused(Status::new(Code::ResourceExhausted, sentence))
    }

    fn part(&mut self, message: Bytes) -> Result<Part, Status> {
        let wrong = |sentence: &str| Err(Status::new(Code::InvalidArgument, sentence));
        if self.half_closed {
            return wrong("the client sent a message after its half-close");
        }
        if message[..] == [1] {
            self.half_closed = true;
            return self.envelopes.finish().map(|()| Part::End);
        }
        match message.first() {
            Some(0) => {
                let data = message.slice(1..);
                self.envelopes.check(&data).map(|()| Part::Data(data))
            }
            Some(_) => {
                wrong("the client sent a message that begins with neither 0 (data) nor is 1 (half-close)")
            }
            None => wrong("the client sent an empty WebSocket message"),
        }
    }

    /// Waits a while for the client to answer the close: leaving first may destroy what is on its way.
    async fn closed(&mut self) {
        if self.gone {
            return;
        }
        let drained = async { while let Some(Ok(_)) = self.stream.next().await {} };
        let _ = tokio::time::timeout(CLOSE_PATIENCE, drained).await;
    }
}

impl Upload for Frames {
    async fn next(&mut self) -> Part {
        let signs = Arc::clone(&self.signs);
        let _listening = signs.listen();
        match self.binary().await {
            Ok(message) => self.part(message).unwrap_or_else(Part::Refused),
            Err(Ending::Refused(status)) => Part::Refused(status),
            Err(_) => Part::Left(Reason::CANCEL),
        }
    }

    async fn lost(&mut self) -> Part {
        self.watch.lost(Some(&self.sink)).await;
        self.gone = true;
        Part::Left(Reason::CANCEL)
    }

    fn read_ahead(&self) -> Option<ReadAhead> {
        Some(self.read_ahead.clone())
    }
}

/// The gateway's half.
struct Blocks {
    sink: Sink,
    path: String,
    upstream_name: String,
    hint: &'static str,
    /// Set once the header block is sent.
    head_status: Option<String>,
}

impl Download for Blocks {
    async fn head(&mut self, head: response::Parts, _: &mut RecvStream) -> Result<(), Ending> {
        translate::check_head(&head, &self.path, &self.upstream_name)?;
        let headers = headers::of_answer(&head.headers, false);
        self.head_status = Some(call_log::head_status(head.status, &headers));
        self.send(header_frame(&headers)).await
    }

    async fn data(&mut self, chunk: Bytes, flow: &mut FlowControl) -> Result<(), Ending> {
        let length = chunk.len();
        self.send(chunk).await?;
        let _ = flow.release_capacity(length);
        Ok(())
    }
}

impl Blocks {
    /// Returns when the socket took it.
    async fn send(&self, bytes: Bytes) -> Result<(), Ending> {
        let sent = self.sink.lock().await.send(Message::Binary(bytes)).await;
        sent.map_err(|_| Ending::Left(Reason::CANCEL))
    }

    async fn finish(&mut self, ending: &Ending) {
        let head_status = self.head_status.as_deref();
        if let Some(trailers) = translate::trailers(ending, head_status, &self.upstream_name, self.hint)
            && self.send(header_frame(&trailers)).await.is_err()
        {
            return;
        }
        let close = CloseFrame { code: close_code::NORMAL, reason: "call ended".into() };
        let _ = self.sink.lock().await.send(Message::Close(Some(close))).await;
    }
}

/// `name: value` lines; a value may be a comma-separated list, which is left to the reader.
fn parse_block(block: &[u8], limit: u32) -> Result<HeaderMap, String> {
    if block.len() > limit as usize {
        let length = block.len();
        return Err(format!("the client's header block has {length} bytes, the gateway takes {limit}"));
    }
    let mut headers = HeaderMap::new();
    for line in block.split(|&byte| byte == b'\n') {
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        let colon = line.iter().position(|&byte| byte == b':').ok_or_else(|| {
            format!(
                "the client's header block has a line without a colon: {:?}",
                String::from_utf8_lossy(line)
            )
        })?;
        headers::append(&mut headers, line[..colon].trim_ascii(), line[colon + 1..].trim_ascii())?;
    }
    Ok(headers)
}

fn native_type(asked: &HeaderMap) -> Result<http::HeaderValue, String> {
    let value = asked.get(CONTENT_TYPE);
    let parsed = value.and_then(WebType::parse).filter(|web| !web.text);
    parsed.and_then(|web| web.native()).ok_or_else(|| {
        let found = shown(value);
        format!("content-type in the header block: {found}; expected application/grpc-web[+proto|+json]")
    })
}

fn is_too_large(error: axum::Error) -> bool {
    matches!(error.into_inner().downcast_ref(), Some(tungstenite::Error::Capacity(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_block_is_lines() {
        let headers =
            parse_block(b"Content-Type: application/grpc-web+proto\r\nx-a: 1, 2\r\nx-a:3\r\n", 100).unwrap();
        let values: Vec<_> = headers.get_all("x-a").iter().collect();
        assert_eq!(values, ["1, 2", "3"]);
        assert_eq!(native_type(&headers).unwrap(), "application/grpc+proto");
    }

    #[test]
    fn a_bad_header_block_says_why() {
        assert!(parse_block(b"no colon", 100).unwrap_err().contains("no colon"));
        assert!(parse_block(b"a b: 1", 100).unwrap_err().contains("HTTP"));
        assert!(parse_block(b"a: \x00", 100).unwrap_err().contains("HTTP"));
        assert!(parse_block(&[b'a'; 101], 100).unwrap_err().contains("101"));
        assert!(native_type(&HeaderMap::new()).unwrap_err().contains("none"));
    }
}
