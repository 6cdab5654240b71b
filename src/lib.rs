//! Full-duplex gRPC, Dubbo Triple and Connect streams from web pages, workers and edge functions.
#![forbid(unsafe_code)]

pub mod codec;
