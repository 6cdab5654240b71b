import { Agent, fetch } from "undici";
import { WebSocket } from "ws";
import { complain } from "../complain.mjs";
import { Messages } from "../messages.mjs";
import { CaseRunner } from "../run-case.mjs";
import { throughGateway, toServer } from "../reach.mjs";

const packageUrl = new URL("../../../pkg-config/dist/index.js", import.meta.url);

/** In this process. Over TLS undici's fetch speaks HTTP/2, and is full-duplex. */
export async function launch({ descriptors, gateway, text }) {
  process.on("unhandledRejection", complain);
  const runner = new CaseRunner({
    tidewire: await import(packageUrl),
    text,
    messages: new Messages(descriptors),
    clientOptions: (request) =>
      gateway
        ? { ...throughGateway(gateway, request), WebSocket }
        : { ...toServer(request), fetch: fetchFor(request) },
  });
  return { run: (request) => runner.run(request), close: async () => {} };
}

const agents = new Map();

function fetchFor({ port, serverTlsCert }) {
  if (!agents.has(port)) {
    const connect = { ca: new TextDecoder().decode(serverTlsCert) };
    agents.set(port, new Agent({ allowH2: true, ...(serverTlsCert.length > 0 && { connect }) }));
  }
  const dispatcher = agents.get(port);
  return (url, init) => fetch(url, { ...init, dispatcher });
}
