//! Generates the client as any user's build script does, and holds the server's stubs, which are checked in so that the
//! demo builds without a generator, to the same text.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

const PROTOS: &str = "../../demo/proto";
const CHECKED_IN: &str = "../../demo/src/generated/grpc.testing.rs";

fn main() -> Result<(), Box<dyn Error>> {
    let out = env::var("OUT_DIR")?;
    let files = protox::compile(["grpc/testing/test.proto"], [PROTOS])?;
    tonic_prost_build::configure()
        .build_transport(false)
        .generate_default_stubs(true)
        .out_dir(&out)
        .compile_fds(files)?;
    println!("cargo::rerun-if-changed={PROTOS}");
    println!("cargo::rerun-if-changed={CHECKED_IN}");

    let generated = Path::new(&out).join("grpc.testing.rs");
    if fs::read(&generated)? != fs::read(CHECKED_IN).unwrap_or_default() {
        let cure = format!("cp {} demo/src/generated/grpc.testing.rs", generated.display());
        return Err(format!("the server's stubs are not what tonic generates now: {cure}").into());
    }
    Ok(())
}
