import { equal, nextTask, ok, watch, within } from "../assert.mjs";
import { CANCELLED, DEADLINE_EXCEEDED } from "../codes.mjs";

/** Wires on which a cancel comes behind all that was sent before it. */
const inOrder = ["fetch", "grpc-websockets"];
const LARGE = "x".repeat(16 * 1024);
/** 16 MiB: more than all buffers on the way. */
const FLOOD = 1_024;
/** 2 MiB: more than the windows, and less than the gateway reads ahead. */
const AHEAD = 128;
/** The gateway looks after clients that it does not read once a second. */
const GONE_MS = 10_000;

/** A server that reads nothing: sends wait for room, and wait alone. */
export default (suite) => {
  suite.each(
    { kinds: ["bidi", "client_stream"], transports: ["tidewire.v1"] },
    "sends that wait for room settle within one task of cancel, and the server sees it",
    async (t) => {
      const stalled = await stall(t, FLOOD);
      ok(stalled.sends.at(-1).state === "pending", "the last of 16 MiB of sends to wait");
      await cancelAndSettle(t, stalled);
      t.isError(stalled.sends.at(-1).error, { code: CANCELLED, fault: "local" });
      await t.observed.until("cancelled");
      t.observed.never("half-close");
    },
  );

  suite.each(
    { kinds: ["bidi", "client_stream"], transports: inOrder },
    "a cancel behind 2 MiB that the server does not read reaches it",
    async (t) => {
      const stalled = await stall(t, AHEAD);
      await within(10_000, Promise.all(stalled.sends.map(({ promise }) => promise)), "2 MiB of sends");
      await cancelAndSettle(t, stalled);
      await t.observed.until("cancelled");
      t.observed.never("half-close");
    },
  );

  suite.each(
    { kinds: ["bidi", "client_stream"], transports: ["grpc-websockets", "tidewire.v1"], on: ["node"] },
    "with every buffer full a cancel settles at once, and the server sees when the client is gone",
    async (t) => {
      const { pending, code } = await fillCancelAndDie(t);
      equal({ pending, code }, { pending: 0, code: CANCELLED }, "one task after the cancel");
      await t.observed.until("cancelled", GONE_MS);
    },
  );

  suite.each({ kinds: ["bidi"] }, "a call that the server does not read holds up no other", async (t) => {
    const stalled = await stall(t, inOrder.includes(t.transport) ? AHEAD : FLOOD);
    const { observed } = t;
    // A call that the gateway gets before all of the flood can be put beside it and wait with it (gateway/README.md).
    // One, since it shows that the window is used up by then.
    let heldUp = 0;
    for (let passed = 0; passed < 3;) {
      t.renew();
      const other = watch(t.unary("Ada", { timeoutMs: 3_000 }));
      await within(5_000, Promise.allSettled([other.promise]), "another call");
      if (other.state === "rejected") {
        t.isError(other.error, { code: DEADLINE_EXCEEDED });
        ok(++heldUp === 1, "at most one call to be held up");
        continue;
      }
      equal(other.value.message, "Hello, Ada", "the other call's reply");
      passed += 1;
    }
    await cancelAndSettle(t, stalled);
    await observed.until("cancelled");
  });
};

/** A call to a server that reads nothing, and that many sends of 16 KiB. */
async function stall(t, count) {
  const { call, reply } = t.begin({ ask: { "x-stall": 1 } });
  const sends = Array.from({ length: count }, () => watch(call.send(LARGE)));
  await within(10_000, sends[0].promise, "the first send");
  await t.observed.until("open");
  return { call, reply, sends };
}

async function cancelAndSettle(t, { call, reply, sends }) {
  call.cancel();
  await nextTask();
  const pending = sends.filter(({ state }) => state === "pending").length;
  equal(pending, 0, "sends pending one task after the cancel");
  await t.endedWith({ call, reply }, { code: CANCELLED, fault: "local" });
}

/** In a process of its own, which is killed then: `{ pending, code }` as it saw them. */
async function fillCancelAndDie({ transport, kind, id, baseUrl }) {
  const { fork } = await import("node:child_process");
  const { once } = await import("node:events");
  const options = JSON.stringify({ transport, kind, id, baseUrl });
  const child = fork(new URL("../leaver.mjs", import.meta.url), [options]);
  try {
    const died = once(child, "exit").then(([code]) => [`it died with code ${code}`]);
    const [told] = await within(20_000, Promise.race([once(child, "message"), died]), "the process");
    ok(typeof told === "object", `a report from the process; ${told}`);
    return told;
  } finally {
    child.kill("SIGKILL");
  }
}
