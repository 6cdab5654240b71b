//! Two connections back to back, and conversations with a peer that misbehaves.

mod misbehaviour;
mod pair;
mod property;
