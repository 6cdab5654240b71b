//! What a request asks for, and the call that comes of it.

use std::time::Duration;

use http::HeaderMap;
use tonic::body::Body;

use super::builder::Settings;
use super::call::Call;
use super::convert::tonic_status;
use super::upload::{Gathered, gather, upload};
use crate::call::{self, CallKind, Config};
use crate::codec::{HeaderList, Messages, Protocol, timeout};
use crate::driver::Driver;
use crate::metadata;
use crate::status::{Code, Status};
use crate::transport::Transport;
use crate::transport::select::{framed, select};
use crate::words::words;

/// What tonic sends as a matter of course and the dialects send themselves.
const OWN: [&str; 3] = ["content-type", "te", "grpc-timeout"];

/// What tonic says of compression, for the server.
const COMPRESSION: [&str; 2] = ["grpc-encoding", "grpc-accept-encoding"];

/// Opens the call, and sends what is there of its requests.
pub(super) fn open(settings: &Settings, request: http::Request<Body>) -> Result<Call, tonic::Status> {
    let (head, body) = request.into_parts();
    let Gathered { pieces, rest } = gather(body)?;
    let kind = if rest.is_some() { CallKind::Bidi } else { CallKind::ServerStream };
    let prepared = prepare(settings, kind, head.uri.path(), &head.headers);
    let (prepared, transport) = prepared.map_err(|status| tonic_status(&status, &HeaderList::new()))?;

    let call = Call::new(|face| Driver::open(prepared, rest.is_some(), transport, face));
    pieces.iter().for_each(|piece| call.send(piece));
    match rest {
        None => call.close_send(),
        Some(body) => {
            wasm_bindgen_futures::spawn_local(upload(call.clone(), body, settings.header_wait()));
        }
    }
    Ok(call)
}

fn prepare(
    settings: &Settings,
    kind: CallKind,
    path: &str,
    headers: &HeaderMap,
) -> Result<(call::Call, std::rc::Rc<dyn Transport>), Status> {
    let name = select(kind, settings.speak, settings.transport, settings.runtime)?;
    // Nothing is reserved for a message that passes: the limit of tonic's own decoder holds.
    let messages = Messages::new(settings.max_message().unwrap_or(u32::MAX as usize));
    let protocol = framed(name, kind, settings.speak, messages)?;
    let metadata = metadata(settings.metadata(), headers)?;
    protocol.check_metadata(&metadata)?;
    let config = Config {
        kind,
        path: path.to_string(),
        metadata,
        timeout: asked_timeout(headers)?.or_else(|| settings.timeout()),
        triple: false,
        receive_window: settings.receive_window(),
    };
    Ok((call::Call::new(config, Box::new(protocol)), settings.transport(name)?))
}

/// The channel's metadata, but for names that the call has itself, and the call's.
fn metadata(defaults: &HeaderMap, own: &HeaderMap) -> Result<HeaderList, Status> {
    let defaults = defaults.iter().filter(|(name, _)| !own.contains_key(*name));
    let mut list = HeaderList::new();
    for (name, value) in defaults.chain(own) {
        if OWN.contains(&name.as_str()) {
            continue;
        }
        if !COMPRESSION.contains(&name.as_str()) {
            metadata::check(name.as_str(), value.as_bytes())?;
        }
        list.push((name.to_string(), value.as_bytes().to_vec()));
    }
    Ok(list)
}

/// What `Request::set_timeout` wrote.
fn asked_timeout(headers: &HeaderMap) -> Result<Option<Duration>, Status> {
    let Some(value) = headers.get("grpc-timeout") else { return Ok(None) };
    timeout::decode_grpc(value.as_bytes()).map(Some).ok_or_else(|| {
        let text = String::from_utf8_lossy(value.as_bytes());
        let words = words!["grpc-timeout \"", text, "\" is none: use Request::set_timeout"];
        Status::misuse(Code::InvalidArgument, words)
    })
}
