//! The gateway between scripted upstreams and raw clients, over real sockets. What counts is what each end saw.

mod answers;
mod harness;
mod life;
mod pressure;
mod program;
mod relay;
mod web;
mod websockets;
