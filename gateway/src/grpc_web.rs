//! gRPC-Web over POST: binary and text, HTTP/1.1 and HTTP/2, both directions streaming.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use h2::{FlowControl, Reason, RecvStream};
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, StatusCode, Version, response};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use tokio::sync::mpsc;

use crate::answer_body::Answer;
use crate::call_log::{self, CallLog};
use crate::envelope::Envelopes;
use crate::exchange::{self, Download, Ending, Part, Upload};
use crate::gateway::Shared;
use crate::read_ahead::ReadAhead;
use crate::signs::Watch;
use crate::status::{GRPC_STATUS, header_frame, shown};
use crate::translate::{self, WebType};
use crate::upstream::Upstream;
use crate::{answer, answer_body, headers, text};

const ACCEPTED: &str = "application/grpc-web,application/grpc-web+proto,application/grpc-web+json,\
                        application/grpc-web-text,application/grpc-web-text+proto";

/// Answers as soon as the upstream's headers are here; the rest of both bodies is relayed meanwhile.
pub(crate) async fn call(
    shared: Arc<Shared>,
    upstream: Arc<Upstream>,
    path: String,
    parts: &Parts,
    body: Body,
) -> Response {
    let asked = parts.headers.get(CONTENT_TYPE).and_then(WebType::parse);
    let (Some(asked), Some(native)) = (asked.clone(), asked.and_then(|asked| asked.native())) else {
        return wrong_type(parts.headers.get(CONTENT_TYPE));
    };
    let mut headers = shared.headers.translated(&parts.headers);
    headers.insert(CONTENT_TYPE, native);
    let request = match upstream.request(Method::POST, &path, headers) {
        Ok(request) => request,
        Err(sentence) => return answer::not_found(&path, &sentence),
    };
    let text = wants_text(&parts.headers, &asked);
    let (answer, parts_of_answer) = mpsc::channel(1);
    let call = Call {
        upload: WebUpload {
            watch: Watch::of(parts),
            read_ahead: shared.read_ahead.clone(),
            body,
            is_http2: parts.version >= Version::HTTP_2,
            decoder: asked.text.then(text::Decoder::default),
            envelopes: Envelopes::new(shared.limits.max_message_bytes),
            ended: false,
        },
        download: WebDownload {
            answer,
            text,
            asked,
            cookies: shared.headers.allows_cookies(),
            path,
            upstream,
            hint: translate::hint(request.headers()),
            head_status: None,
        },
    };
    shared.drain.track(call.run(request));
    answer_body::receive(parts_of_answer)
        .await
        .unwrap_or_else(|| answer::text(StatusCode::SERVICE_UNAVAILABLE, "the gateway is shutting down"))
}

fn wrong_type(found: Option<&HeaderValue>) -> Response {
    let found = shown(found);
    let mut response = answer::text(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        format!("content-type: {found}; expected gRPC-Web, such as application/grpc-web+proto"),
    );
    let accepted = HeaderValue::from_static(ACCEPTED);
    response.headers_mut().insert(HeaderName::from_static("accept-post"), accepted);
    response
}

/// `accept` decides if it names either form, else the answer is like the request.
fn wants_text(headers: &HeaderMap, asked: &WebType) -> bool {
    let accepts: Vec<_> = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|value| HeaderValue::from_str(value.trim()).ok())
        .filter_map(|value| WebType::parse(&value))
        .collect();
    if accepts.is_empty() { asked.text } else { accepts.iter().all(|accepted| accepted.text) }
}

/// One call, relayed in a task of its own: its halves move independently of who polls the answer.
struct Call {
    upload: WebUpload,
    download: WebDownload,
}

impl Call {
    async fn run(mut self, request: Request<()>) {
        let log = CallLog::begin("grpc-web", &self.download.path);
        let upstream = Arc::clone(&self.download.upstream);
        let answer = self.download.answer.clone();
        let ending = exchange::run(
            &upstream,
            request,
            false,
            &mut self.upload,
            &mut self.download,
            // The answer is dropped when the client resets the stream or closes the connection.
            async move { answer.closed().await },
        )
        .await;
        log.end(&ending, self.download.head_status.clone());
        self.download.finish(&ending).await;
        self.upload.linger().await;
    }
}

struct WebUpload {
    watch: Watch,
    read_ahead: ReadAhead,
    body: Body,
    is_http2: bool,
    decoder: Option<text::Decoder>,
    envelopes: Envelopes,
    ended: bool,
}

impl Upload for WebUpload {
    async fn next(&mut self) -> Part {
        if self.ended {
            return std::future::pending().await;
        }
        loop {
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    if let Ok(chunk) = frame.into_data() {
                        return self.decode(chunk);
                    }
                }
                Some(Err(_)) => return self.left(),
                // hyper reports RST_STREAM NO_ERROR, some clients' abort, as a clean end.
                None if self.is_http2 && !self.body.is_end_stream() => return self.left(),
                None => return self.end(),
            }
        }
    }

    async fn lost(&mut self) -> Part {
        self.watch.lost(None).await;
        self.left()
    }

    fn read_ahead(&self) -> Option<ReadAhead> {
        // A reset of HTTP/2 overtakes what was sent before it.
        (!self.is_http2).then(|| self.read_ahead.clone())
    }
}

impl WebUpload {
    fn decode(&mut self, chunk: Bytes) -> Part {
        let decoded = match &mut self.decoder {
            Some(decoder) => decoder.decode(&chunk),
            None => Ok(chunk),
        };
        match decoded.and_then(|chunk| self.envelopes.check(&chunk).map(|()| chunk)) {
            Ok(chunk) => Part::Data(chunk),
            Err(status) => Part::Refused(status),
        }
    }

    fn end(&mut self) -> Part {
        self.ended = true;
        let whole = self.decoder.as_ref().map_or(Ok(()), text::Decoder::finish);
        match whole.and_then(|()| self.envelopes.finish()) {
            Ok(()) => Part::End,
            Err(status) => Part::Refused(status),
        }
    }

    fn left(&mut self) -> Part {
        self.ended = true;
        Part::Left(Reason::CANCEL)
    }

    /// Over HTTP/1.1 the connection closes when an unread request is dropped, which may destroy the answer on its
    /// way: reads on for a moment. Over HTTP/2 dropping it says just that.
    async fn linger(mut self) {
        if self.ended || self.is_http2 {
            return;
        }
        let drained = async { while let Some(Ok(_)) = self.body.frame().await {} };
        let _ = tokio::time::timeout(Duration::from_secs(2), drained).await;
    }
}

struct WebDownload {
    answer: mpsc::Sender<Answer>,
    text: bool,
    asked: WebType,
    cookies: bool,
    path: String,
    upstream: Arc<Upstream>,
    hint: &'static str,
    /// Set once the head is sent.
    head_status: Option<String>,
}

impl Download for WebDownload {
    async fn head(&mut self, head: response::Parts, body: &mut RecvStream) -> Result<(), Ending> {
        translate::check_head(&head, &self.path, &self.upstream.name)?;
        let mut headers = headers::of_answer(&head.headers, self.cookies);
        self.set_type(&mut headers, head.headers.get(CONTENT_TYPE));
        let status = call_log::head_status(head.status, &headers);
        let trailers_only = body.is_end_stream() && headers.contains_key(GRPC_STATUS);
        self.head_status = Some(status);
        let response = with_headers(headers);
        self.pass(if trailers_only { Answer::Head(response) } else { Answer::HeadOf(response) }).await
    }

    async fn data(&mut self, chunk: Bytes, flow: &mut FlowControl) -> Result<(), Ending> {
        let length = chunk.len();
        let chunk = self.encode(chunk);
        self.pass(Answer::Data(chunk)).await?;
        let _ = flow.release_capacity(length);
        Ok(())
    }
}

impl WebDownload {
    /// Tells the end as a trailer frame, or, where no head was sent, in the head.
    async fn finish(self, ending: &Ending) {
        let trailers =
            translate::trailers(ending, self.head_status.as_deref(), &self.upstream.name, self.hint);
        if self.head_status.is_none() {
            let Some(mut headers) = trailers else { return };
            self.set_type(&mut headers, None);
            let _ = self.pass(Answer::Head(with_headers(headers))).await;
            return;
        }
        if matches!(ending, Ending::Left(_)) {
            return; // the answer breaks off
        }
        if let Some(trailers) = trailers {
            let frame = self.encode(header_frame(&trailers));
            let _ = self.pass(Answer::Data(frame)).await;
        }
        let _ = self.pass(Answer::End).await;
    }

    /// Waits for the reader of the answer.
    async fn pass(&self, part: Answer) -> Result<(), Ending> {
        self.answer.send(part).await.map_err(|_| Ending::Left(Reason::CANCEL))
    }

    fn encode(&self, chunk: Bytes) -> Bytes {
        if self.text { text::encode(&chunk) } else { chunk }
    }

    fn set_type(&self, headers: &mut HeaderMap, native: Option<&HeaderValue>) {
        if let Some(value) = self.asked.of_answer(native, self.text) {
            headers.insert(CONTENT_TYPE, value);
        }
    }
}

/// gRPC-Web's HTTP status is 200 whatever the call's is.
fn with_headers(headers: HeaderMap) -> Response<()> {
    let mut response = Response::new(());
    *response.headers_mut() = headers;
    response
}
