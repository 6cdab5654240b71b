import { between, equal, match, rejection, within } from "../assert.mjs";
import { INTERNAL, INVALID_ARGUMENT, RESOURCE_EXHAUSTED } from "../codes.mjs";
import { allKinds, webSockets } from "../harness.mjs";

const bytes = (...values) => new Uint8Array(values);
const echoed = [
  ["echo-word", "first"],
  ["echo-word", "second, with a comma"],
  ["echo-bytes-bin", bytes(0, 1, 254, 255)],
  ["echo-bytes-bin", bytes(7)],
  ["echo-empty-bin", bytes()],
];
const namesThatAreNotTheUsers = [
  "grpc-timeout",
  "grpc-status",
  "content-type",
  "te",
  "host",
  "connection",
  ":path",
];

export default (suite, env) => {
  suite.each(
    { kinds: ["bidi", "client_stream"], transports: streamsThatOpenAtOnce(env) },
    "headers go out at open, before any send",
    async (t) => {
      const call = t.begin().call;
      const { detail } = await t.observed.until("open");
      equal(detail.metadata["x-call-id"], [t.id], "the call id at the server");
      await call.closeSend();
      await t.endsOk(call);
      equal((await t.observed.until("half-close")).detail.count, 0, "requests before the half-close");
    },
  );

  suite.each(
    { kinds: ["bidi"], transports: streamsThatOpenAtOnce(env) },
    "headers resolves though we have sent nothing, when the server greets first",
    async (t) => {
      const call = t.bidi({ ask: { "x-greet-first": 1 }, metadata: [["echo-word", "hi"]] });
      const headers = await within(10_000, call.headers, "the headers");
      equal(headers.getAll("echo-word"), ["hi"], "the echo in the headers");
      equal(await call.receive(), "Welcome", "the first message");
      await call.closeSend();
      equal(await t.receiveAll(call), [], "what comes after");
      await t.endsOk(call);
      await t.observed.until("end");
      equal(t.observed.all("message").length, 0, "requests that the server read");
    },
  );

  suite.each(
    { kinds: allKinds },
    "repeated keys and bytes go there and come back in headers and trailers",
    async (t) => {
      const { headers, trailers } = await complete(t, { metadata: echoed });
      const words = ["first", "second, with a comma"];
      const sent = asSent(t, words);
      for (const [where, metadata] of Object.entries({ headers, trailers })) {
        const come = where === "headers" ? asCarried(t, words) : sent;
        equal(metadata.getAll("echo-word"), come, `echo-word in the ${where}`);
        equal(metadata.getAll("echo-bytes-bin"), [bytes(0, 1, 254, 255), bytes(7)], `bytes in the ${where}`);
        equal(metadata.getAll("echo-empty-bin"), [bytes()], `no bytes in the ${where}`);
      }
      const { metadata } = (await t.observed.until("open")).detail;
      equal(metadata["echo-word"], sent, "echo-word at the server");
    },
  );

  suite.each(
    { kinds: ["unary"], servers: ["tonic"] },
    "the client's metadata goes before the call's own",
    async (t) => {
      t.client = await t.newClient({ metadata: { "echo-word": "the client's" } });
      const { trailers } = await t.unary("Ada", { metadata: [["echo-word", "the call's"]] });
      equal(trailers.getAll("echo-word"), asSent(t, ["the client's", "the call's"]), "echo-word");
    },
  );

  suite.each({ kinds: ["unary", "bidi"] }, "six kilobytes of metadata go there and come back", async (t) => {
    const large = "x".repeat(6_000);
    const { headers } = await complete(t, { metadata: [["echo-large", large]] });
    equal(headers.get("echo-large"), large, "echo-large in the headers");
  });

  suite.each(
    { kinds: ["unary", "bidi"], transports: webSockets },
    "metadata past every limit is refused",
    async (t) => {
      const { call, reply } = t.begin({
        metadata: [
          ["echo-large", "x".repeat(60_000)],
          ["echo-more", "x".repeat(60_000)],
        ],
      });
      await t.endedWith(
        { call, reply },
        { code: [RESOURCE_EXHAUSTED, INVALID_ARGUMENT], message: /header|metadata/ },
      );
      await t.unary("fence");
    },
  );

  suite.each(
    { kinds: ["unary", "bidi"], servers: ["tonic"] },
    "Triple's routing and deadline travel as headers",
    async (t) => {
      t.client = await t.newClient({ triple: { version: "1.2.3", group: "blue" }, timeoutMs: 20_000 });
      await complete(t);
      const { metadata } = (await t.observed.until("open")).detail;
      equal(metadata["tri-service-version"], ["1.2.3"], "tri-service-version");
      equal(metadata["tri-service-group"], ["blue"], "tri-service-group");
      between(Number(metadata["tri-service-timeout"]?.[0]), 10_000, 20_001, "tri-service-timeout");
    },
  );

  suite.each(
    { kinds: ["unary", "bidi"], servers: ["tonic"] },
    "names that belong to the protocol are refused by name",
    async (t) => {
      for (const name of namesThatAreNotTheUsers) {
        const error = await refused(t, [[name, "1"]]);
        match(error.message, new RegExp(name), `the error for ${name}`);
      }
      await t.neverSeen();
    },
  );

  suite.each(
    { kinds: ["unary", "bidi"], servers: ["tonic"] },
    "metadata that HTTP forbids is refused before anything is sent",
    async (t) => {
      for (const [name, value] of [
        ["echo-word", "two\r\nlines"],
        ["echo-word", "nul\0"],
        ["echo-word", "grüßt"],
        ["echo word", "1"],
        ["", "1"],
        ["echo-bin", "text"],
        ["echo-word", bytes(1)],
      ]) {
        const error = await refused(t, [[name, value]]);
        if (name) match(error.message, new RegExp(name), `the error for ${JSON.stringify([name, value])}`);
      }
      await t.neverSeen();
    },
  );
};

/** Node's fetch over HTTP/1.1 lets the headers go with the first byte of the body only. */
function streamsThatOpenAtOnce({ runtime }) {
  return runtime === "node" ? webSockets : undefined;
}

/** Fetch joins what is repeated, as HTTP allows, and nobody can tell its comma from one in the text. */
function asCarried(t, values) {
  return t.transport === "fetch" ? [values.join(", ")] : values;
}

/** workerd keeps apart what it sends. */
function asSent(t, values) {
  return t.env.runtime === "workerd" ? values : asCarried(t, values);
}

async function complete(t, options) {
  if (t.kind === "unary") return t.unary("Ada", options);
  const { call, reply } = t.begin(options);
  if (t.sends) {
    await call.send("Ada");
    await call.closeSend();
  }
  await within(10_000, reply.promise, "the reply");
  if (t.receives) await t.receiveAll(call);
  const { trailers } = await t.endsOk(call);
  return { headers: await call.headers, trailers };
}

/** The error of a call that must fail by our own fault: thrown, or the end of the call. */
async function refused(t, metadata) {
  let error;
  try {
    const { call, reply } = t.begin({ metadata });
    error = await within(5_000, rejection(reply.promise), "the refusal");
    if (call) equal((await call.status).fault, "misuse", "fault");
  } catch (thrown) {
    error = thrown;
  }
  if (error instanceof TypeError) return error;
  t.isError(error, { code: [INVALID_ARGUMENT, INTERNAL], fault: "misuse" });
  return error;
}
