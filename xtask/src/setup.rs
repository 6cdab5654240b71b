//! `cargo xtask setup`: everything that building and testing need, each step once, in the order of need.

use crate::exec::{Error, Result};
use crate::{conformance, machine, peers, say, toolchain, tools};

/// Says what it found.
type Step = fn() -> Result<String>;

pub(crate) fn run() -> Result<()> {
    let steps: [(&str, Step); 10] = [
        ("wasm compiler", || toolchain::wasm()?.version()),
        ("wasm-bindgen", || shown(tools::wasm_bindgen())),
        ("wasm-pack", || shown(tools::wasm_pack())),
        ("npm packages", || {
            tools::npm("pkg-config").and_then(|()| tools::npm("tests/js")).map(|()| "ready".into())
        }),
        ("Chromium", || shown(machine::chromium())),
        ("chromedriver", || shown(machine::chromedriver())),
        ("Firefox", || shown(machine::firefox())),
        ("valgrind", || shown(machine::valgrind())),
        ("conformance suite", || shown(conformance::setup())),
        ("peers", built_peers),
    ];
    let mut failed = Vec::new();
    for (name, step) in steps {
        match step() {
            Ok(found) => say(format_args!("{name}: {found}")),
            Err(Error::Missing(why)) if !crate::in_ci() => say(format_args!("{name}: left out: {why}")),
            Err(error) => {
                say(format_args!("{name}: {error}"));
                failed.push(name);
            }
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(Error::failed(format!("not set up: {}", failed.join(", ")))) }
}

fn built_peers() -> Result<String> {
    peers::build_all().map(|count| format!("{count} built"))
}

fn shown(path: Result<std::path::PathBuf>) -> Result<String> {
    path.map(|path| path.display().to_string())
}
