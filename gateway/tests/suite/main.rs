//! The gateway between scripted upstreams and raw clients, over real sockets. What counts is what each end saw.
// clippy's allowance for tests does not reach helpers outside of test functions.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod answers;
mod clients;
mod harness;
mod life;
mod pressure;
mod program;
mod relay;
mod retry;
mod stalls;
mod web;
mod websockets;
mod writes;
