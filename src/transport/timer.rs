//! The only timers: `setTimeout` that is cleared on drop.

use std::time::Duration;

use wasm_bindgen::prelude::*;

use super::web;
use crate::codec::timeout::millis;

/// `setTimeout` counts in 32 bits and fires at once above that; whoever waits longer is woken early and waits on.
const LONGEST: u64 = i32::MAX as u64;

/// Runs its callback once, unless dropped before.
#[must_use]
pub(crate) struct Timer {
    handle: JsValue,
    _callback: Closure<dyn FnMut()>,
}

impl Timer {
    /// Calls back after `delay` at the earliest, or after the longest time that a timer can wait: the callback looks
    /// at the clock itself.
    pub(crate) fn after(delay: Duration, callback: Box<dyn FnOnce()>) -> Self {
        let callback = Closure::once(callback);
        // Rounded up: a timer that fires early would have to be set again.
        let handle = web::set_timeout(callback.as_ref(), millis(delay).min(LONGEST) as i32);
        Self { handle, _callback: callback }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        web::clear_timeout(&self.handle);
    }
}
