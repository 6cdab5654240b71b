// What the npm package does with a real dubbo-java: its own WebSocket, and services without IDL through the gateway.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import http from "node:http";
import { createRequire } from "node:module";
import net from "node:net";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

const root = new URL("../../../", import.meta.url);
const require = createRequire(new URL("tests/js/package.json", root));
const { WebSocket } = require("ws");
const protobuf = require("protobufjs");
const { createClient, RpcError } = await import(new URL("pkg-config/dist/index.js", root));
const { tripleCodec, tripleUnary } = await import(new URL("pkg-config/dist/triple.js", root));
const example = new URL("examples/dubbo-java-hessian2/", root);
const { hessian2 } = await import(new URL("hessian2.mjs", example));

const { DUBBO_JAVA_PEER, TIDEWIRE_GATEWAY, CHROME = "/usr/bin/chromium" } = process.env;
const service = "/greet.GreetService";
const plain = "/greet.PlainGreetService";
const running = [];
let peer;
let observed;
let gateway;

before(async () => {
  const flags = ["-jar", DUBBO_JAVA_PEER, "-port", "0", "-observed-port", "0", "-exit-on-stdin-eof"];
  [peer, observed] = await run("java", flags, /^listening on (\S+) observed (\S+)$/);
  const upstream = ["--listen", "127.0.0.1:0", "--upstream", `http://${peer}`];
  [gateway] = await run(TIDEWIRE_GATEWAY, upstream, /(http:\/\/[\d.:]+)/);
});

after(() => running.forEach((stop) => stop()));

// Its WebSocket, as a browser would use it: through a proxy that takes `permessage-deflate` away.

const json = {
  encode: (message) => new TextEncoder().encode(JSON.stringify(message)),
  decode: (bytes) => JSON.parse(new TextDecoder().decode(bytes)),
};
const Ada = { name: "Ada" };

for (const runtime of ["Node", "Chromium"]) {
  test(`triple-websocket in ${runtime}`, async (t) => {
    const here = runtime === "Node" ? await inNode() : await inChromium();
    const calls = [
      ["unary", { message: { greeting: "Hello, Ada" } }],
      ["many", { messages: ["Hello, Ada 1", "Hello, Ada 2", "Hello, Ada 3"], code: 0 }],
      ["talk", { messages: ["Hello, Ada", "Hello, Bo"], code: 0 }],
      ["failure", { code: 2, fault: "peer", message: 'FAILED_PRECONDITION : asked to fail: 100% "grüßt"' }],
      ["halfClose", { refused: 9, fault: "misuse", then: "Hello, Bo", code: 1 }],
      ["metadata", { code: 12, fault: "misuse" }],
      ["clientStream", { code: 12, fault: "misuse" }],
      ["deadline", { code: 4, fault: "local" }],
      ["deflated", { code: runtime === "Node" ? 2 : 14, named: true }],
    ];
    for (const [name, expected] of calls)
      await t.test(name, async () => assert.deepEqual(await here(name), expected));
  });
}

async function inNode() {
  const proxy = await withoutCompression();
  const options = { WebSocket, transport: "triple-websocket" };
  const client = await createClient({ ...options, baseUrl: proxy });
  const direct = await createClient({ ...options, baseUrl: `http://${peer}` });
  return (name) => calls(client, direct, json)[name]();
}

async function inChromium() {
  const { chromium } = require("playwright-core");
  const browser = await chromium.launch({ executablePath: CHROME, args: ["--no-sandbox", "--disable-gpu"] });
  running.push(() => void browser.close());
  const page = await browser.newPage();
  await page.goto(await pages());
  const [proxy, direct] = [await withoutCompression(), `http://${peer}`];
  return (name) =>
    page.evaluate(
      async ([name, proxy, direct, source]) => {
        const { createClient } = await import("/index.js");
        const json = {
          encode: (message) => new TextEncoder().encode(JSON.stringify(message)),
          decode: (bytes) => JSON.parse(new TextDecoder().decode(bytes)),
        };
        const transport = "triple-websocket";
        const clients = [proxy, direct].map((baseUrl) => createClient({ baseUrl, transport }));
        return new Function(`return ${source}`)()(...(await Promise.all(clients)), json)[name]();
      },
      [name, proxy, direct, String(calls)],
    );
}

/** Also run in the page, from its source: it sees nothing but its arguments. */
function calls(client, direct, codec) {
  const service = "/greet.GreetService";
  const Ada = { name: "Ada" };
  const failure = ({ code, fault, rawMessage, message }) => ({ code, fault, message: rawMessage ?? message });
  const short = ({ code, fault }) => ({ code, fault });
  const read = async (call) => {
    const messages = [];
    for await (const { greeting } of call) messages.push(greeting);
    return { messages, code: (await call.status).code };
  };
  return {
    async unary() {
      const { message } = await client.unary(`${service}/Greet`, Ada, { codec });
      return { message };
    },
    many: () => read(client.serverStream(`${service}/GreetServerStream?x-count=3`, Ada, { codec })),
    async talk() {
      const call = client.bidi(`${service}/GreetStream?x-end-after=2`, { codec });
      for (const name of ["Ada", "Bo"]) await call.send({ name });
      return read(call);
    },
    async failure() {
      const call = client.bidi(`${service}/GreetStream?x-fail-after=0`, { codec });
      return failure(await call.status);
    },
    async halfClose() {
      const call = client.bidi(`${service}/GreetStream`, { codec });
      await call.send(Ada);
      await call.receive();
      const { code: refused, fault } = await call.closeSend().catch((error) => error);
      await call.send({ name: "Bo" });
      const { greeting: then } = await call.receive();
      call.cancel();
      return { refused, fault, then, code: (await call.status).code };
    },
    async metadata() {
      const options = { codec, metadata: [["x-call-id", "1"]] };
      return short(await client.unary(`${service}/Greet`, Ada, options).catch((error) => error));
    },
    async clientStream() {
      return short(await client.clientStream(`${service}/GreetClientStream`, { codec }).status);
    },
    async deadline() {
      const call = client.serverStream(`${service}/GreetServerStream?x-stall=1`, Ada, {
        codec,
        timeoutMs: 200,
      });
      return short(await call.status);
    },
    // Straight to the server: the first compressed message ends the socket, and the error names the cause.
    async deflated() {
      const request = { name: "Ada".repeat(1_000) };
      const error = await direct.unary(`${service}/Greet`, request, { codec }).catch((error) => error);
      return { code: error.code, named: error.message.includes("permessage-deflate") };
    },
  };
}

test("triple-websocket is never chosen, and says what it supports", async () => {
  const client = await createClient({ baseUrl: `http://${peer}`, WebSocket, transport: "triple-websocket" });
  assert.deepEqual(client.supports("bidi"), { ok: true, transport: "triple-websocket" });
  assert.match(client.supports("client_stream").reason, /half-close/);
  const auto = await createClient({ baseUrl: `http://${peer}`, WebSocket });
  assert.notEqual(auto.supports("bidi").transport, "triple-websocket");
});

// gRPC-Web, which it takes for native gRPC.

test("gRPC-Web straight to dubbo-java is told apart and named, with the way out", async () => {
  const options = { WebSocket, transport: "tidewire.v1", protocol: "grpc-web" };
  const client = await createClient({ baseUrl: gateway, ...options });
  for (const path of [`${service}/Greet`, `${service}/GreetServerStream`]) {
    const call = client.serverStream(path, new Uint8Array([0x0a, 3, 0x41, 0x64, 0x61]));
    const { code, fault, message } = await call.status;
    assert.deepEqual([code, fault], [2, "peer"], path);
    assert.match(
      message,
      /the server sent "application\/grpc".*dubbo-java answers gRPC-Web so.*gateway/,
      path,
    );
  }
});

// Triple's bare form as JSON, without a gateway.

test("a unary call of protocol triple takes and gives JSON, attachments and the deadline", async () => {
  const client = await createClient({ baseUrl: `http://${peer}`, protocol: "triple" });
  const codec = { ...json, contentSubtype: "json" };
  const call = (path, options) => client.unary(path, Ada, { codec, ...options });
  const failure = async (path, options) => {
    const { code, fault, rawMessage } = await call(path, options).catch((error) => error);
    return [code, fault, rawMessage];
  };
  const greet = `${service}/Greet`;

  const metadata = [["x-call-id", "bare"]];
  assert.deepEqual((await call(greet, { metadata, timeoutMs: 60_000 })).message, { greeting: "Hello, Ada" });
  const { events } = await (await fetch(`http://${observed}/observed/bare`)).json();
  const [{ what, detail }] = events;
  assert.deepEqual([what, detail.metadata["content-type"]], ["open", ["application/json"]]);
  for (const name of ["tri-service-timeout", "triple-timeout-ms"])
    assert.ok(Number(detail.metadata[name]) > 0 && Number(detail.metadata[name]) <= 60_000, name);

  // The HTTP status is all that tells the code: FAILED_PRECONDITION and INVALID_ARGUMENT are both 400.
  const words = 'asked to fail: 100% "grüßt"';
  const asked = (code) => ({ metadata: { "x-fail-after": "0", "x-fail-code": String(code) } });
  assert.deepEqual(await failure(greet, asked(9)), [3, "peer", `FAILED_PRECONDITION : ${words}`]);
  assert.deepEqual(await failure(greet, asked(5)), [5, "peer", `NOT_FOUND : ${words}`]);
  assert.deepEqual(await failure(`${service}/Nobody`), [5, "peer", "Invoker not found"]);
  const [code, fault] = await failure(greet, { metadata: { "x-delay": "60000" }, timeoutMs: 200 });
  assert.deepEqual([code, fault], [4, "local"]);
});

// Services without IDL.

const wrappers = protobuf.parse(`syntax = "proto3";
  message TripleRequestWrapper { string serializeType = 1; repeated bytes args = 2; repeated string argTypes = 3; }
  message TripleResponseWrapper { string serializeType = 1; bytes data = 2; string type = 3; }
  message TripleExceptionWrapper { string language = 1; string serialization = 2; string className = 3; bytes data = 4; }
`).root;
const text = {
  serializeType: "text",
  serialize: (argument) => new TextEncoder().encode(argument),
  deserialize: (bytes, type) => `${type}: ${new TextDecoder().decode(bytes)}`,
};
const bytesOf = (name, message) => wrappers.lookupType(name).encode(message).finish();

test("a request wrapper is what a protobuf library reads", () => {
  const long = "x".repeat(70_000);
  const bytes = tripleCodec(["a.B", "int"], text).encode(["Ada", long]);
  const { serializeType, args, argTypes } = wrappers.lookupType("TripleRequestWrapper").decode(bytes);
  assert.deepEqual(
    [serializeType, args.map((bytes) => Buffer.from(bytes).toString()), argTypes],
    ["text", ["Ada", long], ["a.B", "int"]],
  );
  assert.throws(() => tripleCodec(["int"], text).encode([]), /takes 1 arguments; it was given 0/);
});

test("a response wrapper is read as a protobuf library writes it, and a cut one is refused", () => {
  const codec = tripleCodec([], text);
  const bytes = bytesOf("TripleResponseWrapper", {
    serializeType: "text",
    data: Buffer.from("hi"),
    type: "a.B",
  });
  assert.equal(codec.decode(bytes), "a.B: hi");
  // A field of each other kind, which nobody knows.
  assert.equal(codec.decode(Buffer.concat([Buffer.from([0x78, 0x80, 1]), bytes])), "a.B: hi");
  assert.equal(codec.decode(Buffer.concat([bytes, Buffer.from([0x7d, 1, 2, 3, 4])])), "a.B: hi");
  for (let length = 1; length < bytes.length; length++) {
    try {
      codec.decode(bytes.subarray(0, length));
    } catch (error) {
      assert.match(error.message, /is cut or is none/);
    }
  }
  assert.throws(() => codec.decode(bytes.subarray(0, bytes.length - 1)), RangeError);
});

test("an exception wrapper is an RpcError with the class's name", () => {
  const data = Buffer.from("thrown");
  const thrown = { language: "java", serialization: "text", className: "a.Thrown", data };
  assert.throws(
    () => tripleCodec([], text).decode(bytesOf("TripleExceptionWrapper", thrown)),
    (error) => {
      assert.ok(error instanceof RpcError);
      assert.deepEqual(
        [error.code, error.cause.className, String(Buffer.from(error.cause.bytes))],
        [2, "a.Thrown", "thrown"],
      );
      return true;
    },
  );
});

test("a method without IDL takes and gives objects; what it throws has its class and its words", async () => {
  const client = await createClient({ baseUrl: gateway, WebSocket });
  const call = (method, types, ...args) => tripleUnary(client, `${plain}/${method}`, types, args, hessian2);
  const person = { $class: "greet.PlainGreetService$Person", $: { name: "Ada", age: 36 } };
  const card = await call("card", ["greet.PlainGreetService$Person", "int"], person, 2);
  assert.equal(card.message.text, "Hello, Ada (36)");
  const all = await call("greetAll", ["java.util.List"], ["Ada", "Bo"]);
  assert.deepEqual(all.message, ["Hello, Ada", "Hello, Bo"]);
  for (const [how, className, words] of [
    ["declared", "greet.PlainGreetService$NotGreeted", 'nobody greets 100% of "grüßt"'],
    ["other", "java.lang.IllegalStateException", "other"],
  ]) {
    const error = await call("fail", ["java.lang.String"], how).catch((error) => error);
    assert.ok(error instanceof RpcError, String(error));
    assert.deepEqual([error.code, error.cause.className], [2, className]);
    assert.equal(error.rawMessage, `${className}: ${words}`);
  }
});

test("over JSON a method without IDL takes an array of its arguments, without wrapper or gateway", async () => {
  const client = await createClient({ baseUrl: `http://${peer}`, protocol: "triple" });
  const codec = { ...json, contentSubtype: "json" };
  const call = async (method, ...args) => (await client.unary(`${plain}/${method}`, args, { codec })).message;
  assert.equal(await call("greet", "Ada"), "Hello, Ada");
  assert.deepEqual(await call("card", { name: "Ada", age: 36 }, 2), {
    text: "Hello, Ada (36)",
    copies: { Ada: 2 },
  });
  // A list that is the only argument is that array itself.
  assert.deepEqual(await call("greetAll", "Ada", "Bo"), ["Hello, Ada", "Hello, Bo"]);
});

test("streams without IDL: one message is one argument", async () => {
  const client = await createClient({ baseUrl: gateway, WebSocket });
  const codec = tripleCodec(["java.lang.String"], hessian2);
  const replies = [];
  for await (const reply of client.serverStream(`${plain}/greetServerStream`, ["Ada"], { codec }))
    replies.push(reply);
  assert.deepEqual(replies, ["Hello, Ada 1", "Hello, Ada 2", "Hello, Ada 3"]);
  const talk = client.bidi(`${plain}/greetStream`, { codec });
  await talk.send(["Ada"]);
  assert.equal(await talk.receive(), "Hello, Ada");
  await talk.closeSend();
  assert.equal(await talk.receive(), undefined);
});

test("the example prints what its README says", async () => {
  const { stdout } = await promisify(execFile)("node", ["main.mjs", gateway], { cwd: example });
  const readme = await readFile(new URL("README.md", example), "utf8");
  assert.ok(readme.includes("```\n" + stdout + "```"), stdout);
});

/** Starts a program and reads what it prints until `pattern`. */
async function run(program, args, pattern) {
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
  running.push(() => child.kill());
  child.on("error", () => {});
  let said = "";
  child.stderr.on("data", (chunk) => (said += chunk));
  const lines = createInterface({ input: child.stdout });
  child.stderr.on("data", (chunk) => lines.emit("line", String(chunk)));
  const found = new Promise((resolve) =>
    lines.on("line", (line) => pattern.test(line) && resolve(pattern.exec(line).slice(1))),
  );
  const ended = new Promise((_, reject) =>
    child.on("exit", () => reject(new Error(`${program} ended: ${said}`))),
  );
  ended.catch(() => {});
  return Promise.race([found, ended]);
}

/** A relay that takes the offer of `permessage-deflate` out of each request's head. */
async function withoutCompression() {
  const [host, port] = peer.split(":");
  const server = net.createServer((client) => {
    const upstream = net.connect(port, host);
    client.once("data", (head) => {
      upstream.write(head.toString("latin1").replace(/sec-websocket-extensions:[^\r]*\r\n/i, ""), "latin1");
      client.pipe(upstream);
    });
    upstream.pipe(client);
    for (const socket of [client, upstream]) {
      socket.on("error", () => {});
      running.push(() => socket.destroy());
    }
  });
  return listen(server);
}

/** The package's files and an empty page. */
function pages() {
  const dist = new URL("pkg-config/dist/", root);
  const server = http.createServer(async (request, response) => {
    const file =
      request.url === "/"
        ? "<!doctype html>"
        : await readFile(new URL(`.${request.url}`, dist)).catch(() => "");
    response.setHeader("content-type", request.url === "/" ? "text/html" : "text/javascript");
    response.end(file);
  });
  return listen(server);
}

async function listen(server) {
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  running.push(() => server.close());
  return `http://127.0.0.1:${server.address().port}`;
}
