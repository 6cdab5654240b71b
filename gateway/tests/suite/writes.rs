//! In how many writes a request leaves. Under TLS each is a record of its own, whatever TCP makes of them on the way.

use std::io::{Read as _, Write as _};
use std::sync::Arc;

use tidewire_gateway::Gateway;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::rustls::{self, ServerConfig, ServerConnection, pki_types};

use crate::clients::Running;
use crate::harness::{message, soon};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

#[tokio::test]
async fn a_small_request_leaves_in_one_write() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let gateway = Gateway::builder()
        .upstream(format!("https://localhost:{}", listener.local_addr().unwrap().port()))
        .upstream_ca(certified.cert.pem());
    let mut client = Running::start(gateway).await.relay().await;

    let mut upstream = None;
    // The first call waits for its connection, the next one finds it open.
    for stream in [1, 3] {
        let id = client.opens(&[]);
        client.sends(id, message(b"one"));
        client.half_closes(id);
        client.flush().await;
        let upstream = match &mut upstream {
            Some(upstream) => upstream,
            none => none.insert(Records::accept(&listener, &certified).await),
        };
        let write = upstream.request().await;
        let whole = matches!(write[..], [(HEADERS, END_HEADERS), .., (DATA, END_STREAM)]);
        assert!(whole, "the write with the headers of stream {stream} has {write:?}");
        // HPACK's `:status: 200`, and no more.
        upstream.sends(HEADERS, END_HEADERS | END_STREAM, stream, &[0x88]).await;
        client.ends(id).await;
    }
}

/// An upstream that speaks TLS and HTTP/2 by hand and reads record by record.
struct Records {
    tcp: TcpStream,
    tls: ServerConnection,
}

impl Records {
    async fn accept(listener: &TcpListener, certified: &rcgen::CertifiedKey<rcgen::KeyPair>) -> Self {
        let key = pki_types::PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certified.cert.der().clone()], key.into())
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let (tcp, _) = soon(listener.accept()).await.unwrap();
        Self { tcp, tls: ServerConnection::new(Arc::new(config)).unwrap() }
    }

    /// Kind and flags of each frame in the write that brings a request's headers.
    async fn request(&mut self) -> Vec<(u8, u8)> {
        loop {
            let record = soon(self.record()).await;
            let mut write = Vec::new();
            let mut rest = record.strip_prefix(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap_or(&record);
            while let [a, b, c, kind, flags, _, _, _, _, ..] = *rest {
                let (frame, behind) = rest.split_at(9 + u32::from_be_bytes([0, a, b, c]) as usize);
                match (kind, flags) {
                    (SETTINGS, 0) => {
                        self.sends(SETTINGS, 0, 0, &[]).await;
                        self.sends(SETTINGS, 1, 0, &[]).await;
                    }
                    (PING, 0) => self.sends(PING, 1, 0, &frame[9..]).await,
                    _ => write.push((kind, flags)),
                }
                rest = behind;
            }
            assert_eq!(rest, b"", "a write of whole frames");
            if write.iter().any(|(kind, _)| *kind == HEADERS) {
                return write;
            }
        }
    }

    /// What the next record carries that carries anything.
    async fn record(&mut self) -> Vec<u8> {
        loop {
            self.flush().await;
            let mut record = vec![0; 5];
            self.tcp.read_exact(&mut record).await.unwrap();
            record.resize(5 + usize::from(u16::from_be_bytes([record[3], record[4]])), 0);
            self.tcp.read_exact(&mut record[5..]).await.unwrap();
            assert_eq!(self.tls.read_tls(&mut record.as_slice()).unwrap(), record.len());
            let came = self.tls.process_new_packets().unwrap().plaintext_bytes_to_read();
            if came > 0 {
                let mut bytes = vec![0; came];
                self.tls.reader().read_exact(&mut bytes).unwrap();
                return bytes;
            }
        }
    }

    async fn sends(&mut self, kind: u8, flags: u8, stream: u8, payload: &[u8]) {
        let head = [0, 0, payload.len() as u8, kind, flags, 0, 0, 0, stream];
        self.tls.writer().write_all(&[&head, payload].concat()).unwrap();
        self.flush().await;
    }

    async fn flush(&mut self) {
        let mut bytes = Vec::new();
        while self.tls.wants_write() {
            self.tls.write_tls(&mut bytes).unwrap();
        }
        self.tcp.write_all(&bytes).await.unwrap();
    }
}
