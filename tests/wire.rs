//! Answers of peers, good and bad, replayed against the codec: whole, one byte at a time, at every single cut and at
//! random cuts. The rows are those of `docs/wire.md`.

mod wire {
    mod bare;
    mod compression;
    mod connect;
    mod details;
    mod ending;
    mod framed;
    mod framing;
    #[cfg(test)]
    #[path = "../harness/gzip.rs"]
    mod gzip;
    mod http;
    mod metadata;
    mod replay;
    mod request;
    mod sockets;
    mod status;
    mod text;
    mod trailers;
}
