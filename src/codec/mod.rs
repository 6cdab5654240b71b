//! Layer 1: bytes ⇄ frames. Pure, sans-IO, fuzzed.

pub mod tidewire_v1;
