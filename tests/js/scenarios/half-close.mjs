import { equal, rejection, within } from "../assert.mjs";
import { CANCELLED } from "../codes.mjs";

const senders = ["bidi", "client_stream"];

export default (suite) => {
  suite.each({ kinds: ["bidi"] }, "half-close goes on receiving", async (t) => {
    const call = t.bidi({ ask: { "x-after-close": 3 } });
    await call.send("Ada");
    equal(await call.receive(), "Hello, Ada", "the answer");
    await call.closeSend();
    await t.observed.until("half-close");
    equal(
      await t.receiveAll(call),
      ["Goodbye 1", "Goodbye 2", "Goodbye 3"],
      "what comes after the half-close",
    );
    await t.endsOk(call);
    await t.observed.until("end");
    equal(t.observed.story("reply", "message"), ["open", "half-close", "end"], "what the server saw");
  });

  suite.each({ kinds: senders }, "closeSend twice is closeSend once", async (t) => {
    const { call } = t.begin();
    await call.send("Ada");
    await Promise.all([call.closeSend(), call.closeSend()]);
    await call.closeSend();
    await t.endsOk(call);
    await within(5_000, call.closeSend(), "closeSend after the end");
    await t.observed.until("end");
    equal(t.observed.all("half-close").length, 1, "half-closes that the server saw");
    t.observed.never("cancelled");
  });

  suite.each(
    { kinds: senders },
    "what is sent before closeSend, unawaited, arrives before the half-close",
    async (t) => {
      const { call } = t.begin();
      const sends = ["Ada", "Bo", "Cy"].map((name) => call.send(name));
      const closed = call.closeSend();
      await within(5_000, Promise.all([...sends, closed]), "the sends and the half-close");
      await t.endsOk(call);
      equal((await t.observed.until("half-close")).detail.count, 3, "requests before the half-close");
    },
  );

  suite.each({ kinds: senders }, "send after closeSend rejects, and the call goes on", async (t) => {
    const { call, reply } = t.begin();
    await call.send("Ada");
    await call.closeSend();
    const error = await within(5_000, rejection(call.send("late"), "the late send"), "the late send");
    t.isError(error, { code: [3, 9, 13], fault: "misuse", message: /closeSend/ });
    equal(await within(10_000, reply.promise, "the reply"), "Hello, Ada", "the reply");
    await t.endsOk(call);
    equal((await t.observed.until("half-close")).detail.count, 1, "requests before the half-close");
  });

  suite.each({ kinds: senders }, "send after the end rejects", async (t) => {
    const { call } = t.begin();
    await call.send("Ada");
    await call.closeSend();
    await t.endsOk(call);
    const error = await within(5_000, rejection(call.send("late"), "the late send"), "the late send");
    t.isError(error, { code: [3, 9, 13], message: /end/ });
    await t.observed.until("end");
    equal(t.observed.all("message").length, 1, "requests that the server read");
  });

  suite.each({ kinds: senders }, "send after a cancel rejects with the cancel", async (t) => {
    const { call } = await t.endless();
    // A reset may overtake a message on its way to the handler.
    await t.observed.until("message");
    call.cancel("enough");
    const error = await within(5_000, rejection(call.send("late"), "the late send"), "the late send");
    t.isError(error, { code: CANCELLED });
    await within(5_000, call.closeSend(), "closeSend after the cancel");
    await t.observed.until("cancelled");
    await t.observed.until("end");
    equal(t.observed.all("message").length, 1, "requests that the server read");
    t.sawNoHalfClose();
  });
};
