//! Answers that no real server gives on demand, by the fake server of `tests/js/fake-server.mjs`.

use std::time::Duration;

use tonic::Code;

use crate::clients::Wire;
use crate::proto::{Empty, StreamingOutputCallRequest};
use crate::scene::Test;

cases![
    split_trailers,
    repeated_trailers,
    text_mode,
    status_in_headers,
    deadline_without_the_server,
    http_503
];

/// The trailers come in two pieces, the second after the reply was read.
async fn split_trailers<C: Wire>(test: Test<C>) {
    let request = StreamingOutputCallRequest::default();
    let mut replies = test.client().streaming_output_call(request).await.unwrap().into_inner();
    assert!(replies.message().await.unwrap().is_some());
    let (rest, ()) = futures_util::future::join(replies.message(), test.server_goes_on()).await;
    let status = rest.expect_err("the status that the trailers carry");
    assert_eq!((status.code(), status.message()), (Code::FailedPrecondition, "in two pieces"));
}

async fn repeated_trailers<C: Wire>(test: Test<C>) {
    let reply = test.client().empty_call(Empty {}).await.unwrap();
    let values: Vec<_> = reply.metadata().get_all("x-twice").iter().collect();
    assert_eq!(values, ["first", "second"]);
}

async fn text_mode<C: Wire>(test: Test<C>) {
    let reply = test.client().empty_call(Empty {}).await.unwrap();
    assert_eq!(reply.metadata().get("x-in").unwrap(), "base64");
}

async fn status_in_headers<C: Wire>(test: Test<C>) {
    let status = test.client().empty_call(Empty {}).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::NotFound, "none"));
}

async fn deadline_without_the_server<C: Wire>(test: Test<C>) {
    let mut request = test.request(Empty {});
    request.set_timeout(Duration::from_millis(200));
    let status = test.client().empty_call(request).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status}");
}

async fn http_503<C: Wire>(test: Test<C>) {
    let status = test.client().empty_call(Empty {}).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status}");
}
