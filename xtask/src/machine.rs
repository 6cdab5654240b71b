//! What the tests need of the machine and no package registry of ours carries: browsers, and Go for the dubbo-go
//! peer. Found by environment or on PATH; else installed where apt may; else named as missing.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::exec::{Error, Result, Run, doing};
use crate::{apt, cache, say};

const PEER: &str = "tests/peers/dubbo-go";

pub(crate) fn chromium() -> Result<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    program("Chromium", "CHROME", &names, "chromium")
}

pub(crate) fn chromedriver() -> Result<PathBuf> {
    program("chromedriver", "CHROMEDRIVER", &["chromedriver"], "chromium-driver")
}

pub(crate) fn firefox() -> Result<PathBuf> {
    program("Firefox", "FIREFOX", &["firefox-esr", "firefox"], "firefox-esr")
}

/// The folder of the dubbo-go peer's sources.
pub(crate) fn peer_folder() -> PathBuf {
    crate::root().join(PEER)
}

/// The go command: the machine's own, if it is new enough for the peer's go.mod.
pub(crate) fn go() -> Result<Run> {
    let module =
        doing(format_args!("cannot read {PEER}/go.mod"), fs::read_to_string(peer_folder().join("go.mod")))?;
    let needed = module.lines().find_map(|line| line.strip_prefix("go ")).unwrap_or_default();
    // Never a toolchain download: on a closed network it would hang.
    let go = Run::new("go").env("GOTOOLCHAIN", "local").dir(peer_folder());
    let found = go.clone().words("env GOVERSION").quiet()?;
    let found = found.trim().trim_start_matches("go");
    if release(found) < release(needed) {
        return Err(Error::missing(format!(
            "the dubbo-go peer needs Go {needed} or newer; this is Go {found}"
        )));
    }
    Ok(go)
}

/// The dubbo-go peer, built once per state of its sources.
pub(crate) fn peer() -> Result<PathBuf> {
    let go = go()?;
    let peers = cache::folder()?.join("peers");
    doing("cannot make the folder for peers", fs::create_dir_all(&peers))?;
    let _lock = cache::lock(&peers.join("lock"))?;
    let binary = peers.join(format!("dubbo-go-{}", cache::hash(&[peer_folder()])?));
    if !binary.exists() {
        say(format_args!("go build in {PEER} (a few minutes the first time, then once per change)"));
        let unfinished = binary.with_extension("unfinished");
        go.words("build -o").arg(&unfinished).arg(".").limit_secs(1200).quiet()?;
        doing("cannot put the dubbo-go peer in place", fs::rename(&unfinished, &binary))?;
    }
    Ok(binary)
}

fn program(what: &str, variable: &str, names: &[&str], package: &str) -> Result<PathBuf> {
    if let Some(path) = env::var_os(variable).map(PathBuf::from) {
        let lacking = || Error::missing(format!("{variable} names {}, which is not there", path.display()));
        return path.exists().then_some(path.clone()).ok_or_else(lacking);
    }
    if let Some(path) = on_path(names) {
        return Ok(path);
    }
    apt::install(what, &[package])?;
    on_path(names)
        .ok_or_else(|| Error::missing(format!("{what} is not on PATH; set {variable} to where it is")))
}

fn on_path(names: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let folders: Vec<PathBuf> = env::split_paths(&path).collect();
    let places = |name| folders.iter().map(move |folder: &PathBuf| folder.join(Path::new(name)));
    names.iter().flat_map(places).find(|path| path.is_file())
}

/// `1.25.3` as numbers that compare; a part that is no number ends it (`1.26rc1` is 1.26).
fn release(version: &str) -> Vec<u32> {
    let numbers = version.split('.').map(|part| {
        let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    });
    numbers.map_while(|number| number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_releases_compare_by_number() {
        assert!(release("1.26.8") >= release("1.25"));
        assert!(release("1.25rc1") >= release("1.25"));
        assert!(release("1.9.7") < release("1.25.0"));
        assert!(release("") < release("1.25"), "an unknown version is too old");
    }
}
