//! The application whose size is measured: a unary and a bidi method, called by JavaScript.

use futures_channel::mpsc;
use tonic::Status;
use wasm_bindgen::prelude::wasm_bindgen;

use proto::GreetRequest;
use proto::greet_service_client::GreetServiceClient;

/// Half of what the standard library's takes.
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

mod proto {
    tonic::include_proto!("greet");
}

#[cfg(not(feature = "predecessor"))]
fn channel(base: String) -> Result<tidewire::Channel, Status> {
    tidewire::Channel::builder(base).build()
}

#[cfg(feature = "predecessor")]
fn channel(base: String) -> Result<tonic_web_wasm_client::Client, Status> {
    Ok(tonic_web_wasm_client::Client::new(base))
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = greeted)]
    fn greeted(greeting: &str);
}

/// Answers the greeting, or what went wrong.
#[wasm_bindgen]
pub async fn greet(base: String, name: String) -> String {
    told(unary(base, name).await)
}

/// Hands each greeting to `greeted`; answers the last, or what went wrong.
#[wasm_bindgen(js_name = greetEach)]
pub async fn greet_each(base: String, names: Vec<String>) -> String {
    told(bidi(base, names).await)
}

fn told(outcome: Result<String, Status>) -> String {
    outcome.unwrap_or_else(|status| status.message().to_owned())
}

async fn unary(base: String, name: String) -> Result<String, Status> {
    let mut client = GreetServiceClient::new(channel(base)?);
    let reply = client.greet(GreetRequest { name }).await?;
    Ok(reply.into_inner().greeting)
}

async fn bidi(base: String, names: Vec<String>) -> Result<String, Status> {
    let (say, requests) = mpsc::unbounded();
    let mut client = GreetServiceClient::new(channel(base)?);
    let mut names = names.into_iter();
    let mut ask = || match names.next() {
        Some(name) => drop(say.unbounded_send(GreetRequest { name })),
        None => say.close_channel(),
    };
    ask();
    let mut replies = client.greet_stream(requests).await?.into_inner();
    let mut last = String::new();
    while let Some(reply) = replies.message().await? {
        greeted(&reply.greeting);
        last = reply.greeting;
        ask();
    }
    Ok(last)
}
