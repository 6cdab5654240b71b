use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let protos = "../../../demo/proto";
    let files = protox::compile(["greet.proto"], [protos])?;
    tonic_prost_build::configure().build_transport(false).build_server(false).compile_fds(files)?;
    println!("cargo::rerun-if-changed={protos}/greet.proto");
    Ok(())
}
