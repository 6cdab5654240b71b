//! The client that the connectrpc conformance suite drives, on the Rust API: the clients are those that tonic's generator
//! writes for its service. One case is one call of [`run`].

mod case;
mod client;
mod json;
mod outcome;

/// The suite's messages and its service, in protobuf.
#[allow(clippy::all, dead_code, unused_qualifications, reason = "generated")]
mod proto {
    include!(concat!(env!("OUT_DIR"), "/connectrpc.conformance.v1.rs"));
}

use prost::Message as _;
use prost::bytes::Bytes;
use wasm_bindgen::prelude::*;

use case::Case;
use proto::client_compat_response::Result as Answer;
use proto::{ClientCompatRequest, ClientCompatResponse, ClientErrorResult};

#[wasm_bindgen(start)]
fn start() {
    console_error_panic_hook::set_once();
}

/// A `ClientCompatRequest` comes, a `ClientCompatResponse` goes. With a `gateway` (its URL) the call goes over
/// `tidewire.v1`, without one over fetch.
#[wasm_bindgen]
pub async fn run(request: Vec<u8>, gateway: Option<String>) -> Result<Vec<u8>, JsError> {
    let request = ClientCompatRequest::decode(Bytes::from(request))?;
    let test_name = request.test_name.clone();
    let result = match answer(request, gateway).await {
        Ok(outcome) => Answer::Response(outcome.into()),
        Err(message) => Answer::Error(ClientErrorResult { message }),
    };
    Ok(ClientCompatResponse { test_name, result: Some(result) }.encode_to_vec())
}

/// An error where the case could not be tried at all.
async fn answer(request: ClientCompatRequest, gateway: Option<String>) -> Result<outcome::Outcome, String> {
    let channel = client::channel(&request, gateway.as_deref())?;
    let gzip = request.compression() == proto::Compression::Gzip;
    let json = request.codec() == proto::Codec::Json;
    let case = Case::new(request);
    if json {
        client::answer_in_json(channel, gzip, case).await
    } else {
        client::answer_in_proto(channel, gzip, case).await
    }
}
