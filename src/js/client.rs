//! The client: what the runtime can do, and how calls are opened.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use crate::transport::builtins::{Array, Function};
use wasm_bindgen::prelude::*;

use super::call::{JsFace, RawCall};
use super::convert::{details_to_js, metadata_from_js, metadata_to_js, status_to_js};
use crate::call::{Call, CallKind, Config};
use crate::codec::{HeaderList, Messages};
use crate::driver::Driver;
use crate::status::{Code, Status};
use crate::transport::Transport;
use crate::transport::call_socket::CallSocket;
use crate::transport::fetch::Fetch;
use crate::transport::select::{Name, Runtime, Speak, compression, protocol, select};
use crate::transport::tidewire_v1::TidewireV1;
use crate::transport::web::abilities;
use crate::words::words;

/// A WebSocket cannot hold the peer back: this many receive windows may come before the call is given up.
const OVERFLOW: usize = 8;

#[wasm_bindgen]
extern "C" {
    /// The public options, with `baseUrl` normalised and defaults filled in.
    pub type RawOptions;
    #[wasm_bindgen(method, getter, js_name = baseUrl)]
    fn base_url(this: &RawOptions) -> String;
    #[wasm_bindgen(method, getter)]
    fn protocol(this: &RawOptions) -> String;
    #[wasm_bindgen(method, getter)]
    fn transport(this: &RawOptions) -> String;
    #[wasm_bindgen(method, getter, js_name = maxReceiveMessageBytes)]
    fn max_message(this: &RawOptions) -> u32;
    #[wasm_bindgen(method, getter, js_name = receiveWindowBytes)]
    fn receive_window(this: &RawOptions) -> u32;
    #[wasm_bindgen(method, getter)]
    fn fetch(this: &RawOptions) -> Option<Function>;
    #[wasm_bindgen(method, getter, js_name = WebSocket)]
    fn web_socket(this: &RawOptions) -> Option<Function>;
    #[wasm_bindgen(method, getter, js_name = bufferRequestBytes)]
    fn buffer_requests(this: &RawOptions) -> u32;
    #[wasm_bindgen(method, getter)]
    fn credentials(this: &RawOptions) -> JsValue;
    #[wasm_bindgen(method, getter)]
    fn triple(this: &RawOptions) -> JsValue;
}

/// What the TypeScript `Client` stands on.
#[wasm_bindgen]
pub struct RawClient {
    runtime: Runtime,
    speak: Speak,
    transport: Option<Name>,
    max_message: usize,
    receive_window: usize,
    triple: bool,
    fetch: Option<Rc<Fetch>>,
    call_socket: Option<CallSocket>,
    tidewire_v1: Option<Rc<TidewireV1>>,
}

#[wasm_bindgen]
impl RawClient {
    /// Throws `[code, raw, message, fault]`.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &RawOptions) -> Result<Self, Array> {
        Self::from_options(options).map_err(|status| status_to_js(&status))
    }

    fn from_options(options: &RawOptions) -> Result<Self, Status> {
        let base = options.base_url();
        let (secure, rest) = match (base.strip_prefix("https"), base.strip_prefix("http")) {
            (Some(rest), _) => (true, rest),
            (None, Some(rest)) => (false, rest),
            (None, None) => {
                let words = words!["baseUrl is to start with http:// or https://; it is \"", base, "\""];
                return Err(Status::misuse(Code::InvalidArgument, words));
            }
        };
        let speak = Speak::parse(&options.protocol())?;
        let sockets = words![if secure { "wss" } else { "ws" }, rest];
        let (fetch, constructor) = (options.fetch(), options.web_socket());
        let receive_window = options.receive_window() as usize;
        let max_message = options.max_message() as usize;
        let able = abilities(secure);
        let buffer = if able.full_duplex { 0 } else { options.buffer_requests() as usize };
        Ok(Self {
            runtime: Runtime {
                fetch: fetch.is_some(),
                request_buffering: buffer > 0,
                websocket: constructor.is_some(),
                ..able
            },
            speak,
            transport: Name::parse(&options.transport())?,
            max_message,
            receive_window,
            triple: speak == Speak::Triple || options.triple().is_truthy(),
            fetch: fetch
                .map(|fetch| Rc::new(Fetch { fetch, base, buffer, credentials: options.credentials() })),
            call_socket: constructor.clone().map(|constructor| {
                let max_unread = OVERFLOW * receive_window + max_message;
                CallSocket { constructor, base: sockets.clone(), max_unread, bare: false }
            }),
            tidewire_v1: constructor.map(|constructor| {
                let url = words![sockets, "/tidewire.v1"];
                Rc::new(TidewireV1 { constructor, url, current: RefCell::new(None) })
            }),
        })
    }

    /// `[ok, transport or reason]` for a kind of call.
    pub fn supports(&self, kind: u8) -> Array {
        match self.select(call_kind(kind), "") {
            Ok(name) => Array::of2(&true.into(), &name.as_str().into()),
            Err(status) => Array::of2(&false.into(), &status.message.as_str().into()),
        }
    }

    /// Opens a call. What forbids it is told to the face as its end. `timeout` is in milliseconds, NaN for none;
    /// `wishes` the bits of [`compression`], and 16 for a GET.
    #[allow(clippy::too_many_arguments, reason = "an object costs a binding for each of its members")]
    pub fn open(
        &self,
        kind: u8,
        path: String,
        metadata: &Array,
        timeout: f64,
        transport: &str,
        subtype: String,
        wishes: u8,
        face: JsFace,
    ) -> RawCall {
        match self.prepare(call_kind(kind), path, metadata, timeout, transport, subtype, wishes) {
            Ok((call, name, transport)) => {
                let streams = call_kind(kind).streams_requests();
                let driver = Driver::open(call, streams, transport, Box::new(face));
                RawCall { driver: Some(driver), transport: name }
            }
            Err(status) => {
                let trailers = metadata_to_js(&HeaderList::new());
                face.end(status_to_js(&status), details_to_js(&status.details), trailers, JsValue::UNDEFINED);
                RawCall { driver: None, transport: self.transport.unwrap_or(Name::Fetch) }
            }
        }
    }

    /// Closes the shared socket.
    pub fn close(&self) {
        if let Some(transport) = &self.tidewire_v1 {
            transport.close();
        }
    }

    #[allow(clippy::too_many_arguments, reason = "they are those of `open`")]
    fn prepare(
        &self,
        kind: CallKind,
        path: String,
        metadata: &Array,
        timeout: f64,
        transport: &str,
        subtype: String,
        wishes: u8,
    ) -> Result<(Call, Name, Rc<dyn Transport>), Status> {
        check_path(&path)?;
        let name = self.select(kind, transport)?;
        let messages = Messages { subtype, max: self.max_message, gzip: compression(wishes, self.runtime)? };
        let metadata = metadata_from_js(metadata)?;
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
        let call = Call::new(config, protocol);
        Ok((call, name, self.transport(name)?))
    }

    fn select(&self, kind: CallKind, wanted: &str) -> Result<Name, Status> {
        let wanted = match wanted {
            "" => self.transport,
            name => Name::parse(name)?,
        };
        select(kind, self.speak, wanted, self.runtime)
    }

    fn transport(&self, name: Name) -> Result<Rc<dyn Transport>, Status> {
        let transport = match name {
            Name::Fetch => self.fetch.clone().map(|t| t as Rc<dyn Transport>),
            Name::GrpcWebsockets | Name::TripleWebsocket => {
                let bare = name == Name::TripleWebsocket;
                let socket = self.call_socket.clone();
                socket.map(|socket| Rc::new(CallSocket { bare, ..socket }) as Rc<dyn Transport>)
            }
            Name::TidewireV1 => self.tidewire_v1.clone().map(|t| t as Rc<dyn Transport>),
        };
        transport.ok_or_else(|| {
            Status::misuse(Code::Unimplemented, "this runtime lacks what the transport stands on")
        })
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
