//! One stream of a `tidewire.v1` socket: its exchange with the upstream, in a task of its own.

use std::sync::Arc;

use bytes::Bytes;
use h2::{FlowControl, Reason, RecvStream};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header, response};
use tidewire::codec::HeaderList;
use tokio::sync::mpsc;

use crate::answer;
use crate::call_log::{self, CallLog};
use crate::exchange::{self, Download, Ending, Part, Upload};
use crate::gateway::Shared;
use crate::headers;
use crate::upstream::{Upstream, split_path};

/// What a stream's task tells the socket's.
pub(crate) struct News {
    pub(crate) id: u32,
    pub(crate) what: What,
}

pub(crate) enum What {
    /// The upstream's answer begins. `flow` gives its bytes back once the socket took them.
    Head {
        status: StatusCode,
        headers: HeaderList,
        fin: bool,
        flow: FlowControl,
    },
    Data(Bytes),
    /// The upstream took this much of the client's bytes.
    Taken(usize),
    /// The last of a stream.
    Ended(Ending),
}

/// A request as it came in OPEN.
pub(crate) struct Opened {
    pub(crate) id: u32,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: HeaderList,
    pub(crate) fin: bool,
}

/// Where a request goes, and what goes there.
pub(crate) struct Route {
    id: u32,
    path: String,
    fin: bool,
    upstream: Arc<Upstream>,
    request: Request<()>,
}

/// What the gateway answers by itself.
pub(crate) enum Denied {
    /// Like an HTTP server would.
    Answer { status: StatusCode, headers: HeaderMap, sentence: String },
    /// The request breaks HTTP's rules.
    Reset { code: Reason, sentence: String },
}

impl Route {
    pub(crate) fn find(opened: Opened, shared: &Shared, of_upgrade: &HeaderMap) -> Result<Self, Denied> {
        let Opened { id, method, path, headers, fin } = opened;
        let broken = |sentence| Denied::Reset { code: Reason::PROTOCOL_ERROR, sentence };
        let Some((service, _)) = split_path(&path) else {
            return Err(denied(StatusCode::NOT_FOUND, &path, answer::EXPECTED_PATH));
        };
        let method = match method.as_str() {
            "POST" => Method::POST,
            "GET" => Method::GET,
            _ => {
                let sentence = format!("{method} is not relayed, only POST and GET are");
                return Err(denied(StatusCode::METHOD_NOT_ALLOWED, &path, &sentence));
            }
        };
        let Some(upstream) = shared.upstreams.find(service) else {
            return Err(denied(StatusCode::NOT_FOUND, &path, answer::NO_UPSTREAM));
        };
        let mut asked = headers::from_list(&headers).map_err(broken)?;
        headers::add_missing(&mut asked, of_upgrade);
        let request = upstream.request(method, &path, shared.headers.relayed(&asked)).map_err(broken)?;
        Ok(Self { id, path, fin, upstream: Arc::clone(upstream), request })
    }

    /// The upstream's name, for people.
    pub(crate) fn upstream(&self) -> String {
        self.upstream.name.clone()
    }

    /// Relays it. `parts`: what the client sends; if it closes, the client is gone. Of what the upstream took, `untold`
    /// bytes may stay untold.
    pub(crate) async fn run(
        self,
        parts: mpsc::UnboundedReceiver<Part>,
        news: mpsc::UnboundedSender<News>,
        untold: usize,
    ) {
        let log = CallLog::begin("tidewire.v1", &self.path);
        let mut upload = StreamUpload { id: self.id, parts, news: news.clone(), taken: 0, untold };
        let mut download = StreamDownload { id: self.id, news: news.clone(), head_status: None };
        let ending = exchange::run(
            &self.upstream,
            self.request,
            self.fin,
            &mut upload,
            &mut download,
            std::future::pending(),
        )
        .await;
        log.end(&ending, download.head_status);
        let _ = news.send(News { id: self.id, what: What::Ended(ending) });
    }
}

fn denied(status: StatusCode, path: &str, sentence: &str) -> Denied {
    let mut headers = answer::unimplemented(path, sentence);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    Denied::Answer { status, headers, sentence: format!("{path}: {sentence}\n") }
}

/// The channel is unbounded because the stream's window bounds it: bytes are given back as they are taken.
struct StreamUpload {
    id: u32,
    parts: mpsc::UnboundedReceiver<Part>,
    news: mpsc::UnboundedSender<News>,
    /// Bytes that the upstream took and the socket's task was not told of.
    taken: usize,
    /// So many are worth no news.
    untold: usize,
}

impl Upload for StreamUpload {
    async fn next(&mut self) -> Part {
        self.parts.recv().await.unwrap_or(Part::Left(Reason::CANCEL))
    }

    /// All is taken, so that a cancel is seen behind it: the window of the stream has bounded it.
    fn limit(&self, _: usize) -> usize {
        usize::MAX
    }

    fn taken(&mut self, bytes: usize) {
        self.taken += bytes;
        if self.taken > self.untold {
            self.stalls();
        }
    }

    fn stalls(&mut self) {
        let bytes = std::mem::take(&mut self.taken);
        if bytes > 0 {
            let _ = self.news.send(News { id: self.id, what: What::Taken(bytes) });
        }
    }
}

/// Never waits: the upstream's window bounds what is on the way, and the socket's task gives it back.
struct StreamDownload {
    id: u32,
    news: mpsc::UnboundedSender<News>,
    head_status: Option<String>,
}

impl StreamDownload {
    fn tell(&self, what: What) -> Result<(), Ending> {
        self.news.send(News { id: self.id, what }).map_err(|_| Ending::Left(Reason::CANCEL))
    }
}

impl Download for StreamDownload {
    async fn head(&mut self, head: response::Parts, body: &mut RecvStream) -> Result<(), Ending> {
        self.head_status = Some(call_log::head_status(head.status, &head.headers));
        let headers = headers::to_list(&head.headers);
        let (fin, flow) = (body.is_end_stream(), body.flow_control().clone());
        self.tell(What::Head { status: head.status, headers, fin, flow })
    }

    async fn data(&mut self, chunk: Bytes, _: &mut FlowControl) -> Result<(), Ending> {
        self.tell(What::Data(chunk))
    }
}
