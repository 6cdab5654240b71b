//! `cargo xtask bench`: Tidewire beside its peers, in Chromium and in Node, against one server; and what codec and call
//! take on the host, in time and in instructions.

use std::path::PathBuf;

use crate::exec::{Error, Result, Run};
use crate::report::Count;
use crate::{machine, package, rings, rust_web, tools};

/// The clients in Rust.
pub(crate) const RUST: &str = "benches/rust";

/// By the one option that any application would give, and what every browser can run.
const OPTIMISED: &str = "-O3 --enable-bulk-memory --enable-multivalue --enable-mutable-globals \
                         --enable-nontrapping-float-to-int --enable-reference-types --enable-sign-ext";

/// All of it, which writes `docs/benchmarks.md`, or the cases and runtimes that are named.
pub(crate) fn run(words: &[&str]) -> Result<()> {
    measured(&script("gateway")?.arg("--rust").arg(rust()?), words)
}

/// Chromium far from its server: all networks, which writes `docs/benchmarks-network.md`, or those that are named.
pub(crate) fn network(words: &[&str]) -> Result<()> {
    measured(&script("gateway")?.arg("--wan").arg(wan()?), words)
}

fn measured(script: &Run, words: &[&str]) -> Result<()> {
    // As people run the gateway: a debug build would be what is measured.
    Run::new("cargo")
        .words("build --package tidewire-bench --package tidewire-gateway --bins --profile gateway")
        .shown()?;
    let script = words.iter().fold(script.clone(), Run::arg);
    let script = if words.is_empty() { script.arg("--write") } else { script };
    script.env("CHROME", machine::chromium()?).shown().map(|_| ())
}

/// Each case once, and tiny, in Node: it measures nothing, and proves that the harness runs.
pub(crate) fn smoke() -> Result<Count> {
    Run::new("cargo").words("build --package tidewire-bench --package tidewire-gateway --bins").shown()?;
    let rust = rust_web::build(RUST, "bench-rust", "debug/bench_rust", &folder("rust-debug"), Ok)?;
    rings::counted(
        script("debug")?
            .arg("--rust")
            .arg(rust)
            .words("--smoke node stream-100B unary flood gateway")
            .limit_secs(900),
        rings::js_count,
    )
}

/// Codec and call on the host, timed: all cases, or those whose names hold the words.
pub(crate) fn host(words: &[&str]) -> Result<()> {
    let cargo = Run::new("cargo").words("bench --profile host --package tidewire-bench-host --");
    words.iter().fold(cargo, Run::arg).shown().map(|_| ())
}

/// Shows the counts, or writes them down.
pub(crate) fn show_instructions(words: &[&str]) -> Result<()> {
    let script = words.iter().fold(instructions_script()?, Run::arg);
    script.shown().map(|_| ())
}

/// Fails where a case takes more instructions than are written down.
pub(crate) fn instructions() -> Result<Count> {
    let script = instructions_script()?.arg(if crate::in_ci() { "--check" } else { "--check-if-alike" });
    let (output, error) = script.shown_anyway()?;
    if let Some(why) = output.lines().find_map(|line| line.strip_prefix("left out: ")) {
        return Err(Error::missing(why));
    }
    let Count { passed, failed, .. } = rings::js_count(&output);
    let why = output.lines().find_map(|line| line.strip_prefix("not ok ")).map(str::to_owned);
    let why = error.map(|error| why.unwrap_or_else(|| error.to_string()));
    Ok(Count { passed, failed: failed.max(usize::from(why.is_some())), why })
}

fn instructions_script() -> Result<Run> {
    let valgrind = machine::valgrind()?;
    Run::new("cargo").words("build --profile host --package tidewire-bench-host --bins").shown()?;
    let run = Run::new("node").arg(crate::root().join("benches/host/instructions.mjs"));
    let run = run.arg(crate::target_folder().join("host/tidewire-bench-host"));
    Ok(run.env("VALGRIND", valgrind).limit_secs(300))
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

/// What stands between two network namespaces.
fn wan() -> Result<PathBuf> {
    let folder = crate::root().join("benches/wan");
    let program = crate::target_folder().join("bench/wan");
    let go = machine::go(&folder, "go.mod")?;
    go.words("build -o").arg(&program).arg(".").quiet()?;
    // It says what it lacks, and leaves nothing behind.
    Run::new(&program).words("-- true").quiet()?;
    Ok(program)
}

fn script(profile: &str) -> Result<Run> {
    package::build()?;
    tools::npm("benches")?;
    let server = crate::target_folder().join(profile).join("tidewire-bench");
    let run = Run::new("node").arg("run.mjs").arg("--server").arg(server);
    let run = run.arg("--out").arg(crate::target_folder().join("bench"));
    Ok(run.dir(crate::root().join("benches")))
}

fn folder(name: &str) -> PathBuf {
    crate::target_folder().join("bench").join(name)
}
