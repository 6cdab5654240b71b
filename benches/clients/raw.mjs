// No client at all: what the runtime itself costs, and what a deframer written for the purpose adds.
import { fromBinary } from "@bufbuild/protobuf";
import { RecordSchema } from "../gen/es/bench_pb.js";
import { Record } from "../gen/ts-proto/bench.js";
import { Deframer, framed, payload, spec } from "../wire.mjs";

export const clients = {
  "raw fetch": (env) => ({
    ...overFetch(env, drain),
    records: ({ count }) => body(env, "Records", { count }, drain),
  }),
  "raw fetch, deframed": (env) => overFetch(env, deframe),
  "raw WebSocket": overSocket,
  "protobuf-es alone": (env) => decoding(env, (bytes) => fromBinary(RecordSchema, bytes)),
  "ts-proto alone": (env) => decoding(env, (bytes) => Record.decode(bytes)),
};

function overFetch(env, read) {
  return {
    stream: (params) => body(env, "ServerStream", params, read),
    async stall(params) {
      const { body } = await post(env, "ServerStream", params);
      const reader = body.getReader();
      await reader.read();
      return () => reader.cancel();
    },
    async upload({ count, size }) {
      const response = await post(env, "ClientStream", new Blob(Array(count).fill(framed(payload(size)))));
      await response.arrayBuffer();
      return count;
    },
    call: async (size) => (await (await post(env, "Unary", { size })).arrayBuffer()).byteLength,
  };
}

/** A body, or what a `bench.Spec` is made of. */
function post({ origin }, method, asked) {
  return fetch(`${origin}/direct/bench.Bench/${method}`, {
    method: "POST",
    headers: { "content-type": "application/grpc-web+proto", "x-grpc-web": "1" },
    body: asked instanceof Blob ? asked : framed(spec(asked)),
  });
}

async function body(env, method, params, read) {
  const response = await post(env, method, params);
  return read(response.body.getReader(), params);
}

async function drain(reader, { count }) {
  for (;;) {
    const { done } = await reader.read();
    if (done) return count;
  }
}

async function deframe(reader) {
  let n = 0;
  let bytes = 0;
  const deframer = new Deframer((message) => {
    n++;
    bytes += message.length;
  });
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return n;
    deframer.push(value);
  }
}

/** What a codec takes by itself: the messages are there before the clock starts. */
function decoding(env, decode) {
  const messages = [];
  return {
    async prepare({ count }) {
      if (messages.length === count) return;
      messages.length = 0;
      const response = await post(env, "Records", { count });
      new Deframer((message) => messages.push(message)).push(new Uint8Array(await response.arrayBuffer()));
    },
    async records() {
      let n = 0;
      for (const message of messages) if (decode(message)) n++;
      return n;
    },
  };
}

function overSocket({ origin }) {
  const open = (path = "echo") =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(`${origin.replace("http", "ws")}/${path}`);
      socket.binaryType = "arraybuffer";
      socket.onopen = () => resolve(socket);
      socket.onerror = reject;
    });
  let bulk;
  return {
    async stream({ count, size }) {
      bulk ??= await open("bulk");
      let left = count * framed(payload(size)).length;
      const all = new Promise((resolve) => {
        bulk.onmessage = ({ data }) => (left -= data.byteLength) || resolve(count);
      });
      bulk.send(`${left}`);
      return all;
    },
    async upload({ count, size }) {
      bulk ??= await open("bulk");
      const message = framed(payload(size));
      const all = new Promise((resolve) => (bulk.onmessage = () => resolve(count)));
      for (let n = 0; n < count; n++) bulk.send(message);
      bulk.send("end");
      return all;
    },
    async pingpong({ count, size }, times) {
      const socket = await open();
      const message = framed(payload(size));
      let back;
      socket.onmessage = () => back();
      for (let n = 0; n < count; n++) {
        const begun = performance.now();
        await new Promise((resolve) => {
          back = resolve;
          socket.send(message);
        });
        times.push(performance.now() - begun);
      }
      socket.close();
      return count;
    },
    async flood({ count, size }) {
      const socket = await open();
      const message = framed(payload(size));
      const all = new Promise((resolve) => {
        let n = 0;
        socket.onmessage = () => ++n === count && resolve(n);
      });
      for (let n = 0; n < count; n++) socket.send(message);
      const n = await all;
      socket.close();
      return n;
    },
  };
}
