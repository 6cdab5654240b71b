//! Two connections back to back.

mod pair;
