//! `google.rpc.Status` as it travels in `grpc-status-details-bin`: `int32 code = 1; string message = 2; repeated
//! google.protobuf.Any details = 3`, and `Any` as `string type_url = 1; bytes value = 2`. Only written here, for errors that
//! came as JSON: who wants to know the details of a status reads them in this form, whatever the protocol.

use super::HeaderList;
use crate::base64;
use crate::status::Status;

/// Adds one detail to those of a status.
pub fn push(type_url: &str, value: &[u8], details: &mut Vec<u8>) {
    let mut any = Vec::new();
    push_bytes(&mut any, 0x0a, type_url.as_bytes());
    push_bytes(&mut any, 0x12, value);
    push_bytes(details, 0x1a, &any);
}

/// Adds the trailer of a status with such details.
pub fn push_trailer(status: &Status, details: &mut Vec<u8>, trailers: &mut HeaderList) {
    let mut bytes = vec![0x08];
    push_varint(&mut bytes, status.code as usize);
    push_bytes(&mut bytes, 0x12, status.message.as_bytes());
    bytes.append(details);
    trailers.push(("grpc-status-details-bin".to_string(), base64::encode_unpadded(&bytes)));
}

fn push_bytes(into: &mut Vec<u8>, key: u8, bytes: &[u8]) {
    into.push(key);
    push_varint(into, bytes.len());
    into.extend_from_slice(bytes);
}

fn push_varint(into: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        into.push(value as u8 | 0x80);
        value >>= 7;
    }
    into.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::base64::Engine as _;
    use ::base64::engine::general_purpose::STANDARD_NO_PAD;
    use prost::Message as _;

    #[derive(Clone, PartialEq, prost::Message)]
    struct Any {
        #[prost(string, tag = "1")]
        type_url: String,
        #[prost(bytes = "vec", tag = "2")]
        value: Vec<u8>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    struct RpcStatus {
        #[prost(int32, tag = "1")]
        code: i32,
        #[prost(string, tag = "2")]
        message: String,
        #[prost(message, repeated, tag = "3")]
        details: Vec<Any>,
    }

    #[test]
    fn what_is_written_prost_reads() {
        proptest::proptest!(|(code in 1..17, message: String, anys: Vec<(String, Vec<u8>)>)| {
            let (mut details, mut trailers) = (Vec::new(), HeaderList::new());
            anys.iter().for_each(|(type_url, value)| push(type_url, value, &mut details));
            push_trailer(&Status::from_peer(code, message.clone()), &mut details, &mut trailers);
            let details = anys.into_iter().map(|(type_url, value)| Any { type_url, value }).collect();
            let (name, value) = &trailers[0];
            proptest::prop_assert_eq!(name, "grpc-status-details-bin");
            let read = RpcStatus::decode(&*STANDARD_NO_PAD.decode(value).unwrap()).unwrap();
            proptest::prop_assert_eq!(read, RpcStatus { code, message, details });
        });
    }
}
