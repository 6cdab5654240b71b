//! What gRPC-Web and `grpc-websockets` have in common: content types, and how an exchange's end is told.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode, response};
use tidewire::codec::triple;

use crate::exchange::Ending;
use crate::status::{Code, GRPC_STATUS, Status};

/// A gRPC-Web content type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WebType {
    /// base64.
    pub(crate) text: bool,
    /// `+proto`, `+json`, or nothing.
    suffix: String,
}

impl WebType {
    /// Parameters and case do not matter.
    pub(crate) fn parse(value: &HeaderValue) -> Option<Self> {
        let value = essence(value);
        let rest = value.strip_prefix("application/grpc-web")?;
        let (text, suffix) = match rest.strip_prefix("-text") {
            Some(suffix) => (true, suffix),
            None => (false, rest),
        };
        is_suffix(suffix).then(|| Self { text, suffix: suffix.to_owned() })
    }

    /// The native type that goes to the upstream.
    pub(crate) fn native(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(&format!("application/grpc{}", self.suffix)).ok()
    }

    /// The type of an answer; the upstream's own suffix, if it gave one.
    pub(crate) fn of_answer(&self, native: Option<&HeaderValue>, text: bool) -> Option<HeaderValue> {
        let native = native.map(essence).unwrap_or_default();
        let suffix = native.strip_prefix("application/grpc").filter(|suffix| !suffix.is_empty());
        let suffix = suffix.filter(|suffix| is_suffix(suffix)).unwrap_or(&self.suffix);
        let text = if text { "-text" } else { "" };
        HeaderValue::from_str(&format!("application/grpc-web{text}{suffix}")).ok()
    }
}

/// Ends the exchange with a status if this is no gRPC answer.
pub(crate) fn check_head(head: &response::Parts, path: &str, upstream: &str) -> Result<(), Ending> {
    let is_grpc = head
        .headers
        .get(CONTENT_TYPE)
        .map(essence)
        .is_some_and(|value| value.strip_prefix("application/grpc").is_some_and(is_suffix));
    // A status in the headers is the call's status whatever HTTP says.
    if head.headers.contains_key(GRPC_STATUS) || (head.status == StatusCode::OK && is_grpc) {
        return Ok(());
    }
    Err(Ending::Refused(Status::of_http(head, path, upstream)))
}

/// What else it may mean that an upstream hangs up before it answers a request with these headers.
pub(crate) fn hint(request: &HeaderMap) -> &'static str {
    let routed = ["tri-service-group", "tri-service-version"].iter().any(|name| request.contains_key(*name));
    if routed { triple::LOST } else { "" }
}

/// The trailers that tell a translated call's end; `None` if its headers already told it, or nobody listens.
/// `head_status`: of the head that was sent; `hint`: of the request.
pub(crate) fn trailers(
    ending: &Ending,
    head_status: Option<&str>,
    upstream: &str,
    hint: &str,
) -> Option<HeaderMap> {
    let hint = if head_status.is_none() { hint } else { "" };
    let status = match ending {
        Ending::Complete(Some(trailers)) => return Some(trailers.clone()),
        Ending::Complete(None) if head_status.is_some_and(|status| status.starts_with("grpc-status")) => {
            return None;
        }
        Ending::Left(_) => return None,
        Ending::Complete(None) => Status::new(
            Code::Internal,
            format!(
                "the upstream {upstream} ended the stream without a grpc-status; gRPC servers always send one"
            ),
        ),
        Ending::Reset(reason) => Status::of_reset(*reason, upstream).with(hint),
        Ending::Broken(sentence) => Status::new(Code::Unavailable, sentence).with(hint),
        Ending::Unreachable(sentence) => Status::new(Code::Unavailable, sentence),
        Ending::Invalid(sentence) => Status::new(Code::Internal, sentence),
        Ending::Refused(status) => status.clone(),
    };
    Some(status.to_headers())
}

/// Lower-case, without parameters.
fn essence(value: &HeaderValue) -> String {
    let value = String::from_utf8_lossy(value.as_bytes());
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn is_suffix(rest: &str) -> bool {
    rest.is_empty()
        || rest.strip_prefix('+').is_some_and(|name| {
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(value: &'static str) -> Option<WebType> {
        WebType::parse(&HeaderValue::from_static(value))
    }

    #[test]
    fn content_types() {
        for (value, text, native) in [
            ("application/grpc-web", false, "application/grpc"),
            ("application/grpc-web+proto", false, "application/grpc+proto"),
            ("Application/gRPC-Web+JSON; charset=utf-8", false, "application/grpc+json"),
            ("application/grpc-web-text", true, "application/grpc"),
            ("application/grpc-web-text+proto", true, "application/grpc+proto"),
        ] {
            let parsed = parse(value).unwrap();
            assert_eq!((parsed.text, parsed.native().unwrap().to_str().unwrap()), (text, native));
        }
        for value in
            ["application/grpc", "application/grpc-websocket", "text/html", "application/grpc-web+", ""]
        {
            assert_eq!(parse(value), None, "{value}");
        }
    }

    #[test]
    fn an_answer_keeps_the_upstreams_suffix() {
        let asked = parse("application/grpc-web+proto").unwrap();
        let native = HeaderValue::from_static("application/grpc+json");
        assert_eq!(asked.of_answer(Some(&native), false).unwrap(), "application/grpc-web+json");
        let native = HeaderValue::from_static("application/grpc");
        assert_eq!(asked.of_answer(Some(&native), true).unwrap(), "application/grpc-web-text+proto");
    }
}
