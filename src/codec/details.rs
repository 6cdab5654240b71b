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
    trailers.push("grpc-status-details-bin", base64::encode_unpadded(&bytes));
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
