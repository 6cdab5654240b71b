//! What a channel is to be, and the transports that it shares among its calls.

use std::rc::Rc;
use std::time::Duration;

use http::HeaderMap;
use wasm_bindgen::JsValue;

#[cfg(doc)]
use super::CallKind;
use super::Channel;
use super::convert::tonic_status;
use super::local::Confined;
use crate::codec::HeaderList;
use crate::status::{Code, Status};
use crate::transport::builtins::Function;
use crate::transport::select::{Name, Runtime, Speak, check_subtype};
use crate::transport::transports::{Ground, Transports};
use crate::transport::web::{abilities, globals};
use crate::words::words;

const MIB: usize = 1024 * 1024;

/// What is spoken to the service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Protocol {
    /// Native gRPC where trailers can travel (`tidewire.v1`), gRPC-Web elsewhere.
    #[default]
    Auto,
    /// Native gRPC; only `tidewire.v1` carries it.
    Grpc,
    /// gRPC-Web, binary.
    GrpcWeb,
    /// gRPC-Web, base64.
    GrpcWebText,
    /// Connect, over `fetch` and `tidewire.v1`. It writes unary calls otherwise than streams, and a request does not tell
    /// the two apart: it has to say its [`CallKind`] where all of it is there at once.
    ///
    /// ```ignore
    /// request.extensions_mut().insert(CallKind::Unary);
    /// ```
    Connect,
}

/// How bytes travel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transport {
    /// By ability: `fetch` for requests that are there at once, a WebSocket for streams of requests. What says that it
    /// is [`CallKind::Unary`](crate::channel::CallKind) takes an open `tidewire.v1` socket, which costs a tenth of a
    /// `fetch`: not with gRPC-Web, whose servers may know no gateway, nor beside [`Builder::fetch_init`], which a socket
    /// would pass by.
    #[default]
    Auto,
    /// `fetch`.
    Fetch,
    /// improbable's `grpc-websockets`: one socket a call.
    GrpcWebsockets,
    /// Tidewire's gateway: all calls on one socket.
    TidewireV1,
}

/// Whether `fetch` sends cookies and takes them, as in `RequestInit.credentials`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// Never.
    Omit,
    /// To the page's own origin, which is what runtimes do unless told.
    SameOrigin,
    /// Always.
    Include,
}

/// Makes a [`Channel`].
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    base_url: String,
    protocol: Protocol,
    transport: Transport,
    timeout: Option<Duration>,
    metadata: HeaderMap,
    /// Names and values, a NUL behind each.
    fetch_init: String,
    max_message: Option<usize>,
    receive_window: usize,
    buffer_requests: usize,
    subtype: String,
    header_wait: Duration,
}

impl Builder {
    pub(super) fn new(base_url: String) -> Self {
        Self {
            base_url,
            protocol: Protocol::default(),
            transport: Transport::default(),
            timeout: None,
            metadata: HeaderMap::new(),
            fetch_init: String::new(),
            max_message: None,
            receive_window: MIB,
            buffer_requests: 0,
            subtype: "proto".to_string(),
            header_wait: Duration::from_millis(300),
        }
    }

    /// What is spoken; [`Protocol::Auto`] unless given.
    pub fn protocol(self, protocol: Protocol) -> Self {
        Self { protocol, ..self }
    }

    /// How bytes travel; [`Transport::Auto`] unless given.
    pub fn transport(self, transport: Transport) -> Self {
        Self { transport, ..self }
    }

    /// The deadline of calls that set none by `Request::set_timeout`. None unless given.
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout: Some(timeout), ..self }
    }

    /// Sent with every call, but for the names that the call has itself. Values of `-bin` names are base64, as they are
    /// in `tonic::metadata::MetadataMap::into_headers`.
    pub fn metadata(self, metadata: HeaderMap) -> Self {
        Self { metadata, ..self }
    }

    /// Cookies on `fetch`; left to the runtime unless given.
    pub fn credentials(self, credentials: Credentials) -> Self {
        self.fetch_init(
            "credentials",
            match credentials {
                Credentials::Omit => "omit",
                Credentials::SameOrigin => "same-origin",
                Credentials::Include => "include",
            },
        )
    }

    /// One more member of `RequestInit` for every `fetch`, of those whose value is a text: `cache`, `integrity`, `mode`,
    /// `redirect`, `referrer`, `referrerPolicy`. Some runtimes refuse some of them.
    pub fn fetch_init(mut self, member: &str, value: &str) -> Self {
        for part in [member, value] {
            self.fetch_init.push_str(part);
            self.fetch_init.push('\0');
        }
        self
    }

    /// Largest message taken, in bytes as they come. A larger one ends the call with RESOURCE_EXHAUSTED. Unless given,
    /// the client's own limit holds (`max_decoding_message_size`, 4 MiB), before anything is reserved.
    pub fn max_receive_message_bytes(self, bytes: usize) -> Self {
        Self { max_message: Some(bytes), ..self }
    }

    /// Bytes a call may hold that were not polled; 1 MiB unless given.
    pub fn receive_window_bytes(self, bytes: usize) -> Self {
        Self { receive_window: bytes, ..self }
    }

    /// Lets `fetch` carry streams of requests in browsers, where it cannot stream them: requests are kept until their
    /// end, at most this many bytes, and leave as one. Until then the server hears nothing, so a bidi call is half-duplex.
    /// More than fits ends the call with RESOURCE_EXHAUSTED. Not so unless given: a WebSocket carries such calls.
    pub fn buffer_request_bytes(self, bytes: usize) -> Self {
        Self { buffer_requests: bytes, ..self }
    }

    /// What the messages are, as the content type names it, for clients with a codec of their own (`json`, say);
    /// `proto` unless given.
    pub fn content_subtype(self, subtype: impl Into<String>) -> Self {
        Self { subtype: subtype.into(), ..self }
    }

    /// How long the answer to a stream of requests waits for the server's headers while no request is there to be sent;
    /// 300 ms unless given. Then it is handed over without them, since a server may send them with its first message
    /// only, and a caller may send its first request once it has the answer. Compressed messages can be read then if the
    /// client accepts one encoding, not if it leaves the server a choice.
    pub fn wait_for_headers(self, limit: Duration) -> Self {
        Self { header_wait: limit, ..self }
    }

    /// The channel; `INVALID_ARGUMENT` where the base URL or the content subtype is none.
    pub fn build(self) -> Result<Channel, tonic::Status> {
        self.build_on(globals::own("fetch"), globals::own("WebSocket"))
    }

    /// On what the runtime has, or a test.
    pub(super) fn build_on(self, fetch: Function, web_socket: Function) -> Result<Channel, tonic::Status> {
        let settings = self.settings(fetch, web_socket);
        let settings = settings.map_err(|status| tonic_status(status, &HeaderList::new()))?;
        Ok(Channel(Confined::new(Rc::new(settings))))
    }

    fn settings(self, fetch: Function, web_socket: Function) -> Result<Settings, Status> {
        let base = globals::resolve(&self.base_url);
        let Some(rest) = base.strip_prefix("http") else {
            let words = words![
                "the base URL is to be http://… or https://…, or a path where there is a page; it is \"",
                self.base_url,
                "\"",
            ];
            return Err(Status::misuse(Code::InvalidArgument, words));
        };
        check_subtype(&self.subtype)?;
        let sockets = words!["ws", rest];
        let able = abilities(rest.starts_with('s'));
        // Where requests can be streamed while the answer comes, nothing has to be kept.
        let buffer = if able.full_duplex { 0 } else { self.buffer_requests };
        let runtime = Runtime {
            fetch: !fetch.is_undefined(),
            request_buffering: buffer > 0,
            websocket: !web_socket.is_undefined(),
            ..able
        };
        Ok(Settings {
            runtime,
            speak: match self.protocol {
                Protocol::Auto => Speak::Auto,
                Protocol::Grpc => Speak::Grpc,
                Protocol::GrpcWeb => Speak::GrpcWeb,
                Protocol::GrpcWebText => Speak::GrpcWebText,
                Protocol::Connect => Speak::Connect,
            },
            transport: match self.transport {
                Transport::Auto => None,
                Transport::Fetch => Some(Name::Fetch),
                Transport::GrpcWebsockets => Some(Name::GrpcWebsockets),
                Transport::TidewireV1 => Some(Name::TidewireV1),
            },
            transports: Transports::on(Ground {
                fetch: if self.fetch_init.is_empty() {
                    fetch
                } else {
                    globals::with_init(&fetch, &self.fetch_init)
                },
                web_socket,
                base,
                sockets,
                // The function that was given has its own mind about them.
                credentials: JsValue::UNDEFINED,
                buffer,
                receive_window: self.receive_window,
                max_message: self.max_message.unwrap_or(4 * MIB),
            }),
            given: self,
        })
    }
}

/// What a channel's calls share.
pub(super) struct Settings {
    pub(super) runtime: Runtime,
    pub(super) speak: Speak,
    pub(super) transport: Option<Name>,
    pub(super) transports: Transports,
    given: Builder,
}

impl Settings {
    /// Whether unary calls take the shared socket.
    pub(super) fn shares_socket(&self) -> bool {
        self.transport.is_none()
            && !matches!(self.speak, Speak::GrpcWeb | Speak::GrpcWebText)
            && self.given.fetch_init.is_empty()
            && self.transports.has_open_socket()
    }

    pub(super) fn timeout(&self) -> Option<Duration> {
        self.given.timeout
    }

    pub(super) fn metadata(&self) -> &HeaderMap {
        &self.given.metadata
    }

    pub(super) fn max_message(&self) -> Option<usize> {
        self.given.max_message
    }

    pub(super) fn subtype(&self) -> &str {
        &self.given.subtype
    }

    pub(super) fn receive_window(&self) -> usize {
        self.given.receive_window
    }

    pub(super) fn header_wait(&self) -> Duration {
        self.given.header_wait
    }
}
