import { createChannel, createClient, FetchTransport, WebsocketTransport } from "nice-grpc-web";
import { BenchDefinition } from "../gen/ts-proto/bench.js";

export const clients = {
  "nice-grpc-web, fetch": ({ origin }) => calls(`${origin}/direct`, FetchTransport()),
  "nice-grpc-web, WebSocket": ({ origin }) => overSocket(`${origin}/gateway`),
};

function calls(url, transport) {
  const client = createClient(BenchDefinition, createChannel(url, transport));
  return {
    client,
    call: async (size) => (await client.unary({ size })).data.length,
    stream: (params) => each(client.serverStream(params)),
    records: (params) => each(client.records(params)),
  };
}

function overSocket(url) {
  const { client, ...rest } = calls(url, WebsocketTransport());
  return {
    ...rest,
    async pingpong({ count, size }, times) {
      const message = { data: new Uint8Array(size).fill(120) };
      let back;
      const replies = client.echo(
        (async function* () {
          for (let n = 0; n < count; n++) {
            const begun = performance.now();
            const came = new Promise((resolve) => (back = resolve));
            yield message;
            await came;
            times.push(performance.now() - begun);
          }
        })(),
      );
      let n = 0;
      for await (const reply of replies) {
        if (reply) n++;
        back();
      }
      return n;
    },
    async flood({ count, size }) {
      const message = { data: new Uint8Array(size).fill(120) };
      return each(
        client.echo(
          (async function* () {
            for (let n = 0; n < count; n++) yield message;
          })(),
        ),
      );
    },
  };
}

async function each(messages) {
  let n = 0;
  for await (const message of messages) if (message) n++;
  return n;
}
