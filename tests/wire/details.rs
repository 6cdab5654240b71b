//! The details of errors that came as JSON, written as gRPC sends them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use prost::Message as _;
use tidewire::codec::HeaderList;
use tidewire::codec::details::{push, push_trailer};
use tidewire::status::Status;

use super::replay::{Any, RpcStatus};

#[test]
fn what_is_written_prost_reads() {
    proptest::proptest!(|(code in 1..17, message: String, anys: Vec<(String, Vec<u8>)>)| {
        let (mut details, mut trailers) = (Vec::new(), HeaderList::new());
        anys.iter().for_each(|(type_url, value)| push(type_url, value, &mut details));
        push_trailer(&Status::from_peer(code, message.clone()), &mut details, &mut trailers);
        let details = anys.into_iter().map(|(type_url, value)| Any { type_url, value }).collect();
        let value = trailers.first("grpc-status-details-bin").unwrap();
        let read = RpcStatus::decode(&*STANDARD_NO_PAD.decode(value).unwrap()).unwrap();
        proptest::prop_assert_eq!(read, RpcStatus { code, message, details });
    });
}
