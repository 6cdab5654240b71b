//! Scenarios on clients that tonic's generator wrote, run by `tests/js/rust/` in browsers, workers and Node: each case
//! is a function over any transport that such a client takes, so that the predecessor of `tidewire::Channel` runs the
//! very same ones.
#![forbid(unsafe_code)]

#[macro_use]
mod cases;
mod clients;
mod interop;
mod life;
mod scene;
mod wire;

use std::cell::OnceCell;

use js_sys::Function;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use clients::Wire;
use scene::{Scene, Test};

/// What tonic's generator makes of `demo/proto/grpc/testing/`.
#[allow(dead_code, unused_qualifications, reason = "generated")]
mod proto {
    tonic::include_proto!("grpc.testing");
}

thread_local! {
    static REPORT: OnceCell<Function> = const { OnceCell::new() };
}

/// Panics are told to `report`. They end this instance for good: on wasm a panic aborts.
#[wasm_bindgen(js_name = onPanic)]
pub fn on_panic(report: Function) {
    REPORT.with(|to| to.set(report)).unwrap();
    std::panic::set_hook(Box::new(|info| {
        let words = JsValue::from(info.to_string());
        REPORT.with(|to| to.get().map(|report| report.call1(&JsValue::NULL, &words)));
    }));
}

/// The names of all cases, each as `group/case`.
#[wasm_bindgen]
pub fn cases() -> Vec<String> {
    [("interop", interop::NAMES), ("life", life::NAMES), ("wire", wire::NAMES)]
        .into_iter()
        .flat_map(|(group, names)| names.iter().map(move |name| format!("{group}/{name}")))
        .collect()
}

/// Runs one over `tidewire::Channel`. Panics where it fails.
#[wasm_bindgen]
pub async fn run(case: String, scene: Scene) {
    dispatch(&case, Test { channel: clients::tidewire(&scene), scene }).await;
}

/// Runs one over the predecessor.
#[wasm_bindgen(js_name = runPredecessor)]
pub async fn run_predecessor(case: String, scene: Scene) {
    dispatch(&case, Test { channel: clients::predecessor(&scene), scene }).await;
}

async fn dispatch<C: Wire>(case: &str, test: Test<C>) {
    let (group, name) = case.split_once('/').unwrap_or(("", case));
    match group {
        "interop" => interop::run(name, test).await,
        "life" => life::run(name, test).await,
        "wire" => wire::run(name, test).await,
        _ => panic!("no group of cases is called `{group}`"),
    }
}
