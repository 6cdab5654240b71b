import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { Bench } from "../gen/es/bench_pb.js";

export const clients = {
  "connect-web, gRPC-Web": ({ origin }) => calls(createGrpcWebTransport({ baseUrl: `${origin}/direct` })),
  "connect-web, Connect": ({ origin }) =>
    calls(createConnectTransport({ baseUrl: `${origin}/direct`, useBinaryFormat: true })),
};

function calls(transport) {
  const client = createClient(Bench, transport);
  return {
    call: async (size) => (await client.unary({ size })).data.length,
    stream: (params) => each(client.serverStream(params)),
    records: (params) => each(client.records(params)),
  };
}

async function each(messages) {
  let n = 0;
  for await (const message of messages) if (message) n++;
  return n;
}
