//! Streams that an upstream promises not to have touched are tried once more.

use h2::Reason;
use tidewire_gateway::Gateway;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::clients::{Running, relayed};
use crate::harness::{Upstream, message, soon};

#[tokio::test]
async fn a_refused_call_is_sent_again_with_what_it_had_sent() {
    let (mut upstream, mut client) = relayed().await;
    let id = client.opens(&[]);
    client.sends(id, message(b"one"));
    client.half_closes(id);
    client.flush().await;
    let mut first = upstream.call().await;
    first.reads(&message(b"one")).await;
    first.resets(Reason::REFUSED_STREAM);

    let mut second = upstream.call().await;
    second.reads(&message(b"one")).await;
    second.reads_end().await;
    second.ends_ok();
    client.ends(id).await;
}

#[tokio::test]
async fn a_call_that_is_refused_twice_is_the_clients_to_try_again() {
    let (mut upstream, mut client) = relayed().await;
    let id = client.opens(&[]);
    client.flush().await;
    for _ in 0..2 {
        upstream.call().await.resets(Reason::REFUSED_STREAM);
    }
    assert_eq!(client.reset(id).await.0, 0x7);
    upstream.idle().await;
}

#[tokio::test]
async fn a_large_request_is_not_kept_for_a_second_attempt() {
    let (mut upstream, mut client) = relayed().await;
    let id = client.opens(&[]);
    client.sends(id, vec![7; 20_000]);
    client.flush().await;
    let mut call = upstream.call().await;
    call.reads(&vec![7; 20_000]).await;
    call.resets(Reason::REFUSED_STREAM);
    assert_eq!(client.reset(id).await.0, 0x7);
    upstream.idle().await;
}

#[tokio::test]
async fn a_call_above_a_graceful_goaway_goes_to_a_fresh_connection() {
    // The first connection goes away with the first call in the air; what serves the second is an Upstream.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut upstream = Upstream::start().await;
    let behind = upstream.address;
    tokio::spawn(async move {
        go_away(listener.accept().await.unwrap().0).await;
        let (mut web, _) = listener.accept().await.unwrap();
        let mut to = TcpStream::connect(behind).await.unwrap();
        tokio::io::copy_bidirectional(&mut web, &mut to).await
    });
    let gateway = Running::start(Gateway::builder().upstream(format!("http://{address}"))).await;
    let mut client = gateway.relay().await;
    let id = client.opens(&[]);
    client.sends(id, message(b"one"));
    client.flush().await;
    let mut call = upstream.call().await;
    call.reads(&message(b"one")).await;
    call.ends_ok();
    client.ends(id).await;
}

/// HTTP/2 by hand: settings, answers to PING, and GOAWAY (last stream 0, NO_ERROR) once a call's headers came.
async fn go_away(mut tcp: TcpStream) {
    const HEADERS: u8 = 1;
    const PING: u8 = 6;
    let mut preface = [0; 24];
    soon(tcp.read_exact(&mut preface)).await.unwrap();
    tcp.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await.unwrap();
    loop {
        let mut head = [0; 9];
        soon(tcp.read_exact(&mut head)).await.unwrap();
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        soon(tcp.read_exact(&mut payload)).await.unwrap();
        match head[3] {
            PING if head[4] == 0 => {
                tcp.write_all(&[0, 0, 8, PING, 1, 0, 0, 0, 0]).await.unwrap();
                tcp.write_all(&payload).await.unwrap();
            }
            HEADERS => {
                let goaway = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
                return tcp.write_all(&goaway).await.unwrap();
            }
            _ => {}
        }
    }
}
