//! `cargo xtask bench`: Tidewire beside its peers, in Chromium and in Node, against one server.

use std::path::{Path, PathBuf};

use crate::exec::{Result, Run};
use crate::report::Count;
use crate::{machine, package, rings, rust_web, tools};

/// The clients in Rust.
pub(crate) const RUST: &str = "benches/rust";

/// By the one option that any application would give, and what every browser can run.
const OPTIMISED: &str = "-O3 --enable-bulk-memory --enable-multivalue --enable-mutable-globals \
                         --enable-nontrapping-float-to-int --enable-reference-types --enable-sign-ext";

/// All of it, which writes `docs/benchmarks.md`, or the cases and runtimes that are named.
pub(crate) fn run(words: &[&str]) -> Result<()> {
    // As people run the gateway: a debug build would be what is measured.
    Run::new("cargo")
        .words("build --package tidewire-bench --package tidewire-gateway --bins --profile gateway")
        .shown()?;
    let rust = rust()?;
    let script = words.iter().fold(script("gateway", &rust)?, Run::arg);
    let script = if words.is_empty() { script.arg("--write") } else { script };
    script.env("CHROME", machine::chromium()?).shown().map(|_| ())
}

/// Each case once, and tiny, in Node: it measures nothing, and proves that the harness runs.
pub(crate) fn smoke() -> Result<Count> {
    Run::new("cargo").words("build --package tidewire-bench --package tidewire-gateway --bins").shown()?;
    let rust = rust_web::build(RUST, "bench-rust", "debug/bench_rust", &folder("rust-debug"), Ok)?;
    rings::counted(
        script("debug", &rust)?.words("--smoke node stream-100B unary flood gateway").limit_secs(900),
        rings::js_count,
    )
}

/// As an application that is to be fast.
fn rust() -> Result<PathBuf> {
    let folder = folder("rust");
    tools::npm("pkg-config")?;
    rust_web::build(RUST, "bench-rust", "release/bench_rust", &folder, |cargo| Ok(cargo.arg("--release")))?;
    let module = folder.join("bench_rust_bg.wasm");
    let optimise = Run::new(crate::root().join("pkg-config/node_modules/.bin/wasm-opt")).words(OPTIMISED);
    optimise.arg(&module).arg("-o").arg(&module).quiet()?;
    Ok(folder)
}

fn script(profile: &str, rust: &Path) -> Result<Run> {
    package::build()?;
    tools::npm("benches")?;
    let server = crate::target_folder().join(profile).join("tidewire-bench");
    let run = Run::new("node").arg("run.mjs").arg("--server").arg(server);
    let run = run.arg("--out").arg(crate::target_folder().join("bench")).arg("--rust").arg(rust);
    Ok(run.dir(crate::root().join("benches")))
}

fn folder(name: &str) -> PathBuf {
    crate::target_folder().join("bench").join(name)
}
