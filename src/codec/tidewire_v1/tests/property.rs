//! Random conversations between two connections, and random bytes.

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::codec::HeaderList;
use crate::codec::tidewire_v1::{Connection, Event, Limits, Role, code};

const NOW: Duration = Duration::ZERO;

/// One step of a conversation. `nth` picks among the streams that the side knows.
#[derive(Debug, Clone)]
enum Step {
    Open {
        fin: bool,
    },
    Send {
        side: usize,
        nth: usize,
        bytes: usize,
        fin: bool,
    },
    Trailers {
        nth: usize,
    },
    Reset {
        side: usize,
        nth: usize,
    },
    Read {
        side: usize,
        nth: usize,
        bytes: usize,
    },
    /// One message leaves a side …
    Transmit {
        side: usize,
        budget: usize,
    },
    /// … and one arrives at a side.
    Deliver {
        side: usize,
    },
}

const CLIENT: usize = 0;
const GATEWAY: usize = 1;

fn step() -> impl Strategy<Value = Step> {
    let side = 0..2_usize;
    let nth = 0..8_usize;
    prop_oneof![
        2 => any::<bool>().prop_map(|fin| Step::Open { fin }),
        6 => (side.clone(), nth.clone(), 0..300_000_usize, prop::bool::weighted(0.2))
            .prop_map(|(side, nth, bytes, fin)| Step::Send { side, nth, bytes, fin }),
        1 => nth.clone().prop_map(|nth| Step::Trailers { nth }),
        1 => (side.clone(), nth.clone()).prop_map(|(side, nth)| Step::Reset { side, nth }),
        6 => (side.clone(), nth, 1..200_000_usize)
            .prop_map(|(side, nth, bytes)| Step::Read { side, nth, bytes }),
        8 => (side.clone(), 0..80_000_usize).prop_map(|(side, budget)| Step::Transmit { side, budget }),
        8 => side.prop_map(|side| Step::Deliver { side }),
    ]
}

fn limits() -> impl Strategy<Value = Limits> {
    (65_536..400_000_u32, 1_048_576..1_100_000_u32, 16_384..70_000_u32, 1..9_u32).prop_map(
        |(stream_window, connection_window, max_frame, max_streams)| Limits {
            stream_window,
            connection_window,
            max_frame,
            max_streams,
            max_headers: 16_384,
        },
    )
}

/// What one direction of a stream has carried.
#[derive(Debug, Default)]
struct Flow {
    given: usize,
    arrived: usize,
    read: usize,
    /// The sender said that it is done.
    closed: bool,
    /// The receiver was told so.
    ended: bool,
}

/// One side and its view of the streams.
struct Side {
    connection: Connection,
    window: (usize, usize),
    /// Messages on their way to it.
    inbox: VecDeque<Vec<u8>>,
    /// Streams that it knows and that no reset has ended.
    live: Vec<u32>,
}

struct World {
    sides: [Side; 2],
    /// By stream; index 0 is the client's body.
    flows: BTreeMap<u32, [Flow; 2]>,
    /// Streams that were reset: nothing more is promised for them but order.
    reset: Vec<u32>,
}

/// The byte at a place of a body, so that no byte need be remembered.
fn byte(id: u32, side: usize, at: usize) -> u8 {
    ((at as u32).wrapping_mul(2_654_435_761) >> 24) as u8 ^ (id as u8) ^ (side as u8) << 7
}

impl World {
    fn new(client: Limits, gateway: Limits) -> Self {
        let side = |role, limits: Limits| Side {
            connection: Connection::new(role, limits, NOW),
            window: (limits.stream_window as usize, limits.connection_window as usize),
            inbox: VecDeque::new(),
            live: Vec::new(),
        };
        Self {
            sides: [side(Role::Client, client), side(Role::Gateway, gateway)],
            flows: BTreeMap::new(),
            reset: Vec::new(),
        }
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Open { fin } => self.open(fin),
            Step::Send { side, nth, bytes, fin } => self.send(side, nth, bytes, fin),
            Step::Trailers { nth } => self.trailers(nth),
            Step::Reset { side, nth } => self.reset(side, nth),
            Step::Read { side, nth, bytes } => self.read(side, nth, bytes),
            Step::Transmit { side, budget } => {
                self.transmit(side, budget);
            }
            Step::Deliver { side } => {
                self.deliver(side);
            }
        }
    }

    fn pick(&self, side: usize, nth: usize) -> Option<u32> {
        let live = &self.sides[side].live;
        (!live.is_empty()).then(|| live[nth % live.len()])
    }

    fn open(&mut self, fin: bool) {
        let opened = self.sides[CLIENT].connection.open("POST", "/a.B/C", &HeaderList::new(), fin);
        let id = opened.expect("nobody leaves");
        self.sides[CLIENT].live.push(id);
        self.flows.insert(id, [Flow { closed: fin, ..Flow::default() }, Flow::default()]);
    }

    fn send(&mut self, side: usize, nth: usize, bytes: usize, fin: bool) {
        let Some(id) = self.pick(side, nth) else { return };
        let flow = &mut self.flows.get_mut(&id).expect("known")[side];
        if flow.closed {
            // Must be ignored; if it is not, more arrives than was given.
            return self.sides[side].connection.send_data(id, Bytes::from(vec![0; bytes]), fin);
        }
        let data: Vec<u8> = (flow.given..flow.given + bytes).map(|at| byte(id, side, at)).collect();
        flow.given += bytes;
        flow.closed = fin;
        self.sides[side].connection.send_data(id, data, fin);
    }

    fn trailers(&mut self, nth: usize) {
        let Some(id) = self.pick(GATEWAY, nth) else { return };
        self.flows.get_mut(&id).expect("known")[GATEWAY].closed = true;
        self.sides[GATEWAY].connection.send_trailers(id, &HeaderList::from_iter([("grpc-status", "0")]));
    }

    fn reset(&mut self, side: usize, nth: usize) {
        let Some(id) = self.pick(side, nth) else { return };
        self.sides[side].connection.reset(id, code::CANCEL, "");
        self.sides[side].live.retain(|&live| live != id);
        self.reset.push(id);
    }

    fn read(&mut self, side: usize, nth: usize, bytes: usize) {
        let Some(id) = self.pick(side, nth) else { return };
        let flow = &mut self.flows.get_mut(&id).expect("known")[1 - side];
        let bytes = bytes.min(flow.arrived - flow.read);
        flow.read += bytes;
        self.sides[side].connection.release(id, bytes);
    }

    fn transmit(&mut self, side: usize, budget: usize) -> bool {
        let queued_before = self.queued(side);
        let Some(message) = self.sides[side].connection.poll_transmit(budget) else { return false };
        assert!(!message.is_empty());
        // The one frame that may pass the budget here: a head, a piece of 512 bytes, or a control frame.
        assert!(message.len() <= budget.max(600), "{} bytes for a budget of {budget}", message.len());
        let queued = self.queued(side);
        let lower = |id: &u32| queued_before.get(id) >= Some(&32_768) && queued.get(id) < Some(&32_768);
        let mut low: Vec<u32> = queued_before.keys().copied().filter(lower).collect();
        low.sort_unstable();
        let mut told: Vec<u32> = std::iter::from_fn(|| self.sides[side].connection.poll_event())
            .map(|event| match event {
                Event::Writable { id } => id,
                other => panic!("sending told {other:?}"),
            })
            .collect();
        told.sort_unstable();
        assert_eq!(told, low, "who can be written to again");
        self.sides[1 - side].inbox.push_back(message);
        true
    }

    fn queued(&self, side: usize) -> BTreeMap<u32, usize> {
        let Side { connection, live, .. } = &self.sides[side];
        live.iter().map(|&id| (id, connection.queued(id))).collect()
    }

    fn deliver(&mut self, side: usize) -> bool {
        let Some(message) = self.sides[side].inbox.pop_front() else { return false };
        // Whatever goes beyond a window or breaks the grammar is an error here.
        self.sides[side].connection.handle_message(NOW, &message).expect("the peer is well-behaved");
        while let Some(event) = self.sides[side].connection.poll_event() {
            self.told(side, &event, &message);
        }
        self.check_memory(side);
        true
    }

    fn told(&mut self, side: usize, event: &Event, message: &[u8]) {
        match event {
            Event::Open { id, fin, .. } => {
                self.sides[GATEWAY].live.push(*id);
                self.sides[GATEWAY].connection.send_headers(*id, 200, &HeaderList::new(), false);
                self.flows.get_mut(id).expect("opened")[CLIENT].ended = *fin;
            }
            Event::Headers { id, fin, .. } => self.flows.get_mut(id).expect("opened")[GATEWAY].ended = *fin,
            Event::Data { id, range, fin } => {
                let flow = &mut self.flows.get_mut(id).expect("opened")[1 - side];
                assert!(!flow.ended, "DATA behind the end of stream {id}");
                for (place, &found) in message[range.clone()].iter().enumerate() {
                    let at = flow.arrived + place;
                    assert_eq!(found, byte(*id, 1 - side, at), "byte {at} of stream {id}");
                }
                flow.arrived += range.len();
                flow.ended = *fin;
                assert!(flow.arrived <= flow.given);
            }
            Event::Trailers { id, .. } => self.flows.get_mut(id).expect("opened")[GATEWAY].ended = true,
            Event::Reset { id, code, .. } => {
                self.sides[side].live.retain(|live| live != id);
                let answered = self.flows[id][GATEWAY].ended;
                if *code == code::NO_ERROR {
                    assert!(answered && side == CLIENT, "an answer that ends early, once it has ended");
                }
                if !(*code == code::NO_ERROR && answered) {
                    self.reset.push(*id);
                }
            }
            Event::Writable { .. } | Event::GoAway { .. } => panic!("not on arrival, nobody leaves"),
        }
    }

    /// What a side holds unread is within its windows.
    fn check_memory(&self, side: usize) {
        let Side { connection, window: (stream, whole), live, .. } = &self.sides[side];
        let mut sum = 0;
        // Once ended, a stream no longer counts: its bytes belong to its reader alone.
        for id in live.iter().filter(|&&id| connection.is_open(id)) {
            let flow = &self.flows[id][1 - side];
            assert!(flow.arrived - flow.read <= *stream, "stream {id} holds more than its window");
            sum += flow.arrived - flow.read;
        }
        assert!(sum <= *whole, "{sum} bytes are unread, {whole} is the connection's window");
    }

    /// Everybody ends and reads all there is, until nothing moves.
    fn run_to_the_end(&mut self) {
        for nth in 0..self.sides[CLIENT].live.len() {
            self.send(CLIENT, nth, 10, true);
        }
        loop {
            let mut moved = false;
            for side in [CLIENT, GATEWAY] {
                while self.deliver(side) {
                    moved = true;
                }
                for nth in 0..self.sides[side].live.len() {
                    self.read(side, nth, usize::MAX);
                }
                for nth in 0..self.sides[GATEWAY].live.len() {
                    self.send(GATEWAY, nth, 0, true);
                }
                while self.transmit(side, 65_536) {
                    moved = true;
                }
            }
            if !moved {
                return;
            }
        }
    }

    /// Every stream that nobody reset has carried all, both ways but for an answer that ended early.
    fn check_end(&self) {
        for side in &self.sides {
            assert_eq!(side.connection.open_streams(), 0, "a stream hangs");
        }
        for (id, [request, answer]) in self.flows.iter().filter(|(id, _)| !self.reset.contains(id)) {
            assert!(answer.ended, "the answer of stream {id} has ended");
            assert_eq!(answer.arrived, answer.given, "the answer of stream {id}");
            assert!(request.ended || answer.closed, "the request of stream {id} has ended");
            if request.ended {
                assert_eq!(request.arrived, request.given, "the request of stream {id}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_order_all_arrives_within_the_windows_and_nothing_hangs(
        client in limits(),
        gateway in limits(),
        steps in vec(step(), 1..250),
    ) {
        let mut world = World::new(client, gateway);
        for step in &steps {
            world.take(step);
        }
        world.run_to_the_end();
        world.check_end();
    }
}

/// Frames that are nearly right: the types and ids that matter, payloads that often parse.
fn frame() -> impl Strategy<Value = Vec<u8>> {
    let payload = prop_oneof![
        Just(b"\x04POST\x00\x02/a\x01x\x00\x01y".to_vec()),
        Just(b"\x00\xc8\x01x\x00\x01y".to_vec()),
        Just(b"\x01x\x00\x01y".to_vec()),
        Just(vec![0, 0, 0, 8]),
        Just(vec![0; 8]),
        Just(Vec::new()),
        vec(any::<u8>(), 0..40),
        (0..20_000_usize).prop_map(|length| vec![1; length]),
    ];
    (0..10_u8, 0..4_u8, prop_oneof![9 => 0..8_u32, 1 => any::<u32>()], payload).prop_map(
        |(kind, flags, stream, payload)| {
            let mut frame = vec![kind, flags];
            frame.extend(stream.to_be_bytes());
            frame.extend(&(payload.len() as u32).to_be_bytes()[1..]);
            frame.extend(payload);
            frame
        },
    )
}

fn message() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => vec(frame(), 1..6).prop_map(|frames| frames.concat()),
        1 => vec(any::<u8>(), 0..60),
    ]
}

/// A connection that was greeted and, if a client, has streams open.
fn greeted(role: Role) -> Connection {
    let mut connection = Connection::new(role, Limits::default(), NOW);
    connection.handle_message(NOW, &[0; 9]).expect("an empty HELLO");
    if role == Role::Client {
        for fin in [false, true, false, true] {
            connection.open("POST", "/a", &HeaderList::new(), fin).expect("open");
        }
    }
    while connection.poll_transmit(65_536).is_some() {}
    connection
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_it_panic_and_after_an_error_all_is_over(
        role in prop_oneof![Just(Role::Client), Just(Role::Gateway)],
        messages in vec(message(), 1..12),
        budget in 0..70_000_usize,
    ) {
        let mut connection = greeted(role);
        for message in messages {
            let result = connection.handle_message(NOW, &message);
            while let Some(event) = connection.poll_event() {
                answer(&mut connection, &event, &message);
            }
            let mut peer = Connection::new(role, Limits::default(), NOW);
            while let Some(sent) = connection.poll_transmit(budget) {
                prop_assert!(!sent.is_empty());
                // Whatever the answer means, it is whole frames.
                let read = peer.handle_message(NOW, &sent).map_err(|error| error.message);
                prop_assert!(!matches!(&read, Err(error) if error.contains("ends inside")), "{read:?}");
                while connection.poll_event().is_some() {}
            }
            if result.is_err() {
                prop_assert_eq!(connection.open_streams(), 0);
                prop_assert_eq!(connection.poll_timeout(), None);
            }
        }
    }
}

/// Does with each event what a driver may.
fn answer(connection: &mut Connection, event: &Event, message: &[u8]) {
    match event {
        Event::Open { id, .. } => {
            connection.send_headers(*id, 200, &HeaderList::new(), false);
            connection.send_data(*id, Bytes::from(vec![0; 40_000]), id % 2 == 0);
            if id % 3 == 0 {
                connection.send_trailers(*id, &HeaderList::new());
            }
        }
        Event::Data { id, range, .. } => {
            assert!(range.end <= message.len());
            connection.release(*id, range.len() / 2);
            connection.release(*id, range.len());
        }
        Event::Headers { id, .. } => connection.reset(*id, code::CANCEL, "enough"),
        _ => {}
    }
}
