//! The messages of `proto/greet.proto` and the part of `google.rpc.Status` that a failure carries.

/// What is asked.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct GreetRequest {
    /// Who wants to be greeted.
    #[prost(string, tag = "1")]
    pub name: String,
}

/// What is answered.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct GreetResponse {
    /// The greeting.
    #[prost(string, tag = "1")]
    pub greeting: String,
}

/// `google.rpc.Status`, as it stands in `grpc-status-details-bin`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct RpcStatus {
    /// The gRPC status code.
    #[prost(int32, tag = "1")]
    pub code: i32,
    /// The message, unescaped.
    #[prost(string, tag = "2")]
    pub message: String,
    /// What else is known about the failure.
    #[prost(message, repeated, tag = "3")]
    pub details: Vec<Any>,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Any {
    /// Which message `value` is.
    #[prost(string, tag = "1")]
    pub type_url: String,
    /// That message, encoded.
    #[prost(bytes = "vec", tag = "2")]
    pub value: Vec<u8>,
}

/// `google.rpc.ErrorInfo` without its map of metadata.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct ErrorInfo {
    /// Why, in capitals.
    #[prost(string, tag = "1")]
    pub reason: String,
    /// Who says so.
    #[prost(string, tag = "2")]
    pub domain: String,
}

mod stubs {
    #![allow(missing_docs, unreachable_pub, unused_qualifications, clippy::all, reason = "generated")]
    tonic::include_proto!("greet.GreetService");
}

pub use stubs::{greet_service_client, greet_service_server};
