//! What the tests need of the machine and no package registry of ours carries: browsers, valgrind, and Go for
//! some peers. Found by environment or on PATH; else installed where apt may; else named as missing.

use std::env;
use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};

use crate::apt;
use crate::exec::{Error, Result, Run, doing};

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

pub(crate) fn valgrind() -> Result<PathBuf> {
    program("valgrind", "VALGRIND", &["valgrind"], "valgrind")
}

/// The go command in `folder`: the machine's own, if it is new enough for that module file.
pub(crate) fn go(folder: &Path, module: &str) -> Result<Run> {
    let module = folder.join(module);
    let text = doing(format_args!("cannot read {}", module.display()), fs::read_to_string(&module))?;
    let needed = text.lines().find_map(|line| line.strip_prefix("go ")).unwrap_or_default();
    go_release(folder, needed, &module.display())
}

/// The go command in `folder`, if it is as new as `what` needs.
pub(crate) fn go_release(folder: &Path, needed: &str, what: &dyn Display) -> Result<Run> {
    // Never a toolchain download: on a closed network it would hang.
    let go = Run::new("go").env("GOTOOLCHAIN", "local").dir(folder);
    let found = go.clone().words("env GOVERSION").quiet()?;
    let found = found.trim().trim_start_matches("go");
    if release(found) < release(needed) {
        return Err(Error::missing(format!("{what} needs Go {needed} or newer; this is Go {found}")));
    }
    Ok(go)
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
