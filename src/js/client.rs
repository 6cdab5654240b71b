//! The client: what the runtime can do, and how calls are opened.

use std::rc::Rc;
use std::time::Duration;

use crate::transport::builtins::Function;
use wasm_bindgen::prelude::*;

use super::call::{JsFace, RawCall};
use crate::call::{Call, CallKind, Config};
use crate::codec::{HeaderList, Messages};
use crate::driver::Driver;
use crate::metadata;
use crate::status::{Code, Status};
use crate::transport::Transport;
use crate::transport::select::{Name, Runtime, Speak, compression, protocol, select};
use crate::transport::transports::{Ground, Transports};
use crate::transport::web::abilities;
use crate::words::words;

/// What the TypeScript `Client` stands on.
#[wasm_bindgen]
pub struct RawClient {
    runtime: Runtime,
    speak: Speak,
    max_message: usize,
    receive_window: usize,
    triple: bool,
    transports: Transports,
}

#[wasm_bindgen]
impl RawClient {
    /// The options, checked and with their defaults. `runtime`: 1 there is a `fetch`, 2 a `WebSocket`; `base` begins with
    /// `http`, `sockets` is the same with `ws`; the protocol is the number of a [`Speak`].
    #[wasm_bindgen(constructor)]
    #[allow(clippy::too_many_arguments, reason = "an object costs a binding for each of its members")]
    pub fn new(
        runtime: u8,
        base: String,
        sockets: String,
        protocol: u8,
        max_message: usize,
        receive_window: usize,
        buffer: usize,
        triple: bool,
        fetch: Function,
        web_socket: Function,
        credentials: JsValue,
    ) -> Self {
        let speak = Speak::from_number(protocol);
        let able = abilities(base.starts_with("https"));
        let buffer = if able.full_duplex { 0 } else { buffer };
        Self {
            runtime: Runtime {
                fetch: runtime & 1 != 0,
                request_buffering: buffer > 0,
                websocket: runtime & 2 != 0,
                ..able
            },
            speak,
            max_message,
            receive_window,
            triple: triple || speak == Speak::Triple,
            transports: Transports::on(Ground {
                fetch,
                web_socket,
                base,
                sockets,
                credentials,
                buffer,
                receive_window,
                max_message,
            }),
        }
    }

    /// For a kind of call and a wanted transport: the name of the one that carries it, or why none does.
    pub fn supports(&self, kind: u8, transport: u8) -> JsValue {
        match self.select(call_kind(kind), transport) {
            Ok(name) => name.as_str().into(),
            Err(status) => status.message.as_str().into(),
        }
    }

    /// Opens a call. What forbids it is told to the face as its end, and there is no call. `metadata` are names and values,
    /// a NUL behind each, those of `-bin` in base64; `timeout` is in milliseconds, NaN for none; `transport` the number of
    /// a [`Name`]; `wishes` the bits of [`compression`], 16 for a GET, and 32 to take the shared socket if it is open.
    #[allow(clippy::too_many_arguments, reason = "an object costs a binding for each of its members")]
    pub fn open(
        &self,
        kind: u8,
        path: String,
        metadata: String,
        timeout: f64,
        transport: u8,
        subtype: String,
        wishes: u8,
        face: JsFace,
    ) -> Option<RawCall> {
        match self.prepare(call_kind(kind), path, metadata, timeout, transport, subtype, wishes) {
            Ok((call, name, transport)) => {
                face.opened(name as u8);
                let streams = call_kind(kind).streams_requests();
                Some(RawCall { driver: Driver::open(call, streams, transport, face) })
            }
            Err(status) => {
                face.refuse(&status);
                None
            }
        }
    }

    /// Closes the shared socket.
    pub fn close(&self) {
        self.transports.close();
    }

    #[allow(clippy::too_many_arguments, reason = "they are those of `open`")]
    fn prepare(
        &self,
        kind: CallKind,
        path: String,
        metadata: String,
        timeout: f64,
        transport: u8,
        subtype: String,
        wishes: u8,
    ) -> Result<(Call, Name, Rc<dyn Transport>), Status> {
        check_path(&path)?;
        let shares = wishes & 32 != 0 && self.transports.has_open_socket();
        let transport = if shares { Name::TidewireV1 as u8 } else { transport };
        let name = self.select(kind, transport)?;
        let messages = Messages { subtype, max: self.max_message, gzip: compression(wishes, self.runtime)? };
        let metadata = HeaderList::from_packed(metadata.into_bytes());
        metadata.iter().try_for_each(|(name, value)| metadata::check(name, value))?;
        let protocol = protocol(name, kind, self.speak, wishes & 16 != 0, messages)?;
        protocol.check_metadata(&metadata)?;
        let config = Config {
            kind,
            path,
            metadata,
            timeout: (!timeout.is_nan()).then(|| Duration::from_micros((timeout.max(0.0) * 1000.0) as u64)),
            triple: self.triple,
            receive_window: self.receive_window,
        };
        Ok((Call::new(config, protocol), name, self.transports.get(name)?))
    }

    fn select(&self, kind: CallKind, transport: u8) -> Result<Name, Status> {
        select(kind, self.speak, Name::from_number(transport), self.runtime)
    }
}

fn call_kind(kind: u8) -> CallKind {
    match kind {
        0 => CallKind::Unary,
        1 => CallKind::ServerStream,
        2 => CallKind::ClientStream,
        _ => CallKind::Bidi,
    }
}

fn check_path(path: &str) -> Result<(), Status> {
    let mut parts = path.as_bytes().split(|byte| *byte == b'/');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some([]), Some([_, ..]), Some([_, ..]), None) => Ok(()),
        _ => {
            let words = words!["a path is /<package.Service>/<Method>; this one is \"", path, "\""];
            Err(Status::misuse(Code::InvalidArgument, words))
        }
    }
}
