//! What the generated clients stand on: ours, and the predecessor.

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tidewire::channel::{Channel, Protocol, Transport};
use tonic::body::Body as RequestBody;
use tower_service::Service;

use crate::scene::Scene;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What every generated client asks of its transport, with an interceptor or without.
pub(crate) trait Wire:
    Clone
    + 'static
    + Service<Request<RequestBody>, Response = Response<Self::Answer>, Error: Into<BoxError> + Send + Sync>
{
    type Answer: Body<Data = Bytes, Error: Into<BoxError> + Send> + Default + Send + 'static;
}

impl Wire for Channel {
    type Answer = tidewire::channel::ResponseBody;
}

impl Wire for tonic_web_wasm_client::Client {
    type Answer = tonic_web_wasm_client::ResponseBody;
}

pub(crate) fn tidewire(scene: &Scene) -> Channel {
    let protocol = match scene.protocol().as_str() {
        "" => Protocol::Auto,
        "grpc-web-text" => Protocol::GrpcWebText,
        other => panic!("no scenario speaks `{other}`"),
    };
    let transport = match scene.transport().as_str() {
        "auto" => Transport::Auto,
        "fetch" => Transport::Fetch,
        "grpc-websockets" => Transport::GrpcWebsockets,
        "tidewire.v1" => Transport::TidewireV1,
        other => panic!("no scenario goes over `{other}`"),
    };
    Channel::builder(scene.base()).protocol(protocol).transport(transport).build().unwrap()
}

pub(crate) fn predecessor(scene: &Scene) -> tonic_web_wasm_client::Client {
    tonic_web_wasm_client::Client::new(scene.base())
}
