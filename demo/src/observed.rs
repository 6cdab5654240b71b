//! What the greeter saw of each call, kept in memory and read by long-poll.
//!
//! Bounded on purpose, since any page may fill it: the newest [`MAX_CALLS`] calls, about [`MAX_BYTES`] in all, and
//! per call [`MAX_EVENTS`] events, beyond which only the events of the call's end are kept. Of the `message` events
//! the 1st to 100th and every 1,000th are kept, of the `reply` events the 1st and every 1,000th.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// How many calls are remembered.
pub const MAX_CALLS: usize = 10_000;
/// How many bytes of events are remembered, over all calls.
pub const MAX_BYTES: usize = 64 << 20;
/// How many events of one call are remembered.
pub const MAX_EVENTS: usize = 2_000;
/// How long a reader may wait.
pub const MAX_WAIT: Duration = Duration::from_secs(60);
/// How long a call id may be.
pub const MAX_ID_BYTES: usize = 200;

/// The logs of all calls. Cheap to clone.
#[derive(Clone, Default)]
pub struct Observed {
    calls: Arc<Mutex<Calls>>,
    open: Arc<AtomicUsize>,
}

struct Calls {
    logs: HashMap<String, Arc<CallLog>>,
    oldest_first: VecDeque<String>,
    bytes: Arc<AtomicUsize>,
    most_bytes: usize,
}

impl Default for Calls {
    fn default() -> Self {
        Self {
            logs: HashMap::new(),
            oldest_first: VecDeque::new(),
            bytes: Arc::default(),
            most_bytes: MAX_BYTES,
        }
    }
}

impl Observed {
    /// The log of one call, made if there is none: a reader may come before its call.
    pub fn log(&self, id: &str) -> Arc<CallLog> {
        let mut calls = lock(&self.calls);
        if let Some(log) = calls.logs.get(id) {
            return Arc::clone(log);
        }
        calls.make_room();
        let log = Arc::new(CallLog::counted_in(&calls.bytes));
        calls.logs.insert(id.to_owned(), Arc::clone(&log));
        calls.oldest_first.push_back(id.to_owned());
        log
    }

    /// How many calls are open now, those without an id included.
    pub fn open_calls(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    pub(crate) fn call_opened(&self) {
        self.open.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn call_ended(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Calls {
    fn make_room(&mut self) {
        while self.logs.len() >= MAX_CALLS || self.bytes.load(Ordering::Relaxed) > self.most_bytes {
            let Some(id) = self.oldest_first.pop_front() else { return };
            self.logs.remove(&id);
        }
    }
}

/// The events of one call.
pub struct CallLog {
    events: Mutex<Events>,
    changed: Notify,
    total_bytes: Arc<AtomicUsize>,
}

#[derive(Default)]
struct Events {
    opened: Option<Instant>,
    kept: Vec<Arc<str>>,
    bytes: usize,
}

impl CallLog {
    fn counted_in(total: &Arc<AtomicUsize>) -> Self {
        Self { events: Mutex::default(), changed: Notify::new(), total_bytes: Arc::clone(total) }
    }

    /// Adds an event that is always kept.
    pub fn record(&self, what: &str, detail: &Value) {
        self.push(what, detail, usize::MAX);
    }

    /// Adds an event of which a call may have any number: dropped when the log is full.
    pub fn record_if_room(&self, what: &str, detail: &Value) {
        self.push(what, detail, MAX_EVENTS);
    }

    /// The events after number `after`: at once if there are any, else when there is one or `wait` has passed.
    pub async fn after(&self, after: usize, wait: Duration) -> Vec<Arc<str>> {
        let until = Instant::now() + wait.min(MAX_WAIT);
        loop {
            let changed = self.changed.notified();
            let found = self.kept_after(after);
            if !found.is_empty() || timeout_at(until, changed).await.is_err() {
                return found;
            }
        }
    }

    fn kept_after(&self, after: usize) -> Vec<Arc<str>> {
        lock(&self.events).kept.get(after..).unwrap_or_default().to_vec()
    }

    fn push(&self, what: &str, detail: &Value, limit: usize) {
        let mut events = lock(&self.events);
        if events.kept.len() >= limit {
            return;
        }
        let at = events.opened.get_or_insert_with(Instant::now).elapsed().as_secs_f64() * 1_000.0;
        let at = (at * 1_000.0).round() / 1_000.0;
        let event =
            json!({ "n": events.kept.len() + 1, "at": at, "what": what, "detail": detail }).to_string();
        events.bytes += event.len();
        self.total_bytes.fetch_add(event.len(), Ordering::Relaxed);
        events.kept.push(event.into());
        drop(events);
        self.changed.notify_waiters();
    }
}

impl Drop for CallLog {
    fn drop(&mut self) {
        self.total_bytes.fetch_sub(lock(&self.events).bytes, Ordering::Relaxed);
    }
}

/// A panic elsewhere leaves these structures whole, so a poisoned lock is still good.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_came_first_gets_the_first_event() {
        let observed = Observed::default();
        let log = observed.log("a");
        let reader = tokio::spawn(async move { log.after(0, MAX_WAIT).await });
        tokio::task::yield_now().await;
        observed.log("a").record("open", &json!({}));
        let events = reader.await.unwrap();
        assert_eq!(*events[0], *r#"{"at":0.0,"detail":{},"n":1,"what":"open"}"#);
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_is_let_go_when_its_wait_is_over() {
        let log = Observed::default().log("a");
        log.record("open", &json!({}));
        let asked = Instant::now();
        assert!(log.after(1, Duration::from_millis(300)).await.is_empty());
        assert_eq!(asked.elapsed(), Duration::from_millis(300));
        assert_eq!(log.after(0, Duration::ZERO).await.len(), 1);
        assert!(log.after(7, Duration::ZERO).await.is_empty());
    }

    #[tokio::test]
    async fn a_full_log_still_takes_the_end() {
        let log = Observed::default().log("a");
        for _ in 0..MAX_EVENTS + 5 {
            log.record_if_room("message", &json!({}));
        }
        log.record("end", &json!({}));
        let events = log.after(0, Duration::ZERO).await;
        assert_eq!(events.len(), MAX_EVENTS + 1);
        assert!(events[MAX_EVENTS].contains("\"end\""));
    }

    #[test]
    fn the_oldest_call_makes_room() {
        let observed = Observed::default();
        for id in 0..=MAX_CALLS {
            observed.log(&id.to_string()).record("open", &json!({}));
        }
        let calls = lock(&observed.calls);
        assert_eq!(calls.logs.len(), MAX_CALLS);
        assert_eq!(calls.oldest_first.len(), MAX_CALLS);
        assert!(!calls.logs.contains_key("0"));
        assert!(calls.logs.contains_key("1"));
    }

    #[test]
    fn large_calls_make_room_too_and_their_bytes_come_back() {
        let observed = Observed::default();
        lock(&observed.calls).most_bytes = 4_000;
        let large = json!("x".repeat(1_000));
        for id in 0..20 {
            observed.log(&id.to_string()).record("open", &large);
        }
        let calls = lock(&observed.calls);
        assert!(calls.logs.len() <= 5, "{} calls kept", calls.logs.len());
        assert_eq!(
            calls.bytes.load(Ordering::Relaxed),
            calls.logs.values().map(|l| lock(&l.events).bytes).sum::<usize>()
        );
    }
}
