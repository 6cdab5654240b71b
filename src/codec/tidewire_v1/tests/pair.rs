//! A client and a gateway joined without a network: what each of the two promises.

mod end;
mod flow;
mod life;
mod turns;

use core::time::Duration;

use crate::codec::HeaderList;
use crate::codec::tidewire_v1::{Connection, Event, Limits, Role};

const NOW: Duration = Duration::ZERO;
const BUDGET: usize = 64 * 1024;

/// What one side was told, DATA with its bytes.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    Bytes(u32, Vec<u8>, bool),
    Other(Event),
}

struct Pair {
    client: Connection,
    gateway: Connection,
}

impl Pair {
    fn new() -> Self {
        Self::with(Limits::default(), Limits::default())
    }

    fn with(client: Limits, gateway: Limits) -> Self {
        Self {
            client: Connection::new(Role::Client, client, NOW),
            gateway: Connection::new(Role::Gateway, gateway, NOW),
        }
    }

    /// One whose two HELLOs have been read.
    fn greeted(client: Limits, gateway: Limits) -> Self {
        let mut pair = Self::with(client, gateway);
        assert_eq!(pair.client_speaks(), []);
        assert_eq!(pair.gateway_speaks(), []);
        pair
    }

    /// Carries all that the client has to say; returns what the gateway was told.
    fn client_speaks(&mut self) -> Vec<Told> {
        carry(&mut self.client, &mut self.gateway)
    }

    fn gateway_speaks(&mut self) -> Vec<Told> {
        carry(&mut self.gateway, &mut self.client)
    }

    fn open(&mut self, fin: bool) -> u32 {
        self.client.open("POST", "/a.B/C", &headers(&[("te", "trailers")]), fin).expect("open")
    }
}

fn carry(from: &mut Connection, to: &mut Connection) -> Vec<Told> {
    let mut told = Vec::new();
    while let Some(message) = from.poll_transmit(BUDGET) {
        to.handle_message(NOW, &message).expect("a well-behaved peer");
        told.extend(events(to, &message));
    }
    told
}

fn events(of: &mut Connection, message: &[u8]) -> Vec<Told> {
    std::iter::from_fn(|| of.poll_event())
        .map(|event| match event {
            Event::Data { id, range, fin } => Told::Bytes(id, message[range].to_vec(), fin),
            other => Told::Other(other),
        })
        .collect()
}

fn headers(pairs: &[(&str, &str)]) -> HeaderList {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect()
}

fn opened(id: u32, fin: bool) -> Told {
    let headers = headers(&[("te", "trailers")]);
    Told::Other(Event::Open { id, method: "POST".into(), path: "/a.B/C".into(), headers, fin })
}

fn answered(id: u32, fin: bool) -> Told {
    Told::Other(Event::Headers { id, status: 200, headers: headers(&[]), fin })
}

fn bytes(id: u32, data: &str, fin: bool) -> Told {
    Told::Bytes(id, data.as_bytes().to_vec(), fin)
}

fn reset(id: u32, code: u32, reason: &str, sent: bool) -> Told {
    Told::Other(Event::Reset { id, code, reason: reason.into(), sent })
}

fn writable(id: u32) -> Told {
    Told::Other(Event::Writable { id })
}

fn body(told: &[Told], id: u32) -> usize {
    told.iter()
        .map(|told| {
            if let Told::Bytes(of, data, _) = told
                && *of == id
            {
                data.len()
            } else {
                0
            }
        })
        .sum()
}
