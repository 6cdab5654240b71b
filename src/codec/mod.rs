//! Layer 1: bytes ⇄ frames. Pure, sans-IO, fuzzed.

pub mod tidewire_v1;

/// HTTP headers or trailers as they travel: lower-case names, raw values, order and repeats kept.
pub type HeaderList = Vec<(String, Vec<u8>)>;
