//! Generates the client. `protox` stands for protoc, which need not be installed then.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let protos = "../../demo/proto";
    let files = protox::compile(["greet.proto"], [protos])?;
    // No transport of tonic's own: those are for native programs.
    tonic_prost_build::configure().build_transport(false).build_server(false).compile_fds(files)?;
    println!("cargo::rerun-if-changed={protos}/greet.proto");
    Ok(())
}
