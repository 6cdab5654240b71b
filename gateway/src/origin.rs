//! Which pages may call, and the CORS headers that let them read the answers.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, HOST, HeaderMap, HeaderName, ORIGIN, VARY,
};
use http::{HeaderValue, Method, StatusCode, Uri};

use crate::answer;
use crate::config::ConfigError;
use crate::gateway::Shared;

/// Readable for every page that may call, besides what an answer carries.
const EXPOSED: [&str; 3] = ["grpc-message", "grpc-status", "grpc-status-details-bin"];

/// The origins that may call.
#[derive(Debug)]
pub(crate) enum Origins {
    /// Those whose host and port are the request's own.
    Same,
    Any,
    Listed(BTreeSet<String>),
}

impl Origins {
    pub(crate) fn new(origins: &[String]) -> Result<Self, ConfigError> {
        if origins.is_empty() {
            return Ok(Self::Same);
        }
        if origins.iter().any(|origin| origin == "*") {
            return Ok(Self::Any);
        }
        origins.iter().map(|origin| listed(origin)).collect::<Result<_, _>>().map(Self::Listed)
    }

    fn allow(&self, origin: &str, uri: &Uri, headers: &HeaderMap) -> bool {
        match self {
            Self::Any => true,
            Self::Listed(origins) => origins.contains(&origin.to_ascii_lowercase()),
            Self::Same => {
                let host = headers
                    .get(HOST)
                    .and_then(|host| host.to_str().ok())
                    .or_else(|| uri.authority().map(http::uri::Authority::as_str));
                host.is_some_and(|host| same_host(origin, host))
            }
        }
    }
}

/// Answers preflights, refuses foreign origins (upgrades too), and marks answers as readable.
pub(crate) async fn guard(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let Some(origin) = request.headers().get(ORIGIN).cloned() else { return next.run(request).await };
    let name = String::from_utf8_lossy(origin.as_bytes()).into_owned();
    if !shared.origins.allow(&name, request.uri(), request.headers()) {
        return answer::text(
            StatusCode::FORBIDDEN,
            format!("pages of {name} may not call this gateway; --allow-origin {name} would let them"),
        );
    }
    let mut response = if is_preflight(&request) {
        preflight(request.headers())
    } else {
        let mut response = next.run(request).await;
        expose(response.headers_mut());
        response
    };
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.append(VARY, HeaderValue::from_static("origin"));
    // With `*` any page could act with its visitor's cookies.
    if shared.headers.allows_cookies() && !matches!(shared.origins, Origins::Any) {
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
    response
}

fn is_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// Any header may be asked for: what passes on is decided when it comes.
fn preflight(asked: &HeaderMap) -> Response {
    let mut response = answer::empty(StatusCode::NO_CONTENT);
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    if let Some(names) = asked.get(ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, names.clone());
    }
    headers.append(VARY, HeaderValue::from_static("access-control-request-headers"));
    response
}

fn expose(headers: &mut HeaderMap) {
    let own = headers.keys().map(HeaderName::as_str);
    let names: BTreeSet<&str> = EXPOSED.into_iter().chain(own).collect();
    let names = names.into_iter().collect::<Vec<_>>().join(",");
    if let Ok(names) = HeaderValue::from_str(&names) {
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, names);
    }
}

fn listed(origin: &str) -> Result<String, ConfigError> {
    let is_origin = origin == "null"
        || origin.split_once("://").is_some_and(|(_, host)| !host.is_empty() && !host.contains('/'));
    if !is_origin {
        return Err(ConfigError::new(format!(
            "--allow-origin {origin}: expected scheme://host[:port] without a path, or *"
        )));
    }
    Ok(origin.to_ascii_lowercase())
}

fn same_host(origin: &str, host: &str) -> bool {
    let Some((scheme, own)) = origin.split_once("://") else { return false };
    let default_port = if scheme == "https" { ":443" } else { ":80" };
    let host = host.strip_suffix(default_port).unwrap_or(host);
    own.strip_suffix(default_port).unwrap_or(own).eq_ignore_ascii_case(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(origins: &[&str], origin: &str, host: &'static str) -> bool {
        let origins: Vec<String> = origins.iter().map(ToString::to_string).collect();
        let headers = HeaderMap::from_iter([(HOST, HeaderValue::from_static(host))]);
        Origins::new(&origins).unwrap().allow(origin, &Uri::from_static("/"), &headers)
    }

    #[test]
    fn same_origin_is_the_default() {
        assert!(allows(&[], "http://a:8080", "a:8080"));
        assert!(allows(&[], "https://a", "a:443"));
        assert!(allows(&[], "http://A:80", "a"));
        assert!(!allows(&[], "http://b:8080", "a:8080"));
        assert!(!allows(&[], "http://a:8081", "a:8080"));
        assert!(!allows(&[], "null", "a:8080"));
    }

    #[test]
    fn a_list_replaces_it() {
        assert!(allows(&["https://App.example"], "https://app.example", "a"));
        assert!(!allows(&["https://app.example"], "https://a", "a"));
        assert!(allows(&["*"], "null", "a"));
        assert!(Origins::new(&["app.example".into()]).is_err());
        assert!(Origins::new(&["https://a/b".into()]).is_err());
    }
}
