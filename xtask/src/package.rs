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
    let modules = EDITIONS.iter().map(|edition| edition.compile(&wasm)).collect::<Result<Vec<_>>>()?;
    let stamp = work.join("stamp");
    let made = ["dist/index.js", "dist/generated/tidewire_bg.wasm", "src/generated/slim/wasm_inline.js"];
    if !made.iter().all(|file| package_folder().join(file).exists()) {
        let _ = fs::remove_file(&stamp);
    }
    cache::once(&stamp, &cache::hash(&inputs(&modules)?)?, || pack(&modules, &bindgen, &work))?;
    say(format_args!("pkg-config/dist is up to date after {:.1} s", begun.elapsed().as_secs_f32()));
    Ok(())
}

/// One of the modules that the package has.
struct Edition {
    name: &'static str,
    features: &'static str,
}

const EDITIONS: [Edition; 2] = [
    Edition { name: "full", features: "--features js" },
    Edition { name: "slim", features: "--no-default-features --features js,fetch,tidewire-v1" },
];

impl Edition {
    /// Gives back the module. Each has a target folder of its own: a file in it has no name for its features. A crate that
    /// names `cdylib` itself is compiled once for all its types, and then without LTO.
    fn compile(&self, wasm: &toolchain::Wasm) -> Result<PathBuf> {
        let target = crate::root().join("target/ship").join(self.name);
        wasm.ship("rustc", &target)
            .words("--package tidewire --lib --crate-type cdylib")
            .words(self.features)
            .shown()?;
        Ok(target.join(TARGET).join("release/tidewire.wasm"))
    }
}

/// What the package is made of.
fn inputs(modules: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let package = package_folder();
    let mut inputs = modules.to_vec();
    inputs.extend([package.join("package-lock.json"), package.join("tsconfig.json")]);
    let scripts = ["build", "comparisons", "locals", "module", "order", "shrink"];
    inputs.extend(scripts.map(|script| package.join(format!("scripts/{script}.mjs"))));
    // Not part of the module: wasm-bindgen puts it beside.
    inputs.push(crate::root().join("src/transport/web.js"));
    let sources = doing("cannot list pkg-config/src", fs::read_dir(package.join("src")))?;
    inputs.extend(sources.flatten().map(|entry| entry.path()).filter(|path| !path.ends_with("generated")));
    Ok(inputs)
}

fn pack(modules: &[PathBuf], bindgen: &Path, work: &Path) -> Result<()> {
    say("wasm-bindgen, wasm-opt, tsc: pkg-config/dist");
    let mut build = Run::new("node").arg("scripts/build.mjs").dir(package_folder());
    for (edition, module) in EDITIONS.iter().zip(modules) {
        let glue = work.join("bindgen").join(edition.name);
        // Snippets of an earlier build have another name.
        let _ = fs::remove_dir_all(&glue);
        let run = Run::new(bindgen.join("wasm-bindgen")).arg(module).arg("--out-dir").arg(&glue);
        let run = run.words("--target bundler --out-name tidewire");
        run.words("--remove-name-section --remove-producers-section").quiet()?;
        build = build.arg(&glue);
    }
    build.arg(work).shown().map(|_| ())
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
