import { frame, message, okTrailers, trailers } from "./bytes.mjs";

const one = message("one");
const LARGEST_LENGTH = 2 ** 32 - 1;

/** Instead of an upgrade. */
export const upgradeFaults = {
  "upgrade-403": (socket) =>
    socket.end("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"),
  "upgrade-404": (socket) =>
    socket.end("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"),
  "upgrade-cut": (socket) => socket.destroy(),
};

/** `grpc-websockets`: after the client's headers and first message come our headers, one message, and the fault. */
export const grpcWebsocketsFaults = {
  healthy: afterOne((socket) => sendAll(socket, [okTrailers], () => socket.close(1000))),
  "no-trailers": afterOne((socket) => socket.close(1000, "request body closed")),
  "close-1006": afterOne((socket) => socket.terminate()),
  "close-1008": afterOne((socket) => socket.close(1008, "not for you")),
  "close-1009": afterOne((socket) => socket.close(1009, "too big")),
  "close-1011": afterOne((socket) => socket.close(1011, "fell over")),
  text: afterOne((socket) => socket.send("not binary")),
  "cut-in-message": afterOne((socket) =>
    sendAll(socket, [message("two").subarray(0, 7)], () => socket.close(1000)),
  ),
  "length-4-gib": afterOne((socket) => socket.send(frame(0x00, Buffer.from("x"), LARGEST_LENGTH))),
  "trailers-4-gib": afterOne((socket) => socket.send(frame(0x80, Buffer.from("x"), LARGEST_LENGTH))),
  "trailers-without-status": afterOne((socket) =>
    sendAll(socket, [trailers("x-some: thing")], () => socket.close(1000)),
  ),
  "open-after-trailers": afterOne((socket) => socket.send(okTrailers)),
  "refused-open": (socket) => socket.once("message", () => socket.send(trailers("grpc-status: 9"))),
};

function afterOne(fault) {
  return (socket) =>
    socket.on("message", (data, binary) => {
      const firstData = binary && data[0] === 0x00 && !socket.begun;
      if (!firstData) return;
      socket.begun = true;
      sendAll(socket, [trailers("content-type: application/grpc-web+proto"), one], () => fault(socket));
    });
}

function sendAll(socket, parts, then) {
  const last = parts.pop();
  for (const part of parts) socket.send(part);
  socket.send(last, then);
}

// tidewire.v1, as docs/tidewire-v1.md has it.
const [HELLO, OPEN, HEADERS, DATA, TRAILERS, RESET, , , GOAWAY] = Array(9).keys();
const FIN = 0x01;
const GRPC_HEADERS = { "content-type": "application/grpc+proto" };

/** After each OPEN: HELLO once, then what the fault says. The parts that come before it are messages of their own. */
export const tidewireFaults = {
  healthy: onOpen((id) => [
    headers(id),
    v1(DATA, 0, id, one),
    v1(TRAILERS, 0, id, block({ "grpc-status": "0" })),
  ]),
  garbage: onOpen((id) => [
    headers(id),
    v1(DATA, 0, id, one),
    Buffer.from("\x04\x00 garbage, and more of it"),
  ]),
  text: onOpen((id) => [headers(id), v1(DATA, 0, id, one), "not binary"]),
  "cut-frame": onOpen((id) => [headers(id), v1(DATA, 0, id, one), v1(DATA, 0, id, one).subarray(0, 12)]),
  "unknown-stream": onOpen((id) => [headers(id), v1(DATA, 0, id, one), v1(DATA, 0, id + 76, one)]),
  "over-window": onOpen((id) => [headers(id), v1(DATA, 0, id, one), ...flood(id, 32 * 1024 * 1024)]),
  refused: onOpen((id) => [v1(RESET, 0, id, u32(0x7), Buffer.from("the upstream 127.0.0.1:9 is down"))]),
  "reset-in-message": onOpen((id) => [
    headers(id),
    v1(DATA, 0, id, one, one.subarray(0, 7)),
    v1(RESET, 0, id, u32(0x2)),
  ]),
  "no-trailers": onOpen((id) => [headers(id), v1(DATA, FIN, id, one)]),
  "length-4-gib": onOpen((id) => [
    headers(id),
    v1(DATA, 0, id, one, frame(0x00, Buffer.from("x"), LARGEST_LENGTH)),
  ]),
  "trailers-without-status": onOpen((id) => [
    headers(id),
    v1(DATA, 0, id, one),
    v1(TRAILERS, 0, id, block({ a: "b" })),
  ]),
  html: onOpen((id) => [
    headers(id, 200, { "content-type": "text/html" }),
    v1(DATA, FIN, id, Buffer.from("<p>")),
  ]),
  "html-503": onOpen((id) => [
    headers(id, 503, { "content-type": "text/html" }),
    v1(DATA, FIN, id, Buffer.from("<p>")),
  ]),
  "refused-open": (socket) => {
    onOpen((id) => [headers(id, 200, { "content-type": "text/html" })])(socket);
    // That the stream was reset is told by an end that can be waited for.
    socket.on(
      "message",
      (data) => [...frames(data)].some(({ type }) => type === RESET) && socket.close(1000),
    );
  },
  goaway: onOpen((id) => [
    v1(GOAWAY, 0, 0, u32(id - 1), u32(0), Buffer.from("going down for a new version")),
  ]),
  "close-1006": onOpen((id) => [headers(id), v1(DATA, 0, id, one), (socket) => socket.terminate()]),
  "close-1011": onOpen((id) => [
    headers(id),
    v1(DATA, 0, id, one),
    (socket) => socket.close(1011, "fell over"),
  ]),
  silent: () => {},
};

function onOpen(play) {
  return (socket) => {
    socket.send(v1(HELLO, 0, 0));
    socket.on("message", (data) => {
      for (const { type, id } of frames(data)) {
        if (type !== OPEN) continue;
        for (const part of play(id)) typeof part === "function" ? part(socket) : socket.send(part);
      }
    });
  };
}

/** The heads of the frames in a message. */
function* frames(data) {
  for (let at = 0; at + 9 <= data.length; at += 9 + data.readUIntBE(at + 6, 3)) {
    yield { type: data[at], id: data.readUInt32BE(at + 2) };
  }
}

function v1(type, flags, stream, ...payload) {
  const body = Buffer.concat(payload);
  const head = Buffer.alloc(9);
  head.writeUInt8(type, 0);
  head.writeUInt8(flags, 1);
  head.writeUInt32BE(stream, 2);
  head.writeUIntBE(body.length, 6, 3);
  return Buffer.concat([head, body]);
}

function headers(stream, status = 200, names = GRPC_HEADERS) {
  const code = Buffer.alloc(2);
  code.writeUInt16BE(status);
  return v1(HEADERS, 0, stream, code, block(names));
}

function block(names) {
  const lines = Object.entries(names).map(([name, value]) =>
    Buffer.concat([
      Buffer.of(name.length),
      Buffer.from(name),
      Buffer.of(0, value.length),
      Buffer.from(value),
    ]),
  );
  return Buffer.concat(lines);
}

function u32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Whole messages, but more of them than any window allows. */
function flood(stream, bytes) {
  const large = message("y".repeat(16_000));
  return Array(Math.ceil(bytes / large.length)).fill(v1(DATA, 0, stream, large));
}
