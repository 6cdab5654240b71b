import { equal, ok, watch, within } from "../assert.mjs";
import { CANCELLED, RESOURCE_EXHAUSTED } from "../codes.mjs";
import { countingAbortController } from "../guards.mjs";
import { allKinds } from "../harness.mjs";

const MIB = 1024 * 1024;
const TOO_LARGE = { code: RESOURCE_EXHAUSTED, message: /1,?000/ };

export default (suite) => {
  suite.each(
    { kinds: ["bidi"] },
    "a message over the limit ends the call, after those below it",
    async (t) => {
      t.client = await t.newClient({ maxReceiveMessageBytes: 1_000 });
      const { call, reply } = await t.endless();
      await call.send("x".repeat(2_000));
      await t.endedWith({ call, reply }, TOO_LARGE);
      await t.observed.until("cancelled");
      t.sawNoHalfClose();
    },
  );

  suite.each({ kinds: ["server_stream"] }, "a message over the limit ends the call", async (t) => {
    t.client = await t.newClient({ maxReceiveMessageBytes: 1_000 });
    await t.endedWith(t.begin({ ask: { "x-count": 3, "x-size": 2_000, "x-never-end": 1 } }), TOO_LARGE);
    await t.observed.until("cancelled");
  });

  suite.each(
    { kinds: ["unary", "client_stream"] },
    "a reply over the limit is RESOURCE_EXHAUSTED",
    async (t) => {
      t.client = await t.newClient({ maxReceiveMessageBytes: 1_000 });
      if (t.kind === "unary") {
        const reply = watch(t.unary("x".repeat(2_000)));
        return t.endedWith({ reply }, TOO_LARGE);
      }
      const { call, reply } = t.begin();
      await call.send("x".repeat(2_000));
      await call.closeSend();
      return t.endedWith({ call, reply }, TOO_LARGE);
    },
  );

  suite.each(
    { kinds: ["unary", "bidi"], servers: ["tonic"] },
    "a message of 16 MiB goes there and comes back whole where the limit is above",
    async (t) => {
      t.client = await t.newClient({ maxReceiveMessageBytes: 17 * MIB });
      const name = "0123456789abcdef".repeat(MIB);
      const { call, reply } = t.kind === "unary" ? { reply: watch(t.unary(name)) } : t.begin();
      if (call) {
        await call.send(name);
        await call.closeSend();
      }
      const came = await within(25_000, reply.promise, "the reply");
      ok(
        (call ? came : came.message) === `Hello, ${name}`,
        "the reply to be what was sent, letter by letter",
      );
      if (call) await t.endsOk(call);
    },
  );

  suite.each(
    { kinds: allKinds, servers: ["tonic"] },
    "a call that has ended has no listener on its signal",
    async (t) => {
      const { signal, listeners } = countingAbortController();
      const { call, reply } = t.begin({ signal });
      ok(listeners.size > 0, "a listener while the call is open");
      if (t.sends) {
        await call.send("Ada");
        await call.closeSend();
      }
      await within(10_000, reply.promise, "the reply");
      if (t.receives) await t.receiveAll(call);
      if (call) await t.endsOk(call);
      equal(listeners.size, 0, "listeners after the end");
    },
  );

  suite.each(
    { kinds: allKinds, servers: ["tonic"] },
    "a call that was aborted has no listener on its signal",
    async (t) => {
      const { controller, signal, listeners } = countingAbortController();
      const ended = await t.endless({ signal });
      controller.abort();
      await t.endedWith(ended, { code: CANCELLED });
      equal(listeners.size, 0, "listeners after the abort");
    },
  );
};
