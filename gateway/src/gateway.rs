//! The gateway as a router, and who answers what.

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::middleware;
use axum::response::Response;
use axum::routing::{any, get};
use http::header::{ALLOW, SEC_WEBSOCKET_PROTOCOL, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Version};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::answer::{self, SUBPROTOCOLS};
use crate::config::{Builder, Limits};
use crate::headers::HeaderPolicy;
use crate::origin::{self, Origins};
use crate::read_ahead::ReadAhead;
use crate::serve::{Drain, Server};
use crate::upstream::{Upstreams, split_path};
use crate::{grpc_web, grpc_websockets, relay};

/// Takes `tidewire.v1`, `grpc-websockets` and gRPC-Web, speaks gRPC over HTTP/2 to its upstreams.
#[derive(Clone)]
pub struct Gateway {
    shared: Arc<Shared>,
}

/// What every request of a gateway needs.
pub(crate) struct Shared {
    pub(crate) upstreams: Upstreams,
    pub(crate) origins: Origins,
    pub(crate) headers: HeaderPolicy,
    pub(crate) limits: Limits,
    pub(crate) drain: Drain,
    pub(crate) read_ahead: ReadAhead,
    sockets: Arc<Semaphore>,
}

impl Gateway {
    /// A gateway with defaults and without upstreams.
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(crate) fn new(
        upstreams: Upstreams,
        origins: Origins,
        headers: HeaderPolicy,
        limits: Limits,
        drain: Drain,
    ) -> Self {
        let sockets = Arc::new(Semaphore::new(limits.max_sockets.min(Semaphore::MAX_PERMITS)));
        let read_ahead = ReadAhead::new(limits.read_ahead, limits.stream_window as usize);
        Self { shared: Arc::new(Shared { upstreams, origins, headers, limits, drain, read_ahead, sockets }) }
    }

    /// Everything the gateway answers, relative to where it is mounted: at the root, or below a prefix with
    /// [`Router::nest`]. Serve it with [`crate::serve`], or with any server that lets WebSockets upgrade.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/healthz", get(|| async { "ok" }))
            .route("/tidewire.v1", any(socket))
            .route("/{service}/{method}", any(call))
            .fallback(|request: Request| async move {
                answer::not_found(request.uri().path(), answer::EXPECTED_PATH)
            })
            .layer(middleware::from_fn_with_state(Arc::clone(&self.shared), origin::guard))
            .with_state(Arc::clone(&self.shared))
    }

    /// Settings to serve this gateway alone: its limits, its drain.
    pub fn server(&self) -> Server {
        Server { limits: self.shared.limits.clone(), ..Server::new(self.shared.drain.clone()) }
    }

    /// Ends it gracefully, or at once.
    pub fn drain(&self) -> &Drain {
        &self.shared.drain
    }
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway").field("limits", &self.shared.limits).finish_non_exhaustive()
    }
}

/// `/tidewire.v1`.
async fn socket(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    if !is_upgrade(&parts) {
        let mut response = answer::text(
            StatusCode::UPGRADE_REQUIRED,
            "this path takes WebSockets with subprotocol tidewire.v1",
        );
        response.headers_mut().insert(UPGRADE, HeaderValue::from_static("websocket"));
        return response;
    }
    match upgrade(&shared, &mut parts, "tidewire.v1").await {
        Ok((upgrade, permit)) => relay::accept(shared, &parts.headers, upgrade, permit),
        Err(response) => *response,
    }
}

/// `/<service>/<method>`.
async fn call(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str).to_owned();
    let Some((service, _)) = split_path(&path) else {
        return answer::not_found(&path, answer::EXPECTED_PATH);
    };
    let upstream = shared.upstreams.find(service).cloned();
    if is_upgrade(&parts) {
        return match upgrade(&shared, &mut parts, "grpc-websockets").await {
            // A browser cannot read the answer to an upgrade: what is wrong is said on the socket.
            Ok((upgrade, permit)) => grpc_websockets::accept(shared, upstream, path, &parts, upgrade, permit),
            Err(response) => *response,
        };
    }
    if parts.method != Method::POST {
        return wrong_method(&parts.method);
    }
    let Some(upstream) = upstream else { return answer::not_found(&path, answer::NO_UPSTREAM) };
    grpc_web::call(shared, upstream, path, &parts, body).await
}

fn wrong_method(method: &Method) -> Response {
    let mut response = answer::text(
        StatusCode::METHOD_NOT_ALLOWED,
        format!("{method} is not for calls; use POST, or a WebSocket with subprotocol grpc-websockets"),
    );
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
    response
}

fn is_upgrade(parts: &Parts) -> bool {
    if parts.version >= Version::HTTP_2 {
        return parts.method == Method::CONNECT;
    }
    parts.headers.get(UPGRADE).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// The upgrade if the client offers `wanted`, and one of the sockets that may be open.
async fn upgrade(
    shared: &Shared,
    parts: &mut Parts,
    wanted: &'static str,
) -> Result<(WebSocketUpgrade, OwnedSemaphorePermit), Box<Response>> {
    let offered = subprotocols(&parts.headers);
    let Some(chosen) = offered.iter().find(|offer| offer.eq_ignore_ascii_case(wanted)) else {
        return Err(Box::new(wrong_subprotocol(&offered)));
    };
    let chosen = HeaderValue::from_str(chosen);
    let mut upgrade = WebSocketUpgrade::from_request_parts(parts, &())
        .await
        .map_err(|rejection| Box::new(axum::response::IntoResponse::into_response(rejection)))?;
    if let Ok(chosen) = chosen {
        upgrade.set_selected_protocol(chosen);
    }
    let permit = Arc::clone(&shared.sockets).try_acquire_owned().map_err(|_| {
        Box::new(answer::text(
            StatusCode::SERVICE_UNAVAILABLE,
            "the gateway has as many WebSockets as it takes (--max-sockets); try again later",
        ))
    })?;
    Ok((upgrade, permit))
}

fn subprotocols(headers: &HeaderMap) -> Vec<String> {
    headers
        .get_all(SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|token| token.trim().to_owned())
        .filter(|token| !token.is_empty())
        .collect()
}

fn wrong_subprotocol(offered: &[String]) -> Response {
    let offered = if offered.is_empty() { "none".to_owned() } else { offered.join(", ") };
    let [own, improbable] = SUBPROTOCOLS;
    answer::text(
        StatusCode::BAD_REQUEST,
        format!(
            "WebSocket subprotocol offered: {offered}; this gateway speaks {own} at /{own} \
             and {improbable} at /<service>/<method>"
        ),
    )
}
