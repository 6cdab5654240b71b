//! `GET /observed/<server>/<call id>?after=N&wait=MS`, the greeter's own log or another server's passed on.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{OriginalUri, Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderValue, Request, StatusCode, Uri, header};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;

use crate::observed::{MAX_ID_BYTES, Observed};
use crate::servers::{Log, Server};

/// The endpoints below `/observed`.
pub fn router(servers: &[Server], observed: Observed) -> Router {
    let own = Router::new().route("/stats", get(stats)).route("/{id}", get(events)).with_state(observed);
    let mut router = own.clone();
    for server in servers {
        router = match &server.log {
            Log::Here => router.nest(&format!("/{}", server.name), own.clone()),
            Log::At(url) => {
                router.route(&format!("/{}/{{id}}", server.name), get(pass_on).with_state(There::new(url)))
            }
            Log::None => router.route(&format!("/{}/{{id}}", server.name), get(no_events)),
        };
    }
    router.layer(axum::middleware::map_response(open_to_all))
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    after: usize,
    #[serde(default)]
    wait: u64,
}

async fn events(
    State(observed): State<Observed>,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    if id.len() > MAX_ID_BYTES {
        return (StatusCode::BAD_REQUEST, "a call id has at most 200 bytes\n").into_response();
    }
    let events = observed.log(&id).after(asked.after, Duration::from_millis(asked.wait)).await;
    json(format!("{{\"events\":[{}]}}", events.join(",")))
}

async fn stats(State(observed): State<Observed>) -> Response {
    json(format!("{{\"open\":{},\"rss\":{}}}", observed.open_calls(), resident_bytes()))
}

async fn no_events() -> Response {
    json("{\"events\":[]}".into())
}

fn json(text: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")], text).into_response()
}

async fn open_to_all(mut response: Response) -> Response {
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

/// Another server's log.
#[derive(Clone)]
struct There {
    base: Arc<str>,
    client: Client<HttpConnector, Body>,
}

impl There {
    fn new(base: &Uri) -> Self {
        let base = base.to_string();
        Self {
            base: base.trim_end_matches('/').into(),
            client: Client::builder(TokioExecutor::new()).build_http(),
        }
    }
}

async fn pass_on(State(there): State<There>, OriginalUri(asked): OriginalUri) -> Response {
    let asked = asked.path_and_query().map_or("", |path| path.as_str());
    // `/observed/<server>/<id>?…` here is `/observed/<id>?…` there.
    let id = asked.splitn(4, '/').nth(3).unwrap_or_default();
    let request = Request::get(format!("{}/observed/{id}", there.base)).body(Body::empty());
    let failed = |error: &dyn std::fmt::Display| {
        let text = format!("the log of this call is kept at {}, which did not answer: {error}\n", there.base);
        (StatusCode::BAD_GATEWAY, text).into_response()
    };
    match request {
        Err(error) => failed(&error),
        Ok(request) => match there.client.request(request).await {
            Ok(response) => response.map(Body::new),
            Err(error) => failed(&error),
        },
    }
}

/// What this process holds in memory; 0 where the system does not say.
fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1_024
}
