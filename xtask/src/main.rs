//! One word per task, for people and CI alike: `cargo xtask help`.
#![forbid(unsafe_code)]

mod apt;
mod bench;
mod cache;
mod conformance;
mod demo;
mod exec;
mod guard;
mod interop;
mod machine;
mod package;
mod peers;
mod report;
mod rings;
mod rust_web;
mod servers;
mod setup;
mod size;
mod toolchain;
mod tools;

use std::env;
use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use exec::{Error, Result, doing};

const HELP: &str = "\
cargo xtask <word>

  demo [--listen ADDRESS] [--upstream URL]
                  build everything, start the greeters, the gateway and the page, print the URL
  test            set up and run every ring; says at the end what ran and what was left out
  test <ring>     one ring or a few: check, native, package, size, peer, wasm,
                  js [node | chromium | firefox | workerd | entries],
                  rust [check | node | chromium | firefox | table | size],
                  interop [node | chromium | native | table], conformance,
                  bench [smoke | instructions]
  interop [node | chromium] [peer…] [--only TEXT]
                  the table of calls against other servers and proxies, or the part of it that is named; the whole
                  writes docs/interop.md
  conformance [set] [runtime] [--runs N]
                  the connectrpc conformance suite: all of it, or browser, gateway, node, fetch, text, beyond,
                  beyond-gateway, or one of these with rust- before it; writes docs/conformance.md
  rust            the cases of Rust clients in Chromium; writes docs/migrating-from-tonic-web-wasm-client.md
  bench [case…] [chromium | node]
                  Tidewire beside its peers: all of it, which writes docs/benchmarks.md, or what is named
  bench host [case]
                  codec and call on the host, timed by criterion
  bench instructions [--write]
                  the same in instructions, counted by valgrind; --write holds the tests to them
  bench network [network…]
                  Chromium far from its server, with delay and loss; writes docs/benchmarks-network.md (Linux, root)
  build           the crate to wasm, and the npm package into pkg-config/dist
  size            measure what a browser loads, write SIZE.md, fail above the budget
  size rust       the same of a Rust application, into tests/rust-web/size/README.md
  setup           only fetch and build what the other words need
  clean-cache     remove what setup keeps
  help            this page

Every word sets up what it needs, each thing once: a Rust compiler for wasm32 (the toolchain's own target, rustup's,
or Debian's compiler with a standard library built from source), wasm-bindgen and wasm-pack by cargo install, npm
packages by npm ci, browsers and valgrind by apt where it may install them, other servers by go build, Maven, npm, pip
and cargo. It is kept in $TIDEWIRE_CACHE, else $XDG_CACHE_HOME/tidewire, else ~/.cache/tidewire.

Set CHROME, CHROMEDRIVER, FIREFOX or VALGRIND to use one that is not on PATH. What a machine lacks (a browser, Go) is
left out of `test` by name; under CI=true it fails instead.
";

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    match task(&args) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

fn task(args: &[String]) -> Result<ExitCode> {
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["test", words @ ..] => return report::test(words),
        [] | ["help" | "--help" | "-h"] => print!("{HELP}"),
        ["setup"] => setup::run()?,
        ["build"] => package::build()?,
        ["size"] => size::write()?,
        ["size", "rust"] => rust_web::size("--write")?,
        ["rust"] => rust_web::write()?,
        ["interop", words @ ..] => return interop::run(words),
        ["conformance", words @ ..] => conformance::run(words)?,
        ["bench", "host", words @ ..] => bench::host(words)?,
        ["bench", "instructions", words @ ..] => bench::show_instructions(words)?,
        ["bench", "network", words @ ..] => bench::network(words)?,
        ["bench", words @ ..] => bench::run(words)?,
        ["demo", ..] => demo::run(&args[1..])?,
        ["clean-cache"] => clean_cache()?,
        _ => {
            let words = words.join(" ");
            return Err(Error::failed(format!("unknown task `{words}`; `cargo xtask help` lists them")));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn clean_cache() -> Result<()> {
    for name in ["toolchains", "tools", "peers"] {
        let folder = cache::folder()?.join(name);
        if folder.exists() {
            say(format_args!("removing {}", folder.display()));
            doing(format_args!("cannot remove {}", folder.display()), fs::remove_dir_all(&folder))?;
        }
    }
    Ok(())
}

/// Under CI nothing may be left out.
pub(crate) fn in_ci() -> bool {
    env::var("CI").is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"))
}

/// The repository's folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(PathBuf::new, Path::to_owned)
}

/// Where cargo puts native builds.
pub(crate) fn target_folder() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |folder| root().join(folder))
}

/// One line of what is being done.
pub(crate) fn say(what: impl Display) {
    println!("xtask: {what}");
}
