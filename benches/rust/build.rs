use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let files = protox::compile(["bench.proto"], [".."])?;
    // No copy of a payload that nobody asked for, on either of the two.
    tonic_prost_build::configure()
        .build_transport(false)
        .build_server(false)
        .bytes(".")
        .compile_fds(files)?;
    println!("cargo::rerun-if-changed=../bench.proto");
    Ok(())
}
