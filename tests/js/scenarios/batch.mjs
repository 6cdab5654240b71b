import { equal, nextTask, ok, rejection, within } from "../assert.mjs";
import { FAILED_PRECONDITION } from "../codes.mjs";
import { paths } from "../greet.mjs";

const PATIENCE_MS = 10_000;
const MOST = 256;

/** Many at once: messages taken in batches, sends of one task in one WebSocket message, calls on one socket. */
export default (suite, env) => {
  suite.each(
    { kinds: ["server_stream", "bidi"] },
    "receiveBatch gives all messages in their order, then the end",
    async (t) => {
      const { call, expected } = await flood(t, {});
      const batches = await receiveBatches(call);
      ok(
        batches.every(({ length }) => length >= 1 && length <= MOST),
        "1 to 256 messages in each batch",
      );
      equal(batches.flat(), expected, "the messages");
      await t.endsOk(call);
    },
  );

  suite.each(
    { kinds: ["server_stream"] },
    "receiveBatch gives what came before a failure, then rejects",
    async (t) => {
      const call = t.serverStream("Ada", { ask: { "x-count": 3, "x-fail-after": 1 } });
      const messages = [];
      const failed = (async () => {
        for (let batch; (batch = await call.receiveBatch());) messages.push(...batch);
      })();
      const error = await within(PATIENCE_MS, rejection(failed, "a batch"), "the failure");
      t.isError(error, { code: FAILED_PRECONDITION, fault: "peer" });
      equal(messages, ["Hello, Ada 1", "Hello, Ada 2", "Hello, Ada 3"], "what came before");
    },
  );

  if (env.runtime !== "workerd") burst(suite);
  sharing(suite);
};

/** In workerd the end of a task may come before promises that are settled. */
function burst(suite) {
  const place = { kind: "bidi", transport: "tidewire.v1", server: "tonic" };
  suite.scenario(
    "bidi / tidewire.v1 / tonic / what one task sends leaves as two messages: the first, and the rest",
    async (t) => {
      let sent = 0;
      const Real = t.env.clientOptions?.WebSocket ?? globalThis.WebSocket;
      class Counting extends Real {
        send(data) {
          sent++;
          super.send(data);
        }
      }
      const client = await t.newClient({ WebSocket: Counting });
      const call = client.bidi(paths.bidi, t.options());
      await call.send("0");
      await within(PATIENCE_MS, call.receive(), "the first reply");
      await nextTask();
      sent = 0;
      for (let n = 1; n <= 100; n++) await call.send(`${n}`);
      ok(sent <= 1, `one message at most while the task lasts, ${sent} left`);
      await call.closeSend();
      equal((await t.receiveAll(call)).length, 100, "replies");
      ok(sent <= 3, `the first, the rest, and a word on windows; ${sent} left`);
    },
    place,
  );
}

function sharing(suite) {
  suite.scenario(
    "unary / auto / tonic / goes over the socket that another call has opened, unless it is not to",
    async (t) => {
      const used = [];
      const observer = ({ type, transport }) => type === "open" && used.push(transport);
      const greet = (client) => client.unary(paths.unary, "Ada", t.options({ observer }));
      // An own `fetch`, which some runtimes are tested with, would be a reason not to.
      const shares = await t.newClient({ shareSocket: true });
      const keeps = await t.newClient({ shareSocket: false });
      for (const client of [shares, keeps]) {
        await within(PATIENCE_MS, greet(client), "a unary call");
        const call = client.bidi(paths.bidi, t.options({ transport: "tidewire.v1" }));
        await call.send("Bo");
        await within(PATIENCE_MS, call.receive(), "a reply over the socket");
        equal((await within(PATIENCE_MS, greet(client), "a unary call")).message, "Hello, Ada", "the reply");
        await call.closeSend();
        await t.endsOk(call);
      }
      equal(used, ["fetch", "tidewire.v1", "fetch", "fetch"], "what carried the unary calls");
    },
    { kind: "unary", transport: "auto", server: "tonic" },
  );
}

async function flood(t, options) {
  const count = t.kind === "bidi" ? 300 : 1_000;
  const numbers = Array.from({ length: count }, (_, n) => n + 1);
  if (t.kind === "server_stream") {
    const call = t.serverStream("Ada", { ...options, ask: { "x-count": count } });
    return { call, expected: numbers.map((n) => `Hello, Ada ${n}`) };
  }
  const call = t.bidi(options);
  for (const n of numbers) await call.send(`${n}`);
  await call.closeSend();
  return { call, expected: numbers.map((n) => `Hello, ${n}`) };
}

async function receiveBatches(call) {
  const batches = [];
  for (let batch; (batch = await within(PATIENCE_MS, call.receiveBatch(), "a batch"));) batches.push(batch);
  return batches;
}
