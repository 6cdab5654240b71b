//! What a test stands on: a client on fakes, its calls, and the log of all that is seen.

use std::panic::Location;

use js_sys::{Array, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::script::{Face, FakeFetch, FakeSocket, FakeSockets, FetchExchange, JsCall, RawJsClient, Script};
use crate::call::CallKind;
use crate::codec::envelope;
use crate::js::client::RawClient;

pub(crate) const PATH: &str = "/greet.GreetService/Greet";

/// By their numbers, as in the package's `names.ts`.
const PROTOCOLS: [&str; 6] = ["auto", "grpc", "grpc-web", "grpc-web-text", "connect", "triple"];
const TRANSPORTS: [&str; 5] = ["fetch", "grpc-websockets", "tidewire.v1", "triple-websocket", "auto"];

/// The script, and the fakes that clients are given.
pub(crate) struct Stage {
    script: Script,
    pub(crate) fetch: FakeFetch,
    pub(crate) sockets: FakeSockets,
}

/// A client, and the transport that its calls are to take.
#[derive(Clone)]
pub(super) struct JsClient {
    raw: RawJsClient,
    transport: u8,
}

impl JsClient {
    pub(super) fn close(&self) {
        self.raw.close();
    }
}

/// A call and who is told of it.
#[derive(Clone)]
pub(super) struct Call {
    pub(super) call: JsCall,
    pub(super) face: Face,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let script = Script::new();
        let (fetch, sockets) = (FakeFetch::new(&script), FakeSockets::new(&script));
        Self { script, fetch, sockets }
    }

    /// A client of `http://test`, or of what the options say.
    pub(super) fn client(&self, options: &[(&str, JsValue)]) -> JsClient {
        let option =
            |name: &str| options.iter().rev().find(|(key, _)| *key == name).map(|(_, value)| value.clone());
        let text =
            |name: &str, default: &str| option(name).map_or(default.into(), |it| it.as_string().unwrap());
        let number =
            |name: &str, default: usize| option(name).map_or(default, |it| it.as_f64().unwrap() as usize);
        let place = |names: &[&str], name: String| names.iter().position(|it| *it == name).unwrap() as u8;
        let base = text("baseUrl", "http://test");
        let client = RawClient::new(
            3,
            base.clone(),
            base.replacen("http", "ws", 1),
            place(&PROTOCOLS, text("protocol", "auto")),
            number("maxReceiveMessageBytes", 4 << 20),
            number("receiveWindowBytes", 1 << 20),
            number("bufferRequestBytes", 0),
            option("triple").is_some(),
            option("fetch").unwrap_or(self.fetch.fetch()).unchecked_into(),
            option("WebSocket").unwrap_or(self.sockets.constructor()).unchecked_into(),
            option("credentials").unwrap_or_default(),
        );
        let transport = place(&TRANSPORTS, text("transport", "auto"));
        JsClient { raw: JsValue::from(client).unchecked_into(), transport }
    }

    /// A client of one transport.
    pub(super) fn client_over(&self, transport: &str) -> JsClient {
        self.client(&[("transport", transport.into())])
    }

    /// A client of the browser's own `fetch` and `WebSocket`, and of the web server that serves these tests.
    pub(super) fn real_client(&self, transport: &str) -> JsClient {
        let global = |name: &str| Reflect::get(&js_sys::global(), &name.into()).unwrap();
        let origin = Reflect::get(&global("location"), &"origin".into()).unwrap();
        let real = [("fetch", global("fetch")), ("WebSocket", global("WebSocket"))];
        let real = real.into_iter().chain([("transport", transport.into()), ("baseUrl", origin)]);
        self.client(&real.collect::<Vec<_>>())
    }

    pub(super) fn open(&self, client: &JsClient, kind: CallKind) -> Call {
        self.open_with(client, kind, "", f64::NAN)
    }

    /// What is told to this call's face is seen as `name: …`. `timeout`: milliseconds, NaN for none.
    pub(super) fn open_with(&self, client: &JsClient, kind: CallKind, name: &str, timeout: f64) -> Call {
        self.open_as(client, kind, name, timeout, "proto", 0)
    }

    /// The same for messages of another format, and with bits of what is wished.
    pub(super) fn open_as(
        &self,
        client: &JsClient,
        kind: CallKind,
        name: &str,
        timeout: f64,
        subtype: &str,
        wishes: u8,
    ) -> Call {
        let face = Face::new(&self.script, name);
        let (raw, transport) = (&client.raw, client.transport);
        let call = raw.open(kind as u8, PATH, "x-user\0me\0", timeout, transport, subtype, wishes, &face);
        face.holds(&call);
        Call { call, face }
    }

    /// All that was seen since the last time, after the microtasks of what happened. Each line begins with what is
    /// expected of it.
    #[track_caller]
    pub(crate) fn saw(&self, expected: &[&str]) -> impl Future<Output = ()> {
        let caller = Location::caller();
        async move {
            self.settle().await;
            compare(self.script.drain(), expected, caller);
        }
    }

    /// The same before any microtask.
    #[track_caller]
    pub(crate) fn sees(&self, expected: &[&str]) {
        compare(self.script.drain(), expected, Location::caller());
    }

    /// The same without the lines that are `but`: how many there are is no part of the promise.
    #[track_caller]
    pub(super) fn saw_but(&self, but: &str, expected: &[&str]) -> impl Future<Output = ()> {
        let caller = Location::caller();
        async move {
            self.settle().await;
            let seen = self.script.drain().into_iter().filter(|line| line != but).collect();
            compare(seen, expected, caller);
        }
    }

    /// Of all that was seen since the last time, what the face was told; headers without their names.
    pub(super) fn told(&self) -> Vec<String> {
        let told = ["headers", "message", "joined", "room", "end", "a second end"];
        let is_told = |line: &String| told.iter().any(|word| line.starts_with(word));
        let short = |line: String| if line.starts_with("headers") { "headers".to_string() } else { line };
        self.script.drain().into_iter().filter(is_told).map(short).collect()
    }

    /// What was seen up to now is of no interest.
    pub(crate) fn forget(&self) {
        self.script.drain();
    }

    /// The server ends with OK, and its body with it.
    pub(crate) async fn completes(&self, i: usize) {
        self.fetch.exchange(i).sends(&ok());
        // One more read takes the end of the body, which leaves the connection fit for the next request.
        self.saw(&["read", "end 0"]).await;
        self.fetch.exchange(i).ends();
    }

    pub(crate) async fn settle(&self) {
        JsFuture::from(self.script.settle()).await.unwrap();
    }

    pub(crate) fn advance(&self, millis: f64) {
        self.script.advance(millis);
    }

    pub(crate) fn timers(&self) -> usize {
        self.script.timers()
    }

    /// What nobody handled.
    pub(crate) async fn unhandled(self) -> String {
        let unhandled = JsFuture::from(self.script.leave()).await.unwrap();
        String::from(Array::from(&unhandled).join(", "))
    }

    /// Nothing is left: nothing unseen, no timer, nothing that nobody handled.
    pub(crate) async fn ends(self) {
        self.settle().await;
        assert_eq!(self.timers(), 0, "timers are left");
        self.sees(&[]);
        assert_eq!(self.unhandled().await, "", "nobody handled");
    }
}

impl Call {
    /// `true`: there is room for more.
    pub(super) fn send(&self, message: &[u8]) -> bool {
        self.call.send(&Uint8Array::from(message)).as_bool().unwrap()
    }

    /// Why a send is refused.
    pub(super) fn cannot_send(&self) -> String {
        self.call.send(&Uint8Array::from(b"late".as_slice())).as_string().unwrap()
    }

    /// What the face does each time when it is told of `event`.
    pub(super) fn on(&self, event: &str, reaction: impl FnMut(JsCall) + 'static) {
        self.face.react(event, Closure::<dyn FnMut(JsCall)>::new(reaction).into_js_value());
    }
}

impl FetchExchange {
    /// 200 and the content type of gRPC-Web, with a body that is read piece by piece.
    pub(crate) fn responds(&self) {
        let header = Array::of2(&"content-type".into(), &"application/grpc-web+proto".into());
        self.responds_with(200, vec![header]);
    }

    pub(crate) fn responds_status(&self, status: u16, headers: &[(&str, &str)]) {
        let pair = |(name, value): &(&str, &str)| Array::of2(&(*name).into(), &(*value).into());
        self.responds_with(status, headers.iter().map(pair).collect());
    }

    /// Gives back the array that it handed over.
    pub(crate) fn sends(&self, bytes: &[u8]) -> Uint8Array {
        let chunk = Uint8Array::from(bytes);
        self.chunk(&chunk);
        chunk
    }

    /// One read of an upload; `None` at its end.
    pub(crate) async fn takes_once(&self) -> Result<Option<Vec<u8>>, JsValue> {
        let value = JsFuture::from(self.takes()).await?;
        Ok(value.dyn_into::<Uint8Array>().ok().map(|bytes| bytes.to_vec()))
    }
}

impl FakeSocket {
    /// What was sent since the last time.
    pub(crate) fn sent(&self) -> Vec<Vec<u8>> {
        self.take_sent().iter().map(Uint8Array::to_vec).collect()
    }
}

fn compare(seen: Vec<String>, expected: &[&str], caller: &Location<'_>) {
    let begins = |(seen, expected): (&String, &&str)| seen.starts_with(*expected);
    let same = seen.len() == expected.len() && seen.iter().zip(expected).all(begins);
    assert!(same, "at {caller}: expected {expected:#?}, saw {seen:#?}");
}

/// A message of gRPC.
pub(crate) fn message(text: &str) -> Vec<u8> {
    envelope::encode(0, text.as_bytes())
}

/// A trailer block of gRPC-Web.
pub(crate) fn trailers(block: &str) -> Vec<u8> {
    envelope::encode(0x80, block.as_bytes())
}

pub(crate) fn ok() -> Vec<u8> {
    trailers("grpc-status: 0\r\n")
}
