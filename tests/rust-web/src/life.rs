//! What a call promises beyond gRPC's own cases: each is proved by what the server saw.

use futures_channel::mpsc;
use futures_util::future::join;
use futures_util::stream;
use tonic::codec::CompressionEncoding;
use tonic::metadata::MetadataValue;
use tonic::service::Interceptor;
use tonic::{Request, Status};

use crate::clients::Wire;
use crate::proto::test_service_client::TestServiceClient;
use crate::proto::{
    Empty, Payload, ResponseParameters, SimpleRequest, StreamingInputCallRequest, StreamingOutputCallRequest,
};
use crate::scene::Test;

cases![
    requests_go_out_as_they_come,
    dropped_replies_cancel,
    requests_end_before_the_replies,
    replies_by_the_thousand,
    repeated_metadata,
    interceptor,
    gzip_both_ways,
];

/// A client stream is not kept back until it is whole.
async fn requests_go_out_as_they_come<C: Wire>(test: Test<C>) {
    let (say, requests) = mpsc::unbounded();
    let mut client = test.client();
    let talk = async {
        say.unbounded_send(StreamingInputCallRequest::default()).unwrap();
        test.server_sees("message").await;
        drop(say);
    };
    let (reply, ()) = join(client.streaming_input_call(test.request(requests)), talk).await;
    assert_eq!(reply.unwrap().into_inner().aggregated_payload_size, 0);
}

async fn dropped_replies_cancel<C: Wire>(test: Test<C>) {
    let soon = ResponseParameters { size: 1, ..Default::default() };
    let late = ResponseParameters { interval_us: 2_000_000, ..soon };
    let request = StreamingOutputCallRequest { response_parameters: vec![soon, late], ..Default::default() };
    let mut replies = test.client().streaming_output_call(test.request(request)).await.unwrap().into_inner();
    assert!(replies.message().await.unwrap().is_some());
    drop(replies);
    test.server_sees("cancelled").await;
}

/// After half-close the replies go on.
async fn requests_end_before_the_replies<C: Wire>(test: Test<C>) {
    let later = ResponseParameters { size: 3, interval_us: 100_000, ..Default::default() };
    let request = StreamingOutputCallRequest { response_parameters: vec![later; 3], ..Default::default() };
    let requests = test.request(stream::iter([request]));
    let mut replies = test.client().full_duplex_call(requests).await.unwrap().into_inner();
    for _ in 0..3 {
        assert_eq!(replies.message().await.unwrap().unwrap().payload, Some(Payload { body: vec![0; 3] }));
    }
    assert_eq!(replies.message().await.unwrap(), None);
    test.server_sees("half-close").await;
}

async fn replies_by_the_thousand<C: Wire>(test: Test<C>) {
    let sizes: Vec<i32> = (0..5_000).map(|n| n % 97).collect();
    let parameters = sizes.iter().map(|&size| ResponseParameters { size, ..Default::default() });
    let request =
        StreamingOutputCallRequest { response_parameters: parameters.collect(), ..Default::default() };
    let mut replies = test.client().streaming_output_call(test.request(request)).await.unwrap().into_inner();
    for size in sizes {
        let reply = replies.message().await.unwrap().unwrap();
        assert_eq!(reply.payload.unwrap().body.len(), size as usize);
    }
    assert_eq!(replies.message().await.unwrap(), None);
}

async fn repeated_metadata<C: Wire>(test: Test<C>) {
    let mut request = test.request(Empty {});
    request.metadata_mut().append("x-twice", MetadataValue::from_static("first"));
    request.metadata_mut().append("x-twice", MetadataValue::from_static("second"));
    test.client().empty_call(request).await.unwrap();
    let open = test.server_sees("open").await;
    assert!(open.contains("first") && open.contains("second"), "the server saw {open}");
}

async fn interceptor<C: Wire>(test: Test<C>) {
    let mut client = TestServiceClient::with_interceptor(test.channel.clone(), Token);
    client.empty_call(test.request(Empty {})).await.unwrap();
    let open = test.server_sees("open").await;
    assert!(open.contains("Bearer of news"), "the server saw {open}");
}

struct Token;

impl Interceptor for Token {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", MetadataValue::from_static("Bearer of news"));
        Ok(request)
    }
}

async fn gzip_both_ways<C: Wire>(test: Test<C>) {
    let mut client = test.client();
    client = client.send_compressed(CompressionEncoding::Gzip).accept_compressed(CompressionEncoding::Gzip);
    let payload = Some(Payload { body: vec![7; 100_000] });
    let request = SimpleRequest { response_size: 100_000, payload, ..Default::default() };
    let reply = client.unary_call(test.request(request)).await.unwrap();
    assert_eq!(reply.into_inner().payload, Some(Payload { body: vec![0; 100_000] }));
}
