/**
 * The rows of the table: what a call promises. Each runs in the first of its `kinds` that the column carries, and
 * asserts what the client got and what the server saw; `says` is what a bidi call is found to do by that, for the
 * comparison with other clients in docs/interop.md.
 */
import { equal, match, nextTask, ok, rejection, watch, within } from "../assert.mjs";
import { CANCELLED, DEADLINE_EXCEEDED } from "../codes.mjs";
import { countingAbortController } from "../guards.mjs";
import { openCallsFallTo, stats } from "../observed.mjs";
import { cancelAfterHalfClose, cancelWhilePending, leaves, serverSawCancel } from "../scenarios/cancel.mjs";
import { answersInBetween, readsTen, saysHello, sendsThree } from "../scenarios/happy.mjs";
import { receiveLoop } from "../scenarios/never-ends.mjs";
import { asAsked, sendUntilRejected } from "../scenarios/server-ends.mjs";

export const rows = [
  { id: "unary", title: "a unary call", kinds: ["unary"], says: "Hello, Ada; OK", body: saysHello },
  {
    id: "metadata",
    title: "metadata (Dubbo's attachments) both ways, bytes under `-bin` names too",
    kinds: ["bidi", "client_stream", "server_stream", "unary"],
    each: true,
    body: metadata,
  },
  {
    id: "send",
    title: "`send`, and the answers in between",
    kinds: ["bidi", "client_stream"],
    says: "each answer before the next `send`",
    body: sends,
  },
  {
    id: "half-close",
    title: "half-close (`closeSend`), and receiving goes on",
    kinds: ["bidi", "client_stream"],
    says: "`closeSend` resolves; then Goodbye 1, Goodbye 2, Goodbye 3",
    body: halfClose,
  },
  {
    id: "receive",
    title: "`receive` to the end",
    kinds: ["bidi", "server_stream"],
    says: "`receive` at the end: `undefined`; again: `undefined`",
    body: receives,
  },
  {
    id: "leave",
    title: "leaving the responses (`return()`, `break`, `await using`; dubbo-go's `CloseResponse`)",
    kinds: ["bidi", "server_stream"],
    says: "`return()` resolves; the server sees it",
    body: leavesByReturn,
  },
  {
    id: "cancel-blocked",
    title: "cancel while `receive` waits, the request side open",
    kinds: ["bidi", "server_stream"],
    says: "`receive`: CANCELLED within one task; the server sees it",
    body: cancelWhilePending,
  },
  {
    id: "cancel-before-headers",
    title: "cancel before the headers have come",
    kinds: ["bidi", "client_stream", "unary"],
    says: "`receive` before the first `send`, and `headers`: CANCELLED within one task; the server sees what it has seen of the call cancelled",
    body: cancelBeforeHeaders,
  },
  {
    id: "cancel-after-half-close",
    title: "cancel after half-close",
    kinds: ["bidi", "client_stream"],
    says: "`receive`: CANCELLED within one task; the server sees it",
    body: cancelAfterHalfClose,
  },
  {
    id: "deadline",
    title: "deadline while `receive` waits, the request side open",
    kinds: ["bidi", "server_stream", "unary"],
    says: "`receive`: DEADLINE_EXCEEDED; the server sees it, and the handler ends",
    body: deadline,
  },
  {
    id: "server-error",
    title: "an error of the server in mid-stream",
    kinds: ["bidi", "server_stream", "unary"],
    says: "`receive`: FAILED_PRECONDITION, with the details that the server sends; again: the same",
    body: serverError,
  },
  {
    id: "never-ends",
    title: "a server that never ends the stream: the loop gets free",
    kinds: ["bidi", "server_stream"],
    says: "after `closeSend`, an abort ends the loop within one task: CANCELLED; the server sees it",
    body: neverEnds,
  },
  {
    id: "ends-early",
    title: "a server that ends while we send",
    kinds: ["bidi", "client_stream"],
    says: "`send`: FAILED_PRECONDITION, saying that the server has ended; `status`: OK",
    body: endsEarly,
  },
  {
    id: "afterwards",
    title: "what each method gives after each end",
    kinds: ["bidi", "server_stream"],
    body: afterwards,
  },
  {
    id: "freed",
    title: "nothing is left: calls, sockets, listeners",
    kinds: ["bidi", "server_stream", "unary"],
    says: "after the end of 6 calls that wait, by cancel and by deadline, no handler, socket or listener is left",
    body: freed,
  },
  {
    id: "logged",
    title: "the observer is told the life of the call",
    kinds: ["bidi", "server_stream", "unary"],
    body: logged,
  },
  {
    id: "route",
    title: "an unknown group or version",
    kinds: ["bidi", "client_stream", "server_stream", "unary"],
    each: true,
    asks: ({ routes }) => routes !== undefined,
    body: route,
  },
  {
    id: "names",
    title: "a field of two words in JSON",
    kinds: ["unary"],
    asks: ({ names }) => names !== undefined,
    body: names,
  },
];

const BIN = Uint8Array.of(0, 1, 254, 255);

/** In every kind that goes this way. */
export async function metadata(t) {
  for (const kind of t.kinds) {
    t.kind = kind;
    t.renew();
    const metadata = [
      ["echo-word", "kept"],
      ["echo-bytes-bin", BIN],
    ];
    const echoed = await headersAndTrailers(t, { metadata });
    for (const where of t.trailers ? ["headers", "trailers"] : ["headers"]) {
      equal(echoed[where].get("echo-word"), "kept", `a word in the ${where} of ${kind}`);
      equal(echoed[where].get("echo-bytes-bin"), BIN, `bytes in the ${where} of ${kind}`);
    }
    const { metadata: came } = (await t.observed.until("open")).detail;
    equal(came["echo-word"], ["kept"], `the word as the server got it, ${kind}`);
  }
}

/** Of a call that ends well. */
async function headersAndTrailers(t, options) {
  if (t.kind === "unary") return t.unary("Ada", options);
  const { call } = t.begin(options);
  if (t.sends) {
    await call.send("Ada");
    await call.closeSend();
  }
  const { trailers } = await t.endsOk(call);
  return { headers: await call.headers, trailers };
}

/** Answers what came, for docs/interop.md. */
async function route(t) {
  const { says, comes } = t.routes;
  const names = new Set();
  for (const triple of [{ group: "nobody" }, { version: "9.9.9" }]) {
    t.client = await t.newClient({ triple });
    for (const kind of t.kinds) {
      t.kind = kind;
      t.renew();
      const { call, reply } = t.begin({ ask: { "x-count": 1 } });
      if (t.sends) {
        call.send("Ada").catch(() => {});
        await call.closeSend();
      }
      if (comes) {
        const { codeName } = await t.endedWith({ call, reply }, comes(Object.values(triple)[0]));
        names.add(codeName);
        equal(await t.observed.now(), [], "what the server saw");
      } else {
        const first = await within(10_000, reply.promise, "the reply");
        match(first.message ?? first, /^Hello, Ada/, "the reply");
        if (t.receives) await t.receiveAll(call);
        await t.observed.until("end");
        names.add("OK");
      }
    }
  }
  equal(names.size, 1, "codes");
  return `${[...names]}: ${says}`;
}

/** Both spellings are taken. Answers the one that comes back, for docs/interop.md. */
async function names(t) {
  const utf8 = { encode: new TextEncoder(), decode: new TextDecoder() };
  const codec = {
    contentSubtype: "json",
    encode: (message) => utf8.encode.encode(JSON.stringify(message)),
    decode: (bytes) => JSON.parse(utf8.decode.decode(bytes)),
  };
  for (const name of ["fileName", "file_name"]) {
    const { message } = await t.client.unary("/greet.GreetService/Echo", { [name]: "a.proto" }, { codec });
    equal(message, { [t.names]: "a.proto" }, `what comes of ${name}`);
  }
  return `\`${t.names}\``;
}

async function sends(t) {
  return t.kind === "bidi" ? answersInBetween(t) : sendsThree(t);
}

async function halfClose(t) {
  if (t.kind === "client_stream") return sendsThree(t);
  const call = t.bidi({ ask: { "x-after-close": 3 } });
  await call.send("Ada");
  equal(await call.receive(), "Hello, Ada", "the answer");
  await call.closeSend();
  await t.observed.until("half-close");
  const rest = await t.receiveAll(call);
  equal(rest, ["Goodbye 1", "Goodbye 2", "Goodbye 3"], "what comes after the half-close");
  await t.endsOk(call);
  await t.observed.until("end");
  equal(t.observed.story("reply", "message"), ["open", "half-close", "end"], "what the server saw");
}

async function receives(t) {
  if (t.kind === "server_stream") return readsTen(t);
  const call = t.bidi({ ask: t.endAfter(2) });
  await call.send("Ada");
  await call.send("Bo");
  await t.finish(call);
  equal(await t.receiveAll(call), ["Hello, Ada", "Hello, Bo"], "the replies");
  equal(await call.receive(), undefined, "receive after the end");
  await t.endsOk(call);
  equal((await t.observed.until("end")).detail.code, 0, "the server's code");
  t.observed.never("cancelled");
}

async function leavesByReturn(t) {
  await leaves(t, async (call) => {
    const iterator = call[Symbol.asyncIterator]();
    await iterator.next();
    equal(await within(5_000, iterator.return(), "return()"), { done: true }, "what return() gives");
  });
}

export async function cancelBeforeHeaders(t) {
  const early = new AbortController();
  const unsent = t.begin({ ask: t.told ? { "x-stall": 1 } : t.staying(), signal: early.signal });
  early.abort("at once");
  await cancelledWithinATask(t, unsent, "at once");

  t.renew();
  // A bidi call may have its headers at once; those of a client stream come with the reply.
  if (t.kind === "bidi") t.kind = "client_stream";
  const controller = new AbortController();
  const { call, reply } = await t.endless({ signal: controller.signal });
  controller.abort("too slow");
  await cancelledWithinATask(t, { call, reply }, "too slow");
  await serverSawCancel(t);
}

async function cancelledWithinATask(t, { call, reply }, cause) {
  const headers = call && watch(call.headers);
  await nextTask();
  for (const waiting of [reply, headers].filter(Boolean)) {
    equal(waiting.state, "rejected", "what waited, one task after the abort");
    t.isError(waiting.error, { code: CANCELLED, fault: "local", cause });
  }
}

async function deadline(t) {
  const { call, reply } = await t.endlessWithDeadline();
  await t.endedWith({ call, reply }, { code: DEADLINE_EXCEEDED, fault: ["local", "peer"] });
  await t.sawLeaving("cancelled", "deadline");
  t.observed.never("half-close");
}

async function serverError(t) {
  // A bidi call fails after two requests, the others have one.
  const ask = { "x-fail-after": t.kind === "bidi" ? 2 : 1, "x-count": 2 };
  const { call, reply } = t.begin({ ask });
  if (t.kind === "bidi") for (const name of ["Ada", "Bo"]) await call.send(name);
  if (call) {
    match(await within(10_000, reply.promise, "the first reply"), /^Hello, Ada/, "the first reply");
    match(await call.receive(), /^Hello, /, "the second reply");
    asAsked(t, await within(10_000, call.status, "the status"));
  }
  for (const how of ["first", "again"])
    asAsked(
      t,
      await rejection(call ? call.receive() : reply.promise, `what comes instead of a reply, ${how}`),
    );
  await t.observed.until("end");
  t.observed.never("cancelled");
}

async function neverEnds(t) {
  const controller = new AbortController();
  const options = { ask: { "x-never-end": 1, "x-count": 1 }, signal: controller.signal };
  const { loop, call, progress } = await receiveLoop(t, options);
  if (t.sends && t.halfCloses) {
    await call.closeSend();
    await t.observed.until("half-close");
  }
  controller.abort();
  await nextTask();
  equal(progress.ended, CANCELLED, "how the loop ended, one task after the abort");
  equal(await loop, { received: 1, ended: CANCELLED }, "the loop");
  await t.sawLeaving("cancelled");
}

async function endsEarly(t) {
  const { call, reply } = t.begin({ ask: { "x-end-after": 2 } });
  const sends = [];
  const rejected = await sendUntilRejected(call, sends);
  await within(10_000, Promise.allSettled(sends), "every send");
  await t.endsOk(call);
  t.isError(rejected, { message: /end/ });
  match(await within(10_000, reply.promise, "the reply"), /^Hello/, "the reply that came before the end");
  const { detail } = await t.observed.until("end");
  equal([detail.code, detail.count], [0, 2], "the server's code and count");
}

/** Ways to an end, and the code that each must have. */
const ends = {
  OK: async (t) => {
    const { call } = t.begin({ ask: { "x-count": 1, ...t.endAfter(0) } });
    if (t.sends) await t.finish(call);
    else await call.receive();
    return call;
  },
  FAILED_PRECONDITION: async (t) => {
    const { call } = t.begin({ ask: { "x-fail-after": 1, "x-count": 1 } });
    if (t.sends) await call.send("Ada");
    return call;
  },
  CANCELLED: async (t) => {
    const { call } = await t.endless();
    call.cancel();
    return call;
  },
  DEADLINE_EXCEEDED: async (t) => (await t.endlessWithDeadline()).call,
};

/** What each method says after each end: the same in every column. */
async function afterwards(t) {
  const said = {};
  for (const [end, come] of Object.entries(ends)) {
    t.renew();
    const call = await come(t);
    const { codeName } = await within(10_000, call.status, "the status");
    const name = end === "FAILED_PRECONDITION" ? t.failure.name : end;
    equal(codeName, name, "the end");
    if (t.told) await t.observed.until("end");
    said[end] = await saysAfterwards(t, call);
    const ended = end === "OK" ? "undefined" : name;
    equal(said[end].receive, ended, `receive after ${end}`);
    equal(said[end].send, t.sends ? (end === "OK" ? "FAILED_PRECONDITION" : name) : undefined, "send");
  }
  return t.kind === "bidi" && t.told ? said : undefined;
}

async function saysAfterwards(t, call) {
  const outcome = async (promise) => {
    const { state, value, error } = await settled(promise);
    if (state === "rejected") return error.codeName ?? error.name;
    return value?.codeName ?? (value === undefined ? "undefined" : "resolves");
  };
  // Replies that came before the end stay readable, and come first.
  while ((await settled(call.receive())).value !== undefined);
  return {
    ...(t.sends && { send: await outcome(call.send("late")), closeSend: await outcome(call.closeSend()) }),
    receive: await outcome(call.receive()),
    "for await": await outcome(drain(call)),
    headers: await outcome(call.headers),
    trailers: await outcome(call.trailers),
    status: await outcome(call.status),
    cancel: call.cancel("late") ?? "undefined",
  };
}

async function drain(call) {
  for await (const _ of call);
}

async function settled(promise) {
  const watched = watch(promise);
  await within(5_000, Promise.allSettled([promise]), "a method after the end");
  return watched;
}

/** Calls that end in every way at the same time leave nothing behind; the guards look after the sockets. */
async function freed(t) {
  const { origin } = t.env;
  const before = (await stats(origin, t.server)).open;
  const { signal, controller, listeners } = countingAbortController();
  const kept = countingAbortController();
  const leaving = [];
  for (let n = 0; n < 3; n++) {
    t.renew();
    leaving.push(await t.endless({ signal }));
    leaving.push(await t.endlessWithDeadline({ signal: kept.signal }));
  }
  ok((await stats(origin, t.server)).open > before, "open calls");
  controller.abort();
  for (const { call, reply } of leaving) {
    await t.endedWith({ call, reply }, { code: [CANCELLED, DEADLINE_EXCEEDED] });
  }
  equal([listeners.size, kept.listeners.size], [0, 0], "listeners left on the signals");
  await openCallsFallTo(before + t.kept, origin, t.server, 20_000);
}

async function logged(t) {
  const events = [];
  const ask = { "x-count": 1, ...t.endAfter(1) };
  const { call, reply } = t.begin({ ask, observer: (event) => events.push(event) });
  if (t.sends) {
    await call.send("Ada");
    await within(10_000, reply.promise, "the reply");
    await t.finish(call);
  }
  await within(10_000, call ? call.status : reply.promise, "the end");
  const types = events.map(({ type }) => type);
  const halfCloses = t.sends && t.halfCloses;
  const close = halfCloses ? ["headers", "message", "close-send", "end"] : ["headers", "message", "end"];
  equal([types[0], types.at(-1)], ["open", "end"], "the first and the last event");
  equal(
    close.filter((type) => types.includes(type)),
    close,
    "the events of the call",
  );
  equal([events.at(-1).sent, events.at(-1).received], [1, 1], "sent and received at the end");
  await t.observed.until("end");
  const story = halfCloses
    ? ["open", "message", "reply", "half-close", "end"]
    : ["open", "message", "reply", "end"];
  equal(t.observed.story(), story, "what the server saw");
}
