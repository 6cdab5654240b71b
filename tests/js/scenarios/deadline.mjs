import { between, equal, match, nextTask, watch } from "../assert.mjs";
import { CANCELLED, DEADLINE_EXCEEDED } from "../codes.mjs";
import { allKinds } from "../harness.mjs";

/** How late a local timer may fire on a busy machine. */
const SLACK_MS = 1_500;
const unitsInMs = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

export default (suite) => {
  suite.each(
    { kinds: allKinds },
    "the deadline frees a pending reply, and the server's handler too",
    async (t) => {
      const { call, reply, timeoutMs, start } = await t.withDeadline(async (timeoutMs) => {
        const start = performance.now();
        return { ...(await t.endless({ timeoutMs })), timeoutMs, start };
      });
      await t.endedWith({ call, reply }, { code: DEADLINE_EXCEEDED, fault: ["local", "peer"] });
      between(performance.now() - start, timeoutMs - 10, timeoutMs + SLACK_MS, "milliseconds until the end");
      await t.observed.until(["cancelled", "deadline"]);
      await t.observed.until("end");
      t.sawNoHalfClose();
    },
  );

  suite.each(
    { kinds: ["bidi", "server_stream"] },
    "the deadline settles every pending receive in the same task",
    async (t) => {
      const { call, reply } = await t.endlessWithDeadline();
      const others = [call.receive(), call.receive(), call.status].map(watch);
      await t.endedWith({ reply }, { code: DEADLINE_EXCEEDED });
      await nextTask();
      equal(
        others.map(({ state }) => state),
        ["rejected", "rejected", "resolved"],
        "one task later",
      );
      await t.observed.until(["cancelled", "deadline"]);
    },
  );

  suite.each(
    { kinds: ["unary"], servers: ["tonic"], on: ["node", "chromium", "firefox"] },
    "where the answer and the deadline have both come, the deadline counts",
    theDeadlineWins,
  );

  suite.each({ kinds: allKinds }, "the server is told the deadline", async (t) => {
    const { timeout } = await openDetail(t, { timeoutMs: 30_000 });
    match(timeout, /^\d{1,8}[HMSmun]$/, "grpc-timeout");
    between(milliseconds(timeout), 20_000, 30_001, "grpc-timeout in milliseconds");
  });

  suite.each({ kinds: allKinds }, "no deadline is sent unless there is one", async (t) => {
    const { timeout } = await openDetail(t);
    equal(timeout, null, "grpc-timeout");
  });

  suite.each(
    { kinds: allKinds },
    "a deadline of 0 or in the past fails before anything is sent",
    async (t) => {
      for (const timeoutMs of [0, -1]) {
        const { call, reply } = t.begin({ timeoutMs });
        await nextTask();
        equal(reply.state, "rejected", `the reply, one task after a call with ${timeoutMs} ms`);
        await t.endedWith({ call, reply }, { code: DEADLINE_EXCEEDED, fault: "local" });
      }
      await t.neverSeen();
    },
  );

  suite.each(
    { kinds: ["bidi"], servers: ["tonic"] },
    "the client's default deadline counts, and a call's own is stronger",
    async (t) => {
      const ended = await t.withDeadline(async (timeoutMs) => {
        t.client = await t.newClient({ timeoutMs });
        return t.endless();
      });
      await t.endedWith(ended, { code: DEADLINE_EXCEEDED });
      await t.observed.until(["cancelled", "deadline"]);
      t.renew();
      const own = await openDetail(t, { timeoutMs: 30_000 });
      between(milliseconds(own.timeout), 20_000, 30_001, "the call's own grpc-timeout");
    },
  );

  suite.each({ kinds: ["bidi"] }, "a deadline that is not reached changes nothing", async (t) => {
    const call = t.bidi({ timeoutMs: 2 ** 31 + 1_000 });
    await call.send("Ada");
    equal(await call.receive(), "Hello, Ada", "the answer");
    await call.closeSend();
    await t.endsOk(call);
    await t.observed.until("end");
    t.observed.never("cancelled");
    t.observed.never("deadline");
  });
};

/** Nothing is read here between the open and the deadline: the answer is in the socket by then. */
async function theDeadlineWins(t) {
  const ended = await t.withDeadline(async (timeoutMs) => {
    const start = performance.now();
    const begun = t.begin({ timeoutMs, ask: { "x-delay": timeoutMs / 2 } });
    await t.observed.until("open");
    await nextTask();
    if (begun.reply.state !== "pending") throw tooLate();
    while (performance.now() < start + timeoutMs + 100);
    if ((await t.observed.until("end")).detail.code !== 0) throw tooLate();
    return begun;
  });
  await t.endedWith(ended, { code: DEADLINE_EXCEEDED, fault: "local" });
}

/** The machine was too slow for it: once more with a longer deadline. */
function tooLate() {
  return Object.assign(new Error("the answer did not come in the time between"), {
    code: DEADLINE_EXCEEDED,
  });
}

function milliseconds(timeout) {
  return Number(timeout.slice(0, -1)) * unitsInMs[timeout.at(-1)];
}

/** What the server was told when such a call was opened. */
async function openDetail(t, options) {
  const controller = new AbortController();
  const ended = await t.endless({ ...options, signal: controller.signal });
  controller.abort();
  await t.endedWith(ended, { code: CANCELLED });
  await t.observed.until("cancelled");
  return (await t.observed.until("open")).detail;
}
