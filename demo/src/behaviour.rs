//! How a call asks the greeter to behave: the `x-` metadata of `tests/README.md`.

use std::time::Duration;

use prost::Message;
use tonic::metadata::MetadataMap;
use tonic::{Code, Status};

use crate::proto::{Any, ErrorInfo, RpcStatus};

/// The message of a failure that was asked for: a percent sign, quotes and an umlaut need escaping on the wire.
pub const ASKED_TO_FAIL: &str = "asked to fail: 100% \"grüßt\"";

/// The largest `x-size`, and the largest request taken.
pub const MAX_MESSAGE_BYTES: usize = 64 << 20;

/// What the metadata of a call asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behaviour {
    /// Stay open until cancelled.
    pub never_end: bool,
    /// End OK after this many requests.
    pub end_after: Option<u64>,
    /// Fail after this many requests.
    pub fail_after: Option<u64>,
    /// Fail with this code.
    pub fail_code: Code,
    /// Send `Welcome` before reading.
    pub greet_first: bool,
    /// Send so many goodbyes after half-close.
    pub after_close: u64,
    /// So many replies in a server stream.
    pub count: u64,
    /// Each padded to this many bytes.
    pub size: usize,
    /// Read nothing.
    pub stall: bool,
    /// Wait before a unary reply.
    pub delay: Duration,
}

impl Behaviour {
    /// Reads the metadata; a value that is no number is the caller's mistake and says so.
    pub fn read(metadata: &MetadataMap) -> Result<Self, Status> {
        let number = |name, most| number(metadata, name, most);
        Ok(Self {
            never_end: metadata.contains_key("x-never-end"),
            end_after: number("x-end-after", u64::MAX)?,
            fail_after: number("x-fail-after", u64::MAX)?,
            fail_code: fail_code(number("x-fail-code", 16)?)?,
            greet_first: metadata.contains_key("x-greet-first"),
            after_close: number("x-after-close", u64::MAX)?.unwrap_or(0),
            count: number("x-count", u64::MAX)?.unwrap_or(10),
            size: number("x-size", MAX_MESSAGE_BYTES as u64)?.unwrap_or(0) as usize,
            stall: metadata.contains_key("x-stall"),
            delay: Duration::from_millis(number("x-delay", 3_600_000)?.unwrap_or(0)),
        })
    }

    /// After so many requests: fail (`Err`), end (`true`) or go on (`false`).
    pub fn ends_after(&self, requests: u64) -> Result<bool, Status> {
        if self.fail_after.is_some_and(|n| requests >= n) {
            return Err(self.failure());
        }
        Ok(self.end_after.is_some_and(|n| requests >= n))
    }

    /// The failure that was asked for, with one detail.
    pub fn failure(&self) -> Status {
        let info = ErrorInfo { reason: "ASKED_TO_FAIL".into(), domain: "greet.GreetService".into() };
        let detail =
            Any { type_url: "type.googleapis.com/google.rpc.ErrorInfo".into(), value: info.encode_to_vec() };
        let code = self.fail_code;
        let status = RpcStatus { code: code.into(), message: ASKED_TO_FAIL.into(), details: vec![detail] };
        Status::with_details(code, ASKED_TO_FAIL, status.encode_to_vec().into())
    }
}

fn number(metadata: &MetadataMap, name: &str, most: u64) -> Result<Option<u64>, Status> {
    let Some(value) = metadata.get(name) else { return Ok(None) };
    let parsed = value.to_str().ok().and_then(|text| text.parse().ok()).filter(|n| *n <= most);
    match parsed {
        Some(n) => Ok(Some(n)),
        None => Err(Status::invalid_argument(format!(
            "the metadata `{name}` of this call is {value:?}; the greeter takes a whole number up to {most}"
        ))),
    }
}

fn fail_code(number: Option<u64>) -> Result<Code, Status> {
    match number {
        None => Ok(Code::FailedPrecondition),
        Some(0) => Err(Status::invalid_argument("x-fail-code is 0, which is OK: ask for 1 to 16")),
        Some(n) => Ok(Code::from(n as i32)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(pairs: &[(&'static str, &str)]) -> MetadataMap {
        let mut map = MetadataMap::new();
        for (name, value) in pairs {
            map.insert(*name, value.parse().unwrap());
        }
        map
    }

    #[test]
    fn without_metadata_nothing_is_unusual() {
        let plain = Behaviour::read(&MetadataMap::new()).unwrap();
        assert_eq!(plain.count, 10);
        assert!(!plain.ends_after(1_000_000).unwrap());
    }

    #[test]
    fn failing_and_ending_wait_for_their_number() {
        let failing = Behaviour::read(&metadata(&[("x-fail-after", "2"), ("x-fail-code", "5")])).unwrap();
        assert!(!failing.ends_after(1).unwrap());
        let status = failing.ends_after(2).unwrap_err();
        assert_eq!((status.code(), status.message()), (Code::NotFound, ASKED_TO_FAIL));
        let details = RpcStatus::decode(status.details()).unwrap();
        assert_eq!(details.code, 5);
        assert_eq!(details.message, ASKED_TO_FAIL);
        assert_eq!(ErrorInfo::decode(&*details.details[0].value).unwrap().reason, "ASKED_TO_FAIL");

        let ending = Behaviour::read(&metadata(&[("x-end-after", "0")])).unwrap();
        assert!(ending.ends_after(0).unwrap());
    }

    #[test]
    fn a_wrong_value_is_named() {
        for (name, value) in [
            ("x-count", "many"),
            ("x-size", "67108865"),
            ("x-fail-code", "17"),
            ("x-fail-code", "0"),
            ("x-delay", "-1"),
        ] {
            let status = Behaviour::read(&metadata(&[(name, value)])).unwrap_err();
            assert_eq!(status.code(), Code::InvalidArgument);
            assert!(status.message().contains(name), "{}", status.message());
        }
    }
}
