//! The benchmark's calls from Rust: the client that tonic generated, over `tidewire::Channel` and over its predecessor.
//! Messages are taken, decoded and counted here; `clients/rust.mjs` hears how many there were.
#![forbid(unsafe_code)]

mod calls;

use js_sys::Array;
use tidewire::channel::{Channel, Transport};
use wasm_bindgen::JsError;
use wasm_bindgen::prelude::wasm_bindgen;

use proto::Spec;
use proto::bench_client::BenchClient;

/// What tonic's generator makes of `bench.proto`.
#[allow(dead_code, unused_qualifications, reason = "generated")]
mod proto {
    tonic::include_proto!("bench");
}

type Count = Result<usize, JsError>;

/// One of the two.
#[wasm_bindgen]
pub struct Client(On);

enum On {
    Tidewire(BenchClient<Channel>),
    Predecessor(BenchClient<tonic_web_wasm_client::Client>),
}

#[wasm_bindgen]
impl Client {
    /// `fetch` where the requests are there at once, and nothing else.
    #[wasm_bindgen(js_name = tidewireFetch)]
    pub fn tidewire_fetch(base: String) -> Result<Self, JsError> {
        Self::tidewire(base, Transport::Fetch)
    }

    /// All over one WebSocket.
    #[wasm_bindgen(js_name = tidewireV1)]
    pub fn tidewire_v1(base: String) -> Result<Self, JsError> {
        Self::tidewire(base, Transport::TidewireV1)
    }

    /// tonic-web-wasm-client.
    pub fn predecessor(base: String) -> Self {
        Self(On::Predecessor(BenchClient::new(tonic_web_wasm_client::Client::new(base))))
    }

    fn tidewire(base: String, transport: Transport) -> Result<Self, JsError> {
        let channel = Channel::builder(base).transport(transport).build()?;
        Ok(Self(On::Tidewire(BenchClient::new(channel))))
    }

    /// One reply of `size` bytes; how many came.
    pub async fn call(&self, size: u32) -> Count {
        let spec = Spec { size, ..Spec::default() };
        Ok(match &self.0 {
            On::Tidewire(client) => calls::unary(client, spec).await?,
            On::Predecessor(client) => calls::unary(client, spec).await?,
        })
    }

    /// `count` replies of `size` bytes; how many came.
    pub async fn stream(&self, count: u32, size: u32) -> Count {
        let spec = Spec { count, size, ..Spec::default() };
        Ok(match &self.0 {
            On::Tidewire(client) => calls::stream(client, spec).await?,
            On::Predecessor(client) => calls::stream(client, spec).await?,
        })
    }

    /// `count` records; how many came.
    pub async fn records(&self, count: u32) -> Count {
        let spec = Spec { count, ..Spec::default() };
        Ok(match &self.0 {
            On::Tidewire(client) => calls::records(client, spec).await?,
            On::Predecessor(client) => calls::records(client, spec).await?,
        })
    }

    /// So many messages, the next when the last has come back. How long each took is put into `times`.
    #[wasm_bindgen(js_name = pingPong)]
    pub async fn ping_pong(&self, count: usize, size: u32, times: Array) -> Count {
        Ok(calls::ping_pong(self.bidi()?, count, size, &times).await?)
    }

    /// So many messages, as fast as they are taken, while they come back.
    pub async fn flood(&self, count: usize, size: u32) -> Count {
        Ok(calls::flood(self.bidi()?, count, size).await?)
    }

    fn bidi(&self) -> Result<&BenchClient<Channel>, JsError> {
        match &self.0 {
            On::Tidewire(client) => Ok(client),
            On::Predecessor(_) => Err(JsError::new("tonic-web-wasm-client carries no bidi call")),
        }
    }
}
