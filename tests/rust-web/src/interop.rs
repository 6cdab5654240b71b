//! The cases of gRPC's interop tests that a client of any language runs (`doc/interop-test-descriptions.md` of gRPC).
//! A Rust client cancels by dropping: where the original asks for the status CANCELLED, the server is asked what it saw.

use std::pin::pin;
use std::time::Duration;

use futures_channel::mpsc;
use futures_util::future::{Either, select};
use futures_util::stream;
use tonic::metadata::{BinaryMetadataValue, MetadataMap, MetadataValue};
use tonic::{Code, Request, Status};

use crate::clients::Wire;
use crate::proto::unimplemented_service_client::UnimplementedServiceClient;
use crate::proto::{
    EchoStatus, Empty, Payload, ResponseParameters, SimpleRequest, StreamingInputCallRequest,
    StreamingOutputCallRequest,
};
use crate::scene::Test;

cases![
    empty_unary,
    large_unary,
    client_streaming,
    server_streaming,
    ping_pong,
    empty_stream,
    custom_metadata,
    status_code_and_message,
    special_status_message,
    unimplemented_method,
    unimplemented_service,
    cancel_after_begin,
    cancel_after_first_response,
    timeout_on_sleeping_server,
];

const LARGE_REQUEST: usize = 271_828;
const LARGE_RESPONSE: i32 = 314_159;
const REQUESTS: [usize; 4] = [27_182, 8, 1_828, 45_904];
const RESPONSES: [i32; 4] = [31_415, 9, 2_653, 58_979];

async fn empty_unary<C: Wire>(test: Test<C>) {
    let reply = test.client().empty_call(test.request(Empty {})).await.unwrap();
    assert_eq!(reply.into_inner(), Empty {});
}

async fn large_unary<C: Wire>(test: Test<C>) {
    let reply = test.client().unary_call(test.request(large())).await.unwrap();
    assert_eq!(reply.into_inner().payload, Some(zeros(LARGE_RESPONSE as usize)));
}

async fn client_streaming<C: Wire>(test: Test<C>) {
    let requests =
        REQUESTS.map(|size| StreamingInputCallRequest { payload: Some(zeros(size)), ..Default::default() });
    let reply = test.client().streaming_input_call(test.request(stream::iter(requests))).await.unwrap();
    assert_eq!(reply.into_inner().aggregated_payload_size, 74_922);
    test.server_sees("half-close").await;
}

async fn server_streaming<C: Wire>(test: Test<C>) {
    let response_parameters = RESPONSES.map(parameters).to_vec();
    let request = StreamingOutputCallRequest { response_parameters, ..Default::default() };
    let mut replies = test.client().streaming_output_call(test.request(request)).await.unwrap().into_inner();
    for size in RESPONSES {
        let reply = replies.message().await.unwrap().unwrap();
        assert_eq!(reply.payload, Some(zeros(size as usize)));
    }
    assert_eq!(replies.message().await.unwrap(), None);
}

async fn ping_pong<C: Wire>(test: Test<C>) {
    let (say, requests) = mpsc::unbounded();
    say.unbounded_send(ask(RESPONSES[0], REQUESTS[0])).unwrap();
    let mut replies = test.client().full_duplex_call(test.request(requests)).await.unwrap().into_inner();
    for turn in 0..4 {
        if turn > 0 {
            say.unbounded_send(ask(RESPONSES[turn], REQUESTS[turn])).unwrap();
        }
        let reply = replies.message().await.unwrap().unwrap();
        assert_eq!(reply.payload, Some(zeros(RESPONSES[turn] as usize)), "turn {turn}");
    }
    drop(say);
    assert_eq!(replies.message().await.unwrap(), None);
    test.server_sees("half-close").await;
}

async fn empty_stream<C: Wire>(test: Test<C>) {
    let requests = test.request(stream::empty());
    let mut replies = test.client().full_duplex_call(requests).await.unwrap().into_inner();
    assert_eq!(replies.message().await.unwrap(), None);
}

async fn custom_metadata<C: Wire>(test: Test<C>) {
    let reply = test.client().unary_call(with_metadata(test.request(large()))).await.unwrap();
    // tonic's unary calls have trailers and headers in one.
    assert_initial(reply.metadata());
    assert_trailing(reply.metadata());

    let requests = stream::iter([ask(LARGE_RESPONSE, LARGE_REQUEST)]);
    let reply = test.client().full_duplex_call(with_metadata(test.request(requests))).await.unwrap();
    assert_initial(reply.metadata());
    let mut replies = reply.into_inner();
    assert!(replies.message().await.unwrap().is_some());
    assert_eq!(replies.message().await.unwrap(), None);
    assert_trailing(&replies.trailers().await.unwrap().unwrap());
}

async fn status_code_and_message<C: Wire>(test: Test<C>) {
    let response_status = Some(EchoStatus { code: 2, message: "test status message".into() });
    let asked = |status: Status| {
        assert_eq!((status.code(), status.message()), (Code::Unknown, "test status message"))
    };

    let request = SimpleRequest { response_status: response_status.clone(), ..Default::default() };
    asked(test.client().unary_call(test.request(request)).await.unwrap_err());

    let request = StreamingOutputCallRequest { response_status, ..Default::default() };
    let request = test.request(stream::iter([request]));
    // Where nothing was sent before, the failure may come with the headers.
    match test.client().full_duplex_call(request).await {
        Err(status) => asked(status),
        Ok(replies) => asked(replies.into_inner().message().await.unwrap_err()),
    }
}

async fn special_status_message<C: Wire>(test: Test<C>) {
    let message = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n";
    let response_status = Some(EchoStatus { code: 2, message: message.into() });
    let request = SimpleRequest { response_status, ..Default::default() };
    let status = test.client().unary_call(test.request(request)).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::Unknown, message));
}

async fn unimplemented_method<C: Wire>(test: Test<C>) {
    let status = test.client().unimplemented_call(test.request(Empty {})).await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented, "{status}");
}

async fn unimplemented_service<C: Wire>(test: Test<C>) {
    let mut client = UnimplementedServiceClient::new(test.channel.clone());
    let status = client.unimplemented_call(Empty {}).await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented, "{status}");
}

async fn cancel_after_begin<C: Wire>(test: Test<C>) {
    let (_say, requests) = mpsc::unbounded::<StreamingInputCallRequest>();
    let mut client = test.client();
    let call = Box::pin(client.streaming_input_call(test.request(requests)));
    let opened = pin!(test.server_sees("open"));
    match select(call, opened).await {
        Either::Left((outcome, _)) => panic!("it ended by itself: {outcome:?}"),
        Either::Right((_, call)) => drop(call),
    }
    test.server_sees("cancelled").await;
}

async fn cancel_after_first_response<C: Wire>(test: Test<C>) {
    let (say, requests) = mpsc::unbounded();
    say.unbounded_send(ask(RESPONSES[0], REQUESTS[0])).unwrap();
    let mut replies = test.client().full_duplex_call(test.request(requests)).await.unwrap().into_inner();
    assert!(replies.message().await.unwrap().is_some());
    drop(replies);
    test.server_sees("cancelled").await;
    // Whoever still holds it sees that nobody listens.
    drop(say);
}

async fn timeout_on_sleeping_server<C: Wire>(test: Test<C>) {
    let (say, requests) = mpsc::unbounded();
    let payload = Some(zeros(REQUESTS[0]));
    say.unbounded_send(StreamingOutputCallRequest { payload, ..Default::default() }).unwrap();
    let mut request = test.request(requests);
    request.set_timeout(Duration::from_millis(1));
    let status = match test.client().full_duplex_call(request).await {
        Err(status) => status,
        Ok(replies) => replies.into_inner().message().await.unwrap_err(),
    };
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status}");
}

fn zeros(size: usize) -> Payload {
    Payload { body: vec![0; size] }
}

fn large() -> SimpleRequest {
    SimpleRequest { response_size: LARGE_RESPONSE, payload: Some(zeros(LARGE_REQUEST)), ..Default::default() }
}

fn parameters(size: i32) -> ResponseParameters {
    ResponseParameters { size, ..Default::default() }
}

/// A request of `size` bytes for one reply of `reply` bytes.
fn ask(reply: i32, size: usize) -> StreamingOutputCallRequest {
    StreamingOutputCallRequest {
        response_parameters: vec![parameters(reply)],
        payload: Some(zeros(size)),
        ..Default::default()
    }
}

fn with_metadata<T>(mut request: Request<T>) -> Request<T> {
    let value = MetadataValue::from_static("test_initial_metadata_value");
    request.metadata_mut().insert("x-grpc-test-echo-initial", value);
    let value = BinaryMetadataValue::from_bytes(&[0xab, 0xab, 0xab]);
    request.metadata_mut().insert_bin("x-grpc-test-echo-trailing-bin", value);
    request
}

fn assert_initial(metadata: &MetadataMap) {
    assert_eq!(metadata.get("x-grpc-test-echo-initial").unwrap(), "test_initial_metadata_value");
}

fn assert_trailing(metadata: &MetadataMap) {
    let value = metadata.get_bin("x-grpc-test-echo-trailing-bin").unwrap();
    assert_eq!(value.to_bytes().unwrap().as_ref(), [0xab, 0xab, 0xab]);
}
