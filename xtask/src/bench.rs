//! `cargo xtask bench`: Tidewire beside its peers, in Chromium and in Node, against one server.

use crate::exec::{Result, Run};
use crate::report::Count;
use crate::{machine, package, rings, tools};

/// All of it, which writes `docs/benchmarks.md`, or the cases and runtimes that are named.
pub(crate) fn run(words: &[&str]) -> Result<()> {
    // As people run the gateway: a debug build would be what is measured.
    Run::new("cargo")
        .words("build --package tidewire-bench --package tidewire-gateway --bins --profile gateway")
        .shown()?;
    let script = words.iter().fold(script("gateway")?, Run::arg);
    let script = if words.is_empty() { script.arg("--write") } else { script };
    script.env("CHROME", machine::chromium()?).shown().map(|_| ())
}

/// Each case once, and tiny, in Node: it measures nothing, and proves that the harness runs.
pub(crate) fn smoke() -> Result<Count> {
    Run::new("cargo").words("build --package tidewire-bench --package tidewire-gateway --bins").shown()?;
    rings::counted(
        script("debug")?.words("--smoke node stream-100B unary flood gateway").limit_secs(900),
        rings::js_count,
    )
}

fn script(profile: &str) -> Result<Run> {
    package::build()?;
    tools::npm("benches")?;
    let server = crate::target_folder().join(profile).join("tidewire-bench");
    let run = Run::new("node").arg("run.mjs").arg("--server").arg(server);
    Ok(run.arg("--out").arg(crate::target_folder().join("bench")).dir(crate::root().join("benches")))
}
