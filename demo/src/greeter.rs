//! The greeter: `greet.GreetService` on tonic, behaving as its metadata asks.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::Request as HttpRequest;
use axum::middleware::{Next, from_fn};
use axum::response::Response as HttpResponse;
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body_util::BodyExt;
use hyper::body::Frame;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::codec::CompressionEncoding;
use tonic::service::{InterceptorLayer, Routes};
use tonic::transport::Server;
use tonic::{Request, Response, Status, Streaming};
use tonic_web::GrpcWebLayer;
use tower_http::cors::{Any, CorsLayer};

use crate::behaviour::MAX_MESSAGE_BYTES;
use crate::call::{Arrival, Call};
use crate::observed::Observed;
use crate::proto::greet_service_server::{GreetService, GreetServiceServer};
use crate::proto::{GreetRequest, GreetResponse};
use crate::streaming::{self, Ended, ended, finish, hear_failure, until_end};
use crate::talk::{greet, greet_all, greet_each, greet_often};
use crate::test_service;

/// Request and response headers of a call, together; `x-big-metadata` calls come close.
const MAX_HEADER_BYTES: u32 = 64 << 10;

/// What all calls of a connection may have unread. The default is no more than one call's, and one that is not read
/// would hold up all the others.
const CONNECTION_WINDOW: u32 = 16 << 20;

/// Starts the greeter on a port of its own (`127.0.0.1:0`: any) and says which. It speaks cleartext HTTP/2.
pub async fn start(listen: SocketAddr, observed: Observed) -> std::io::Result<SocketAddr> {
    serve(listen, router(observed), server()).await
}

/// The same, and gRPC-Web by tonic-web, over HTTP/1.1 as well and with CORS open: a browser needs nothing else.
pub async fn start_web(listen: SocketAddr, observed: Observed) -> std::io::Result<SocketAddr> {
    let open = CorsLayer::new().allow_origin(Any).allow_headers(Any).expose_headers(Any);
    let router = router(observed).layer(GrpcWebLayer::new()).layer(open);
    serve(listen, router, server().accept_http1(true)).await
}

fn router(observed: Observed) -> axum::Router {
    // gzip both ways, for whoever asks for it.
    let service = GreetServiceServer::new(Greeter { observed: observed.clone() })
        .accept_compressed(CompressionEncoding::Gzip)
        .send_compressed(CompressionEncoding::Gzip)
        .max_decoding_message_size(MAX_MESSAGE_BYTES + 1_024);
    let routes = Routes::new(service).add_service(test_service::server(observed));
    routes.into_axum_router().layer(from_fn(around))
}

fn server() -> Server {
    Server::builder()
        .tcp_nodelay(true)
        .http2_max_header_list_size(MAX_HEADER_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW)
}

async fn serve(listen: SocketAddr, router: axum::Router, server: Server) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind(listen).await?;
    let address = listener.local_addr()?;
    let mut server = server.layer(InterceptorLayer::new(arrive));
    let serving = server.add_routes(router.into()).serve_with_incoming(TcpListenerStream::new(listener));
    tokio::spawn(serving);
    Ok(address)
}

/// An interceptor, since those run before tonic arms its timer for `grpc-timeout`. tonic ends a unary call that is
/// late with CANCELLED; the greeter's own timer must be the earlier one to end it with DEADLINE_EXCEEDED.
fn arrive(mut request: Request<()>) -> Result<Request<()>, Status> {
    request.extensions_mut().insert(Arrival::now());
    Ok(request)
}

/// Around the services: notes a failure of the request body, and sends every `echo-` header back in the headers and
/// the trailers, with the number of requests read; of the interop tests' two, one in each. A tonic handler can do
/// neither on unary calls.
async fn around(request: HttpRequest, next: Next) -> HttpResponse {
    let leading = echoed(request.headers(), test_service::ECHO_INITIAL);
    let trailing = echoed(request.headers(), test_service::ECHO_TRAILING);
    let arrival = Arrival::of(request.extensions());

    let mut response = next.run(note_failure(request, arrival.clone())).await;
    response.headers_mut().extend(leading);
    if response.headers().contains_key("grpc-status") {
        response.headers_mut().insert("greeted", arrival.greeted().into());
        return response;
    }
    response.map(|body| {
        Body::new(body.map_frame(move |frame| match frame.into_trailers() {
            Ok(mut trailers) => {
                trailers.extend(trailing.clone());
                trailers.insert("greeted", arrival.greeted().into());
                Frame::trailers(trailers)
            }
            Err(frame) => frame,
        }))
    })
}

fn echoed(headers: &HeaderMap, own: &str) -> HeaderMap {
    let is_echo =
        |(name, _): &(&HeaderName, &HeaderValue)| name.as_str().starts_with("echo-") || name.as_str() == own;
    headers.iter().filter(is_echo).map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn note_failure(request: HttpRequest, arrival: Arrival) -> HttpRequest {
    request.map(|body| {
        Body::new(body.map_err(move |error| {
            arrival.request_failed(&error);
            error
        }))
    })
}

struct Greeter {
    observed: Observed,
}

type Replies = streaming::Replies<GreetResponse>;

#[tonic::async_trait]
impl GreetService for Greeter {
    type GreetStreamStream = Replies;
    type GreetServerStreamStream = Replies;

    async fn greet(&self, request: Request<GreetRequest>) -> Result<Response<GreetResponse>, Status> {
        let call = Call::open(&self.observed, "Greet", &request)?;
        let outcome = tokio::select! {
            outcome = greet(&call, &request.get_ref().name) => outcome,
            late = call.deadline() => Err(late),
        };
        ended(&call, outcome).map(Response::new)
    }

    async fn greet_stream(
        &self,
        request: Request<Streaming<GreetRequest>>,
    ) -> Result<Response<Replies>, Status> {
        let call = Call::open(&self.observed, "GreetStream", &request)?;
        if !call.behaviour.greet_first {
            fail_at_once(&call)?;
        }
        let mut requests = request.into_inner();
        let (replies, stream) = mpsc::channel(1);
        tokio::spawn(async move {
            let talk = greet_each(&call, &mut requests, &replies);
            let end = until_end(&call, talk, &replies).await;
            if let Ended::Left = end {
                hear_failure(&mut requests).await;
            }
            finish(&call, end, replies).await;
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn greet_client_stream(
        &self,
        request: Request<Streaming<GreetRequest>>,
    ) -> Result<Response<GreetResponse>, Status> {
        let call = Call::open(&self.observed, "GreetClientStream", &request)?;
        let mut requests = request.into_inner();
        let outcome = tokio::select! {
            outcome = greet_all(&call, &mut requests) => outcome,
            late = call.deadline() => Err(late),
        };
        ended(&call, outcome).map(Response::new)
    }

    async fn greet_server_stream(&self, request: Request<GreetRequest>) -> Result<Response<Replies>, Status> {
        let call = Call::open(&self.observed, "GreetServerStream", &request)?;
        fail_at_once(&call)?;
        let name = request.into_inner().name;
        let (replies, stream) = mpsc::channel(1);
        tokio::spawn(async move {
            let talk = greet_often(&call, &name, &replies);
            let end = until_end(&call, talk, &replies).await;
            finish(&call, end, replies).await;
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }
}

/// A failure before anything was answered goes out in the response headers, without trailers.
fn fail_at_once(call: &Call) -> Result<(), Status> {
    match call.behaviour.fail_after {
        Some(0) => ended(call, Err(call.behaviour.failure())),
        _ => Ok(()),
    }
}
