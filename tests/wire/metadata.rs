//! User metadata on the wire.

use tidewire::codec::HeaderList;
use tidewire::metadata::{Value, decode, encode};
use tidewire::status::{Code, Fault, Status};

use super::replay::{ALL, answer};

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

fn sent(name: &str, value: Value) -> Result<HeaderList, Status> {
    let mut headers = HeaderList::new();
    encode(vec![(name.into(), value)], &mut headers)?;
    Ok(headers)
}

#[test]
fn row_38_bytes_come_padded_unpadded_and_joined_by_commas() {
    let (a, b) = (Value::Binary(vec![0xff, 0]), Value::Binary(vec![1]));
    let table = [
        ("/wA", vec![a.clone()]),
        ("/wA=", vec![a.clone()]),
        ("/wA,AQ", vec![a.clone(), b.clone()]),
        ("/wA=, AQ== ,/wA", vec![a.clone(), b, a]),
        ("", vec![Value::Binary(vec![])]),
    ];
    for (wire, values) in table {
        for heard in answer().trailers(&[("grpc-status", "0"), ("x-bin", wire)]).on(&ALL) {
            let expected: Vec<_> = values.iter().map(|value| ("x-bin".to_string(), value.clone())).collect();
            assert_eq!(decode(&heard.trailers), expected, "{wire}");
        }
    }
}

#[test]
fn row_38_bytes_that_cannot_be_read_hide_nothing_else() {
    let list = [("x-bin", "!!"), ("y", "1"), ("x-bin", "AQ"), ("grpc-status", "0")];
    for heard in answer().trailers(&list).on(&ALL) {
        assert!(heard.status.is_ok());
        let expected = [("y".to_string(), text("1")), ("x-bin".into(), Value::Binary(vec![1]))];
        assert_eq!(decode(&heard.trailers), expected);
    }
}

#[test]
fn row_38_bytes_go_out_unpadded_and_in_order() {
    let mut headers = HeaderList::new();
    let values = [vec![0xff, 0], vec![], vec![0xfb, 0xef]];
    encode(values.map(|bytes| ("x-bin".to_string(), Value::Binary(bytes))).into(), &mut headers).unwrap();
    assert_eq!(headers, ["/wA", "", "++8"].map(|value| ("x-bin".to_string(), value.as_bytes().to_vec())));
}

#[test]
fn row_39_names_that_are_not_the_users_are_refused_and_named() {
    let protocol = ["grpc-timeout", "grpc-status", "grpc-encoding", "grpc-anything", "te", "content-type"];
    let http =
        [":path", "host", "connection", "content-length", "transfer-encoding", "upgrade", "keep-alive"];
    let fetch =
        ["cookie", "origin", "referer", "date", "sec-fetch-mode", "proxy-authorization", "accept-encoding"];
    let grammar = ["", "Upper", "sp ace", "ü", "a:b", "a\r\nb", "a/b"];
    for name in [&protocol[..], &http, &fetch, &grammar].concat() {
        let status = sent(name, text("1")).unwrap_err();
        assert_eq!((status.code, status.fault), (Code::InvalidArgument, Fault::Misuse), "{name:?}");
        assert!(status.message.contains(&["\"", name, "\""].concat()), "{status}");
    }
}

#[test]
fn row_39_names_that_only_look_like_the_protocols_pass() {
    for name in
        ["x-grpc-timeout", "grpcish", "authorization", "tri-service-version", "a.b_c-d", "0", "user-agent"]
    {
        assert_eq!(sent(name, text("1")).unwrap(), [(name.to_string(), b"1".to_vec())]);
    }
}

#[test]
fn row_39_values_that_http_forbids_are_refused_before_anything_is_sent() {
    for value in ["line\r\nx-injected: 1", "\0", "tab\there", "grüßt", "\x7f"] {
        let status = sent("x-tag", text(value)).unwrap_err();
        assert_eq!((status.code, status.fault), (Code::InvalidArgument, Fault::Misuse), "{value:?}");
        assert!(status.message.contains("x-tag") && status.message.contains("-bin"));
    }
    assert_eq!(sent("x-tag", text(" !~")).unwrap()[0].1, b" !~");
}

#[test]
fn row_39_text_and_bytes_are_not_mixed_up() {
    for (name, value) in [("x-bin", text("AQ")), ("x-tag", Value::Binary(vec![1]))] {
        assert_eq!(sent(name, value).unwrap_err().code, Code::InvalidArgument, "{name}");
    }
}
