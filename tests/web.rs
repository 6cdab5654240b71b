//! The pure layers once more, compiled to wasm, in a real browser: the files of `calls.rs` and `wire.rs` as they stand,
//! where `usize` has 32 bits. What only a browser has, the transports and the JS face, is tested in `src/js/tests/`.
//!
//! Property tests run too, with the same seed each time: there is nothing here to ask for another.
#![cfg(target_family = "wasm")]

#[macro_use(test)]
extern crate browser_test;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

#[cfg(test)]
#[path = "harness/mod.rs"]
mod harness;

#[cfg(test)]
#[path = "calls"]
mod calls {
    mod any_order;
    mod bidi;
    mod cancel;
    mod cardinality;
    mod deadline;
    mod early_end;
    mod faults;
    mod half_close;
    mod limits;
    mod metadata;
}

#[path = "wire"]
mod wire {
    mod ending;
    mod framing;
    mod http;
    mod metadata;
    mod replay;
    mod request;
    mod sockets;
    mod status;
    mod text;
    mod trailers;
}
