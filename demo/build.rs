//! Writes the tonic stubs of `proto/greet.proto` from a description in Rust: no protoc needed.

use tonic_build::manual::{Builder, Method, Service};

fn main() {
    let greeter = Service::builder()
        .name("GreetService")
        .package("greet")
        .comment("`greet.GreetService` of `proto/greet.proto`.")
        .method(method("greet", "Greet").build())
        .method(method("greet_stream", "GreetStream").client_streaming().server_streaming().build())
        .method(method("greet_client_stream", "GreetClientStream").client_streaming().build())
        .method(method("greet_server_stream", "GreetServerStream").server_streaming().build())
        .build();
    Builder::new().compile(&[greeter]);
    println!("cargo::rerun-if-changed=build.rs");
}

fn method(name: &str, route: &str) -> tonic_build::manual::MethodBuilder {
    Method::builder()
        .name(name)
        .route_name(route)
        .input_type("crate::proto::GreetRequest")
        .output_type("crate::proto::GreetResponse")
        .codec_path("tonic_prost::ProstCodec")
}
