//! `#[test]` for the browser: with `#[macro_use(test)] extern crate browser_test;` in a crate's root, `#[test]` means
//! this one in every file of the crate, so that files of native tests run there as they stand.
#![forbid(unsafe_code)]

#[cfg(target_family = "wasm")]
pub use wasm_bindgen_test::wasm_bindgen_test as test;
