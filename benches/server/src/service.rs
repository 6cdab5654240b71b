//! `bench.Bench` in native gRPC, gRPC-Web and Connect, as far as the benchmark's clients speak them.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use prost::Message as _;

use crate::replies::{Replies, Spec, envelope, framed, payload};

/// The largest request that is not echoed.
const MAX_REQUEST: usize = 1024 * 1024;

pub(crate) fn router() -> Router {
    Router::new().route("/bench.Bench/{method}", post(answer))
}

/// How an answer is written, by the request's content type.
#[derive(Clone, Copy, PartialEq)]
enum Wire {
    Grpc,
    GrpcWeb,
    Connect,
    /// Connect's unary calls: a message without a frame.
    Bare,
}

impl Wire {
    fn of(content_type: &str) -> Option<Self> {
        Some(match content_type {
            "application/proto" => Self::Bare,
            _ if content_type.starts_with("application/connect+") => Self::Connect,
            _ if content_type.starts_with("application/grpc-web") => Self::GrpcWeb,
            _ if content_type.starts_with("application/grpc") => Self::Grpc,
            _ => return None,
        })
    }

    fn message(self, body: &Bytes) -> &[u8] {
        if self == Self::Bare { body } else { body.get(5..).unwrap_or_default() }
    }

    /// What follows the last message.
    fn end(self) -> Option<Frame<Bytes>> {
        match self {
            Self::Grpc => {
                let ok = (http::HeaderName::from_static("grpc-status"), HeaderValue::from_static("0"));
                Some(Frame::trailers(HeaderMap::from_iter([ok])))
            }
            Self::GrpcWeb => Some(Frame::data(envelope(0x80, b"grpc-status:0\r\n"))),
            Self::Connect => Some(Frame::data(envelope(2, b"{}"))),
            Self::Bare => None,
        }
    }
}

async fn answer(Path(method): Path<String>, headers: HeaderMap, body: Body) -> Response {
    let content_type = headers.get(header::CONTENT_TYPE).cloned();
    let wire = content_type.as_ref().and_then(|kind| kind.to_str().ok()).and_then(Wire::of);
    let (Some(wire), Some(content_type)) = (wire, content_type) else {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    };
    let body = match method.as_str() {
        "Echo" => echo(wire, body),
        "ClientStream" => take_all(wire, body).await,
        _ => reply(wire, &method, body).await,
    };
    match body {
        Some(body) => ([(header::CONTENT_TYPE, content_type)], body).into_response(),
        None => StatusCode::BAD_REQUEST.into_response(),
    }
}

async fn reply(wire: Wire, method: &str, body: Body) -> Option<Body> {
    let body = to_bytes(body, MAX_REQUEST).await.ok()?;
    let spec = Spec::decode(wire.message(&body)).ok()?;
    let replies = match method {
        "Unary" => {
            let message = payload(spec.size).encode_to_vec();
            if wire == Wire::Bare {
                return Some(Body::from(message));
            }
            // In one piece, and without a length in front, as tonic-web and most others answer.
            let end = wire.end().and_then(|end| end.into_data().ok()).unwrap_or_default();
            if wire != Wire::Grpc {
                let whole = [framed(message), end.to_vec()].concat().into();
                let frames = stream::iter([Ok::<_, std::io::Error>(Frame::data(whole))]);
                return Some(Body::new(StreamBody::new(frames)));
            }
            Replies::payloads(&Spec { count: 1, ..spec })
        }
        "ServerStream" => Replies::payloads(&spec),
        "Records" => Replies::records(&spec),
        _ => return None,
    };
    let frames = stream::iter(replies.map(Frame::data).chain(wire.end()).map(Ok::<_, std::io::Error>));
    Some(Body::new(StreamBody::new(frames)))
}

/// One empty reply, once all is there. Only clients of bytes call it, so it stands in no `.proto`.
async fn take_all(wire: Wire, body: Body) -> Option<Body> {
    let mut body = body.into_data_stream();
    while let Some(chunk) = body.next().await {
        chunk.ok()?;
    }
    let frames = [Frame::data(framed(Vec::new()).into())].into_iter().chain(wire.end());
    Some(Body::new(StreamBody::new(stream::iter(frames.map(Ok::<_, std::io::Error>)))))
}

/// Requests and replies have the same form, so their bytes go back as they come.
fn echo(wire: Wire, body: Body) -> Option<Body> {
    let frames = body.into_data_stream().map(|chunk| chunk.map(Frame::data).map_err(std::io::Error::other));
    let end = stream::iter(wire.end().map(Ok));
    Some(Body::new(StreamBody::new(frames.chain(end)).boxed_unsync()))
}
