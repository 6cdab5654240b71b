import { equal, match, watch, within } from "../assert.mjs";
import * as code from "../codes.mjs";
import { decodeText, greetCodec, paths } from "../greet.mjs";
import { exchangeEnds } from "../observed.mjs";

const broken = {
  code: [code.UNKNOWN, code.INTERNAL, code.DATA_LOSS, code.UNAVAILABLE],
  fault: ["peer", "transport"],
};
const protocolError = { code: code.INTERNAL, fault: "peer" };
const tooLarge = { code: code.RESOURCE_EXHAUSTED, fault: "peer" };

/** fault of fake/http.mjs: what a server stream over fetch that got one message before it must say. */
const afterOneMessage = {
  "no-trailers": { code: [code.UNKNOWN, code.INTERNAL], fault: "peer" },
  "cut-in-prefix": broken,
  "cut-in-message": broken,
  "length-4-gib": { ...tooLarge, message: /4294967295|4,294,967,295/ },
  "trailers-4-gib": { code: [code.RESOURCE_EXHAUSTED, code.INTERNAL], fault: "peer" },
  "endless-trailers": { code: [code.RESOURCE_EXHAUSTED, code.INTERNAL], fault: "peer" },
  "unknown-flag": protocolError,
  "compressed-unannounced": protocolError,
  "trailers-without-status": { code: [code.UNKNOWN, code.INTERNAL], fault: "peer" },
  "status-99": { code: code.UNKNOWN, fault: "peer", message: /^beyond the table$/ },
};

/** The same where no message comes before. */
const atOnce = {
  "nothing-at-all": { code: [code.UNKNOWN, code.INTERNAL], fault: "peer" },
  html: { code: code.UNKNOWN, fault: "peer", message: /text\/html/ },
  "html-401": { code: code.UNAUTHENTICATED, fault: "peer", message: /401/ },
  "html-403": { code: code.PERMISSION_DENIED, fault: "peer", message: /403/ },
  "html-404": { code: code.UNIMPLEMENTED, fault: "peer", message: /404/ },
  "html-503": { code: code.UNAVAILABLE, fault: "peer", message: /503/ },
  "malformed-message": { code: code.FAILED_PRECONDITION, fault: "peer", message: /^100% grüßt %zz$/ },
  "malformed-details": { code: code.FAILED_PRECONDITION, fault: "peer", message: /^kept$/ },
  "status-in-headers": { code: 5, fault: "peer", message: /^none$/ },
};

/** The same of a body that neither begins nor ends. */
const inHeaders = {
  "html-open": atOnce.html,
  "html-503-open": atOnce["html-503"],
};

export default (suite, env) => {
  for (const [fault, expected] of Object.entries(afterOneMessage)) {
    suite.scenario(
      `faults / fetch / server_stream / ${fault}: the message before it is delivered`,
      async (t) => {
        const { call, tag } = await stream(t, fault);
        t.isStatus(await within(10_000, call.status, "the status"), expected);
        equal(await call.receive(), "one", "the message before the fault, read after the end");
        await t.endedWith({ call, reply: watch(call.receive()) }, expected);
        await exchangeEnds(env, tag);
      },
    );
  }

  // Firefox shows nothing of an answer before its body's first byte.
  for (const [fault, expected] of Object.entries({
    ...atOnce,
    ...(env.runtime !== "firefox" && inHeaders),
  })) {
    suite.scenario(`faults / fetch / server_stream / ${fault}`, async (t) => {
      const { call, tag } = await stream(t, fault);
      await t.endedWith({ call, reply: watch(call.receive()) }, expected);
      await exchangeEnds(env, tag);
    });
    suite.scenario(`faults / fetch / unary / ${fault}`, async (t) => {
      const { reply, tag } = await unary(t, fault);
      await t.endedWith({ reply }, expected);
      await exchangeEnds(env, tag);
    });
  }

  suite.scenario(
    "faults / fetch / server_stream / a connection cut in mid-stream: UNAVAILABLE",
    async (t) => {
      const { call, tag } = await stream(t, "open-after-message");
      // Read before the cut: a browser may throw away what its page has not read when the connection breaks.
      equal(await within(10_000, call.receive(), "the message"), "one", "the message before the cut");
      await fetch(`${env.fakeOrigin}/cut/${tag}`);
      await t.endedWith(
        { call, reply: watch(call.receive()) },
        { code: code.UNAVAILABLE, fault: "transport" },
      );
    },
  );

  suite.scenario("faults / fetch / server_stream / data after the trailers is never delivered", async (t) => {
    const { call } = await stream(t, "data-after-trailers");
    const { code: ended } = await within(10_000, call.status, "the status");
    equal([0, code.INTERNAL].includes(ended), true, `OK or INTERNAL, got ${ended}: whether it`);
    equal(await call.receive(), "one", "the message before the trailers");
    const after = watch(call.receive());
    await after.promise.catch(() => {});
    equal(after.value, undefined, "what comes after the trailers");
  });

  suite.scenario(
    "faults / fetch / server_stream / a body that stays open after the trailers is not waited for",
    async (t) => {
      const { call, tag } = await stream(t, "open-after-trailers");
      equal(await t.receiveAll(call), ["one"], "the messages");
      await t.endsOk(call);
      await exchangeEnds(env, tag);
    },
  );

  suite.scenario(
    "faults / fetch / server_stream / trailers in mixed case and without blanks are read",
    async (t) => {
      const { call } = await stream(t, "mixed-case-trailers");
      equal(await t.receiveAll(call), ["one"], "the messages");
      equal((await t.endsOk(call)).trailers.get("x-some"), "thing", "the trailer");
    },
  );

  suite.scenario(
    "faults / fetch / unary / a number that gRPC does not know is kept as rawCode",
    async (t) => {
      const { reply } = await unary(t, "status-99");
      const error = await t.endedWith({ reply }, { code: code.UNKNOWN });
      equal(error.rawCode, 99, "raw code");
    },
  );

  suite.scenario(
    "faults / fetch / unary / CORS hides the status: the header that shows it is named",
    async (t) => {
      const { reply } = await unary(t, "status-that-cors-hides");
      const shown = { code: 5, fault: "peer", message: /^none$/ };
      const hidden = { code: code.INTERNAL, fault: "peer", message: /Access-Control-Expose-Headers/ };
      await t.endedWith({ reply }, ["chromium", "firefox"].includes(env.runtime) ? hidden : shown);
    },
  );

  suite.scenario("faults / fetch / unary / a redirect that makes a GET of it is no success", async (t) => {
    const { reply } = await unary(t, "moved-to-a-page");
    await t.endedWith({ reply }, { code: code.UNKNOWN, fault: "peer", message: /text\/html/ });
  });

  // Node 20's own fetch cannot send a body again: it has given its buffer away.
  if (env.runtime !== "node") {
    suite.scenario(
      "faults / fetch / unary / a redirect that keeps method and body is followed",
      async (t) => {
        const { reply } = await unary(t, "moved-with-its-body");
        equal((await within(10_000, reply.promise, "the reply")).message, "one", "the reply from elsewhere");
      },
    );
  }

  for (const kind of ["unary", "server_stream"]) {
    suite.scenario(
      `faults / fetch / ${kind} / nobody listens: UNAVAILABLE, and the cause is kept`,
      async (t) => {
        const { refusedOrigin } = env;
        Object.assign(t, { kind, client: await t.newClient({ baseUrl: refusedOrigin, transport: "fetch" }) });
        const error = await t.endedWith(t.begin(), { code: code.UNAVAILABLE, fault: "transport" });
        match(error.message, new RegExp(new URL(refusedOrigin).host), "the message, which names the address");
        equal(error.cause instanceof Error, true, "the transport's own error is the cause: that it");
      },
    );
  }

  suite.scenario("faults / a codec that throws is our own fault, and ends the call", async (t) => {
    const codec = {
      encode: greetCodec.encode,
      decode(bytes) {
        throw new RangeError(`cannot decode ${decodeText(bytes)}`);
      },
    };
    const tag = newTag();
    const client = await fakeClient(t, "open-after-message", tag);
    const call = client.serverStream(paths.server_stream, "x", { codec });
    const error = await within(
      10_000,
      call.receive().then(String, (thrown) => thrown),
      "the receive",
    );
    match(error.message ?? error, /cannot decode one/, "the error");
    call.cancel();
    await exchangeEnds(env, tag);
  });
};

function newTag() {
  return Math.random().toString(36).slice(2);
}

function fakeClient(t, fault, tag) {
  return t.newClient({
    baseUrl: `${t.env.fakeOrigin}/${fault}~${tag}`,
    transport: "fetch",
    protocol: "grpc-web",
  });
}

async function stream(t, fault) {
  const tag = newTag();
  const client = await fakeClient(t, fault, tag);
  return { call: client.serverStream(paths.server_stream, "x", { codec: greetCodec }), tag };
}

async function unary(t, fault) {
  const tag = newTag();
  const client = await fakeClient(t, fault, tag);
  return { reply: watch(client.unary(paths.unary, "x", { codec: greetCodec })), tag };
}
