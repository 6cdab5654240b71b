//! What calls may hold beyond their window: on some wires a client's leaving comes behind all that it has sent, and
//! is seen only by who reads that, although the upstream takes nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Windows' worth of bytes that one call may read ahead.
const WINDOWS: usize = 16;

/// The room that all calls of a gateway share.
#[derive(Clone)]
pub(crate) struct ReadAhead {
    used: Arc<AtomicUsize>,
    total: usize,
    each: usize,
}

/// One call's part of it; given back when it is dropped.
pub(crate) struct Held {
    pool: Option<ReadAhead>,
    bytes: usize,
}

impl ReadAhead {
    pub(crate) fn new(total: usize, window: usize) -> Self {
        Self { used: Arc::default(), total, each: WINDOWS * window }
    }
}

impl Held {
    /// Without a pool there is no room.
    pub(crate) fn new(pool: Option<ReadAhead>) -> Self {
        Self { pool, bytes: 0 }
    }

    pub(crate) fn has_room(&self) -> bool {
        self.pool
            .as_ref()
            .is_some_and(|pool| self.bytes < pool.each && pool.used.load(Ordering::Relaxed) < pool.total)
    }

    /// What the call now holds beyond its window.
    pub(crate) fn set(&mut self, bytes: usize) {
        if let Some(pool) = &self.pool {
            if bytes > self.bytes {
                pool.used.fetch_add(bytes - self.bytes, Ordering::Relaxed);
            } else {
                pool.used.fetch_sub(self.bytes - bytes, Ordering::Relaxed);
            }
            self.bytes = bytes;
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_share_what_there_is_and_give_it_back() {
        let pool = ReadAhead::new(100, 5);
        let mut one = Held::new(Some(pool.clone()));
        one.set(79);
        assert!(one.has_room());
        one.set(80);
        assert!(!one.has_room(), "16 windows are one call's part");
        let mut two = Held::new(Some(pool));
        two.set(20);
        assert!(!two.has_room(), "the others have the rest");
        drop(one);
        assert!(two.has_room());
        assert!(!Held::new(None).has_room());
    }
}
