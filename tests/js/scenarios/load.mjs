import { equal, ok, within } from "../assert.mjs";
import { stats } from "../observed.mjs";

const MIB = 1024 * 1024;
const tidewire = { transports: ["tidewire.v1"] };

export default (suite) => {
  suite.each(
    { kinds: ["bidi"], ...tidewire, limitMs: 180_000 },
    "10,000 round trips, one after the other",
    roundTrips,
  );
  suite.each(
    { kinds: ["bidi"], ...tidewire, limitMs: 120_000 },
    "200 calls open at once on one socket",
    manyCalls,
  );
  suite.each(
    { kinds: ["server_stream"], ...tidewire, limitMs: 180_000 },
    "64 MiB to a reader that stops for five seconds: the server is held, and nothing is lost",
    stoppedReader,
  );
  suite.each(
    { kinds: ["server_stream"], limitMs: 120_000 },
    "a server faster than its reader: all arrives, in order",
    slowReader,
  );
};

async function roundTrips(t) {
  const call = t.bidi();
  for (let i = 0; i < 10_000; i++) {
    await call.send(`${i}`);
    const reply = await call.receive();
    if (reply !== `Hello, ${i}`) equal(reply, `Hello, ${i}`, `answer ${i}`);
  }
  await call.closeSend();
  await t.endsOk(call);
  equal((await t.observed.until("half-close")).detail.count, 10_000, "requests before the half-close");
  equal((await t.observed.until("end")).detail.code, 0, "the server's code");
}

async function manyCalls(t) {
  const { guards, origin } = t.env;
  const sockets = guards.opened;
  const before = (await stats(origin, t.server)).open;
  const calls = Array.from({ length: 200 }, () => t.bidi());

  await Promise.all(calls.map((call, i) => call.send(`first ${i}`)));
  const firsts = await Promise.all(calls.map((call) => call.receive()));
  equal(
    firsts,
    calls.map((_, i) => `Hello, first ${i}`),
    "the first answers",
  );
  equal((await stats(origin, t.server)).open - before, 200, "calls open at the server");

  // Backwards, so that what belongs together is not only together by the order of things.
  await Promise.all(calls.map((call, i) => call.send(`second ${i}`)).reverse());
  const seconds = await Promise.all(calls.map((call) => call.receive()));
  equal(
    seconds,
    calls.map((_, i) => `Hello, second ${i}`),
    "the second answers",
  );

  await Promise.all(calls.map((call) => call.closeSend()));
  await Promise.all(calls.map((call) => t.endsOk(call)));
  equal(guards.opened - sockets, 1, "sockets opened for 200 calls");
}

/** 64 MiB in messages of 64 KiB. What is in flight while nobody reads is bounded by windows, not by the stream. */
async function stoppedReader(t) {
  const { origin, memory } = t.env;
  const [count, size, heldAtMost] = [1024, 64 * 1024, 16 * MIB];
  const call = t.serverStream("Ada", { ask: { "x-count": count, "x-size": size } });
  equal((await call.receive()).length, size, "the size of the first message");

  const before = { server: (await stats(origin, t.server)).rss, page: await memory?.() };
  // The one timer that is the scenario itself: a reader that stops for five seconds.
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  const after = { server: (await stats(origin, t.server)).rss, page: await memory?.() };

  await t.observed.now();
  t.observed.never("end");
  equal(t.observed.all("reply").length, 1, "thousands of replies that the server was rid of");
  ok(
    after.server - before.server < heldAtMost,
    `the server to grow by less than ${heldAtMost}, not ${growth("server")}`,
  );
  if (memory)
    ok(
      after.page - before.page < heldAtMost,
      `the page to grow by less than ${heldAtMost}, not ${growth("page")}`,
    );

  for (let read = 1; read < count; read++) {
    const message = await within(10_000, call.receive(), `message ${read + 1}`);
    if (message?.length !== size) equal(message?.length, size, `the size of message ${read + 1}`);
  }
  equal(await call.receive(), undefined, "receive at the end");
  await t.endsOk(call);
  equal((await t.observed.until("end")).detail.code, 0, "the server's code");

  function growth(of) {
    return `${after[of] - before[of]} (from ${before[of]})`;
  }
}

/** A reader that gives the event loop to others between any two messages. */
async function slowReader(t) {
  const count = 3_000;
  const call = t.serverStream("Ada", { ask: { "x-count": count, "x-size": 2_000 } });
  let read = 0;
  for await (const message of call) {
    read += 1;
    const start = `Hello, Ada ${read}`;
    if (!message.startsWith(start) || message[start.length] !== ".")
      equal(message.slice(0, 40), start, `message ${read}`);
    if (read % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
  }
  equal(read, count, "messages");
  await t.endsOk(call);
  equal((await t.observed.until("end")).detail.code, 0, "the server's code");
}
