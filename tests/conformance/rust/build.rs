//! Writes the suite's messages and two clients of its service, in protobuf and in JSON, from the descriptors of its own
//! `.proto` files: `CONFORMANCE_MESSAGES` names a serialised `google.protobuf.FileDescriptorSet`.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use prost::Message as _;
use prost_types::FileDescriptorSet;
use tonic_prost_build::Config;

const PACKAGE: &str = ".connectrpc.conformance.v1";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-env-changed=CONFORMANCE_MESSAGES");
    let path = env::var("CONFORMANCE_MESSAGES").map_err(|_| {
        "CONFORMANCE_MESSAGES names no descriptors: `cargo xtask conformance rust-gateway` builds this crate"
    })?;
    println!("cargo::rerun-if-changed={path}");
    let descriptors = FileDescriptorSet::decode(fs::read(&path)?.as_slice())?;

    let client = || tonic_prost_build::configure().build_server(false).build_transport(false);
    let mut names = Config::new();
    names.enable_type_names();
    client().compile_fds_with_config(descriptors.clone(), names)?;

    let json = Path::new(&env::var("OUT_DIR")?).join("json");
    fs::create_dir_all(&json)?;
    let client = client().codec_path("crate::json::JsonCodec").extern_path(PACKAGE, "crate::proto");
    client.out_dir(json).compile_fds(descriptors)?;
    Ok(())
}
