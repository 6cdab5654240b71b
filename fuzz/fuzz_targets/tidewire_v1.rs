//! Any messages from a peer: nothing panics, what is held stays bounded, and after an error all is over.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use tidewire::codec::HeaderList;
use tidewire::codec::tidewire_v1::{Connection, Event, Limits, Role, code};

// The first byte picks the role, the rest are messages: two bytes of length, then the bytes.
fuzz_target!(|input: &[u8]| {
    let Some((first, mut rest)) = input.split_first() else { return };
    let role = if first & 1 == 0 { Role::Client } else { Role::Gateway };
    let mut connection = greeted(role);
    while let Some((&[high, low], behind)) = rest.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes([high, low])).min(behind.len());
        let (message, behind) = behind.split_at(length);
        rest = behind;
        let result = connection.handle_message(Duration::ZERO, message);
        while let Some(event) = connection.poll_event() {
            answer(&mut connection, &event, message);
        }
        // A peer that does not read its answers half of the time.
        if first & 2 == 0 || result.is_err() {
            let mut sent = 0;
            while let Some(message) = connection.poll_transmit(4096) {
                sent += message.len();
            }
            assert!(sent < 16 * 1024 * 1024);
        }
        if result.is_err() {
            while connection.poll_event().is_some() {}
            assert_eq!((connection.open_streams(), connection.poll_timeout()), (0, None));
        }
        assert!(connection.open_streams() <= 100);
    }
});

fn greeted(role: Role) -> Connection {
    let mut connection = Connection::new(role, Limits::default(), Duration::ZERO);
    connection.handle_message(Duration::ZERO, &[0; 9]).expect("an empty HELLO");
    if role == Role::Client {
        for fin in [false, true, false, true] {
            connection.open("POST", "/a.B/C", &HeaderList::new(), fin).expect("open");
        }
    }
    while connection.poll_transmit(4096).is_some() {}
    connection
}

/// What a driver may do, chosen by the stream's id.
fn answer(connection: &mut Connection, event: &Event, message: &[u8]) {
    match event {
        Event::Open { id, .. } => {
            connection.send_headers(*id, 200, &HeaderList::new(), false);
            connection.send_data(*id, vec![0; 10_000], id % 5 == 0);
            if id % 3 == 0 {
                connection.send_trailers(*id, &HeaderList::new());
            }
        }
        Event::Data { id, range, .. } => {
            assert!(range.end <= message.len());
            if id % 2 == 0 {
                connection.release(*id, 2 * range.len());
            }
        }
        Event::Headers { id, .. } if id % 4 == 3 => connection.reset(*id, code::CANCEL, "enough"),
        Event::Trailers { id, .. } => connection.send_data(*id, [], true),
        _ => {}
    }
}
