//! Tools that cargo and npm install: each version once, into the cache or the package's `node_modules`.

use std::fs;
use std::path::PathBuf;

use crate::exec::{Error, Result, Run, doing};
use crate::{cache, say};

const WASM_PACK: &str = "0.15.1";

/// The folder with `wasm-bindgen` and its test runner, of the very version that Cargo.lock names.
pub(crate) fn wasm_bindgen() -> Result<PathBuf> {
    let lock = doing("cannot read Cargo.lock", fs::read_to_string(crate::root().join("Cargo.lock")))?;
    let version = locked(&lock, "wasm-bindgen").ok_or_else(|| {
        Error::failed("Cargo.lock names no wasm-bindgen: the crate's feature `js` needs it")
    })?;
    cargo_install("wasm-bindgen-cli", version)
}

/// The folder with `wasm-pack`.
pub(crate) fn wasm_pack() -> Result<PathBuf> {
    cargo_install("wasm-pack", WASM_PACK)
}

/// `npm ci` where the lock file is not the one that was installed last.
pub(crate) fn npm(folder: &str) -> Result<()> {
    let folder = crate::root().join(folder);
    let _lock = cache::lock(&cache::folder()?.join("npm.lock"))?;
    let hash = cache::hash(&[folder.join("package-lock.json")])?;
    cache::once(&folder.join("node_modules/.tidewire-stamp"), &hash, || {
        say(format_args!("npm ci in {}", folder.display()));
        // Browser drivers want to download browsers: the tests use those of the machine.
        let npm = Run::new("npm").words("ci --no-audit --no-fund").env("PUPPETEER_SKIP_DOWNLOAD", "1");
        npm.env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1").dir(&folder).limit_secs(600).quiet().map(|_| ())
    })
}

fn cargo_install(name: &str, version: &str) -> Result<PathBuf> {
    let root = cache::folder()?.join("tools").join(format!("{name}-{version}"));
    let bin = root.join("bin");
    let _lock = cache::lock(&cache::folder()?.join("tools.lock"))?;
    if bin.is_dir() {
        return Ok(bin);
    }
    // An unoptimised tool builds several times faster and is quick enough here.
    say(format_args!("cargo install {name} {version} (one to three minutes, once)"));
    let install = |locked: &str| {
        let cargo = Run::new("cargo").words("install --debug").arg(name).arg("--version").arg(version);
        cargo.words(locked).arg("--root").arg(&root).env_remove("CARGO_TARGET_DIR").limit_secs(1800).quiet()
    };
    // A lock file may name a release that a mirrored registry lacks; then the newest that fit will do.
    install("--locked").or_else(|locked| {
        say(format_args!("its lock file cannot be met here; once more without --locked"));
        install("").map_err(|free| Error::failed(format!("{locked}\n{free}")))
    })?;
    Ok(bin)
}

fn locked<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name).skip(1);
    lines.next()?.strip_prefix("version = \"")?.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_the_lock_file() {
        let lock = "[[package]]\nname = \"wasm-bindgen-futures\"\nversion = \"0.4.1\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\n";
        assert_eq!(locked(lock, "wasm-bindgen"), Some("0.2.130"));
        assert_eq!(locked(lock, "wasm"), None);
    }
}
