import { equal, fail, match, nextTask, ok, rejection, watch, within } from "../assert.mjs";
import { FAILED_PRECONDITION, UNIMPLEMENTED } from "../codes.mjs";
import { allKinds } from "../harness.mjs";
import { paths } from "../greet.mjs";
import { wordsOf } from "../scene.mjs";

const ASKED = 'asked to fail: 100% "grüßt"';

export default (suite) => {
  suite.each(
    { kinds: ["bidi", "client_stream"] },
    "the server ends early while we send: sends settle, later ones reject",
    async (t) => {
      const { call, reply } = t.begin({ ask: { "x-end-after": 2 } });
      const sends = [];
      const rejected = await sendUntilRejected(call, sends);
      await within(10_000, Promise.allSettled(sends), "every send");
      await t.endsOk(call);
      t.isError(rejected, { code: [3, 9, 13], message: /end/ });
      match(await within(10_000, reply.promise, "the reply"), /^Hello/, "the reply that came before the end");
      const { detail } = await t.observed.until("end");
      equal([detail.code, detail.count], [0, 2], "the server's code and count");
    },
  );

  suite.each({ kinds: ["bidi"] }, "an error in mid-stream comes after the messages before it", async (t) => {
    const call = t.bidi({ ask: { "x-fail-after": 2 }, metadata: [["echo-word", "kept"]] });
    await call.send("Ada");
    await call.send("Bo");
    const status = await within(10_000, call.status, "the status");
    asAsked(t, status);
    equal(await call.receive(), "Hello, Ada", "the first message, read after the end");
    equal(await call.receive(), "Hello, Bo", "the second message");
    asAsked(t, await rejection(call.receive(), "the third receive"));
    asAsked(t, await rejection(call.receive(), "the fourth receive"));
    equal((await call.trailers).get("echo-word"), "kept", "the trailers' echo");
    equal((await t.observed.until("end")).detail.code, FAILED_PRECONDITION, "the server's code");
    t.observed.never("cancelled");
  });

  suite.each({ kinds: ["bidi"] }, "for await gives the messages, then throws the error", async (t) => {
    const call = t.bidi({ ask: { "x-fail-after": 2 } });
    await call.send("Ada");
    await call.send("Bo");
    const messages = [];
    const reading = (async () => {
      for await (const message of call) messages.push(message);
    })();
    asAsked(t, await within(10_000, rejection(reading, "the loop"), "the loop"));
    equal(messages, ["Hello, Ada", "Hello, Bo"], "the messages before the error");
    equal((await t.observed.until("end")).detail.code, FAILED_PRECONDITION, "the server's code");
  });

  suite.each({ kinds: allKinds }, "an error at once has code, message, details and trailers", async (t) => {
    const { call, reply } = t.begin({ ask: { "x-fail-after": 0 }, metadata: [["echo-word", "kept"]] });
    // A fetch of Node's opens with the first byte only; to the others the server may answer before this is sent.
    if (t.sends) call.send("Ada").catch(() => {});
    const error = await within(10_000, rejection(reply.promise, "the reply"), "the reply");
    asAsked(t, error);
    equal(error.trailers.get("echo-word"), "kept", "the trailers' echo");
    equal((await t.observed.until("end")).detail.code, FAILED_PRECONDITION, "the server's code");
  });

  suite.each(
    { kinds: allKinds },
    "a failed call of which no promise is looked at makes no noise",
    async (t) => {
      const { call } = unwatched(t, { ask: { "x-fail-after": 0 } });
      if (t.sends) call.send("Ada").catch(() => {});
      await t.observed.until("end");
      // The status never rejects: it tells when the failure has arrived here; the guard then listens for noise.
      if (call) equal((await within(10_000, call.status, "the status")).code, FAILED_PRECONDITION, "code");
      await nextTask();
    },
  );

  suite.each({ kinds: allKinds }, "an unknown method is UNIMPLEMENTED", async (t) => {
    const known = paths[t.kind];
    paths[t.kind] = paths.unknown;
    try {
      const { call, reply } = t.begin();
      if (t.sends) call.send("Ada").catch(() => {});
      await t.endedWith({ call, reply }, { code: UNIMPLEMENTED, fault: "peer" });
    } finally {
      paths[t.kind] = known;
    }
    equal(await t.observed.now(), [], "what the service saw");
  });
};

/** Sends without waiting for answers, one per task, until a send rejects: the end has come. Answers the error. */
export async function sendUntilRejected(call, sends) {
  for (let i = 0; i < 100_000; i++) {
    const sent = watch(call.send(`guest ${i}`));
    sends.push(sent.promise);
    await nextTask();
    if (sent.state === "rejected") return sent.error;
    // What waits for room is not to hide the end: it settles when the call does.
    if (sent.state === "pending")
      await within(
        10_000,
        sent.promise.catch(() => {}),
        `send ${i}`,
      );
  }
  return fail("100,000 sends were taken after the server had ended");
}

/** Begins a call as `begin` does, but looks at none of its promises. */
function unwatched(t, options) {
  if (t.kind === "server_stream") return { call: t.serverStream("Ada", options) };
  if (t.kind === "client_stream") return { call: t.clientStream(options) };
  if (t.kind === "bidi") return { call: t.bidi(options) };
  // A promise that a caller of unary drops is his own to catch.
  t.unary("Ada", options).catch(() => {});
  return {};
}

export function asAsked(t, failure) {
  const { code, name } = t.failure;
  t.isStatus(failure, { code, fault: "peer" });
  equal(wordsOf(failure), `${t.prefix}${ASKED}`, "message");
  equal(failure.codeName, name, "code name");
  equal(failure.rawCode, code, "raw code");
  if (!t.details) return equal(failure.details, [], "details, which this server drops");
  equal(failure.details.length, 1, "details");
  match(failure.details[0].typeUrl, /^type\.googleapis\.com\//, "the detail's type");
  return ok(failure.details[0].value instanceof Uint8Array, "the detail's value to be bytes");
}
