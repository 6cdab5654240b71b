//! A Rust toolchain that compiles for wasm32-unknown-unknown, on any machine: the machine's own when it has the
//! target or rustup can add it; else Debian's, whose standard library we build once into the cache. Native code
//! always uses the machine's own toolchain; wasm builds have their own target folder because the two compilers
//! may differ.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::exec::{Error, Result, Run, doing};
use crate::{apt, cache, say};

pub(crate) const TARGET: &str = "wasm32-unknown-unknown";
/// Flags that are not stable yet, of what is to be small: panics abort without a word, rustc inlines before LLVM does.
pub(crate) const SMALL: &str =
    "-Zunstable-options -Cpanic=immediate-abort -Zlocation-detail=none -Zinline-mir";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_PACKAGES: &[&str] = &["rustc-web", "cargo-web", "rust-web-src", "rust-web-clippy"];

/// How to call cargo for wasm.
#[derive(Debug, Clone)]
pub(crate) struct Wasm {
    /// Of Debian's toolchain with our standard library: what stands in front of PATH, and the linker's name.
    debian: Option<(PathBuf, String)>,
}

impl Wasm {
    /// A command that sees this toolchain, and the given folders in front of PATH.
    pub(crate) fn command(&self, program: &str, tools: &[PathBuf]) -> Run {
        let mut folders = tools.to_vec();
        folders.extend(self.debian.as_ref().map(|(root, _)| root.join("bin")));
        let run =
            Run::new(find_in(&folders, program)).env("CARGO_TARGET_DIR", crate::root().join("target/wasm"));
        let run = run.env("PATH", path_with(&folders));
        let Some((root, linker)) = &self.debian else { return run };
        without_own_toolchain(run)
            .env("RUSTC", root.join("bin/rustc"))
            .env("SYSROOT", root)
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker)
    }

    pub(crate) fn cargo(&self) -> Run {
        self.command("cargo", &[])
    }

    /// `cargo build` or `cargo rustc` of what is shipped: with the standard library from its source, for size, and with
    /// panics that abort without a word. That is a fifth less to download (docs/sizes.md), and takes flags that are not
    /// stable yet.
    pub(crate) fn ship(&self, word: &str, target: &Path) -> Run {
        let cargo =
            self.debian.as_ref().map_or_else(|| Run::new("cargo"), |(_, linker)| debian_cargo(linker));
        cargo
            .arg(word)
            .env("CARGO_TARGET_DIR", target)
            .env("RUSTC_BOOTSTRAP", "1")
            .env("RUSTFLAGS", SMALL)
            .words("--release -Zbuild-std=std,panic_abort -Zbuild-std-features=optimize_for_size")
            .arg("--target")
            .arg(TARGET)
    }

    /// One line for people: which compiler.
    pub(crate) fn version(&self) -> Result<String> {
        Ok(self.command("rustc", &[]).arg("--version").quiet()?.trim().to_owned())
    }
}

/// Finds or makes the toolchain: the first that serves, cheapest first.
pub(crate) fn wasm() -> Result<Wasm> {
    if own_serves()? {
        return Ok(Wasm { debian: None });
    }
    let _lock = cache::lock(&cache::folder()?.join("toolchain.lock"))?;
    if let Some(ready) = debian_ready()? {
        return Ok(ready);
    }
    let rustup = add_with_rustup();
    if rustup.is_ok() && own_serves()? {
        return Ok(Wasm { debian: None });
    }
    let debian = install_debian().and_then(|()| build_debian());
    debian.map_err(|debian| {
        let rustup = rustup.err().map_or_else(|| "it did not add it".to_owned(), |error| error.to_string());
        Error::missing(format!(
            "no Rust toolchain here compiles for {TARGET}: `rustup target add {TARGET}` and \
             `rustup component add rust-src` are the usual cure.\n  \
             rustup: {rustup}\n  Debian's toolchain: {debian}"
        ))
    })
}

/// The target to test with, and the library's source to ship with.
fn own_serves() -> Result<bool> {
    let sysroot = Run::new("rustc").words("--print sysroot").quiet()?;
    let library = Path::new(sysroot.trim()).join("lib/rustlib");
    Ok(library.join(TARGET).join("lib").is_dir() && library.join("src/rust/library").is_dir())
}

fn add_with_rustup() -> Result<String> {
    say(format_args!("rustup target add {TARGET}, rustup component add rust-src (20 s at most each)"));
    Run::new("rustup").words("target add").arg(TARGET).limit_secs(20).quiet()?;
    Run::new("rustup").words("component add rust-src").limit_secs(20).quiet()
}

fn debian_ready() -> Result<Option<Wasm>> {
    if !Path::new(DEBIAN_RUSTC).exists() {
        return Ok(None);
    }
    let Ok(version) = Version::of(DEBIAN_RUSTC) else { return Ok(None) };
    let root = version.folder()?;
    Ok(root.is_dir().then(|| Wasm { debian: Some((root, version.linker())) }))
}

fn install_debian() -> Result<()> {
    apt::install("Debian's Rust toolchain for browsers", DEBIAN_PACKAGES)?;
    let version = Version::of(DEBIAN_RUSTC)?;
    apt::install("the linker of the same LLVM", &[&format!("lld-{}", version.llvm)])
}

/// Builds the standard library from an empty crate and lays it out as a toolchain of its own in the cache:
/// the system's folders stay as they are.
fn build_debian() -> Result<Wasm> {
    let version = Version::of(DEBIAN_RUSTC)?;
    let root = version.folder()?;
    say(format_args!(
        "building the standard library for {TARGET} with {} (about a minute, once)",
        version.name
    ));
    let work = root.with_extension("unfinished");
    let _ = fs::remove_dir_all(&work);
    let libraries = build_std(&work.join("std"), &version)?;
    lay_out(&work, &version, &libraries, &root)?;
    let _ = fs::remove_dir_all(work.join("std"));
    doing(format_args!("cannot move the toolchain to {}", root.display()), fs::rename(&work, &root))?;
    Ok(Wasm { debian: Some((root, version.linker())) })
}

/// Gives back the folder with the libraries.
fn build_std(folder: &Path, version: &Version) -> Result<PathBuf> {
    // fat LTO of the final module reads bitcode, which cargo leaves out of a release build without LTO.
    let manifest = "[package]\nname = \"empty\"\nedition = \"2024\"\n[workspace]\n";
    write(&folder.join("Cargo.toml"), manifest)?;
    write(&folder.join("src/lib.rs"), "")?;
    debian_cargo(&version.linker())
        .words("build --release -Zbuild-std=std,panic_abort,proc_macro,test --target")
        .arg(TARGET)
        .dir(folder)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", "-Cembed-bitcode=yes")
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .quiet()?;
    Ok(folder.join("target").join(TARGET).join("release/deps"))
}

/// Debian's cargo and compiler as they are, for builds that bring their own standard library.
fn debian_cargo(linker: &str) -> Run {
    without_own_toolchain(Run::new("/usr/bin/cargo"))
        .env("RUSTC", DEBIAN_RUSTC)
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker)
}

/// What `cargo run` set for us belongs to the machine's own toolchain.
fn without_own_toolchain(run: Run) -> Run {
    ["CARGO", "RUSTUP_TOOLCHAIN", "LD_LIBRARY_PATH"].iter().fold(run, Run::env_remove)
}

/// `bin/rustc` names the sysroot to whoever calls it (cargo, clippy, wasm-pack); the compiler stays Debian's.
fn lay_out(work: &Path, version: &Version, libraries: &Path, root: &Path) -> Result<()> {
    let target = work.join("lib/rustlib").join(TARGET).join("lib");
    doing("cannot lay out the toolchain", fs::create_dir_all(&target))?;
    for entry in doing("cannot list the standard library", fs::read_dir(libraries))?.flatten() {
        let name = entry.file_name();
        let text = name.to_string_lossy();
        if text.ends_with(".rlib") && !text.starts_with("libempty-") {
            doing("cannot copy the standard library", fs::copy(entry.path(), target.join(name)))?;
        }
    }
    let host = Path::new("/usr/lib/rustlib").join(&version.host);
    let link = work.join("lib/rustlib").join(&version.host);
    doing("cannot link the host's library", std::os::unix::fs::symlink(host, link))?;
    script(&work.join("bin/rustc"), &format!("exec {DEBIAN_RUSTC} --sysroot '{}' \"$@\"", root.display()))?;
    for tool in ["cargo", "cargo-clippy", "clippy-driver"] {
        script(&work.join("bin").join(tool), &format!("exec /usr/bin/{tool} \"$@\""))?;
    }
    Ok(())
}

fn script(path: &Path, line: &str) -> Result<()> {
    write(path, &format!("#!/bin/sh\n{line}\n"))?;
    let executable = fs::Permissions::from_mode(0o755);
    doing(format_args!("cannot make {} executable", path.display()), fs::set_permissions(path, executable))
}

fn write(path: &Path, text: &str) -> Result<()> {
    let made = path.parent().map_or(Ok(()), fs::create_dir_all);
    doing(format_args!("cannot write {}", path.display()), made.and_then(|()| fs::write(path, text)))
}

fn path_with(folders: &[PathBuf]) -> OsString {
    let path = env::var_os("PATH").unwrap_or_default();
    let all = folders.iter().cloned().chain(env::split_paths(&path));
    env::join_paths(all).unwrap_or(path)
}

fn find_in(folders: &[PathBuf], program: &str) -> OsString {
    let found = folders.iter().map(|folder| folder.join(program)).find(|path| path.exists());
    found.map_or_else(|| program.into(), PathBuf::into_os_string)
}

/// What `rustc -vV` says.
#[derive(Debug, PartialEq)]
struct Version {
    name: String,
    host: String,
    llvm: String,
}

impl Version {
    fn of(rustc: &str) -> Result<Self> {
        let text = Run::new(rustc).arg("-vV").env_remove("LD_LIBRARY_PATH").quiet()?;
        Self::parse(&text).ok_or_else(|| Error::failed(format!("`{rustc} -vV` gave no version, but: {text}")))
    }

    fn parse(text: &str) -> Option<Self> {
        let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
        let llvm = value("LLVM version:")?.split('.').next()?.to_owned();
        Some(Self { name: format!("rustc-{}", value("release:")?), host: value("host:")?.to_owned(), llvm })
    }

    fn folder(&self) -> Result<PathBuf> {
        let toolchains = cache::folder()?.join("toolchains");
        doing("cannot make the toolchain folder", fs::create_dir_all(&toolchains))?;
        Ok(toolchains.join(format!("{}-wasm", self.name)))
    }

    fn linker(&self) -> String {
        format!("wasm-ld-{}", self.llvm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_names_the_linker() {
        let version = "rustc 1.96.0 (built from a source tarball)\nbinary: rustc\nhost: x86_64-unknown-linux-gnu\n\
                       release: 1.96.0\nLLVM version: 22.1.8\n";
        let version = Version::parse(version).unwrap();
        assert_eq!(version.linker(), "wasm-ld-22");
        assert_eq!(version.name, "rustc-1.96.0");
        assert_eq!(version.host, "x86_64-unknown-linux-gnu");
        assert_eq!(Version::parse("rustc 1.96.0"), None);
    }
}
