import { between, equal, ok } from "../assert.mjs";
import { CANCELLED } from "../codes.mjs";

/** The observer tells the life of a call as it happens: what logs and the console's time line are made of. */
export default (suite) => {
  suite.each(
    { kinds: ["bidi"], servers: ["tonic"] },
    "the observer is told each event, once and in order",
    async (t) => {
      const events = [];
      const start = performance.now();
      const call = t.bidi({ observer: (event) => events.push(event) });
      for (const name of ["Ada", "Bo"]) {
        await call.send(name);
        await call.receive();
      }
      await call.closeSend();
      await t.receiveAll(call);
      const status = await t.endsOk(call);

      const once = ["open", "headers", "close-send", "end"];
      for (const type of once)
        equal(events.filter((event) => event.type === type).length, 1, `events "${type}"`);
      equal([events[0].type, events.at(-1).type], ["open", "end"], "the first and the last");
      equal(events[0].transport, t.transport, "the transport of open");
      equal(counts(events, "send"), [1, 2], "counts of send");
      equal(counts(events, "message"), [1, 2], "counts of message");
      equal([events.at(-1).sent, events.at(-1).received], [2, 2], "sent and received at the end");
      ok(events.at(-1).status === status, "the end's status to be that of the call");
      for (const { at, kind } of events) {
        between(at, start, performance.now(), "the time of an event");
        equal(kind, "bidi", "the kind");
      }
    },
  );

  suite.each(
    { kinds: ["bidi"], servers: ["tonic"] },
    "the client's observer is told a cancelled call's end",
    async (t) => {
      const ends = [];
      t.client = await t.newClient({ observer: (event) => event.type === "end" && ends.push(event) });
      const { call, reply } = await t.endless();
      call.cancel();
      await t.endedWith({ call, reply }, { code: CANCELLED });
      equal(
        ends.map((end) => [end.status.code, end.sent, end.received]),
        [[CANCELLED, 1, 1]],
        "the ends",
      );
    },
  );
};

function counts(events, type) {
  return events.filter((event) => event.type === type).map(({ count }) => count);
}
