//! The request's headers: the protocol's own, then the user's, in order.

use tidewire::codec::HeaderList;
use tidewire::metadata;
use tidewire::status::{Code, Fault};

use crate::harness::wire::Wire;
use crate::harness::{bidi, headers};

#[test]
fn the_users_come_last_in_order_with_repeats() {
    let ours = [("b", "2"), ("a", "1"), ("b", "3"), ("trace-bin", "/wA"), ("empty", "")];
    for pair in bidi().metadata(&ours).deadline(300).triple().on_every_wire() {
        let head = pair.opens();
        let count = head.0.iter().count() - ours.len();
        let (protocol, user): (Vec<_>, Vec<_>) =
            (head.0.iter().take(count).collect(), head.0.iter().skip(count).collect());
        assert_eq!(HeaderList::from_iter(user), headers(&ours));
        for (name, _) in ours {
            assert!(!protocol.iter().any(|(n, _)| *n == name.as_bytes()), "{name} came twice");
        }
    }
}

#[test]
fn each_wire_says_what_it_is() {
    let head = |wire| bidi().over(wire).opens();
    head(Wire::Grpc).with("content-type", "application/grpc").with("te", "trailers").without("x-grpc-web");
    for wire in [Wire::GrpcWeb, Wire::GrpcWebText, Wire::GrpcWebSockets] {
        head(wire)
            .with("content-type", wire.content_type())
            .with("accept", wire.content_type())
            .with("x-grpc-web", "1")
            .without("te");
    }
}

#[test]
fn what_the_protocol_rests_on_cannot_come_from_the_user() {
    for pair in bidi().deadline(300).triple().on_every_wire() {
        let own = pair.opens().0;
        // These are hints, of which a server may as well see two.
        let hint = |name: &[u8]| name == b"accept" || name == b"x-grpc-web" || name.starts_with(b"tri");
        for (name, _) in own.iter().filter(|(name, _)| !hint(name)) {
            let status = metadata::check(name, b"mine").unwrap_err();
            assert_eq!((status.code, status.fault), (Code::InvalidArgument, Fault::Misuse));
            assert!(status.message.contains(&*String::from_utf8_lossy(name)), "{status}");
        }
    }
}
