//! Which headers cross the gateway.

use std::collections::HashSet;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use tidewire::codec::HeaderList;

/// Of one connection, or about the way here: the gateway's own, whoever sends them.
const OWN: [&str; 22] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "proxy-authorization",
    "transfer-encoding",
    "trailer",
    "upgrade",
    "http2-settings",
    "host",
    "te",
    "forwarded",
    "via",
    "x-real-ip",
    "cookie",
    "cookie2",
    "origin",
    "referer",
    "dnt",
    "priority",
    "upgrade-insecure-requests",
    "save-data",
];

/// What a browser adds to a fetch by itself, or what is about a body that is translated.
const OF_FETCH: [&str; 9] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "content-encoding",
    "content-length",
    "expect",
    "pragma",
    "x-grpc-web",
];

/// Which request headers pass. What is not named here is metadata, and passes.
#[derive(Debug, Default)]
pub(crate) struct HeaderPolicy {
    allowed: HashSet<HeaderName>,
}

impl HeaderPolicy {
    /// `allowed`: headers that pass although they would not by default, such as `cookie`.
    pub(crate) fn new(allowed: impl IntoIterator<Item = HeaderName>) -> Self {
        Self { allowed: allowed.into_iter().collect() }
    }

    pub(crate) fn allows_cookies(&self) -> bool {
        self.allowed.contains(&header::COOKIE)
    }

    /// The headers of a request that is relayed as it is. `te: trailers` passes.
    pub(crate) fn relayed(&self, headers: &HeaderMap) -> HeaderMap {
        let mut passed = self.filter(headers, |_| true);
        if headers.get_all(header::TE).iter().any(|value| value == "trailers") {
            passed.insert(header::TE, HeaderValue::from_static("trailers"));
        }
        passed
    }

    /// The headers of a request that is translated into native gRPC, with `te: trailers`.
    pub(crate) fn translated(&self, headers: &HeaderMap) -> HeaderMap {
        let mut passed = self.filter(headers, |name| !OF_FETCH.contains(&name));
        passed.insert(header::TE, HeaderValue::from_static("trailers"));
        passed
    }

    /// Of an upgrade request only what was allowed by name: the rest is about the socket, not about its calls.
    pub(crate) fn of_upgrade(&self, headers: &HeaderMap) -> HeaderMap {
        copy(headers, |name, _| self.allowed.contains(name))
    }

    fn filter(&self, headers: &HeaderMap, also: impl Fn(&str) -> bool) -> HeaderMap {
        copy(headers, |name, value| {
            self.allowed.contains(name) || (!is_own(name.as_str(), value) && also(name.as_str()))
        })
    }
}

fn is_own(name: &str, value: &HeaderValue) -> bool {
    OWN.contains(&name)
        || ["sec-", "x-forwarded-", "access-control-"].iter().any(|prefix| name.starts_with(prefix))
        // A library's user-agent says who calls; a browser's is noise.
        || (name == "user-agent" && value.as_bytes().starts_with(b"Mozilla/"))
}

/// The headers of an answer that becomes gRPC-Web; cookies as the policy says.
pub(crate) fn of_answer(headers: &HeaderMap, cookies: bool) -> HeaderMap {
    copy(headers, |name, value| {
        let name = name.as_str();
        !is_own(name, value) && name != "content-length" && (cookies || name != "set-cookie")
    })
}

/// Adds what `more` has and `headers` has not.
pub(crate) fn add_missing(headers: &mut HeaderMap, more: &HeaderMap) {
    let missing = copy(more, |name, _| !headers.contains_key(name));
    for (name, value) in &missing {
        headers.append(name, value.clone());
    }
}

/// Metadata that HTTP forbids is refused with a sentence.
pub(crate) fn from_list(list: &HeaderList) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::with_capacity(list.iter().count());
    for (name, value) in list {
        append(&mut headers, name, value)?;
    }
    Ok(headers)
}

/// Names may be in any case; HTTP's limits hold for name and value.
pub(crate) fn append(headers: &mut HeaderMap, name: &[u8], value: &[u8]) -> Result<(), String> {
    let shown = String::from_utf8_lossy(name);
    let name = HeaderName::from_bytes(name)
        .map_err(|_| format!("the client sent a header named {shown:?}, which HTTP does not allow"))?;
    let value = HeaderValue::from_bytes(value)
        .map_err(|_| format!("the client sent a value for {name} with bytes that HTTP does not allow"))?;
    headers
        .try_append(name, value)
        .map(|_| ())
        .map_err(|_| "the client sent more headers than the gateway takes".to_owned())
}

pub(crate) fn to_list(headers: &HeaderMap) -> HeaderList {
    headers.iter().map(|(name, value)| (name.as_str(), value)).collect()
}

fn copy(headers: &HeaderMap, passes: impl Fn(&HeaderName, &HeaderValue) -> bool) -> HeaderMap {
    let mut copy = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers.iter().filter(|(name, value)| passes(name, value)) {
        copy.append(name, value.clone());
    }
    copy
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    fn names(headers: &HeaderMap) -> Vec<&str> {
        headers.keys().map(HeaderName::as_str).collect()
    }

    #[test]
    fn metadata_passes_and_the_way_here_does_not() {
        let asked = headers(&[
            ("authorization", "Bearer x"),
            ("grpc-timeout", "1S"),
            ("tri-service-version", "1.0"),
            ("triple-timeout-ms", "5"),
            ("x-call-id", "7"),
            ("host", "evil"),
            ("x-forwarded-for", "1.2.3.4"),
            ("forwarded", "for=1"),
            ("cookie", "a=b"),
            ("sec-fetch-mode", "cors"),
            ("origin", "https://a"),
            ("connection", "x"),
            ("user-agent", "Mozilla/5.0"),
            ("accept-language", "de"),
        ]);
        assert_eq!(
            names(&HeaderPolicy::default().translated(&asked)),
            ["authorization", "grpc-timeout", "tri-service-version", "triple-timeout-ms", "x-call-id", "te"]
        );
    }

    #[test]
    fn a_cookie_passes_once_it_is_allowed() {
        let policy = HeaderPolicy::new([header::COOKIE]);
        assert_eq!(names(&policy.relayed(&headers(&[("cookie", "a=b")]))), ["cookie"]);
        assert_eq!(names(&policy.of_upgrade(&headers(&[("cookie", "a=b"), ("x-a", "1")]))), ["cookie"]);
    }

    #[test]
    fn te_passes_only_as_trailers() {
        let policy = HeaderPolicy::default();
        assert_eq!(names(&policy.relayed(&headers(&[("te", "trailers")]))), ["te"]);
        assert!(policy.relayed(&headers(&[("te", "gzip")])).is_empty());
    }

    #[test]
    fn forbidden_metadata_is_refused_by_name() {
        let error = from_list(&HeaderList::from_iter([("x-a", "one\r\ntwo")])).unwrap_err();
        assert!(error.contains("x-a"), "{error}");
        let error = from_list(&HeaderList::from_iter([("bad name", "1")])).unwrap_err();
        assert!(error.contains("bad name"), "{error}");
    }
}
