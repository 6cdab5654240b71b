import { gzipSync } from "node:zlib";
import { encodeText } from "../greet.mjs";
import { frame, message, okTrailers, trailers } from "./bytes.mjs";

const GRPC_WEB = { "content-type": "application/grpc-web+proto" };
const HTML = { "content-type": "text/html" };
const LARGEST_LENGTH = 2 ** 32 - 1;
const one = message("one");
/** A message of any type, with nothing in it. */
const empty = frame(0x00, Buffer.alloc(0));
const failure = trailers("grpc-status: 9", "grpc-message: in two pieces");
const gzip = gzipSync(encodeText("x".repeat(1000)));

/** By name: what is answered to a gRPC-Web request. */
export const httpFaults = {
  healthy: whole(one, okTrailers),
  "no-trailers": whole(one),
  "nothing-at-all": whole(),
  "cut-in-prefix": whole(one, message("two").subarray(0, 3)),
  "cut-in-message": whole(one, message("two").subarray(0, 7)),
  "length-4-gib": open(one, frame(0x00, Buffer.from("x"), LARGEST_LENGTH)),
  "trailers-4-gib": open(one, frame(0x80, Buffer.from("grpc-status: 0\r\n"), LARGEST_LENGTH)),
  "endless-trailers": endless(
    one,
    frame(0x80, Buffer.from(""), LARGEST_LENGTH),
    Buffer.alloc(4096, "x-more: 1\r\n"),
  ),
  "unknown-flag": open(one, frame(0x40, Buffer.from("x"))),
  "compressed-unannounced": open(one, frame(0x01, Buffer.from("x"))),
  "data-after-trailers": whole(one, okTrailers, message("too late")),
  "open-after-message": open(one),
  "open-after-trailers": open(one, okTrailers),
  "trailers-without-status": whole(one, trailers("x-some: thing")),
  "mixed-case-trailers": whole(one, trailers("Grpc-Status:0", "X-Some:  thing ")),
  "status-99": whole(one, trailers("grpc-status: 99", "grpc-message: beyond the table")),
  "malformed-message": whole(trailers("grpc-status: 9", "grpc-message: 100% gr%C3%BC%C3%9Ft %zz")),
  "malformed-details": whole(
    trailers("grpc-status: 9", "grpc-message: kept", "grpc-status-details-bin: !!!"),
  ),
  "gzip-corrupt": encoded("gzip", frame(0x01, Buffer.from("no gzip at all"))),
  "gzip-cut": encoded("gzip", frame(0x01, gzip.subarray(0, -6))),
  "gzip-surplus": encoded("gzip", frame(0x01, Buffer.concat([gzip, Buffer.from("and more")]))),
  "gzip-twice": encoded("gzip", frame(0x01, Buffer.concat([gzip, gzip]))),
  "gzip-under-identity": encoded("identity", frame(0x01, gzip)),
  "gzip-unnamed": open(frame(0x01, gzip)),
  "gzip-unknown": encoded("foo", frame(0x01, gzip)),
  "gzip-bomb": (response) => encoded("gzip", frame(0x01, bomb()))(response),
  "gzip-trailers": encoded(
    "gzip",
    frame(0x01, gzip),
    frame(0x81, gzipSync("grpc-status: 9\r\ngrpc-message: enough\r\nx-custom: bing\r\n")),
  ),
  "status-that-cors-hides": (response) => {
    response.removeHeader("access-control-expose-headers");
    response.writeHead(200, { ...GRPC_WEB, "grpc-status": "5", "grpc-message": "none" }).end();
  },
  "moved-to-a-page": (response) => response.writeHead(302, { location: "/html/login" }).end(),
  "moved-with-its-body": (response) => response.writeHead(307, { location: "/healthy/elsewhere" }).end(),
  "split-trailers": held([empty, failure.subarray(0, 7)], [failure.subarray(7)]),
  "repeated-trailers": whole(empty, trailers("grpc-status: 0", "x-twice: first", "x-twice: second")),
  text: text(empty, trailers("grpc-status: 0", "x-in: base64")),
  "headers-alone": begun(200, GRPC_WEB),
  "html-open": begun(200, HTML),
  "html-503-open": begun(503, HTML),
  html: page(200, "<!doctype html><title>a single-page app</title>"),
  "html-401": page(401, "<h1>who are you</h1>"),
  "html-403": page(403, "<h1>no</h1>"),
  "html-404": page(404, "<h1>not here</h1>"),
  "html-503": page(503, "<h1>later</h1>"),
  "status-in-headers": (response) =>
    response.writeHead(200, { ...GRPC_WEB, "grpc-status": "5", "grpc-message": "none" }).end(),
};

/** Headers, and never a byte of the body nor its end. */
function begun(status, headers) {
  return (response) => response.writeHead(status, headers).flushHeaders();
}

/** All of it, then a clean end. */
function whole(...parts) {
  return (response) => response.writeHead(200, GRPC_WEB).end(Buffer.concat(parts));
}

/** All of it, and the body stays open. */
function open(...parts) {
  return (response) => response.writeHead(200, GRPC_WEB).write(Buffer.concat(parts));
}

/** In base64, each part with its own padding. */
function text(...parts) {
  const headers = { "content-type": "application/grpc-web-text+proto" };
  const body = parts.map((part) => part.toString("base64")).join("");
  return (response) => response.writeHead(200, headers).end(body);
}

/** The second part when it is asked for. */
function held(first, rest) {
  return (response) => {
    response.once("go-on", () => response.end(Buffer.concat(rest)));
    response.writeHead(200, GRPC_WEB).write(Buffer.concat(first));
  };
}

/** Under a `grpc-encoding`, and the body stays open. */
function encoded(name, ...parts) {
  const headers = { ...GRPC_WEB, "grpc-encoding": name };
  return (response) => response.writeHead(200, headers).write(Buffer.concat(parts));
}

/** 256 MiB of nothing, in 256 KiB. */
function bomb() {
  wrapped ??= gzipSync(Buffer.alloc(1 << 28));
  return wrapped;
}

let wrapped;

/** The last part again and again, as fast as it is taken, for as long as the client stays. */
function endless(...parts) {
  const again = parts.pop();
  return (response) => {
    response.writeHead(200, GRPC_WEB).write(Buffer.concat(parts));
    const pour = () => {
      while (!response.destroyed && response.write(again));
    };
    response.on("drain", pour);
    pour();
  };
}

function page(status, html) {
  return (response) => response.writeHead(status, HTML).end(html);
}
