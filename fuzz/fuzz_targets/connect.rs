//! Connect's streams, and bare messages and errors: the same comes out of every cutting.
#![no_main]

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use tidewire::codec::bare::{Bare, Dialect};
use tidewire::codec::connect::Connect;
use tidewire::codec::{Messages, envelope};
use tidewire::status::Fault;
use tidewire_fuzz::{answered, replay};

const MAX_MESSAGE: usize = 1000;

/// What a stream is made of. Random bytes alone would never find an end.
#[derive(Arbitrary, Debug)]
enum Part<'a> {
    Message(&'a [u8]),
    End(&'a [u8]),
    Error(&'a str, &'a [u8]),
    Envelope(u8, &'a [u8]),
    Raw(&'a [u8]),
}

impl Part<'_> {
    fn written(&self) -> Vec<u8> {
        match self {
            Self::Message(bytes) => envelope::encode(0, bytes),
            Self::End(bytes) => envelope::encode(2, bytes),
            Self::Error(code, more) => {
                let json = [br#"{"error":{"code":""#, code.as_bytes(), br#"","#, more, b"}}"].concat();
                envelope::encode(2, &json)
            }
            Self::Envelope(flags, bytes) => envelope::encode(*flags, bytes),
            Self::Raw(bytes) => bytes.to_vec(),
        }
    }
}

fuzz_target!(|input: (u16, u8, Vec<Part<'_>>)| {
    let (http, seed, parts) = input;
    let stream: Vec<u8> = parts.iter().flat_map(Part::written).collect();
    let heard = replay(seed, &stream, || {
        answered(Box::new(Connect::new(messages())), 200, "application/connect+json")
    });
    assert!(!heard.waited || !heard.status.is_ok(), "a stream without its end is never OK");
    assert!(heard.messages.iter().all(|message| message.len() <= MAX_MESSAGE));

    for dialect in [Dialect::Connect, Dialect::Triple] {
        let heard = replay(seed, &stream, || {
            answered(Box::new(Bare::new(dialect, messages(), true)), http, "application/json")
        });
        assert_eq!(heard.status.is_ok(), heard.messages.len() == 1, "a message or an error");
        assert_eq!(heard.status.is_ok(), heard.status.fault == Fault::None);
        assert!(http == 200 || !heard.status.is_ok());
    }
});

fn messages() -> Messages {
    Messages { subtype: "json".into(), ..Messages::new(MAX_MESSAGE) }
}
