import * as tidewire from "../../pkg-config/dist/index.js";
import { answerBy, settings } from "./line.mjs";
import { Messages } from "./messages.mjs";
import { throughGateway, toServer } from "./reach.mjs";
import { CaseRunner } from "./run-case.mjs";

const { gateway, text } = await settings();
const runner = new CaseRunner({
  tidewire,
  text,
  messages: new Messages(new Uint8Array(await (await fetch("/messages")).arrayBuffer())),
  clientOptions: (request) => (gateway ? throughGateway(gateway, request) : toServer(request)),
});

answerBy((request) => runner.run(request));
