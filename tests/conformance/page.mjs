import * as tidewire from "../../pkg-config/dist/index.js";
import { Messages } from "./messages.mjs";
import { throughGateway, toServer } from "./reach.mjs";
import { CaseRunner } from "./run-case.mjs";

const { gateway, text } = await (await fetch("/settings")).json();
const runner = new CaseRunner({
  tidewire,
  text,
  messages: new Messages(new Uint8Array(await (await fetch("/messages")).arrayBuffer())),
  clientOptions: (request) => (gateway ? throughGateway(gateway, request) : toServer(request)),
});

const socket = new WebSocket(location.origin.replace("http", "ws"));
socket.binaryType = "arraybuffer";
socket.onmessage = async ({ data }) => {
  const response = await runner.run(new Uint8Array(data, 4));
  socket.send(new Blob([data.slice(0, 4), response]));
};
