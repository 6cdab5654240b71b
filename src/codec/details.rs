//! `google.rpc.Status` as it travels in `grpc-status-details-bin`: `int32 code = 1; string message = 2; repeated
//! google.protobuf.Any details = 3`, and `Any` as `string type_url = 1; bytes value = 2`.
//!
//! Read by hand: a protobuf library is two kilobytes of every page's download for these five fields. The tests read the
//! same bytes with one.

use crate::status::Detail;

/// The details; `None` where the bytes are no protobuf. Code and message are `grpc-status` and `grpc-message` again,
/// which count.
pub fn decode(status: &[u8]) -> Option<Vec<Detail>> {
    let mut details = Vec::new();
    let mut fields = Fields(status);
    while !fields.0.is_empty() {
        if let (3, Some(any)) = fields.next()? {
            details.push(decode_any(any)?);
        }
    }
    Some(details)
}

fn decode_any(any: &[u8]) -> Option<Detail> {
    let mut detail = Detail { type_url: String::new(), value: Vec::new() };
    let mut fields = Fields(any);
    while !fields.0.is_empty() {
        match fields.next()? {
            (1, Some(text)) => detail.type_url = String::from_utf8_lossy(text).into_owned(),
            (2, Some(bytes)) => detail.value = bytes.to_vec(),
            _ => {}
        }
    }
    Some(detail)
}

/// What is left of a message.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// The next field's number, and its bytes if it has a length.
    fn next(&mut self) -> Option<(u64, Option<&'a [u8]>)> {
        let key = self.varint()?;
        let bytes = match key & 7 {
            0 => {
                self.varint()?;
                None
            }
            1 => self.take(8).map(|_| None)?,
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                Some(self.take(length)?)
            }
            5 => self.take(4).map(|_| None)?,
            _ => return None,
        };
        Some((key >> 3, bytes))
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
}

#[cfg(any(feature = "channel", not(target_family = "wasm")))]
pub use encode::encode;

#[cfg(any(feature = "channel", not(target_family = "wasm")))]
mod encode {
    use crate::status::Status;

    /// What [`decode`](super::decode) reads, with code and message.
    pub fn encode(status: &Status) -> Vec<u8> {
        let mut bytes = vec![0x08];
        push_varint(&mut bytes, status.code as usize);
        push_bytes(&mut bytes, 0x12, status.message.as_bytes());
        for detail in &status.details {
            let mut any = Vec::new();
            push_bytes(&mut any, 0x0a, detail.type_url.as_bytes());
            push_bytes(&mut any, 0x12, &detail.value);
            push_bytes(&mut bytes, 0x1a, &any);
        }
        bytes
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::Status;
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
        /// Of a later version of the message.
        #[prost(fixed64, tag = "9")]
        unknown: u64,
        #[prost(float, tag = "10")]
        unknown_too: f32,
    }

    #[test]
    fn what_prost_writes_is_read() {
        proptest::proptest!(|(code: i32, message: String, anys: Vec<(String, Vec<u8>)>, unknown: u64)| {
            let details = anys.iter().cloned().map(|(type_url, value)| Any { type_url, value }).collect();
            let bytes = RpcStatus { code, message, details, unknown, unknown_too: 1.0 }.encode_to_vec();
            let read: Vec<_> = decode(&bytes).unwrap().into_iter().map(|d| (d.type_url, d.value)).collect();
            proptest::prop_assert_eq!(read, anys);
        });
    }

    #[test]
    fn what_is_written_prost_reads() {
        proptest::proptest!(|(code in 1..17, message: String, anys: Vec<(String, Vec<u8>)>)| {
            let details = anys.iter().cloned().map(|(type_url, value)| Detail { type_url, value }).collect();
            let written = encode(&Status::from_peer(code, message.clone(), details));
            let details = anys.into_iter().map(|(type_url, value)| Any { type_url, value }).collect();
            let read = RpcStatus { code, message, details, ..RpcStatus::default() };
            proptest::prop_assert_eq!(RpcStatus::decode(written.as_slice()).unwrap(), read);
        });
    }

    #[test]
    fn what_prost_refuses_is_refused_or_harmless() {
        proptest::proptest!(|(bytes: Vec<u8>)| {
            if let Ok(status) = RpcStatus::decode(bytes.as_slice()) {
                let read = decode(&bytes).map(|details| details.len());
                proptest::prop_assert!(read.is_none_or(|count| count == status.details.len()));
            }
        });
        for cut in [&[0x1a][..], &[0x1a, 5, 1], &[0x1a, 0xff, 0xff, 0xff, 0xff, 0x7f], &[0xff; 11], &[3]] {
            assert_eq!(decode(cut), None, "{cut:?}");
        }
    }
}
