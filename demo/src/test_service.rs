//! `grpc.testing.TestService`, which gRPC's own interop tests call: what each method does stands in gRPC's
//! `doc/interop-test-descriptions.md`.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::codec::CompressionEncoding;
use tonic::codegen::BoxStream;
use tonic::{Code, Request, Response, Status, Streaming};

use crate::behaviour::MAX_MESSAGE_BYTES;
use crate::call::Call;
use crate::observed::Observed;
use crate::streaming::{self, Ended, Sender, ended, finish, hear_failure, next, until_end};
use generated::test_service_server::{TestService, TestServiceServer};
use generated::{
    EchoStatus, Empty, Payload, ResponseParameters, SimpleRequest, SimpleResponse, StreamingInputCallRequest,
    StreamingInputCallResponse, StreamingOutputCallRequest, StreamingOutputCallResponse,
};

/// Request metadata that comes back in the response headers.
pub(crate) const ECHO_INITIAL: &str = "x-grpc-test-echo-initial";
/// Request metadata that comes back in the trailers.
pub(crate) const ECHO_TRAILING: &str = "x-grpc-test-echo-trailing-bin";

/// What tonic's generator makes of `proto/grpc/testing/`. `tests/rust-web/build.rs` holds it to that.
#[rustfmt::skip]
pub mod generated {
    #![allow(missing_docs, unreachable_pub, unused_qualifications, clippy::all, reason = "generated")]
    include!("generated/grpc.testing.rs");
}

/// The service, with gzip both ways for whoever asks for it.
pub fn server(observed: Observed) -> TestServiceServer<impl TestService> {
    TestServiceServer::new(Tests { observed })
        .accept_compressed(CompressionEncoding::Gzip)
        .send_compressed(CompressionEncoding::Gzip)
        .max_decoding_message_size(MAX_MESSAGE_BYTES + 1_024)
}

struct Tests {
    observed: Observed,
}

type Outputs = BoxStream<StreamingOutputCallResponse>;

#[tonic::async_trait]
impl TestService for Tests {
    async fn empty_call(&self, request: Request<Empty>) -> Result<Response<Empty>, Status> {
        let call = Call::open(&self.observed, "EmptyCall", &request)?;
        ended(&call, Ok(Response::new(Empty {})))
    }

    async fn unary_call(&self, request: Request<SimpleRequest>) -> Result<Response<SimpleResponse>, Status> {
        let call = Call::open(&self.observed, "UnaryCall", &request)?;
        let request = request.into_inner();
        let outcome = wanted(request.response_status).and_then(|()| payload(request.response_size));
        let reply = |payload| SimpleResponse { payload: Some(payload), ..SimpleResponse::default() };
        ended(&call, outcome.map(|payload| Response::new(reply(payload))))
    }

    async fn streaming_output_call(
        &self,
        request: Request<StreamingOutputCallRequest>,
    ) -> Result<Response<Outputs>, Status> {
        let call = Call::open(&self.observed, "StreamingOutputCall", &request)?;
        let request = request.into_inner();
        let (replies, stream) = mpsc::channel(1);
        tokio::spawn(async move {
            let end = until_end(&call, answer(&call, request, &replies), &replies).await;
            finish(&call, end, replies).await;
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
    }

    async fn streaming_input_call(
        &self,
        request: Request<Streaming<StreamingInputCallRequest>>,
    ) -> Result<Response<StreamingInputCallResponse>, Status> {
        let call = Call::open(&self.observed, "StreamingInputCall", &request)?;
        let mut requests = request.into_inner();
        let outcome = tokio::select! {
            outcome = total(&call, &mut requests) => outcome,
            late = call.deadline() => Err(late),
        };
        let reply = |aggregated_payload_size| StreamingInputCallResponse { aggregated_payload_size };
        ended(&call, outcome.map(|size| Response::new(reply(size))))
    }

    async fn full_duplex_call(
        &self,
        request: Request<Streaming<StreamingOutputCallRequest>>,
    ) -> Result<Response<Outputs>, Status> {
        let call = Call::open(&self.observed, "FullDuplexCall", &request)?;
        let mut requests = request.into_inner();
        let (replies, stream) = mpsc::channel(1);
        tokio::spawn(async move {
            let talk = answer_each(&call, &mut requests, &replies);
            let end = until_end(&call, talk, &replies).await;
            if let Ended::Left = end {
                hear_failure(&mut requests).await;
            }
            finish(&call, end, replies).await;
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
    }
}

async fn total(call: &Call, requests: &mut Streaming<StreamingInputCallRequest>) -> Result<i32, Status> {
    let mut total = 0;
    while let Some(request) = next(call, requests, |_| "").await? {
        total += request.payload.map_or(0, |payload| payload.body.len() as i32);
    }
    Ok(total)
}

async fn answer_each(
    call: &Call,
    requests: &mut Streaming<StreamingOutputCallRequest>,
    replies: &Sender<StreamingOutputCallResponse>,
) -> Result<(), Status> {
    while let Some(request) = next(call, requests, |_| "").await? {
        answer(call, request, replies).await?;
    }
    Ok(())
}

/// One reply for each that the request asks for, or the failure that it asks for.
async fn answer(
    call: &Call,
    request: StreamingOutputCallRequest,
    replies: &Sender<StreamingOutputCallResponse>,
) -> Result<(), Status> {
    wanted(request.response_status)?;
    for ResponseParameters { size, interval_us, .. } in request.response_parameters {
        // Even a sleep of nothing takes a millisecond.
        if interval_us > 0 {
            tokio::time::sleep(Duration::from_micros(interval_us as u64)).await;
        }
        let reply = StreamingOutputCallResponse { payload: Some(payload(size)?) };
        streaming::send(call, replies, reply).await;
    }
    Ok(())
}

fn wanted(status: Option<EchoStatus>) -> Result<(), Status> {
    match status {
        Some(EchoStatus { code, message }) if code != 0 => Err(Status::new(Code::from(code), message)),
        _ => Ok(()),
    }
}

fn payload(size: i32) -> Result<Payload, Status> {
    match usize::try_from(size) {
        Ok(size) if size <= MAX_MESSAGE_BYTES => Ok(Payload { body: vec![0; size] }),
        _ => Err(Status::invalid_argument(format!(
            "the request asks for {size} bytes; the test service gives 0 to {MAX_MESSAGE_BYTES}"
        ))),
    }
}
