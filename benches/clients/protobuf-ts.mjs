import { GrpcWebFetchTransport } from "@protobuf-ts/grpcweb-transport";
import { BenchClient } from "../gen/protobuf-ts/bench.client.js";

const defaults = { count: 0, size: 0, piece: 0 };

export const clients = {
  "protobuf-ts": ({ origin }) => {
    const client = new BenchClient(
      new GrpcWebFetchTransport({ baseUrl: `${origin}/direct`, format: "binary" }),
    );
    return {
      call: async (size) => (await client.unary({ ...defaults, size })).response.data.length,
      stream: (params) => each(client.serverStream({ ...defaults, ...params })),
      records: (params) => each(client.records({ ...defaults, ...params })),
    };
  },
};

async function each(call) {
  let n = 0;
  for await (const message of call.responses) if (message) n++;
  await call;
  return n;
}
