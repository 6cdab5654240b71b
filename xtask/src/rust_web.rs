//! `cargo xtask test rust`: the crate as Rust applications use it, on clients that tonic's generator wrote
//! (`tests/rust-web/`), in browsers, workers and Node; an application in a framework (`examples/yew-chat/`); what an
//! application takes; and the table of where the predecessor fails, which is written from the cases.

use std::fs;
use std::path::{Path, PathBuf};

use crate::exec::{Error, Result, Run, doing};
use crate::report::Count;
use crate::toolchain::{self, TARGET};
use crate::{bench, conformance, package, peers, rings, servers, tools};

const CASES: &str = "tests/rust-web";
const CHAT: &str = "examples/yew-chat";

/// The features of `tests/rust-web/size`.
const APPLICATIONS: &[&str] =
    &["grpc-websockets", "fetch-and-grpc-websockets", "fetch-and-tidewire-v1", "all", "predecessor"];

/// The second server of the cases, besides the demo's own.
const GRPC_GO: &str = "grpc-go";

/// Runs the cases in Chromium and writes the table of docs/migrating-from-tonic-web-wasm-client.md.
pub(crate) fn write() -> Result<()> {
    let count = ring("chromium")?;
    match count.failed {
        0 => document("--write"),
        failed => Err(Error::failed(format!("nothing is written from a run with {failed} failures"))),
    }
}

/// Whether that table says what the last run found.
pub(crate) fn table() -> Result<Count> {
    if !results()?.exists() {
        return Err(Error::missing("the cases have not run in Chromium, or not all of them"));
    }
    document("--check").map(|()| Count::check())
}

/// Formatting and clippy of what is no member of the workspace.
pub(crate) fn check() -> Result<Count> {
    let mut count = Count::default();
    for (folder, package) in [
        (CASES, "rust-web"),
        (CHAT, "yew-chat"),
        (conformance::RUST, "conformance-rust"),
        (bench::RUST, "bench-rust"),
    ] {
        Run::new("cargo").words("fmt --all --check").dir(crate::root().join(folder)).shown()?;
        let mut clippy = toolchain::wasm()?.cargo().words("clippy --locked --package").arg(package);
        if folder == conformance::RUST {
            clippy = conformance::with_messages(clippy)?;
        }
        let clippy = clippy.arg("--target").arg(TARGET).words("-- -D warnings");
        clippy.dir(crate::root().join(folder)).shown()?;
        count = count.plus(1, 0);
    }
    Ok(count)
}

/// All cases in one runtime.
pub(crate) fn ring(target: &str) -> Result<Count> {
    let browser = rings::browser(target)?;
    let module = build(CASES, "rust-web", "debug/rust_web", &crate::root().join("target/rust-web"), Ok)?;
    let chat = crate::root().join(CHAT);
    build(CHAT, "yew-chat", "debug/yew-chat", &chat.join("dist"), Ok)?;
    package::build()?;
    tools::npm("tests/js")?;
    servers::build_demo()?;
    let peers = peers::start(&[peers::named(GRPC_GO)?])?;
    let demo = servers::test_demo_with(peers, &[("/rust", module.clone()), ("/chat", chat)])?;

    let run = demo.script("rust/run.mjs", target).arg("--module").arg(&module);
    let run = run.envs(browser);
    if target != "chromium" {
        return rings::counted(run, rings::js_count);
    }
    // Whatever ends this run early, the table is not to be judged by an older one.
    let results = results()?;
    let _ = fs::remove_file(&results);
    rings::counted(run.arg("--results").arg(&results), rings::js_count)
}

/// A package of a workspace of its own as a module for the web, with its glue, into `folder`. `artifact` is where cargo
/// puts it, `with` what its build wants besides.
pub(crate) fn build(
    workspace: &str,
    package: &str,
    artifact: &str,
    folder: &Path,
    with: fn(Run) -> Result<Run>,
) -> Result<PathBuf> {
    let (wasm, bindgen) = (toolchain::wasm()?, tools::wasm_bindgen()?);
    let cargo = wasm.cargo().words("build --locked --package").arg(package).arg("--target").arg(TARGET);
    with(cargo)?.limit_secs(1200).dir(crate::root().join(workspace)).shown()?;
    let module = wasm_target().join(format!("{artifact}.wasm"));
    glue(&bindgen, &module, folder, "web")?;
    Ok(folder.to_owned())
}

fn glue(bindgen: &Path, module: &Path, folder: &Path, target: &str) -> Result<()> {
    let run = Run::new(bindgen.join("wasm-bindgen")).arg(module).arg("--out-dir").arg(folder);
    run.words("--no-typescript --target").arg(target).quiet().map(|_| ())
}

fn wasm_target() -> PathBuf {
    crate::root().join("target/wasm").join(TARGET)
}

fn document(mode: &str) -> Result<()> {
    let run = Run::new("node").words("rust/document.mjs").arg(mode).arg(results()?);
    run.dir(crate::root().join("tests/js")).shown().map(|_| ())
}

fn results() -> Result<PathBuf> {
    let folder = crate::target_folder().join("interop");
    doing("cannot make target/interop", fs::create_dir_all(&folder))?;
    Ok(folder.join("rust.json"))
}

/// What an application takes, built as docs/small-apps.md says: `--write` it beside others and the same on the predecessor,
/// or `--check` those with a budget.
pub(crate) fn size(mode: &str) -> Result<()> {
    tools::npm("pkg-config")?;
    let (wasm, bindgen) = (toolchain::wasm()?, tools::wasm_bindgen()?);
    let mut run = Run::new("node").arg("measure.mjs").arg(mode).env("RUSTC_VERSION", wasm.version()?);
    let target = crate::root().join("target/wasm-ship");
    let budgets = crate::root().join(CASES).join("size/size.json");
    let budgets = doing("cannot read the budgets", fs::read_to_string(budgets))?;
    let is_wanted = |feature: &str| mode != "--check" || budgets.contains(&format!("\"{feature}\":"));
    for feature in APPLICATIONS.iter().filter(|feature| is_wanted(feature)) {
        let cargo = wasm.ship("build", &target).words("--locked --package rust-size --features").arg(feature);
        let flags = format!("{} -Zfmt-debug=none -Cllvm-args=-enable-load-pre=false", toolchain::SMALL);
        cargo.env("RUSTFLAGS", flags).dir(crate::root().join(CASES)).shown()?;
        let module = target.join(TARGET).join("release/rust_size.wasm");
        let folder = crate::root().join("target/rust-size").join(feature);
        glue(&bindgen, &module, &folder.join("glue"), "bundler")?;
        let shrink = Run::new("node").arg(crate::root().join("pkg-config/scripts/shrink-app.mjs"));
        let out = folder.join("small");
        shrink.arg(folder.join("glue")).arg("rust_size").arg(&out).shown()?;
        run = run.arg(format!("{feature}={}", out.display()));
    }
    run.dir(crate::root().join(CASES).join("size")).shown().map(|_| ())
}
