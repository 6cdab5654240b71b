//! Debian packages, where apt is there and we are root; else a sentence that says what to type.

use std::path::Path;

use crate::exec::{Error, Result, Run};
use crate::say;

pub(crate) fn install(what: &str, packages: &[&str]) -> Result<()> {
    let lacking: Vec<&str> = packages.iter().copied().filter(|package| !installed(package)).collect();
    if lacking.is_empty() {
        return Ok(());
    }
    let line = format!("apt-get install -y --no-install-recommends {}", lacking.join(" "));
    if !Path::new("/usr/bin/apt-get").exists() {
        return Err(Error::missing(format!("{what} is not here, and this machine has no apt to install it")));
    }
    if !is_root() {
        return Err(Error::missing(format!("{what} is not here; `sudo {line}` installs it")));
    }
    say(format_args!("{line} ({what})"));
    let apt = |words: &str, seconds| {
        Run::new("apt-get").words(words).env("DEBIAN_FRONTEND", "noninteractive").limit_secs(seconds).quiet()
    };
    apt("update -q", 180)
        .and_then(|_| apt(line.trim_start_matches("apt-get "), 900))
        .map(|_| ())
        .map_err(|error| Error::missing(format!("{what} could not be installed: {error}")))
}

fn installed(package: &str) -> bool {
    let status = Run::new("dpkg-query").words("-W -f ${Status}").arg(package).quiet();
    status.is_ok_and(|status| status == "install ok installed")
}

fn is_root() -> bool {
    Run::new("id").arg("-u").quiet().is_ok_and(|id| id.trim() == "0")
}
