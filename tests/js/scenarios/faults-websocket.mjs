import { equal, match, rejection, watch, within } from "../assert.mjs";
import * as code from "../codes.mjs";
import { webSockets } from "../harness.mjs";
import { greetCodec, paths } from "../greet.mjs";
import { exchangeEnds } from "../observed.mjs";

const noStatus = { code: [code.UNKNOWN, code.INTERNAL], fault: "peer" };
const broken = {
  code: [code.UNKNOWN, code.INTERNAL, code.DATA_LOSS, code.UNAVAILABLE],
  fault: ["peer", "transport"],
};
const lost = { code: code.UNAVAILABLE, fault: "transport" };
const againstProtocol = { code: [code.INTERNAL, code.UNAVAILABLE], fault: "peer" };
const tooLarge = { code: code.RESOURCE_EXHAUSTED, fault: "peer", message: /4294967295|4,294,967,295/ };
const limited = { code: [code.RESOURCE_EXHAUSTED, code.INTERNAL], fault: "peer" };

/** Faults of fake/websocket.mjs that come after one message, and what the call must say. */
const afterOneMessage = {
  "grpc-websockets": {
    "no-trailers": noStatus,
    "close-1006": { ...lost, message: /1006|connection|closed/ },
    "close-1008": { code: code.PERMISSION_DENIED, fault: ["peer", "transport"], message: /not for you/ },
    "close-1009": { code: code.RESOURCE_EXHAUSTED, fault: ["peer", "transport"], message: /too big/ },
    "close-1011": { code: [code.INTERNAL, code.UNAVAILABLE, code.UNKNOWN], message: /fell over/ },
    text: { code: [code.INTERNAL, code.UNKNOWN], fault: "peer", message: /text/ },
    "cut-in-message": broken,
    "length-4-gib": tooLarge,
    "trailers-4-gib": limited,
    "trailers-without-status": noStatus,
  },
  "tidewire.v1": {
    garbage: againstProtocol,
    text: againstProtocol,
    "cut-frame": againstProtocol,
    "unknown-stream": againstProtocol,
    "over-window": { code: [code.INTERNAL, code.UNAVAILABLE, code.RESOURCE_EXHAUSTED], fault: "peer" },
    "reset-in-message": { code: code.INTERNAL, fault: ["peer", "transport"] },
    "no-trailers": noStatus,
    "length-4-gib": tooLarge,
    "trailers-without-status": noStatus,
    "close-1006": lost,
    "close-1011": { code: [code.INTERNAL, code.UNAVAILABLE], message: /fell over/ },
  },
};

/** Faults before any message. */
const atOnce = {
  "grpc-websockets": {
    "upgrade-403": { code: code.UNAVAILABLE, fault: "transport" },
    "upgrade-404": { code: code.UNAVAILABLE, fault: "transport" },
    "upgrade-cut": { code: code.UNAVAILABLE, fault: "transport" },
  },
  "tidewire.v1": {
    "upgrade-403": { code: code.UNAVAILABLE, fault: "transport" },
    "upgrade-404": { code: code.UNAVAILABLE, fault: "transport" },
    "upgrade-cut": { code: code.UNAVAILABLE, fault: "transport" },
    refused: { code: code.UNAVAILABLE, message: /127\.0\.0\.1:9 is down/ },
    html: { code: code.UNKNOWN, fault: "peer", message: /text\/html/ },
    "html-503": { code: code.UNAVAILABLE, fault: "peer", message: /503/ },
    goaway: { code: code.UNAVAILABLE, message: /new version/ },
  },
};

/** An answer that says in its headers that it is none. */
const refused = {
  "grpc-websockets": { code: code.FAILED_PRECONDITION, fault: "peer" },
  "tidewire.v1": atOnce["tidewire.v1"].html,
};

export default (suite, env) => {
  for (const transport of webSockets) {
    for (const [fault, expected] of Object.entries(afterOneMessage[transport])) {
      suite.scenario(
        `faults / ${transport} / bidi / ${fault}: the message before it is delivered`,
        async (t) => {
          const { call } = await open(t, transport, fault);
          call.send("Ada").catch(() => {});
          t.isStatus(await within(10_000, call.status, "the status"), expected);
          equal(await call.receive(), "one", "the message before the fault, read after the end");
          t.isError(await within(10_000, rejection(t.receiveAll(call)), "the rest"), expected);
          t.isError(await rejection(call.send("late"), "a send after the fault"), {});
        },
      );
    }

    for (const [fault, expected] of Object.entries(atOnce[transport])) {
      suite.scenario(`faults / ${transport} / bidi / ${fault}`, async (t) => {
        const { call } = await open(t, transport, fault);
        const headers = watch(call.headers);
        call.send("Ada").catch(() => {});
        await t.endedWith({ call, reply: watch(call.receive()) }, expected);
        if (!fault.startsWith("html")) equal(headers.state, "rejected", "the headers");
      });
    }

    suite.scenario(
      `faults / ${transport} / bidi / an answer refused by its headers is not waited for`,
      async (t) => {
        const { call, tag } = await open(t, transport, "refused-open");
        await t.endedWith({ call, reply: watch(call.receive()) }, refused[transport]);
        await exchangeEnds(env, tag);
      },
    );

    suite.scenario(
      `faults / ${transport} / bidi / nobody listens: UNAVAILABLE, and the address is named`,
      async (t) => {
        const client = await t.newClient({ baseUrl: env.refusedOrigin, transport });
        const call = client.bidi(paths.bidi, { codec: greetCodec });
        const error = await t.endedWith({ call, reply: watch(call.receive()) }, lost);
        match(error.message, new RegExp(new URL(env.refusedOrigin).host), "the message");
      },
    );

    suite.scenario(
      `faults / ${transport} / bidi / the next call after a lost socket opens a new one`,
      async (t) => {
        const { client, call } = await open(t, transport, "close-1006");
        call.send("Ada").catch(() => {});
        t.isStatus(await within(10_000, call.status, "the status"), lost);
        const next = client.bidi(paths.bidi, { codec: greetCodec });
        next.send("Ada").catch(() => {});
        equal(
          await within(10_000, next.receive(), "the next call's message"),
          "one",
          "the next call's message",
        );
        t.isStatus(await within(10_000, next.status, "the next call's status"), lost);
      },
    );
  }

  suite.scenario(
    "faults / grpc-websockets / bidi / a socket that stays open after the trailers is closed",
    async (t) => {
      const { call } = await open(t, "grpc-websockets", "open-after-trailers");
      await call.send("Ada");
      equal(await t.receiveAll(call), ["one"], "the messages");
      await t.endsOk(call);
      // That the socket goes is the harness's own guard.
    },
  );

  suite.scenario(
    "faults / tidewire.v1 / bidi / a gateway that never answers: the deadline frees the call",
    async (t) => {
      const { call } = await open(t, "tidewire.v1", "silent", { timeoutMs: 400 });
      const reply = watch(call.receive());
      await t.endedWith({ call, reply }, { code: code.DEADLINE_EXCEEDED, fault: "local" });
    },
  );
};

async function open(t, transport, fault, options) {
  const tag = Math.random().toString(36).slice(2);
  const client = await t.newClient({ baseUrl: `${t.env.fakeOrigin}/${fault}~${tag}`, transport });
  return { client, tag, call: client.bidi(paths.bidi, { codec: greetCodec, ...options }) };
}
