//! Trailer blocks: whatever comes is read without a panic, and what was read survives being written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidewire::codec::{timeout, trailers};
use tidewire::status::{Code, Fault};

fuzz_target!(|block: &[u8]| {
    let list = trailers::parse_block(block);
    assert_eq!(trailers::parse_block(&trailers::write_block(&list)), list);

    if let Some(status) = trailers::status(&list) {
        assert_eq!(status.is_ok(), status.fault == Fault::None);
        assert!(status.code == Code::Internal || Code::from_wire(status.raw_code) == status.code);
    }
    for (_, value) in &list {
        let text = trailers::percent_decode(value);
        assert_eq!(trailers::percent_decode(trailers::percent_encode(&text).as_bytes()), text);
        if let Some(read) = timeout::decode_grpc(value) {
            let written = timeout::decode_grpc(timeout::encode_grpc(read).as_bytes());
            assert!(written.is_some_and(|written| written >= read));
        }
    }
});
