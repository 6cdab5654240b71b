//! What a request asks for, and the call that comes of it.

use std::rc::Rc;
use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use tonic::body::Body;

use super::UseHttpGet;
use super::builder::Settings;
use super::call::{Call, RustFace};
use super::convert::tonic_status;
use super::upload::{Gathered, Upload, gather};
use crate::call::{self, CallKind, Config};
use crate::codec::framed::{Framed, Own};
use crate::codec::{HeaderList, Protocol, timeout};
use crate::driver::Driver;
use crate::metadata;
use crate::status::{Code, Status};
use crate::transport::Transport;
use crate::transport::select::{Below, Name, Speak, framed, select};
use crate::transport::web::globals::spawn_local;
use crate::words::{lossy, words};

/// What tonic sends as a matter of course and the dialects send themselves.
const OWN: [&str; 5] = ["content-type", "te", "grpc-timeout", "grpc-encoding", "grpc-accept-encoding"];

/// A message that Connect has no envelope for is collected.
const MAX_BARE: usize = 4 * 1024 * 1024;

/// A call, and what is to carry it.
type Prepared = (call::Call<Framed<Below>>, Rc<dyn Transport>);

/// Opens the call, and sends what is there of its requests.
pub(super) fn open(settings: &Settings, request: http::Request<Body>) -> Result<Call, tonic::Status> {
    let (head, body) = request.into_parts();
    let headers = listed(&head.headers);
    let gathered = gather(body)?;
    let prepared = prepare(settings, &head, &headers, &gathered);
    let (prepared, transport) = prepared.map_err(|status| tonic_status(status, &HeaderList::new()))?;

    let Gathered { pieces, rest } = gathered;
    let face = RustFace::new(only_encoding(&headers));
    let call = Call(Driver::open(prepared, rest.is_some(), transport, face));
    pieces.iter().for_each(|piece| call.send(piece));
    match rest {
        None => call.close_send(),
        Some(body) => {
            spawn_local(Upload { call: call.clone(), body, header_wait: settings.header_wait() });
        }
    }
    Ok(call)
}

fn prepare(
    settings: &Settings,
    head: &http::request::Parts,
    headers: &HeaderList,
    gathered: &Gathered,
) -> Result<Prepared, Status> {
    let declared = head.extensions.get::<CallKind>().copied();
    // Requests that are all there are none that stream, whatever the method.
    let (carried, told) = match gathered.rest {
        Some(_) => (declared.unwrap_or(CallKind::Bidi), CallKind::Bidi),
        None => (CallKind::ServerStream, CallKind::ServerStream),
    };
    let get = cfg!(feature = "connect") && head.extensions.get::<UseHttpGet>().is_some();
    // What a GET asks for is a cache.
    let shares = declared == Some(CallKind::Unary) && !get && settings.shares_socket();
    let wanted = if shares { Some(Name::TidewireV1) } else { settings.transport };
    let name = select(carried, settings.speak, wanted, settings.runtime)?;
    let kind = declared.unwrap_or(carried);
    let is_connect = cfg!(feature = "connect") && settings.speak == Speak::Connect;
    if is_connect {
        check_connect(declared, gathered)?;
    }
    let transport = settings.transports.get(name)?;
    let timeout = asked_timeout(headers)?.or_else(|| settings.timeout());
    let metadata = metadata(settings.metadata(), headers)?;

    let value = |name: &str| headers.first(name).map(<[u8]>::to_vec);
    let is_bare = is_connect && kind == CallKind::Unary;
    let own = Own {
        // A bare message has no flag of its own.
        encoding: value("grpc-encoding").filter(|_| !is_bare || gathered.begins_compressed()),
        accept: value("grpc-accept-encoding"),
        single: declared.is_some_and(|kind| !kind.streams_responses()),
        // Nothing is reserved for a message that passes: the limit of tonic's own decoder holds.
        max: settings.max_message().unwrap_or(if is_bare { MAX_BARE } else { u32::MAX as usize }),
    };
    let protocol = framed(name, kind, settings.speak, get, settings.subtype(), own)?;
    protocol.check_metadata(&metadata)?;
    let config = Config {
        // Pieces are told, not messages, of which there may be any number.
        kind: told,
        path: head.uri.path().to_string(),
        metadata,
        timeout,
        triple: false,
        receive_window: settings.receive_window(),
    };
    Ok((call::Call::speaking(config, Box::new(protocol)), transport))
}

fn check_connect(declared: Option<CallKind>, gathered: &Gathered) -> Result<(), Status> {
    let words = match declared {
        None if gathered.rest.is_none() => {
            "Connect writes unary calls otherwise than streams: say which this is, by the request's extension \
             tidewire::channel::CallKind"
        }
        Some(CallKind::Unary) if !gathered.is_one_message() => {
            "a unary call is to have exactly one message, which is there when the call is made"
        }
        _ => return Ok(()),
    };
    Err(Status::misuse(Code::InvalidArgument, words))
}

/// The channel's metadata, but for names that the call has itself, and the call's.
fn metadata(defaults: &HeaderMap, own: &HeaderList) -> Result<HeaderList, Status> {
    let mut all = HeaderList::new();
    for (list, is_default) in [(&listed(defaults), true), (own, false)] {
        for (name, value) in list {
            if OWN.iter().any(|sent| sent.as_bytes() == name) || is_default && own.first(name).is_some() {
                continue;
            }
            metadata::check(name, value)?;
            all.push(name, value);
        }
    }
    Ok(all)
}

/// Headers are looked up by their names here, as everywhere: in a `HeaderMap` that is a hash, of a name that has been parsed.
fn listed(headers: &HeaderMap) -> HeaderList {
    headers.iter().map(|(name, value)| (name.as_str(), value)).collect()
}

/// What the messages of an answer are compressed by if they are at all, where tonic leaves no choice.
fn only_encoding(headers: &HeaderList) -> Option<HeaderValue> {
    let name = headers.first("grpc-accept-encoding")?.strip_suffix(b",identity")?;
    HeaderValue::from_bytes(name).ok().filter(|_| !name.contains(&b','))
}

/// What `Request::set_timeout` wrote.
fn asked_timeout(headers: &HeaderList) -> Result<Option<Duration>, Status> {
    let Some(value) = headers.first("grpc-timeout") else { return Ok(None) };
    timeout::decode_grpc(value).map(Some).ok_or_else(|| {
        let text = lossy(value);
        let words = words!["grpc-timeout \"", text, "\" is none: use Request::set_timeout"];
        Status::misuse(Code::InvalidArgument, words)
    })
}
