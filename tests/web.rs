//! The pure layers once more, compiled to wasm, in a real browser: the files of `calls.rs` and `wire.rs` as they stand,
//! where `usize` has 32 bits. What only a browser has, the transports and the JS face, is tested in `src/js/tests/`.
//!
//! Property tests run too.
#![cfg(target_family = "wasm")]

#[macro_use(test)]
extern crate browser_test;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

// `cfg(test)` tells clippy what `#[test]` tells it elsewhere: that these are tests.
#[cfg(test)]
#[path = "harness/mod.rs"]
mod harness;

#[cfg(test)]
#[path = "calls"]
mod calls {
    mod any_order;
    mod bare;
    mod bidi;
    mod cancel;
    mod cardinality;
    mod deadline;
    mod early_end;
    mod faults;
    mod gzip;
    mod half_close;
    mod limits;
    mod metadata;
}

#[cfg(test)]
#[path = "wire"]
mod wire {
    #[cfg(test)]
    use crate::harness::gzip;

    mod bare;
    mod compression;
    mod connect;
    mod details;
    mod ending;
    mod framed;
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
