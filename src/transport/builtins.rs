//! The few of JavaScript's own types that are used. The crate js-sys would bring the callbacks of all its methods into
//! the module's table, where no linker can tell that they are never called: half a kilobyte of a page's download.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[derive(Clone)]
    pub type Function;

    #[derive(Clone)]
    pub type Uint8Array;
    /// A copy.
    #[wasm_bindgen(constructor)]
    pub(crate) fn new(bytes: &[u8]) -> Uint8Array;
    /// A copy; `valueOf` is the array itself, which is copied on the way in.
    #[wasm_bindgen(method, js_name = valueOf)]
    pub(crate) fn to_vec(this: &Uint8Array) -> Vec<u8>;
}
