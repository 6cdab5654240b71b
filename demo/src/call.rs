//! One call as the greeter sees it: counts, deadline, and every event written down exactly once.

use std::error::Error;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::{Extensions, HeaderMap};
use serde_json::{Map, Value, json};
use tokio::time::Instant;
use tonic::{Code, Request, Status};

use crate::behaviour::Behaviour;
use crate::observed::{CallLog, MAX_ID_BYTES, Observed};

/// What is known of a call below the handler, shared by the layers around it.
#[derive(Clone)]
pub struct Arrival {
    at: Instant,
    greeted: Arc<AtomicU64>,
    reset: Arc<OnceLock<String>>,
}

impl Arrival {
    /// The headers came now.
    pub fn now() -> Self {
        Self { at: Instant::now(), greeted: Arc::default(), reset: Arc::default() }
    }

    /// How many requests were read.
    pub fn greeted(&self) -> u64 {
        self.greeted.load(Ordering::Relaxed)
    }

    /// The request body failed. tonic hides a reset from its handlers: their stream of requests just ends, as after
    /// half-close. So it is noted below tonic.
    pub fn request_failed(&self, error: &dyn Error) {
        self.reset.get_or_init(|| words(error));
    }

    pub(crate) fn of(extensions: &Extensions) -> Self {
        extensions.get::<Self>().cloned().unwrap_or_else(Self::now)
    }
}

/// An open call. Dropping it before [`Call::end`] is what a cancel looks like to a handler, and is recorded so.
pub struct Call {
    /// What was asked for.
    pub behaviour: Behaviour,
    arrival: Arrival,
    timeout: Option<Duration>,
    replies: AtomicU64,
    ended: AtomicBool,
    observed: Observed,
    log: Option<Arc<CallLog>>,
}

impl Call {
    /// Enters the handler: records `open`.
    pub fn open<T>(observed: &Observed, method: &str, request: &Request<T>) -> Result<Self, Status> {
        let metadata = request.metadata();
        let id = match metadata.get("x-call-id").map(|id| id.to_str()) {
            None => None,
            Some(Ok(id)) if id.len() <= MAX_ID_BYTES => Some(id),
            Some(_) => return Err(Status::invalid_argument("x-call-id: at most 200 ASCII characters")),
        };
        let behaviour = Behaviour::read(metadata)?;
        let timeout = metadata.get("grpc-timeout").and_then(|value| value.to_str().ok());
        let call = Self {
            behaviour,
            arrival: Arrival::of(request.extensions()),
            timeout: timeout.and_then(parse_timeout),
            replies: AtomicU64::new(0),
            ended: AtomicBool::new(false),
            observed: observed.clone(),
            log: id.map(|id| observed.log(id)),
        };
        observed.call_opened();
        let headers = describe(metadata.as_ref());
        call.record("open", &json!({ "method": method, "timeout": timeout, "metadata": headers }));
        Ok(call)
    }

    /// How many requests were read.
    pub fn greeted(&self) -> u64 {
        self.arrival.greeted()
    }

    /// A request was read.
    pub fn message(&self, name: &str) {
        let count = self.arrival.greeted.fetch_add(1, Ordering::Relaxed) + 1;
        if count <= 100 || count.is_multiple_of(1_000) {
            let name: String = name.chars().take(64).collect();
            self.record_if_room("message", &json!({ "count": count, "name": name }));
        }
    }

    /// The requests ended cleanly.
    pub fn half_close(&self) {
        self.record("half-close", &json!({ "count": self.greeted() }));
    }

    /// A reply was handed to the server's stack.
    pub fn reply(&self) {
        let count = self.replies.fetch_add(1, Ordering::Relaxed) + 1;
        if count == 1 || count.is_multiple_of(1_000) {
            self.record_if_room("reply", &json!({ "count": count }));
        }
    }

    /// Whether the requests ended by a failure instead of a half-close.
    pub fn was_reset(&self) -> bool {
        self.arrival.reset.get().is_some()
    }

    /// The client is gone: records it in the words of the request body's failure, or in `otherwise`.
    pub fn cancelled(&self, otherwise: &str) -> Status {
        let error = self.arrival.reset.get().map_or(otherwise, String::as_str);
        self.record("cancelled", &json!({ "error": error }));
        Status::cancelled("the client left")
    }

    /// Waits for the client's deadline; for ever if it has none. Then records it.
    pub async fn deadline(&self) -> Status {
        match self.timeout {
            Some(timeout) => tokio::time::sleep_until(self.arrival.at + timeout).await,
            None => std::future::pending().await,
        }
        self.record("deadline", &json!({}));
        Status::deadline_exceeded("the deadline passed while the greeter was at work")
    }

    /// The handler returned.
    pub fn end(&self, code: Code) {
        if !self.ended.swap(true, Ordering::Relaxed) {
            self.record("end", &json!({ "code": i32::from(code), "count": self.greeted() }));
            self.observed.call_ended();
        }
    }

    fn record(&self, what: &str, detail: &Value) {
        if let Some(log) = &self.log {
            log.record(what, detail);
        }
    }

    fn record_if_room(&self, what: &str, detail: &Value) {
        if let Some(log) = &self.log {
            log.record_if_room(what, detail);
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if !self.ended.load(Ordering::Relaxed) {
            self.cancelled("the handler was dropped before it ended");
            self.end(Code::Cancelled);
        }
    }
}

/// Every header as it stood on the wire, binary ones still in base64.
fn describe(headers: &HeaderMap) -> Value {
    let of = |name| {
        headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into()).collect()
    };
    Value::Object(
        headers.keys().map(|name| (name.to_string(), Value::Array(of(name)))).collect::<Map<_, _>>(),
    )
}

/// The error and those below it: only the lowest names the HTTP/2 reset code.
fn words(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(below) = cause {
        let text = below.to_string();
        if !words.ends_with(&text) {
            words = format!("{words}: {text}");
        }
        cause = below.source();
    }
    words
}

/// `grpc-timeout`: up to eight digits and a unit.
fn parse_timeout(value: &str) -> Option<Duration> {
    let (digits, unit) = value.split_at_checked(value.len().checked_sub(1)?)?;
    let number: u64 = digits.parse().ok().filter(|_| digits.len() <= 8)?;
    match unit {
        "H" => Some(Duration::from_secs(number * 3_600)),
        "M" => Some(Duration::from_secs(number * 60)),
        "S" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_millis(number)),
        "u" => Some(Duration::from_micros(number)),
        "n" => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_read_as_the_grammar_says() {
        assert_eq!(parse_timeout("250m"), Some(Duration::from_millis(250)));
        assert_eq!(parse_timeout("99999999H"), Some(Duration::from_secs(99_999_999 * 3_600)));
        assert_eq!(parse_timeout("299921u"), Some(Duration::from_micros(299_921)));
        for wrong in ["", "m", "5", "5s", "100000000S", "-1S", "1ü"] {
            assert_eq!(parse_timeout(wrong), None, "{wrong}");
        }
    }

    #[tokio::test]
    async fn a_call_ends_once_however_it_ends() {
        let observed = Observed::default();
        let mut request = Request::new(());
        request.metadata_mut().insert("x-call-id", "a".parse().unwrap());
        let call = Call::open(&observed, "Greet", &request).unwrap();
        assert_eq!(observed.open_calls(), 1);
        call.end(Code::Ok);
        call.end(Code::Cancelled);
        drop(call);
        assert_eq!(observed.open_calls(), 0);
        let events = observed.log("a").after(0, Duration::ZERO).await;
        assert_eq!(events.len(), 2, "{events:?}");
    }
}
