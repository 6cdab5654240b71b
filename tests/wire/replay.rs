//! The harness: one answer of a peer, written on every wire, replayed in every cutting.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message as _;
use tidewire::codec::bare::{Bare, Dialect};
use tidewire::codec::connect::Connect;
use tidewire::codec::grpc::Grpc;
use tidewire::codec::grpc_web::{Form, GrpcWeb};
use tidewire::codec::gzip::Compression;
use tidewire::codec::{Frame, HeaderList, Messages, Protocol, envelope, text, trailers};
use tidewire::status::Status;

use super::gzip;

/// The largest message that the tests take.
pub(crate) const MAX_MESSAGE: usize = 1000;

/// Bodies up to this length are cut at every single place.
const CUT_EVERYWHERE: usize = 400;

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct RpcStatus {
    #[prost(int32, tag = "1")]
    pub(crate) code: i32,
    #[prost(string, tag = "2")]
    pub(crate) message: String,
    #[prost(message, repeated, tag = "3")]
    pub(crate) details: Vec<Any>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Any {
    #[prost(string, tag = "1")]
    pub(crate) type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) value: Vec<u8>,
}

/// How an answer travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    /// gRPC, with real HTTP trailers.
    Native,
    /// gRPC-Web.
    Binary,
    /// gRPC-Web, base64 over the whole body.
    Text,
    /// gRPC-Web, base64 padded after each frame, as servers that flush write it.
    PaddedText,
    /// gRPC-Web over one WebSocket, the headers in the body.
    Sockets,
    /// A Connect stream.
    Connect,
    /// A unary call of Connect by `fetch`, which inflates bodies.
    ConnectUnary,
    /// A unary call of Connect by GET, over a transport that leaves bodies as they are.
    ConnectGet,
    /// A unary call of Triple's bare form, over a transport that leaves bodies as they are.
    Triple,
}

/// The wires of gRPC.
pub(crate) const ALL: [Wire; 5] = [Wire::Native, Wire::Binary, Wire::Text, Wire::PaddedText, Wire::Sockets];
/// The wires whose trailers are a frame of the body.
pub(crate) const WEB: [Wire; 4] = [Wire::Binary, Wire::Text, Wire::PaddedText, Wire::Sockets];
/// The wires of one bare message.
pub(crate) const BARE: [Wire; 3] = [Wire::ConnectUnary, Wire::ConnectGet, Wire::Triple];
/// The wires of gRPC that convey the HTTP status and headers.
pub(crate) const HTTP: [Wire; 4] = [Wire::Native, Wire::Binary, Wire::Text, Wire::PaddedText];

impl Wire {
    pub(crate) fn protocol(self) -> Box<dyn Protocol> {
        self.protocol_of(Messages::new(MAX_MESSAGE))
    }

    pub(crate) fn protocol_with(self, gzip: Compression) -> Box<dyn Protocol> {
        self.protocol_of(Messages { gzip, ..Messages::new(MAX_MESSAGE) })
    }

    pub(crate) fn protocol_of(self, messages: Messages) -> Box<dyn Protocol> {
        match self {
            Self::Native => Box::new(Grpc::new(messages)),
            Self::Binary => Box::new(GrpcWeb::new(Form::Binary, messages)),
            Self::Text | Self::PaddedText => Box::new(GrpcWeb::new(Form::Text, messages)),
            Self::Sockets => Box::new(GrpcWeb::new(Form::WebSockets, messages)),
            Self::Connect => Box::new(Connect::new(messages)),
            Self::ConnectUnary => Box::new(Bare::new(Dialect::Connect, messages, true)),
            Self::ConnectGet => Box::new(Bare::new(Dialect::ConnectGet, messages, false)),
            Self::Triple => Box::new(Bare::new(Dialect::Triple, messages, false)),
        }
    }

    /// The content type that answers have there, without its subtype.
    pub(crate) fn family(self) -> &'static str {
        match self {
            Self::Native | Self::Sockets => "application/grpc",
            Self::Binary => "application/grpc-web",
            Self::Text | Self::PaddedText => "application/grpc-web-text",
            Self::Connect => "application/connect+proto",
            Self::ConnectUnary | Self::ConnectGet | Self::Triple => "application/proto",
        }
    }
}

/// What a peer answers.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    http: u16,
    headers: HeaderList,
    frames: Vec<Vec<u8>>,
    body: Option<Vec<u8>>,
    trailers: Option<HeaderList>,
    accepts: bool,
    single: bool,
}

/// HTTP 200 and the content type of the wire, nothing else yet.
pub(crate) fn answer() -> Answer {
    Answer {
        http: 200,
        headers: HeaderList::new(),
        frames: Vec::new(),
        body: None,
        trailers: None,
        accepts: false,
        single: false,
    }
}

impl Answer {
    pub(crate) fn http(mut self, status: u16) -> Self {
        self.http = status;
        self
    }

    /// A `content-type` stands in place of the wire's own.
    pub(crate) fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push(name, value);
        self
    }

    /// To a call that accepts gzip.
    pub(crate) fn accepting_gzip(mut self) -> Self {
        self.accepts = true;
        self
    }

    /// To a method that answers with one message.
    pub(crate) fn single(self) -> Self {
        Self { single: true, ..self }
    }

    pub(crate) fn is_single(&self) -> bool {
        self.single
    }

    /// The same, in gzip.
    pub(crate) fn gzip(self) -> Self {
        self.accepting_gzip().header("grpc-encoding", "gzip")
    }

    pub(crate) fn compressed(self, message: impl AsRef<[u8]>) -> Self {
        self.raw(envelope::encode(1, &gzip::deflate(message.as_ref())))
    }

    pub(crate) fn message(self, message: impl AsRef<[u8]>) -> Self {
        self.raw(envelope::encode(0, message.as_ref()))
    }

    /// A trailer frame as it stands. Where there is one, `trailers` is not needed.
    pub(crate) fn block(self, block: impl AsRef<[u8]>) -> Self {
        self.raw(envelope::encode(0x80, block.as_ref()))
    }

    /// The last envelope of a Connect stream.
    pub(crate) fn end_stream(self, json: impl AsRef<[u8]>) -> Self {
        self.raw(envelope::encode(0x02, json.as_ref()))
    }

    /// Bytes between the frames, before any base64.
    pub(crate) fn raw(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.frames.push(bytes.as_ref().to_vec());
        self
    }

    /// The whole body as it stands on the wire, base64 or not.
    pub(crate) fn body(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.body = Some(bytes.as_ref().to_vec());
        self
    }

    /// HTTP trailers, or on the wires that have none the last frame.
    pub(crate) fn trailers<V: AsRef<[u8]>>(mut self, list: &[(&str, V)]) -> Self {
        self.trailers =
            Some(list.iter().map(|(name, value)| (name.to_string(), value.as_ref().to_vec())).collect());
        self
    }

    /// `trailers` that say OK.
    pub(crate) fn ok(self) -> Self {
        self.trailers(&[("grpc-status", "0")])
    }

    /// What a client hears on each of the wires: on each the same, whatever the cutting.
    pub(crate) fn on(&self, wires: &[Wire]) -> Vec<Heard> {
        wires.iter().map(|wire| self.replay(*wire)).collect()
    }

    /// What a client hears, whatever the cutting.
    pub(crate) fn replay(&self, wire: Wire) -> Heard {
        self.replay_as(wire, &|chunks| self.heard(wire, chunks))
    }

    /// The same by another way to hear.
    pub(crate) fn replay_as(&self, wire: Wire, heard: &dyn Fn(&[&[u8]]) -> Heard) -> Heard {
        let body = self.written(wire);
        let whole = heard(&[&body]);
        assert_eq!(heard(&body.chunks(1).collect::<Vec<_>>()), whole, "byte by byte");
        if body.len() <= CUT_EVERYWHERE {
            for cut in 0..=body.len() {
                let (head, tail) = body.split_at(cut);
                assert_eq!(heard(&[head, tail]), whole, "cut at {cut}");
            }
        }
        let config = ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() };
        proptest!(config, |(cuts in vec(0..=body.len(), 0..12))| {
            prop_assert_eq!(&heard(&pieces(&body, cuts)), &whole);
        });
        whole
    }

    /// What a client hears of one cutting. It stops listening where the call ends.
    pub(crate) fn heard(&self, wire: Wire, chunks: &[&[u8]]) -> Heard {
        self.heard_by(wire.protocol_with(self.accepted()), wire, chunks)
    }

    /// What the call takes of compression.
    pub(crate) fn accepted(&self) -> Compression {
        Compression { accept: self.accepts, send: false }
    }

    pub(crate) fn heard_by(&self, mut protocol: Box<dyn Protocol>, wire: Wire, chunks: &[&[u8]]) -> Heard {
        let mut heard = Heard::nothing(wire);
        if wire != Wire::Sockets {
            let mut headers = self.headers_with_type(wire);
            if let Err(status) = protocol.handle_headers(self.http, &mut headers) {
                return heard.end(status, headers);
            }
            heard.headers = Some(headers);
        }
        for chunk in chunks {
            let mut at = 0;
            loop {
                let next = protocol.next(chunk, &mut at);
                match next.and_then(|frame| inflated(protocol.as_mut(), frame, chunk)) {
                    Ok(None) => break,
                    Ok(Some(Frame::Headers(headers))) => heard.headers = Some(headers),
                    Ok(Some(Frame::Message(payload))) => heard.messages.push(payload.bytes(chunk).to_vec()),
                    Ok(Some(Frame::End(status, trailers))) => return heard.end(status, trailers),
                    Ok(Some(frame)) => panic!("not inflated: {frame:?}"),
                    Err(status) => return heard.end(status, HeaderList::new()),
                }
            }
            assert_eq!(at, chunk.len(), "a chunk is used up before the next one");
        }
        heard.waited_for_end_of_body = true;
        let mut trailers = self.trailers.clone().filter(|_| wire == Wire::Native);
        loop {
            let frame = protocol.handle_end(trailers.take());
            match inflated(protocol.as_mut(), Some(frame), &[]) {
                Ok(None) => {}
                Ok(Some(Frame::Message(payload))) => heard.messages.push(payload.bytes(&[]).to_vec()),
                Ok(Some(Frame::End(status, trailers))) => return heard.end(status, trailers),
                Ok(Some(frame)) => panic!("the end of the body gave {frame:?}"),
                Err(status) => return heard.end(status, HeaderList::new()),
            }
        }
    }

    /// The body as the wire has it.
    pub(crate) fn written(&self, wire: Wire) -> Vec<u8> {
        if let Some(body) = &self.body {
            return body.clone();
        }
        let mut frames = self.frames.clone();
        if wire == Wire::Sockets {
            let block = trailers::write_block(&self.headers_with_type(wire));
            frames.insert(0, envelope::encode(0x80, &block));
        }
        if let (Some(list), true) = (&self.trailers, wire != Wire::Native) {
            frames.push(envelope::encode(0x80, &trailers::write_block(list)));
        }
        match wire {
            Wire::Text => text::encode(&frames.concat()),
            Wire::PaddedText => frames.iter().map(|frame| text::encode(frame)).collect::<Vec<_>>().concat(),
            _ => frames.concat(),
        }
    }

    fn headers_with_type(&self, wire: Wire) -> HeaderList {
        let mut headers = HeaderList::new();
        if self.headers.first("content-type").is_none() {
            headers.push("content-type", wire.family());
        }
        headers.append(&mut self.headers.clone());
        headers
    }
}

/// The frame that a compressed one is; the platform finds no fault with it.
fn inflated(
    protocol: &mut dyn Protocol,
    frame: Option<Frame>,
    chunk: &[u8],
) -> Result<Option<Frame>, Status> {
    let Some(Frame::Compressed { flags, payload, limit }) = frame else { return Ok(frame) };
    match gzip::inflate(payload.bytes(chunk), limit) {
        Ok(bytes) => protocol.handle_inflated(flags, bytes),
        Err(unfit) => panic!("not whole gzip: {unfit:?}"),
    }
}

fn pieces(body: &[u8], mut cuts: Vec<usize>) -> Vec<&[u8]> {
    cuts.sort_unstable();
    cuts.push(body.len());
    let starts = std::iter::once(0).chain(cuts.clone());
    starts.zip(cuts).map(|(start, end)| &body[start..end]).collect()
}

/// What a client hears.
#[derive(Debug, PartialEq)]
pub(crate) struct Heard {
    pub(crate) wire: Wire,
    pub(crate) headers: Option<HeaderList>,
    pub(crate) messages: Vec<Vec<u8>>,
    pub(crate) status: Status,
    pub(crate) trailers: HeaderList,
    /// Whether the body had to end before the call did.
    pub(crate) waited_for_end_of_body: bool,
}

impl Heard {
    fn nothing(wire: Wire) -> Self {
        Self {
            wire,
            headers: None,
            messages: Vec::new(),
            status: Status::ok(),
            trailers: HeaderList::new(),
            waited_for_end_of_body: false,
        }
    }

    fn end(self, status: Status, trailers: HeaderList) -> Self {
        Self { status, trailers, ..self }
    }

    /// All values of a trailer, as text.
    pub(crate) fn trailer(&self, name: &str) -> Vec<String> {
        self.trailers.all(name).map(|value| String::from_utf8_lossy(value).into_owned()).collect()
    }

    /// The details of its status, of which there is one trailer at most: types' URLs and values.
    pub(crate) fn details(&self) -> Vec<(String, Vec<u8>)> {
        let Some(base64) = self.trailer("grpc-status-details-bin").pop() else { return Vec::new() };
        let bytes = STANDARD_NO_PAD.decode(base64).unwrap_or_else(|error| panic!("{error} in {self:?}"));
        let status = RpcStatus::decode(&*bytes).unwrap_or_else(|error| panic!("{error} in {self:?}"));
        assert_eq!((status.code, status.message.as_str()), (self.status.raw_code, &*self.status.message));
        status.details.into_iter().map(|any| (any.type_url, any.value)).collect()
    }

    /// The call ended by a broken protocol, and the words name it.
    #[track_caller]
    pub(crate) fn is_broken(&self, words: &str) {
        use tidewire::status::{Code, Fault};
        assert_eq!((self.status.code, self.status.fault), (Code::Internal, Fault::Peer), "{self:?}");
        assert!(self.status.message.contains(words), "no \"{words}\" in {self:?}");
    }
}
