import { equal, match, nextTask, ok, rejection, watch, within } from "../assert.mjs";
import { CANCELLED } from "../codes.mjs";
import { allKinds } from "../harness.mjs";

const streams = ["server_stream", "client_stream", "bidi"];
const readers = ["server_stream", "bidi"];

export default (suite) => {
  suite.each(
    { kinds: streams },
    "a pending reply settles within one task of cancel, and the server sees it",
    cancelWhilePending,
  );

  suite.each(
    { kinds: allKinds },
    "a pending reply settles within one task of abort, and the server sees it",
    async (t) => {
      const controller = new AbortController();
      const { call, reply } = await t.endless({ signal: controller.signal });
      const reason = new Error("left the page");
      controller.abort(reason);
      await nextTask();
      equal(reply.state, "rejected", "the pending reply, one task after the abort");
      await t.endedWith({ call, reply }, { code: CANCELLED, fault: "local", cause: reason });
      await serverSawCancel(t);
    },
  );

  suite.each(
    { kinds: readers },
    "several pending receives all settle within one task of cancel",
    async (t) => {
      const { call, reply } = await t.endless();
      const more = [call.receive(), call.receive()].map(watch);
      call.cancel();
      await nextTask();
      for (const { state } of [reply, ...more]) equal(state, "rejected", "a pending receive");
      await serverSawCancel(t);
    },
  );

  suite.each(
    { kinds: ["server_stream"] },
    "a cancel behind the server's end drops what was not received",
    (t) => dropsTheRest(t, (call, reason) => call.cancel(reason)),
  );

  suite.each(
    { kinds: ["server_stream"] },
    "an abort behind the server's end drops what was not received",
    async (t) => {
      const controller = new AbortController();
      const { signal } = controller;
      await dropsTheRest(t, (_, reason) => controller.abort(reason), { signal });
    },
  );

  suite.each({ kinds: ["server_stream"] }, "a cancel after the last reply changes nothing", async (t) => {
    const controller = new AbortController();
    const call = t.serverStream("Ada", { signal: controller.signal });
    equal((await t.receiveAll(call)).length, 10, "replies");
    controller.abort();
    equal(await call.receive(), undefined, "what follows the last reply, after an abort");
    call.cancel();
    equal(await call.receive(), undefined, "what follows the last reply");
    await t.endsOk(call);
  });

  suite.each({ kinds: readers }, "break out of for await cancels", (t) =>
    leaves(t, async (call) => {
      for await (const reply of call) {
        match(reply, /^Hello, Ada/);
        break;
      }
    }),
  );

  suite.each({ kinds: readers }, "an error thrown inside for await cancels, and stays that error", (t) =>
    leaves(t, async (call) => {
      const mine = new Error("mine");
      const loop = async () => {
        for await (const _ of call) throw mine;
      };
      ok((await rejection(loop())) === mine, "the loop to reject with the error thrown inside");
    }),
  );

  suite.each({ kinds: readers }, "return() of the iterator cancels, also while next() is pending", (t) =>
    leaves(t, async (call) => {
      const iterator = call[Symbol.asyncIterator]();
      await iterator.next();
      const pending = watch(iterator.next());
      equal(await within(5_000, iterator.return(), "return()"), { done: true }, "what return() gives");
      ok(pending.state !== "pending", "the pending next() to have settled");
    }),
  );

  suite.each(
    { kinds: streams },
    "the end of an await using block cancels and waits for the end",
    async (t) => {
      const { toItsEnd } = await t.env.blocks();
      const { call, reply } = await t.endless();
      const inside = async (held) => {
        ok(held === call, "the block to hold the call");
        await nextTask();
        equal(reply.state, "pending", "the pending reply, inside the block");
      };
      await within(5_000, toItsEnd(call, inside), "the block");
      await disposed(t, { call, reply });
    },
  );

  suite.each({ kinds: streams }, "a return out of an await using block cancels", async (t) => {
    const { byReturn } = await t.env.blocks();
    const { call, reply } = await t.endless();
    equal(await within(5_000, byReturn(call, "mine"), "the block"), "mine", "what the block returns");
    await disposed(t, { call, reply });
  });

  suite.each({ kinds: streams }, "an error out of an await using block cancels, and stays", async (t) => {
    const { byThrow } = await t.env.blocks();
    const { call, reply } = await t.endless();
    const mine = new Error("mine");
    const error = await within(5_000, rejection(byThrow(call, mine)), "the block");
    ok(error === mine, "the block to reject with the error thrown inside");
    await disposed(t, { call, reply });
  });

  suite.each({ kinds: allKinds }, "the end of an await using block closes its client", async (t) => {
    const { toItsEnd } = await t.env.blocks();
    const { call, reply } = await t.endless();
    const inside = () => equal(reply.state, "pending", "the pending reply, inside the block");
    await within(5_000, toItsEnd(t.client, inside), "the block");
    await nextTask();
    await disposed(t, { call, reply });
  });

  suite.each({ kinds: allKinds }, "closing the client cancels what is open", async (t) => {
    const { call, reply } = await t.endless();
    t.client.close();
    await nextTask();
    equal(reply.state, "rejected", "the pending reply, one task after close");
    await t.endedWith({ call, reply }, { code: CANCELLED, fault: "local" });
    await serverSawCancel(t);
  });

  suite.each(
    { kinds: streams },
    "cancel in the task of the open leaves nothing running at the server",
    async (t) => {
      const { call, reply } = t.begin({ ask: { "x-never-end": 1 } });
      const headers = watch(call.headers);
      call.cancel();
      await nextTask();
      equal(
        [reply.state, headers.state],
        ["rejected", "rejected"],
        "reply and headers, one task after the cancel",
      );
      await t.endedWith({ call, reply }, { code: CANCELLED, fault: "local" });
      const { observed } = t;
      t.renew();
      await t.unary("fence");
      if ((await observed.now()).length > 0) await observed.until("cancelled");
    },
  );

  suite.each({ kinds: ["client_stream"] }, "cancel before the headers have come rejects them", async (t) => {
    const { call, reply } = await t.endless();
    const headers = watch(call.headers);
    call.cancel("too slow");
    await nextTask();
    equal(headers.state, "rejected", "headers, one task after the cancel");
    t.isError(headers.error, { code: CANCELLED, fault: "local", cause: "too slow" });
    await t.endedWith({ call, reply }, { code: CANCELLED });
    await serverSawCancel(t);
  });

  suite.each({ kinds: allKinds }, "a signal aborted beforehand: nothing is sent", async (t) => {
    const reason = new Error("never mind");
    const { call, reply } = t.begin({ signal: AbortSignal.abort(reason) });
    await t.endedWith({ call, reply }, { code: CANCELLED, fault: "local", cause: reason });
    await t.neverSeen();
  });

  suite.each(
    { kinds: ["bidi", "client_stream"] },
    "cancel after half-close reaches the server after its half-close",
    cancelAfterHalfClose,
  );

  suite.each({ kinds: streams }, "cancel after the end changes nothing", async (t) => {
    const { call, reply } = t.begin();
    if (t.sends) {
      await call.send("Ada");
      await call.closeSend();
    }
    match(await within(10_000, reply.promise, "the reply"), /^Hello, Ada/);
    if (t.receives) await t.receiveAll(call);
    const before = await t.endsOk(call);
    call.cancel("too late");
    await call[Symbol.asyncDispose]();
    ok((await call.status) === before, "the same status as before the cancel");
    equal((await t.observed.until("end")).detail.code, 0, "the server's code");
    t.observed.never("cancelled");
  });

  suite.each(
    { kinds: ["bidi"], servers: ["tonic"] },
    "the first of two cancels is the one that counts",
    async (t) => {
      const { call, reply } = await t.endless();
      call.cancel("first");
      call.cancel("second");
      await t.endedWith({ call, reply }, { code: CANCELLED, cause: "first" });
      await serverSawCancel(t);
    },
  );
};

export async function cancelWhilePending(t) {
  const { call, reply } = await t.endless();
  const reason = new Error("left the page");
  call.cancel(reason);
  await nextTask();
  equal(reply.state, "rejected", "the pending reply, one task after the cancel");
  await t.endedWith({ call, reply }, { code: CANCELLED, fault: "local", cause: reason });
  await serverSawCancel(t);
}

export async function cancelAfterHalfClose(t) {
  const { call, reply } = await t.endless();
  await call.closeSend();
  await t.observed.until("half-close");
  call.cancel();
  await nextTask();
  equal(reply.state, "rejected", "what waited, one task after the cancel");
  await t.endedWith({ call, reply }, { code: CANCELLED, fault: "local" });
  await t.observed.until("cancelled");
  await t.observed.until("end");
}

/** By `receive` and in a loop: who has said that nothing more is wanted gets nothing more. */
async function dropsTheRest(t, leave, options) {
  const call = t.serverStream("Ada", options);
  await t.endsOk(call);
  equal(await call.receive(), "Hello, Ada 1", "the first reply");
  const iterator = call[Symbol.asyncIterator]();
  equal((await iterator.next()).value, "Hello, Ada 2", "the second reply");
  const reason = new Error("left the page");
  leave(call, reason);
  for (const next of [() => iterator.next(), () => call.receive()]) {
    const error = await within(5_000, rejection(next()), "what comes next");
    t.isError(error, { code: CANCELLED, fault: "local", cause: reason });
  }
  await t.endsOk(call);
}

/** The block was left: nothing is pending any more, and the server saw a cancel. */
async function disposed(t, { call, reply }) {
  equal(reply.state, "rejected", "the pending reply, after the block");
  await t.endedWith({ call, reply }, { code: CANCELLED, fault: "local" });
  await serverSawCancel(t);
}

/** A reset as a native client makes it: never a half-close. */
export async function serverSawCancel(t) {
  await t.sawLeaving("cancelled");
  if (t.sends) t.sawNoHalfClose();
}

/** Leaves the reading of an endless call in some way that must cancel it. */
export async function leaves(t, leave) {
  const { call } = t.begin({ ask: { "x-count": 2, "x-never-end": 1 } });
  if (t.sends) {
    await call.send("Ada");
    await call.send("Ada");
  }
  await leave(call);
  t.isStatus(await within(5_000, call.status, "the status"), { code: CANCELLED, fault: "local" });
  await serverSawCancel(t);
}
