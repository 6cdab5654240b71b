//! The two generated clients, and the channels that they stand on.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

use tidewire::Channel;
use tidewire::channel::{Protocol, Transport};
use tonic::codec::CompressionEncoding;

use crate::case::Case;
use crate::outcome::Outcome;
use crate::proto::{ClientCompatRequest, Codec, Protocol as Spoken};

#[allow(clippy::all, unused_qualifications, reason = "generated")]
mod json {
    include!(concat!(env!("OUT_DIR"), "/json/connectrpc.conformance.v1.rs"));
}

/// One for each server, protocol and format, so that cases share what an application's calls share.
pub(crate) fn channel(request: &ClientCompatRequest, gateway: Option<&str>) -> Result<Channel, String> {
    thread_local! {
        static CHANNELS: RefCell<HashMap<String, Channel>> = RefCell::default();
    }
    let ClientCompatRequest { host, port, .. } = request;
    let scheme = if request.server_tls_cert.is_empty() { "http" } else { "https" };
    let (url, transport) = match gateway {
        Some(gateway) => (format!("{gateway}/to/{port}"), Transport::TidewireV1),
        None => (format!("{scheme}://{host}:{port}"), Transport::Fetch),
    };
    let key = format!("{url} {:?} {:?}", request.protocol(), request.codec());
    if let Some(channel) = CHANNELS.with_borrow(|channels| channels.get(&key).cloned()) {
        return Ok(channel);
    }
    let protocol = match request.protocol() {
        Spoken::Grpc => Protocol::Grpc,
        Spoken::GrpcWeb => Protocol::GrpcWeb,
        Spoken::Connect => Protocol::Connect,
        Spoken::Unspecified => return Err("a case without a protocol".to_owned()),
    };
    let builder = Channel::builder(url).protocol(protocol).transport(transport);
    let builder = builder.buffer_request_bytes(1024 * 1024).max_receive_message_bytes(4 * 1024 * 1024);
    // Headers count here, and nothing waits for a request of ours.
    let builder = builder.wait_for_headers(Duration::from_secs(5));
    let builder = if request.codec() == Codec::Json { builder.content_subtype("json") } else { builder };
    let channel = builder.build().map_err(|status| status.to_string())?;
    CHANNELS.with_borrow_mut(|channels| channels.insert(key, channel.clone()));
    Ok(channel)
}

/// `fn name(channel, gzip, case)`: the case on one of the clients, which have the same methods and no trait.
macro_rules! answers {
    ($name:ident, $client:path) => {
        pub(crate) async fn $name(channel: Channel, gzip: bool, case: Case) -> Result<Outcome, String> {
            let mut client = <$client>::new(channel);
            if gzip {
                let encoding = CompressionEncoding::Gzip;
                client = client.send_compressed(encoding).accept_compressed(encoding);
            }
            match case.method() {
                "Unary" => {
                    case.unary(async |request| client.unary(request).await, |answer| answer.payload).await
                }
                "IdempotentUnary" => {
                    case.unary(
                        async |request| client.idempotent_unary(request).await,
                        |answer| answer.payload,
                    )
                    .await
                }
                "Unimplemented" => {
                    case.unary(async |request| client.unimplemented(request).await, |_| None).await
                }
                "ServerStream" => {
                    case.server_stream(
                        async |request| client.server_stream(request).await,
                        |answer| answer.payload,
                    )
                    .await
                }
                "ClientStream" => {
                    case.client_stream(
                        async |request| client.client_stream(request).await,
                        |answer| answer.payload,
                    )
                    .await
                }
                "BidiStream" => {
                    case.bidi_stream(
                        async |request| client.bidi_stream(request).await,
                        |answer| answer.payload,
                    )
                    .await
                }
                other => Err(format!("this client knows no method {other}")),
            }
        }
    };
}

answers!(answer_in_proto, crate::proto::conformance_service_client::ConformanceServiceClient<Channel>);
answers!(answer_in_json, json::conformance_service_client::ConformanceServiceClient<Channel>);
