// One client in a Node process of its own; asked by messages.
import { WebSocket } from "ws";
import { prepare, run } from "./ops.mjs";

globalThis.WebSocket = WebSocket;
let client;

const answers = {
  async prepare({ module, name, origin }) {
    const { clients } = await import(module);
    client = await prepare(clients, name, { origin, WebSocket });
  },
  before: (params) => client.prepare?.(params),
  run: (params) => run(client, params),
};

process.on("message", async ([what, params]) => {
  try {
    process.send({ result: await answers[what](params) });
  } catch (error) {
    process.send({ error: error.stack ?? String(error) });
  }
});
process.on("disconnect", () => process.exit());
