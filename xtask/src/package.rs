//! `cargo xtask build`: the crate to wasm, and the npm package around it into `pkg-config/dist`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Instant;

use crate::exec::{Result, Run, doing};
use crate::toolchain::{self, TARGET};
use crate::{cache, say, tools};

/// Builds once in the life of this process: several tasks need it.
pub(crate) fn build() -> Result<()> {
    static BUILT: OnceLock<Result<()>> = OnceLock::new();
    BUILT.get_or_init(build_now).clone()
}

fn build_now() -> Result<()> {
    let begun = Instant::now();
    let wasm = toolchain::wasm()?;
    let bindgen = tools::wasm_bindgen()?;
    tools::npm("pkg-config")?;
    let work = work_folder()?;
    let _lock = cache::lock(&work.join("lock"))?;

    say(format_args!("compiling the crate for {TARGET} with {}", wasm.version()?));
    wasm.ship().words("--package tidewire --lib --features js").shown()?;
    let module = crate::root().join("target/wasm-ship").join(TARGET).join("release/tidewire.wasm");
    let stamp = work.join("stamp");
    let made = ["dist/index.js", "dist/generated/tidewire_bg.wasm", "src/generated/wasm_inline.js"];
    if !made.iter().all(|file| package_folder().join(file).exists()) {
        let _ = fs::remove_file(&stamp);
    }
    cache::once(&stamp, &cache::hash(&inputs(&module)?)?, || pack(&module, &bindgen, &work))?;
    say(format_args!("pkg-config/dist is up to date after {:.1} s", begun.elapsed().as_secs_f32()));
    Ok(())
}

/// What the package is made of.
fn inputs(module: &Path) -> Result<Vec<PathBuf>> {
    let package = package_folder();
    let mut inputs =
        vec![module.to_owned(), package.join("package-lock.json"), package.join("tsconfig.json")];
    inputs.push(package.join("scripts/build.mjs"));
    // Not part of the module: wasm-bindgen puts it beside.
    inputs.push(crate::root().join("src/transport/web.js"));
    let sources = doing("cannot list pkg-config/src", fs::read_dir(package.join("src")))?;
    inputs.extend(sources.flatten().map(|entry| entry.path()).filter(|path| !path.ends_with("generated")));
    Ok(inputs)
}

fn pack(module: &Path, bindgen: &Path, work: &Path) -> Result<()> {
    say("wasm-bindgen, wasm-opt, tsc: pkg-config/dist");
    let glue = work.join("bindgen");
    // Snippets of an earlier build have another name.
    let _ = fs::remove_dir_all(&glue);
    let run = Run::new(bindgen.join("wasm-bindgen")).arg(module).arg("--out-dir").arg(&glue);
    let run = run.words("--target bundler --out-name tidewire");
    run.words("--remove-name-section --remove-producers-section").quiet()?;
    let run = Run::new("node").arg("scripts/build.mjs").arg(&glue).arg(work).dir(package_folder());
    run.shown().map(|_| ())
}

fn package_folder() -> PathBuf {
    crate::root().join("pkg-config")
}

/// Intermediate files, on the same file system as the package: it is put in place by renaming.
fn work_folder() -> Result<PathBuf> {
    let folder = crate::root().join("target/package");
    doing("cannot make target/package", fs::create_dir_all(&folder))?;
    Ok(folder)
}
