//! One word per task, for people and CI alike: `cargo xtask help`.
#![forbid(unsafe_code)]

mod apt;
mod cache;
mod exec;
mod guard;
mod package;
mod toolchain;
mod tools;

use std::env;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use exec::{Error, Result};

const HELP: &str = "\
cargo xtask <word>

  build    the crate to wasm, and the npm package into pkg-config/dist
  help     this page
";

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    match task(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

fn task(args: &[String]) -> Result<()> {
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] | ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            Ok(())
        }
        ["build"] => package::build(),
        _ => Err(Error::failed(format!("unknown task `{}`; `cargo xtask help` lists them", words.join(" ")))),
    }
}

/// The repository's folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(PathBuf::new, Path::to_owned)
}

/// One line of what is being done.
pub(crate) fn say(what: impl Display) {
    println!("xtask: {what}");
}
