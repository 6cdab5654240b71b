import { between, equal, match, ok, watch, within } from "../assert.mjs";
import * as code from "../codes.mjs";
import { greetCodec, paths } from "../greet.mjs";
import { allKinds, hasFullDuplexFetch } from "../harness.mjs";

/** Long enough that compressing it pays, and of no pattern that hides a mistake in the order. */
const NAMES = ["Ada", "", "x".repeat(20_000), "Bo ".repeat(5_000), "Cy"];
const MIB = 1024 * 1024;
const both = { acceptCompression: ["gzip"], sendCompression: "gzip" };

/** fault of fake/http.mjs: how a call that accepts gzip must end. */
const faults = {
  "gzip-corrupt": { code: code.INTERNAL, fault: "peer", message: /cannot be inflated/ },
  "gzip-cut": { code: code.INTERNAL, fault: "peer", message: /cannot be inflated/ },
  "gzip-surplus": { code: code.INTERNAL, fault: "peer", message: /cannot be inflated/ },
  "gzip-twice": { code: code.INTERNAL, fault: "peer", message: /cannot be inflated/ },
  "gzip-under-identity": { code: code.INTERNAL, fault: "peer", message: /Access-Control-Expose-Headers/ },
  "gzip-unnamed": { code: code.INTERNAL, fault: "peer", message: /Access-Control-Expose-Headers/ },
  "gzip-unknown": { code: code.INTERNAL, fault: "peer", message: /"foo"/ },
  "gzip-bomb": {
    code: code.RESOURCE_EXHAUSTED,
    fault: "peer",
    message: /\d bytes of gzip become more than 1048576,/,
  },
};

export default (suite, env) => {
  suite.each({ kinds: allKinds }, "gzip goes both ways", async (t) => {
    t.client = await t.newClient(both);
    const headers = await talk(t);
    equal(headers.get("grpc-encoding"), "gzip", "the answer's encoding");
    const { metadata } = (await t.observed.until("open")).detail;
    equal(metadata["grpc-encoding"], ["gzip"], "grpc-encoding at the server");
    equal(metadata["grpc-accept-encoding"], ["gzip"], "grpc-accept-encoding at the server");
    equal((await t.observed.until("end")).detail.code, 0, "the server's code");
    t.observed.never("cancelled");
  });

  suite.each({ kinds: allKinds, servers: ["tonic"] }, "nothing is compressed unless asked for", async (t) => {
    const headers = await talk(t);
    equal(headers.get("grpc-encoding"), undefined, "the answer's encoding");
    const { metadata } = (await t.observed.until("open")).detail;
    equal(metadata["grpc-encoding"], undefined, "grpc-encoding at the server");
    equal(metadata["grpc-accept-encoding"], undefined, "grpc-accept-encoding at the server");
  });

  suite.each({ kinds: ["unary", "bidi"] }, "gzip goes one way only, as the call has it", async (t) => {
    t.client = await t.newClient(both);
    const answer = (await talk(t, { acceptCompression: [] })).get("grpc-encoding");
    // dubbo-go takes whoever sends gzip for one who reads it.
    equal(answer, t.server === "dubbo-go" ? "gzip" : undefined, "the encoding of an answer to gzip");
    const sent = (await t.observed.until("open")).detail.metadata;
    equal(sent["grpc-encoding"], ["gzip"], "the client's option, where the call has none");
    equal(sent["grpc-accept-encoding"], undefined, "grpc-accept-encoding at the server");
    t.renew();
    t.client = await t.newClient();
    equal((await talk(t, { acceptCompression: ["gzip"] })).get("grpc-encoding"), "gzip");
    equal((await t.observed.until("open")).detail.metadata["grpc-encoding"], undefined, "grpc-encoding");
  });

  suite.each(
    {
      kinds: ["unary", "server_stream"],
      transports: ["fetch"],
      protocol: "grpc-web-text",
      label: "fetch as text",
    },
    "gzip goes both ways",
    async (t) => {
      t.client = await t.newClient(both);
      equal((await talk(t)).get("grpc-encoding"), "gzip", "the answer's encoding");
    },
  );

  suite.each(
    { kinds: allKinds, servers: ["tonic"] },
    "a failure after compressed messages comes after them",
    async (t) => {
      t.client = await t.newClient(both);
      const { call, reply } = t.begin({ ask: { "x-fail-after": 1 } });
      if (t.sends) await call.send("Ada");
      if (t.receives)
        match(await within(10_000, reply.promise, "the first reply"), /^Hello, Ada/, "the first reply");
      const rest = t.receives ? watch(drain(call)) : reply;
      const error = await t.endedWith(
        { call, reply: rest },
        { code: code.FAILED_PRECONDITION, fault: "peer" },
      );
      equal(error.details.length, 1, "details");
    },
  );

  suite.each(
    { kinds: ["server_stream"] },
    "a message that inflates to more than the limit ends the call",
    async (t) => {
      t.client = await t.newClient({ ...both, maxReceiveMessageBytes: MIB });
      const ask = { "x-count": 3, "x-size": 3 * MIB, "x-never-end": 1 };
      await t.endedWith(t.begin({ ask }), {
        code: code.RESOURCE_EXHAUSTED,
        fault: "peer",
        message: /1048576/,
      });
      await t.observed.until("cancelled");
    },
  );

  suite.each(
    { kinds: ["server_stream"] },
    "what a slow reader has not asked for is not inflated",
    async (t) => {
      const [count, size] = [30, 256 * 1024];
      t.client = await t.newClient({ ...both, receiveWindowBytes: size });
      let inflated = 0;
      const observer = ({ type }) => void (inflated += Number(type === "message"));
      const call = t.serverStream("Ada", { observer, ask: { "x-count": count, "x-size": size } });
      for (let read = 0; read < count; read++) {
        equal(
          (await within(10_000, call.receive(), "a reply")).length,
          size,
          `the length of reply ${read + 1}`,
        );
        ok(
          inflated - read <= 3,
          `at most 3 messages ahead of the reader, got ${inflated} when it had ${read}`,
        );
      }
      equal(await call.receive(), undefined, "the end");
      await t.endsOk(call);
    },
  );

  suite.each(
    { kinds: ["bidi"] },
    "a cancel in a flood of compressed messages is seen by the server",
    async (t) => {
      t.client = await t.newClient(both);
      const { call, reply } = t.begin();
      const sends = Array.from({ length: 200 }, () => watch(call.send("x".repeat(16_000))));
      await within(10_000, reply.promise, "the first reply");
      const waits = watch(call.status);
      call.cancel();
      await new Promise((resolve) => setTimeout(resolve));
      equal(
        sends.filter(({ state }) => state === "pending").length,
        0,
        "sends pending one task after the cancel",
      );
      equal(waits.state, "resolved", "the status one task after the cancel");
      await t.observed.until("cancelled");
      t.sawNoHalfClose();
    },
  );

  suite.each(
    { kinds: ["bidi"], servers: ["tonic"] },
    "sends wait for what is to be compressed",
    async (t) => {
      t.client = await t.newClient(both);
      const call = t.bidi();
      const sends = Array.from({ length: 20 }, (_, i) => watch(call.send(String(i).repeat(16_000))));
      await Promise.resolve();
      ok(
        sends.some(({ state }) => state === "pending"),
        "back-pressure within the task of 20 sends of 16 kB",
      );
      void call.closeSend();
      const replies = await t.receiveAll(call);
      equal(
        replies.map((reply) => reply.slice(0, 8)),
        sends.map((_, i) => `Hello, ${String(i).slice(0, 1)}`),
        "the replies",
      );
      await Promise.all(sends.map(({ promise }) => promise));
      await t.endsOk(call);
    },
  );

  for (const kind of hasFullDuplexFetch(env) ? [] : ["client_stream", "bidi"]) {
    suite.scenario(
      `${kind} / fetch / tonic / collected requests may be gzip`,
      async (t) => {
        t.client = await t.newClient({ ...both, bufferRequestBytes: 10_000 });
        await talk(t);
        const { metadata } = (await t.observed.until("open")).detail;
        equal(metadata["grpc-encoding"], ["gzip"], "grpc-encoding at the server");
      },
      { kind, transport: "fetch", server: "tonic" },
    );
  }

  for (const [fault, expected] of Object.entries(faults)) {
    for (const kind of ["unary", "server_stream"]) {
      suite.scenario(`faults / gzip / ${kind} / ${fault}`, async (t) => {
        const { call, reply } = await fake(t, kind, fault);
        await t.endedWith({ call, reply }, expected);
      });
    }
  }

  suite.scenario("faults / gzip / compressed trailers are read, behind a compressed message", async (t) => {
    const { call } = await fake(t, "server_stream", "gzip-trailers");
    const status = await within(10_000, call.status, "the status");
    t.isStatus(status, { code: code.FAILED_PRECONDITION, fault: "peer", message: /^enough$/ });
    equal(status.trailers.get("x-custom"), "bing", "the trailer");
  });

  // Chromium and Firefox inflate all of a piece before anybody has read: 512 MiB, where the bomb came as one.
  suite.scenario("faults / gzip / no piece of a bomb becomes more than it may", async (t) => {
    const { DecompressionStream } = globalThis;
    let largest = 0;
    globalThis.DecompressionStream = class {
      constructor(format) {
        const { writable, readable } = new DecompressionStream(format);
        const measure = new TransformStream({
          transform(piece, controller) {
            largest = Math.max(largest, piece.length);
            controller.enqueue(piece);
          },
        });
        measure.readable.pipeTo(writable).catch(() => {});
        Object.assign(this, { readable, writable: measure.writable });
      }
    };
    try {
      const { call, reply } = await fake(t, "server_stream", "gzip-bomb");
      await t.endedWith({ call, reply }, faults["gzip-bomb"]);
    } finally {
      Object.assign(globalThis, { DecompressionStream });
    }
    between(largest, 1, 2 * 1_024, "the longest piece, each byte of which may become 1,032");
  });

  suite.scenario("faults / gzip / a bomb costs no memory", async (t) => {
    if (env.runtime !== "node") return;
    const before = process.memoryUsage().rss;
    let peak = before;
    const timer = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 1);
    const { call, reply } = await fake(t, "server_stream", "gzip-bomb");
    await t.endedWith({ call, reply }, faults["gzip-bomb"]);
    clearInterval(timer);
    ok(
      peak - before < 64 * MIB,
      `growth below 64 MiB where 256 MiB are wrapped up, got ${(peak - before) / MIB}`,
    );
  });

  suite.scenario("compression / anything but gzip is refused", async (t) => {
    t.client = await t.newClient({ baseUrl: env.refusedOrigin, transport: "fetch" });
    for (const options of [{ sendCompression: "br" }, { acceptCompression: ["gzip", "zstd"] }]) {
      const reply = watch(t.client.unary(paths.unary, "x", { codec: greetCodec, ...options }));
      await t.endedWith({ reply }, { code: code.INVALID_ARGUMENT, fault: "misuse", message: /"gzip" only/ });
    }
  });

  suite.scenario("compression / a runtime that lacks it refuses it in words", async (t) => {
    const { CompressionStream } = globalThis;
    delete globalThis.CompressionStream;
    try {
      t.client = await t.newClient({ baseUrl: env.refusedOrigin, transport: "fetch", ...both });
    } finally {
      Object.assign(globalThis, { CompressionStream });
    }
    const reply = watch(t.client.unary(paths.unary, "x", { codec: greetCodec }));
    await t.endedWith({ reply }, { code: code.UNIMPLEMENTED, fault: "misuse", message: /CompressionStream/ });
  });
};

/** A conversation with every name; answers the response headers. */
async function talk(t, options) {
  if (t.kind === "unary") {
    const { message, headers } = await t.unary(NAMES[2], options);
    equal(message, `Hello, ${NAMES[2]}`, "the reply");
    return headers;
  }
  if (t.kind === "server_stream") {
    const call = t.serverStream(NAMES[2], options);
    equal(
      await t.receiveAll(call),
      Array.from({ length: 10 }, (_, i) => `Hello, ${NAMES[2]} ${i + 1}`),
      "the replies",
    );
    await t.endsOk(call);
    return call.headers;
  }
  const call = t.kind === "bidi" ? t.bidi(options) : t.clientStream(options);
  for (const name of NAMES) await call.send(name);
  await call.closeSend();
  if (t.kind === "bidi") {
    equal(
      await t.receiveAll(call),
      NAMES.map((name) => `Hello, ${name}`),
      "the replies",
    );
  } else {
    equal(await call.response, `Hello, ${NAMES.join(", ")}`, "the reply");
  }
  await t.endsOk(call);
  equal((await t.observed.until("half-close")).detail.count, NAMES.length, "requests before the half-close");
  return call.headers;
}

async function drain(call) {
  while ((await call.receive()) !== undefined);
}

async function fake(t, kind, fault) {
  const tag = Math.random().toString(36).slice(2);
  const client = await t.newClient({
    baseUrl: `${t.env.fakeOrigin}/${fault}~${tag}`,
    transport: "fetch",
    protocol: "grpc-web",
    maxReceiveMessageBytes: MIB,
    acceptCompression: ["gzip"],
  });
  if (kind === "unary") return { reply: watch(client.unary(paths.unary, "x", { codec: greetCodec })) };
  const call = client.serverStream(paths.server_stream, "x", { codec: greetCodec });
  return { call, reply: watch(call.receive()) };
}
