import { equal, nextTask, within } from "../assert.mjs";
import { CANCELLED, DEADLINE_EXCEEDED } from "../codes.mjs";

/**
 * dubbo-go #2755: the server never ends the stream, and the client's receive loop is to get free. Each way that its
 * documentation names must hold here.
 */
export default (suite) => {
  const bidi = { kinds: ["bidi"] };

  suite.each(
    bidi,
    "the server never ends the stream: closeSend, and the server's end, free the receive loop",
    async (t) => {
      const { loop, call } = await receiveLoop(t);
      await call.closeSend();
      equal(await within(10_000, loop, "the receive loop"), { received: 1, ended: "OK" }, "the loop");
      await t.endsOk(call);
      await t.observed.until("end");
      equal(t.observed.story("message", "reply"), ["open", "half-close", "end"], "what the server saw");
    },
  );

  suite.each(
    bidi,
    "the server never ends the stream: cancel frees the receive loop within one task",
    async (t) => {
      const { loop, call, progress } = await receiveLoop(t, { ask: { "x-never-end": 1 } });
      await call.closeSend();
      await t.observed.until("half-close");
      call.cancel();
      await nextTask();
      equal(progress.ended, CANCELLED, "how the loop ended, one task after the cancel");
      equal(await loop, { received: 1, ended: CANCELLED }, "the loop");
      await t.observed.until("cancelled");
      await t.observed.until("end");
    },
  );

  suite.each(
    bidi,
    "the server never ends the stream: cancel frees it with the request side still open",
    async (t) => {
      const { loop, call, progress } = await receiveLoop(t, { ask: { "x-never-end": 1 } });
      call.cancel();
      await nextTask();
      equal(progress.ended, CANCELLED, "how the loop ended, one task after the cancel");
      await loop;
      await t.observed.until("cancelled");
      await t.observed.until("end");
      t.observed.never("half-close");
    },
  );

  suite.each(bidi, "the server never ends the stream: the deadline frees it", async (t) => {
    const { loop, call } = await t.withDeadline((timeoutMs) =>
      receiveLoop(t, { ask: { "x-never-end": 1 }, timeoutMs }),
    );
    equal(
      await within(5_000, loop, "the receive loop"),
      { received: 1, ended: DEADLINE_EXCEEDED },
      "the loop",
    );
    t.isStatus(await call.status, { code: DEADLINE_EXCEEDED });
    await t.observed.until(["cancelled", "deadline"]);
    await t.observed.until("end");
    t.observed.never("half-close");
  });
};

/** A loop that receives until it cannot, as users write it; it has read one message when this resolves. */
export async function receiveLoop(t, options) {
  const call = t.sends ? t.bidi(options) : t.serverStream("Ada", options);
  const progress = { received: 0, ended: undefined };
  let readOne;
  let failed;
  const first = new Promise((resolve, reject) => ([readOne, failed] = [resolve, reject]));
  first.catch(() => {});
  const loop = (async () => {
    try {
      for await (const _ of call) {
        progress.received += 1;
        readOne();
      }
      progress.ended = "OK";
    } catch (error) {
      progress.ended = error.code;
      failed(error);
    }
    return progress;
  })();
  if (t.sends) await call.send("Ada");
  await within(10_000, first, "the first message");
  return { call, loop, progress };
}
