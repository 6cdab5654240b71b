//! Which transport carries a call: by ability, never by trial.

use crate::call::CallKind;
use crate::codec::bare::{Bare, Dialect};
use crate::codec::connect::Connect;
#[cfg(any(feature = "channel", not(target_family = "wasm")))]
use crate::codec::framed::{Framed, Own, Shape};
use crate::codec::grpc::Grpc;
use crate::codec::grpc_web::{Form, GrpcWeb};
use crate::codec::gzip::{self, Compression};
use crate::codec::triple_websocket::TripleWebsocket;
use crate::codec::{Messages, Protocol};
use crate::metadata;
use crate::status::{Code, Status};
use crate::words::words;

/// The transports, by their public names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Name {
    /// `fetch`.
    Fetch = 0,
    /// `grpc-websockets`.
    GrpcWebsockets = 1,
    /// `tidewire.v1`.
    TidewireV1 = 2,
    /// dubbo-java's own WebSocket. Never taken unless it is named: it has neither metadata nor codes.
    TripleWebsocket = 3,
}

impl Name {
    /// The public name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fetch => "fetch",
            Self::GrpcWebsockets => "grpc-websockets",
            Self::TidewireV1 => "tidewire.v1",
            Self::TripleWebsocket => "triple-websocket",
        }
    }

    /// Whether this build has it.
    fn is_built(self) -> bool {
        match self {
            Self::Fetch => cfg!(feature = "fetch"),
            Self::GrpcWebsockets => cfg!(feature = "grpc-websockets"),
            Self::TidewireV1 => cfg!(feature = "tidewire-v1"),
            Self::TripleWebsocket => cfg!(feature = "triple-websocket"),
        }
    }

    /// The transport of a number; `None` for any other, which is `auto`.
    pub fn from_number(number: u8) -> Option<Self> {
        [Self::Fetch, Self::GrpcWebsockets, Self::TidewireV1, Self::TripleWebsocket]
            .get(usize::from(number))
            .copied()
    }
}

/// What the caller wants spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Speak {
    /// Native gRPC where trailers can travel, gRPC-Web elsewhere.
    Auto,
    /// Native gRPC.
    Grpc,
    /// gRPC-Web, binary.
    GrpcWeb,
    /// gRPC-Web, base64.
    GrpcWebText,
    /// Connect.
    Connect,
    /// Triple's bare form.
    Triple,
}

impl Speak {
    /// Its name, where this build does not have it.
    fn left_out(self) -> Option<&'static str> {
        match self {
            Self::Connect if !cfg!(feature = "connect") => Some("connect"),
            Self::Triple if !cfg!(feature = "triple") => Some("triple"),
            Self::GrpcWebText if !cfg!(feature = "grpc-web-text") => Some("grpc-web-text"),
            _ => None,
        }
    }

    /// The protocol of a number, in the order above; `Auto` for any other.
    pub fn from_number(number: u8) -> Self {
        let all = [Self::Auto, Self::Grpc, Self::GrpcWeb, Self::GrpcWebText, Self::Connect, Self::Triple];
        all.get(usize::from(number)).copied().unwrap_or(Self::Auto)
    }
}

/// What this runtime has.
#[derive(Clone, Copy, Debug, Default)]
pub struct Runtime {
    /// There is a `fetch`.
    pub fetch: bool,
    /// `fetch` streams request bodies.
    pub request_streaming: bool,
    /// `fetch` shows the response while the request body is still open.
    pub full_duplex: bool,
    /// Where `fetch` does not show it meanwhile: request bodies are collected and leave whole.
    pub request_buffering: bool,
    /// There is a `WebSocket`.
    pub websocket: bool,
    /// There are a `CompressionStream` and a `DecompressionStream`.
    pub gzip: bool,
}

const ALL: [Name; 3] = [Name::TidewireV1, Name::GrpcWebsockets, Name::Fetch];

/// The transport for a call; without one, UNIMPLEMENTED that names what would carry it.
pub fn select(kind: CallKind, speak: Speak, wanted: Option<Name>, runtime: Runtime) -> Result<Name, Status> {
    if let Some(name) = speak.left_out() {
        return Err(left_out(name));
    }
    if cfg!(feature = "triple") && speak == Speak::Triple && kind != CallKind::Unary {
        let words = "protocol \"triple\" has unary calls only; for streams, Dubbo servers take \"grpc\" too";
        return Err(Status::misuse(Code::Unimplemented, words));
    }
    let order = match (kind.streams_requests(), speak) {
        (false, speak) if speak != Speak::Grpc => [Name::Fetch, Name::TidewireV1, Name::GrpcWebsockets],
        // gRPC-Web's own way for streams, on servers that never heard of our gateway.
        (true, Speak::GrpcWeb) => [Name::GrpcWebsockets, Name::Fetch, Name::TidewireV1],
        _ => [Name::TidewireV1, Name::Fetch, Name::GrpcWebsockets],
    };
    let tried = wanted.as_ref().map_or(&order[..], std::slice::from_ref);
    if let Some(name) = tried.iter().find(|name| carries(**name, kind, speak, runtime)) {
        return Ok(*name);
    }
    Err(match wanted {
        None => refused("no transport", "here", kind, speak, runtime),
        Some(name) if !name.is_built() => left_out(name.as_str()),
        Some(name) => {
            let why = obstacle(name, kind, speak, runtime).unwrap_or_default();
            refused(name.as_str(), why, kind, speak, runtime)
        }
    })
}

/// What a cargo feature that is off would have brought.
pub(crate) fn left_out(name: &str) -> Status {
    let cure = if cfg!(feature = "js") {
        "\" is left out of tidewire/slim: import tidewire, which has all"
    } else {
        "\" is left out of this build: switch the cargo feature on"
    };
    Status::misuse(Code::Unimplemented, words!["\"", name, cure])
}

/// The dialect of a call on a transport; [`select`] has refused what is left out. `get`: by GET, which Connect has for its
/// unary calls.
pub fn protocol(
    name: Name,
    kind: CallKind,
    speak: Speak,
    get: bool,
    messages: Messages,
) -> Result<Box<dyn Protocol>, Status> {
    check(kind, speak, get)?;
    check_subtype(&messages.subtype)?;
    Ok(dialect(name, kind, speak, get, messages))
}

fn check(kind: CallKind, speak: Speak, get: bool) -> Result<(), Status> {
    if get && (speak != Speak::Connect || kind != CallKind::Unary) {
        let words = "useHttpGet is for unary calls of \"connect\"";
        return Err(Status::misuse(Code::InvalidArgument, words));
    }
    Ok(())
}

/// Whether a content type can end so.
pub(crate) fn check_subtype(subtype: &str) -> Result<(), Status> {
    if !metadata::is_name(subtype.as_bytes()) {
        let words = words!["contentSubtype \"", subtype, "\": ", metadata::NAMES];
        return Err(Status::misuse(Code::InvalidArgument, words));
    }
    Ok(())
}

fn dialect(name: Name, kind: CallKind, speak: Speak, get: bool, messages: Messages) -> Box<dyn Protocol> {
    match (name, speak) {
        (Name::TripleWebsocket, _) if cfg!(feature = "triple-websocket") => {
            Box::new(TripleWebsocket::new(messages.max))
        }
        // No other transport carries it.
        (Name::TidewireV1, Speak::Auto) | (_, Speak::Grpc) if cfg!(feature = "tidewire-v1") => {
            Box::new(Grpc::new(messages))
        }
        (_, Speak::Connect) if cfg!(feature = "connect") && kind != CallKind::Unary => {
            Box::new(Connect::new(messages))
        }
        (_, Speak::Connect | Speak::Triple) if cfg!(any(feature = "connect", feature = "triple")) => {
            let dialect = match speak {
                Speak::Triple => Dialect::Triple,
                _ if get => Dialect::ConnectGet,
                _ => Dialect::Connect,
            };
            Box::new(Bare::new(dialect, messages, name == Name::Fetch))
        }
        _ => Box::new(grpc_web(name, speak, messages)),
    }
}

fn grpc_web(name: Name, speak: Speak, messages: Messages) -> GrpcWeb {
    let form = match (name, speak) {
        (Name::GrpcWebsockets, _) => Form::WebSockets,
        (_, Speak::GrpcWebText) => Form::Text,
        _ => Form::Binary,
    };
    GrpcWeb::new(form, messages)
}

/// What a channel speaks below the frames of its caller: one type where this build has no other.
#[cfg(all(
    target_family = "wasm",
    feature = "channel",
    not(any(feature = "connect", feature = "tidewire-v1"))
))]
pub(crate) type Below = GrpcWeb;
#[cfg(any(
    not(target_family = "wasm"),
    all(feature = "channel", any(feature = "connect", feature = "tidewire-v1"))
))]
pub(crate) type Below = dyn Protocol;

/// The dialect of a call whose caller frames its messages for itself; `subtype` has been checked.
#[cfg(any(feature = "channel", not(target_family = "wasm")))]
pub fn framed(
    name: Name,
    kind: CallKind,
    speak: Speak,
    get: bool,
    subtype: &str,
    own: Own,
) -> Result<Framed<Below>, Status> {
    check(kind, speak, get)?;
    let shape = match (name, speak) {
        (Name::TidewireV1, Speak::Auto) | (_, Speak::Grpc) => Shape::Grpc { last: 0 },
        (_, Speak::Connect) if kind != CallKind::Unary => Shape::Connect,
        (_, Speak::Connect | Speak::Triple) => Shape::Bare { is_inflated: name == Name::Fetch },
        (Name::Fetch | Name::TidewireV1, Speak::GrpcWebText) => Shape::Text,
        _ => Shape::Grpc { last: 0x80 },
    };
    let messages = Messages { subtype: subtype.to_string(), max: own.max, gzip: own.compression() };
    #[cfg(all(target_family = "wasm", not(any(feature = "connect", feature = "tidewire-v1"))))]
    let inner = Box::new(grpc_web(name, speak, messages));
    #[cfg(not(all(target_family = "wasm", not(any(feature = "connect", feature = "tidewire-v1")))))]
    let inner = dialect(name, kind, speak, get, messages);
    Ok(Framed::new(inner, shape, own))
}

/// What is wanted of compression: bits 1 to accept gzip, 2 to send it, 4 and 8 for anything else, which there is not.
pub fn compression(wanted: u8, runtime: Runtime) -> Result<Compression, Status> {
    if wanted & 12 != 0 {
        let words = "acceptCompression and sendCompression know \"gzip\" only";
        return Err(Status::misuse(Code::InvalidArgument, words));
    }
    let (accept, send) = (wanted & 1 != 0, wanted & 2 != 0);
    if (accept || send) && !gzip::IS_BUILT {
        return Err(left_out("gzip"));
    }
    if (accept || send) && !runtime.gzip {
        let words = "this runtime has no CompressionStream: leave out acceptCompression and sendCompression";
        return Err(Status::misuse(Code::Unimplemented, words));
    }
    Ok(Compression { accept, send })
}

fn carries(name: Name, kind: CallKind, speak: Speak, runtime: Runtime) -> bool {
    name.is_built() && obstacle(name, kind, speak, runtime).is_none()
}

/// Why a transport cannot carry such a call here.
fn obstacle(name: Name, kind: CallKind, speak: Speak, runtime: Runtime) -> Option<&'static str> {
    let streams = kind.streams_requests();
    let Runtime { fetch, request_streaming, full_duplex, request_buffering, websocket, .. } = runtime;
    Some(match name {
        // Asked for none that is left out.
        _ if !name.is_built() => return None,
        Name::Fetch if !fetch => "has no fetch",
        Name::Fetch if speak == Speak::Grpc => "shows no HTTP trailers to fetch, which native gRPC needs",
        Name::Fetch if streams && !(request_streaming || request_buffering) => {
            "cannot stream request bodies by fetch"
        }
        Name::Fetch if kind == CallKind::Bidi && !(full_duplex || request_buffering) => {
            "has only half-duplex fetch"
        }
        Name::TidewireV1 if !websocket => "has no WebSocket (in Node 20, pass the one of the package ws)",
        Name::GrpcWebsockets | Name::TripleWebsocket if !websocket => "has no WebSocket",
        Name::GrpcWebsockets if !matches!(speak, Speak::Auto | Speak::GrpcWeb) => {
            "speaks only binary gRPC-Web over grpc-websockets"
        }
        Name::TripleWebsocket if speak != Speak::Auto => {
            "speaks bare messages over triple-websocket, and no other protocol"
        }
        Name::TripleWebsocket if kind == CallKind::ClientStream => {
            "hears nothing after the close of a WebSocket, which is the half-close of triple-websocket"
        }
        _ => return None,
    })
}

fn refused(name: &str, why: &str, kind: CallKind, speak: Speak, runtime: Runtime) -> Status {
    let mut cure = String::new();
    for name in ALL.into_iter().filter(|name| carries(*name, kind, speak, runtime)) {
        cure.push_str(if cure.is_empty() { "use transport \"" } else { "\" or \"" });
        cure.push_str(name.as_str());
    }
    cure.push_str(if cure.is_empty() {
        "nothing here would; a runtime with WebSocket does, by transport \"tidewire.v1\" and its gateway"
    } else {
        "\", or \"auto\""
    });
    let kind = match kind {
        CallKind::Unary => "unary",
        CallKind::ServerStream => "server-streaming",
        CallKind::ClientStream => "client-streaming",
        CallKind::Bidi => "bidirectional streaming",
    };
    let words = words![name, " cannot carry a ", kind, " call: this runtime ", why, "; ", cure];
    Status::misuse(Code::Unimplemented, words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use CallKind::{Bidi, ClientStream, ServerStream, Unary};

    const FIREFOX: Runtime =
        Runtime { request_streaming: false, full_duplex: false, websocket: true, ..NODE_20 };
    const CHROMIUM: Runtime = Runtime { request_streaming: true, ..FIREFOX };
    const NODE_20: Runtime = Runtime {
        fetch: true,
        request_streaming: true,
        full_duplex: true,
        request_buffering: false,
        websocket: false,
        gzip: true,
    };

    fn auto(kind: CallKind, speak: Speak, runtime: Runtime) -> &'static str {
        select(kind, speak, None, runtime).map_or("none", Name::as_str)
    }

    #[test]
    fn auto_takes_fetch_for_one_request_and_a_socket_for_many() {
        for runtime in [FIREFOX, CHROMIUM] {
            for kind in [Unary, ServerStream] {
                assert_eq!(auto(kind, Speak::Auto, runtime), "fetch");
                assert_eq!(auto(kind, Speak::GrpcWebText, runtime), "fetch");
                assert_eq!(auto(kind, Speak::Grpc, runtime), "tidewire.v1");
            }
            for kind in [ClientStream, Bidi] {
                assert_eq!(auto(kind, Speak::Auto, runtime), "tidewire.v1");
                assert_eq!(auto(kind, Speak::GrpcWeb, runtime), "grpc-websockets");
            }
        }
    }

    #[test]
    fn without_websocket_a_full_duplex_fetch_carries_all_but_native_grpc() {
        for kind in [Unary, ServerStream, ClientStream, Bidi] {
            assert_eq!(auto(kind, Speak::Auto, NODE_20), "fetch");
            assert_eq!(auto(kind, Speak::Grpc, NODE_20), "none");
        }
    }

    #[test]
    fn a_fetch_that_collects_requests_carries_them_and_auto_still_prefers_a_socket() {
        let collects = Runtime { request_buffering: true, ..FIREFOX };
        let without_socket = Runtime { websocket: false, ..collects };
        for kind in [ClientStream, Bidi] {
            assert_eq!(select(kind, Speak::GrpcWeb, Some(Name::Fetch), collects), Ok(Name::Fetch));
            assert_eq!(auto(kind, Speak::Auto, collects), "tidewire.v1");
            assert_eq!(auto(kind, Speak::Auto, without_socket), "fetch");
            assert_eq!(
                auto(kind, Speak::Auto, Runtime { request_buffering: false, ..without_socket }),
                "none"
            );
        }
    }

    #[test]
    fn what_cannot_be_carried_is_refused_with_the_name_of_what_would() {
        let table = [
            (Bidi, Speak::Auto, Name::Fetch, FIREFOX, "use transport \"tidewire.v1\" or \"grpc-websockets\""),
            (Bidi, Speak::Auto, Name::Fetch, CHROMIUM, "half-duplex fetch"),
            (ClientStream, Speak::Auto, Name::Fetch, FIREFOX, "cannot stream request bodies"),
            (Unary, Speak::Grpc, Name::Fetch, CHROMIUM, "use transport \"tidewire.v1\", or"),
            (Bidi, Speak::Auto, Name::TidewireV1, NODE_20, "use transport \"fetch\""),
            (Bidi, Speak::GrpcWebText, Name::GrpcWebsockets, CHROMIUM, "only binary gRPC-Web"),
            (ClientStream, Speak::Auto, Name::TripleWebsocket, CHROMIUM, "use transport \"tidewire.v1\" or"),
            (Unary, Speak::GrpcWeb, Name::TripleWebsocket, CHROMIUM, "bare messages"),
        ];
        for (kind, speak, name, runtime, words) in table {
            let status = select(kind, speak, Some(name), runtime).unwrap_err();
            assert_eq!(status.code, Code::Unimplemented);
            assert!(status.message.contains(words), "{status}");
        }
    }

    #[test]
    fn compression_is_what_the_runtime_has() {
        for (wanted, accept, send) in [(0, false, false), (1, true, false), (2, false, true), (3, true, true)]
        {
            assert_eq!(compression(wanted, FIREFOX), Ok(Compression { accept, send }));
            let lacks = compression(wanted, Runtime::default());
            assert_eq!(lacks.map_err(|status| status.code).is_err(), wanted > 0);
        }
        assert_eq!(compression(1, Runtime::default()).unwrap_err().code, Code::Unimplemented);
        assert_eq!(compression(5, FIREFOX).unwrap_err().code, Code::InvalidArgument);
    }

    #[test]
    fn what_has_a_number_has_it_on_both_sides_of_the_border() {
        for number in 0..4 {
            assert_eq!(Name::from_number(number).map(|name| name as u8), Some(number));
        }
        assert_eq!(Name::from_number(4), None);
        for number in 0..6 {
            assert_eq!(Speak::from_number(number) as u8, number);
        }
        assert_eq!(Speak::from_number(6), Speak::Auto);
    }
}
