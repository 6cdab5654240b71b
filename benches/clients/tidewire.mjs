import { fromBinary } from "@bufbuild/protobuf";
import { createClient } from "tidewire";
import { RecordSchema } from "../gen/es/bench_pb.js";
import { Record } from "../gen/ts-proto/bench.js";
import { payload, spec } from "../wire.mjs";

const MAX = 64 * 1024 * 1024;

const encode = (message) => message;
const codecs = {
  "protobuf-es": { encode, decode: (bytes) => fromBinary(RecordSchema, bytes) },
  "ts-proto": { encode, decode: (bytes) => Record.decode(bytes) },
};

export const clients = {
  "Tidewire, fetch": (env) => overFetch(env),
  "Tidewire, fetch, batches": (env) => overFetch(env, undefined, batches),
  "Tidewire, fetch, protobuf-es": (env) => overFetch(env, codecs["protobuf-es"]),
  "Tidewire, fetch, ts-proto": (env) => overFetch(env, codecs["ts-proto"]),
  "Tidewire, tidewire.v1": overSocket,
};

async function overFetch({ origin }, codec, read = each) {
  const client = await createClient({
    baseUrl: `${origin}/direct`,
    transport: "fetch",
    maxReceiveMessageBytes: MAX,
  });
  return calls(client, codec, read);
}

async function overSocket({ origin, WebSocket }) {
  const options = { baseUrl: `${origin}/gateway`, transport: "tidewire.v1", maxReceiveMessageBytes: MAX };
  const client = await createClient({ ...options, WebSocket });
  return {
    ...calls(client, undefined, each),
    async upload({ count, size }) {
      const call = client.clientStream("/bench.Bench/ClientStream");
      const message = payload(size);
      for (let n = 0; n < count; n++) await call.send(message);
      await call.closeAndReceive();
      return count;
    },
    async pingpong({ count, size }, times) {
      const call = client.bidi("/bench.Bench/Echo");
      const message = payload(size);
      for (let n = 0; n < count; n++) {
        const begun = performance.now();
        await call.send(message);
        await call.receive();
        times.push(performance.now() - begun);
      }
      await call.closeSend();
      await call.status;
      return count;
    },
    async flood({ count, size }) {
      const call = client.bidi("/bench.Bench/Echo");
      const message = payload(size);
      const sent = (async () => {
        for (let n = 0; n < count; n++) await call.send(message);
        await call.closeSend();
      })();
      const n = await each(call);
      await sent;
      return n;
    },
  };
}

function calls(client, codec, read) {
  const stream = (method) => (params) =>
    read(client.serverStream(`/bench.Bench/${method}`, spec(params), { codec }));
  return {
    call: async (size) => (await client.unary("/bench.Bench/Unary", spec({ size }))).message.length,
    stream: stream("ServerStream"),
    async stall(params) {
      const call = client.serverStream("/bench.Bench/ServerStream", spec(params));
      await call.receive();
      return () => call.cancel();
    },
    records: stream("Records"),
  };
}

async function each(call) {
  let n = 0;
  let bytes = 0;
  for await (const message of call) {
    n++;
    bytes += message.length;
  }
  return n;
}

async function batches(call) {
  let n = 0;
  let bytes = 0;
  for (let batch; (batch = await call.receiveBatch());) {
    for (const message of batch) {
      n++;
      bytes += message.length;
    }
  }
  return n;
}
