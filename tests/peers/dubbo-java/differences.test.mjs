// What README.md says that dubbo-java does otherwise than the contract of tests/README.md: if one of these fails, the
// table is out of date. On bare HTTP, so that no client's reading stands between.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import http from "node:http";
import http2 from "node:http2";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";

const { WebSocket } = createRequire(new URL("../../js/package.json", import.meta.url))("ws");
const jar = process.env.DUBBO_JAVA_PEER ?? new URL("target/peer.jar", import.meta.url).pathname;
const service = "/greet.GreetService";
const words = 'asked to fail: 100% "grüßt"';
const json = { "content-type": "application/json" };

let peer;
let calls = 0;
const requests = [];
const sessions = [];
const agent = new http.Agent({ keepAlive: true });

before(async () => {
  const flags = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-jar", jar];
  const child = spawn("java", [...flags, "-port", "0", "-observed-port", "0", "-exit-on-stdin-eof"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const [, host, observed] = /^listening on (\S+) observed (\S+)$/.exec(line) ?? [];
    if (!host) continue;
    peer = { child, host, observed };
    return;
  }
  throw new Error("the peer ended while it started");
});

after(() => {
  requests.forEach((request) => request.destroy());
  agent.destroy();
  sessions.forEach((session) => session.destroy());
  peer?.child.stdin.end();
});

test("every kind greets, and what the contract asks for comes back", async () => {
  const unary = await open("Greet").say("Ada");
  assert.deepEqual(unary.replies, ["Hello, Ada"]);
  assert.equal(unary.trailers.greeted, "1");
  assert.equal(await unary.story(), "open message reply end");

  const bidi = await open("GreetStream", {
    "x-greet-first": 1,
    "x-after-close": 1,
    "echo-a": ["1", "2"],
  }).say("Ada", "Bob");
  assert.deepEqual(bidi.replies, ["Welcome", "Hello, Ada", "Hello, Bob", "Goodbye 1"]);
  assert.equal(bidi.headers["echo-a"], "1, 2");
  assert.equal(bidi.trailers["echo-a"], "1, 2");
  assert.equal(bidi.trailers.greeted, "2");
  assert.equal(await bidi.story(), "open reply message message half-close end");

  const upload = await open("GreetClientStream").say("Ada", "Bob");
  assert.deepEqual(upload.replies, ["Hello, Ada, Bob"]);
  const download = await open("GreetServerStream", { "x-count": 3, "x-size": 100 }).say("Ada");
  assert.deepEqual(
    download.replies.map((reply) => reply.length),
    [100, 100, 100],
  );
  const early = await open("GreetStream", { "x-end-after": 1 }).say("Ada", "Bob");
  assert.deepEqual(early.replies, ["Hello, Ada"]);
});

test("a reset reaches every stream, and so does a connection that is lost", async () => {
  for (const method of ["GreetStream", "GreetClientStream", "GreetServerStream"]) {
    const call = open(method, { "x-never-end": 1 });
    method === "GreetServerStream" ? call.stream.end(message("Ada")) : call.stream.write(message("Ada"));
    await call.until("message");
    call.reset();
    assert.match(await call.story(), /cancelled end$/, method);
  }
  const lost = open("GreetStream");
  lost.stream.write(message("Ada"));
  await lost.until("message");
  lost.stream.session.destroy();
  assert.match(await lost.story(), /cancelled end$/);
});

test("a reset never reaches a unary handler", async () => {
  const call = open("Greet", { "x-never-end": 1 });
  call.stream.end(message("Ada"));
  await call.until("message");
  call.reset();
  // Another call has come and gone.
  await open("Greet").say("Ada");
  assert.equal((await call.seen()).map(({ what }) => what).join(" "), "open message");
});

test("a reset that comes before the handler is entered is lost, and the handler stays", async () => {
  const session = connect();
  // Which of the two comes first is up to dubbo-java's threads: the reset, more often than not.
  for (let n = 0; n < 200; n++) {
    const call = new Call(`${service}/GreetClientStream`, { "x-stall": 1 }, session);
    // `reset` would take back what has not left yet.
    call.stream.close(http2.constants.NGHTTP2_CANCEL);
    await call.ended;
    await new Call(`${service}/Greet`, {}, session).say("a fence");
    await call.until("open");
    await new Call(`${service}/Greet`, {}, session).say("another fence");
    if ((await call.seen()).every(({ what }) => what === "open")) return;
  }
  assert.fail("each of 200 resets reached its handler");
});

test("a failure names its code in the words, which are not percent-encoded and in Latin-1", async () => {
  const bidi = await open("GreetStream", { "x-fail-after": 1 }).say("Ada");
  assert.equal(bidi.trailers["grpc-status"], "9");
  // Node reads headers as Latin-1.
  assert.equal(bidi.trailers["grpc-message"], `FAILED_PRECONDITION : ${words}`);
  assert.equal(bidi.trailers["grpc-status-details-bin"], undefined);
});

test("a failure before any reply has HTTP 500, and all in the headers", async () => {
  for (const method of ["Greet", "GreetStream"]) {
    const call = await open(method, { "x-fail-after": 0 }).say("Ada");
    assert.equal(call.headers[":status"], 500);
    assert.equal(call.headers["grpc-status"], "9");
    assert.equal(call.trailers, undefined);
  }
});

test("headers of a stream come only with the first reply or the end", async () => {
  const call = open("GreetStream");
  await call.until("open");
  call.stream.write(message("Ada"));
  await call.until("reply");
  await call.answered;
  call.reset();
  const silent = open("GreetStream", { "x-stall": 1 });
  await silent.until("open");
  await open("Greet").say("a fence");
  assert.equal(silent.headers, undefined);
  silent.reset();
});

test("of a unary reply's repeated metadata the last value comes back", async () => {
  const call = await open("Greet", { "echo-a": ["1", "2"], "echo-b-bin": ["AP8", "dHdv"] }).say("Ada");
  assert.equal(call.headers["echo-a"], "2");
  assert.equal(call.trailers["echo-a"], "2");
  assert.equal(call.trailers["echo-b-bin"], "dHdv");
});

test("a deadline ends nothing, and a unary reply that is late is UNKNOWN", async () => {
  const stream = open("GreetStream", { "grpc-timeout": "20m" });
  stream.stream.write(message("Ada"));
  await stream.until("reply");
  const late = await open("Greet", { "grpc-timeout": "20m", "x-delay": 100 }).say("Ada");
  assert.equal(late.headers[":status"], 408);
  assert.equal(late.headers["grpc-status"], "2");
  assert.equal(late.headers["grpc-message"], "Request Timeout");
  // Five times its deadline have passed by now.
  assert.equal((await stream.seen()).map(({ what }) => what).join(" "), "open message reply");
  stream.reset();
});

test("an unknown method is UNKNOWN, an unknown service UNIMPLEMENTED, another version is not looked at", async () => {
  const method = await open("Missing").say("Ada");
  assert.equal(method.headers[":status"], 500);
  assert.equal(method.headers["grpc-status"], "2");
  const lower = await open("greet").say("Ada");
  assert.equal(lower.headers["grpc-status"], "2");
  const missing = await new Call("/no.Service/Greet", {}, connect()).say("Ada");
  assert.equal(missing.headers["grpc-status"], "12");
  const version = await open("Greet", { "tri-service-version": "9.9" }).say("Ada");
  assert.deepEqual(version.replies, ["Hello, Ada"]);
});

test("gRPC-Web over HTTP/2 is answered as native gRPC: no trailers in the body", async () => {
  for (const type of ["application/grpc-web+proto", "application/grpc-web-text"]) {
    const call = await open("Greet", { "content-type": type }).say("Ada");
    assert.equal(call.headers["content-type"], "application/grpc");
    assert.deepEqual(call.replies, ["Hello, Ada"]);
    assert.equal(call.trailers["grpc-status"], "0");
  }
});

test("gRPC-Web over HTTP/1.1 is never answered, or as an event stream", async () => {
  const type = { "content-type": "application/grpc-web+proto" };
  const stream = await post("GreetServerStream", message("Ada"), type);
  assert.equal(stream.status, 500);
  assert.equal(stream.headers["content-type"], "text/event-stream");
  const bidi = await post("GreetStream", message("Ada"), type);
  assert.deepEqual(
    [bidi.status, JSON.parse(bidi.body).message],
    [500, "HTTP1.x only support unary and server-stream"],
  );
  const unary = post("Greet", message("Ada"), type).catch(() => "ended with the tests");
  // The unary call has not been answered when one that was made after it is long over.

  for (let n = 0; n < 5; n++) await post("Greet", '{"name":"Ada"}', json);
  assert.equal(
    await Promise.race([unary, post("Greet", '{"name":"Ada"}', json).then(() => "nothing")]),
    "nothing",
  );
});

test("JSON is taken bare; a failure has its code only as HTTP status", async () => {
  const reply = await post("Greet", '{"name":"Ada"}', json);
  assert.deepEqual([reply.status, reply.body], [200, '{"greeting":"Hello, Ada"}']);
  const failure = await post("Greet", '{"name":"Ada"}', { ...json, "x-fail-after": 0 });
  assert.equal(failure.status, 400);
  assert.deepEqual(JSON.parse(failure.body), { message: `FAILED_PRECONDITION : ${words}`, status: "400" });
  const late = await post("Greet", '{"name":"Ada"}', { ...json, "tri-service-timeout": 20, "x-delay": 100 });
  assert.equal(late.status, 408);
  const protobuf = await post("Greet", message("Ada").subarray(5), { "content-type": "application/proto" });
  assert.equal(protobuf.status, 415);
  const stream = await post("GreetServerStream", '{"name":"Ada"}', { ...json, "x-count": 1 });
  assert.equal(stream.body, 'data:{"greeting":"Hello, Ada 1"}\n\n');
});

test("a page of another origin gets no leave for JSON: no answer of the preflight allows it", async () => {
  const asked = { origin: "http://page.example", "access-control-request-method": "POST" };
  const preflight = await post(
    "Greet",
    "",
    { ...asked, "access-control-request-headers": "content-type" },
    "OPTIONS",
  );
  assert.equal(preflight.headers["access-control-allow-origin"], undefined);
  const reply = await post("Greet", '{"name":"Ada"}', { ...json, ...asked });
  assert.equal(reply.headers["access-control-allow-origin"], undefined);
});

test("a method of the IDL has JSON under no name: what answers is the plain interface beside it", async () => {
  const reply = await post("greet", '{"name":"Ada"}', json);
  assert.equal(reply.status, 404);
});

test("its WebSocket: a message each, close 1000 for OK, 1011 with words for any failure", async () => {
  const plain = { perMessageDeflate: false };
  assert.deepEqual(await socket("Greet", plain, '{"name":"Ada"}'), [
    '{"greeting":"Hello, Ada"}',
    "close 1000 Bye",
  ]);
  assert.deepEqual(await socket("GreetStream?x-end-after=1", plain, '{"name":"Ada"}'), [
    '{"greeting":"Hello, Ada"}',
    "close 1000 Bye",
  ]);
  const failure = `close 1011 FAILED_PRECONDITION : ${words}`;
  assert.deepEqual(await socket("GreetStream?x-fail-after=0", plain), [failure]);
  assert.deepEqual(await socket("Missing", plain, "{}"), ["close 1011 Invoker not found"]);
});

test("its WebSocket: words of more than 123 bytes make a close frame that no client takes", async () => {
  const long = `Greet?x-end-after=${"x".repeat(200)}`;
  assert.deepEqual(await socket(long, { perMessageDeflate: false }, '{"name":"Ada"}'), ["close 1006 "]);
});

test("its WebSocket agrees to compression and cannot read it, so that every browser's first message ends it", async () => {
  const heard = await socket("Greet", { perMessageDeflate: { threshold: 0 } }, '{"name":"Ada"}');
  assert.deepEqual(heard, ["close 1002 RSV != 0 and no extension negotiated, RSV:4"]);
});

test("its WebSocket: only close 1000 reaches the greeter, as half-close; a cancel and a lost connection never do", async () => {
  for (const leave of [(ws) => ws.close(4001), (ws) => ws.close(), (ws) => ws.terminate()]) {
    const call = listener();
    const ws = new WebSocket(`ws://${peer.host}${service}/GreetStream?x-call-id=${call.id}`, {
      perMessageDeflate: false,
    });
    ws.on("open", () => ws.send('{"name":"Ada"}'));
    ws.on("error", () => {});
    await call.until("reply");
    leave(ws);
    // A later call has come and gone.
    await socket("Greet", { perMessageDeflate: false }, '{"name":"Ada"}');
    assert.equal((await call.seen()).map(({ what }) => what).join(" "), "open message reply");
    ws.terminate();
  }
  const ended = listener();
  const ws = new WebSocket(`ws://${peer.host}${service}/GreetStream?x-call-id=${ended.id}`, {
    perMessageDeflate: false,
  });
  ws.on("open", () => ws.send('{"name":"Ada"}'));
  await ended.until("reply");
  ws.close(1000);
  assert.equal(await ended.story(), "open message reply half-close end");
});

/** A call on bare HTTP/2, and what the server saw of it. */
class Call {
  constructor(path, headers, on) {
    Object.assign(this, listener());
    this.stream = on.request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
      "x-call-id": this.id,
      ...headers,
    });
    this.answered = new Promise((resolve) =>
      this.stream.on("response", (headers) => resolve((this.headers = headers))),
    );
    this.stream.on("trailers", (trailers) => (this.trailers = trailers));
    const chunks = [];
    this.stream.on("data", (chunk) => chunks.push(chunk));
    this.stream.on("error", () => {});
    this.ended = new Promise((resolve) => this.stream.on("close", resolve)).then(() => {
      this.replies = texts(Buffer.concat(chunks));
      return this;
    });
  }

  say(...names) {
    for (const name of names) this.stream.write(message(name));
    this.stream.end();
    return this.ended;
  }

  /** `close` would half-close first. */
  reset() {
    this.stream.destroy(new Error("reset"));
  }
}

/** On a connection of its own, as Node at times keeps back what follows a reset. */
function open(method, headers = {}) {
  return new Call(`${service}/${method}`, headers, connect());
}

function connect() {
  const session = http2.connect(`http://${peer.host}`);
  session.on("error", () => {});
  sessions.push(session);
  return session;
}

/** Reads the observed log of a new call id. */
function listener() {
  const id = `java-${++calls}`;
  const seen = async (after = 0, wait = 0) => {
    const response = await fetch(`http://${peer.observed}/observed/${id}?after=${after}&wait=${wait}`);
    return (await response.json()).events;
  };
  const until = async (last) => {
    const all = [];
    while (!all.some(({ what }) => what === last)) {
      const news = await seen(all.length, 10_000);
      assert.notEqual(news.length, 0, `no ${last} after ${JSON.stringify(all)}`);
      all.push(...news);
    }
    return all;
  };
  const story = async () => (await until("end")).map(({ what }) => what).join(" ");
  return { id, seen, until, story };
}

function post(method, body, headers, verb = "POST") {
  const [host, port] = peer.host.split(":");
  return new Promise((resolve, reject) => {
    const options = { host, port, method: verb, path: `${service}/${method}`, headers, agent };
    const request = http.request(options, async (response) => {
      const chunks = [];
      for await (const chunk of response) chunks.push(chunk);
      resolve({
        status: response.statusCode,
        headers: response.headers,
        body: Buffer.concat(chunks).toString(),
      });
    });
    request.on("error", reject);
    request.end(body);
    requests.push(request);
  });
}

/** Everything that comes on a socket of dubbo-java's own. */
function socket(method, options, ...messages) {
  const ws = new WebSocket(`ws://${peer.host}${service}/${method}`, options);
  const heard = [];
  ws.on("open", () => messages.forEach((text) => ws.send(text)));
  ws.on("message", (data) => heard.push(data.toString()));
  ws.on("error", () => {});
  return new Promise((resolve) =>
    ws.on("close", (code, reason) => resolve([...heard, `close ${code} ${reason}`])),
  );
}

/** A GreetRequest in its envelope. */
function message(name) {
  const text = Buffer.from(name);
  const body = Buffer.concat([Buffer.from([0x0a, text.length]), text]);
  return Buffer.concat([Buffer.from([0, 0, 0, 0, body.length]), body]);
}

/** The greetings of a body; none is longer than 127 bytes. */
function texts(body) {
  const found = [];
  for (let at = 0; at < body.length;) {
    const length = body.readUInt32BE(at + 1);
    found.push(body.subarray(at + 7, at + 5 + length).toString());
    at += 5 + length;
  }
  return found;
}
