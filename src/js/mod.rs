//! The face for JavaScript: converts at the edge and decides nothing. The npm package's TypeScript stands on it and is
//! its only user; names and shapes here are no public API.

mod call;
mod client;
#[cfg(test)]
pub(crate) mod tests;
