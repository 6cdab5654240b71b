import { equal, nextTask, ok, watch, within } from "../assert.mjs";
import { CANCELLED } from "../codes.mjs";

/** A server that reads nothing: sends wait for room, and wait alone. */
export default (suite) => {
  suite.each(
    { kinds: ["bidi", "client_stream"] },
    "sends that wait for room settle within one task of cancel, and the server sees it",
    async (t) => {
      const { call, reply, sends } = await stalled(t);
      call.cancel();
      await nextTask();
      equal(
        sends.filter(({ state }) => state === "pending").length,
        0,
        "sends pending one task after the cancel",
      );
      t.isError(sends.at(-1).error, { code: CANCELLED, fault: "local" });
      await t.endedWith({ call, reply }, { code: CANCELLED, fault: "local" });
      await t.observed.until("cancelled");
      t.observed.never("half-close");
    },
  );

  suite.each({ kinds: ["bidi"] }, "a call that the server does not read holds up no other", async (t) => {
    const { call, reply } = await stalled(t);
    const { observed } = t;
    for (let i = 0; i < 3; i++) {
      t.renew();
      equal(
        (await within(5_000, t.unary("Ada"), "another call")).message,
        "Hello, Ada",
        "the other call's reply",
      );
    }
    call.cancel();
    await t.endedWith({ call, reply }, { code: CANCELLED });
    await observed.until("cancelled");
  });
};

/** A call to a server that reads nothing, with 16 MiB of sends, most of which find no room. */
async function stalled(t) {
  const { call, reply } = t.begin({ ask: { "x-stall": 1 } });
  const large = "x".repeat(16 * 1024);
  const sends = Array.from({ length: 1_024 }, () => watch(call.send(large)));
  await within(10_000, sends[0].promise, "the first send");
  await t.observed.until("open");
  ok(sends.at(-1).state === "pending", "the last of 16 MiB of sends to wait: the server reads nothing");
  return { call, reply, sends };
}
