//! `cargo xtask size`: what a browser loads, measured, written down, and held to the budget.

use crate::exec::{Result, Run};
use crate::{package, toolchain};

/// Measures, writes SIZE.md and fails above the budget of `pkg-config/size.json`.
pub(crate) fn write() -> Result<()> {
    package::build()?;
    script("--write")
}

/// Measures and fails above the budget; SIZE.md stays as it is.
pub(crate) fn check() -> Result<()> {
    script("--check")
}

fn script(mode: &str) -> Result<()> {
    let rustc = toolchain::wasm()?.version()?;
    let node = Run::new("node").arg("scripts/size.mjs").arg(mode).env("RUSTC_VERSION", rustc);
    node.dir(crate::root().join("pkg-config")).shown().map(|_| ())
}
