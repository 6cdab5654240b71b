//! One function for each method of the service, over any transport that a generated client takes.

use bytes::Bytes;
use futures_channel::mpsc;
use futures_util::StreamExt as _;
use futures_util::stream;
use http::{Request, Response};
use http_body::Body;
use js_sys::Array;
use tonic::body::Body as RequestBody;
use tonic::{Status, Streaming};
use tower_service::Service;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::proto::bench_client::BenchClient;
use crate::proto::{Payload, Spec};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What a generated client asks of its transport.
pub(crate) trait Wire:
    Clone + Service<Request<RequestBody>, Response = Response<Self::Answer>, Error: Into<BoxError>>
{
    type Answer: Body<Data = Bytes, Error: Into<BoxError> + Send> + Send + 'static;
}

impl Wire for tidewire::Channel {
    type Answer = tidewire::channel::ResponseBody;
}

impl Wire for tonic_web_wasm_client::Client {
    type Answer = tonic_web_wasm_client::ResponseBody;
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;
}

pub(crate) async fn unary<C: Wire>(client: &BenchClient<C>, spec: Spec) -> Result<usize, Status> {
    let reply = client.clone().unary(spec).await?;
    Ok(reply.into_inner().data.len())
}

pub(crate) async fn stream<C: Wire>(client: &BenchClient<C>, spec: Spec) -> Result<usize, Status> {
    count(client.clone().server_stream(spec).await?.into_inner()).await
}

pub(crate) async fn records<C: Wire>(client: &BenchClient<C>, spec: Spec) -> Result<usize, Status> {
    count(client.clone().records(spec).await?.into_inner()).await
}

pub(crate) async fn ping_pong<C: Wire>(
    client: &BenchClient<C>,
    count: usize,
    size: u32,
    times: &Array,
) -> Result<usize, Status> {
    let message = payload(size);
    let (say, requests) = mpsc::unbounded();
    let mut begun = performance_now();
    let _ = say.unbounded_send(message.clone());
    let mut replies = client.clone().echo(requests).await?.into_inner();
    let mut n = 0;
    while replies.message().await?.is_some() {
        times.push(&(performance_now() - begun).into());
        n += 1;
        begun = performance_now();
        if n < count {
            let _ = say.unbounded_send(message.clone());
        } else {
            say.close_channel();
        }
    }
    Ok(n)
}

pub(crate) async fn flood<C: Wire>(
    client: &BenchClient<C>,
    messages: usize,
    size: u32,
) -> Result<usize, Status> {
    let requests = stream::repeat(payload(size)).take(messages);
    count(client.clone().echo(requests).await?.into_inner()).await
}

fn payload(size: u32) -> Payload {
    Payload { data: vec![b'x'; size as usize].into() }
}

async fn count<T>(mut replies: Streaming<T>) -> Result<usize, Status> {
    let mut n = 0;
    while replies.message().await?.is_some() {
        n += 1;
    }
    Ok(n)
}
