import * as tidewire from "tidewire";
import descriptors from "messages";
import { Messages } from "./messages.mjs";
import { toServer } from "./reach.mjs";
import { CaseRunner } from "./run-case.mjs";

let runner;

export default {
  async fetch(request) {
    // Not at import, when a worker may not do everything.
    runner ??= new CaseRunner({
      tidewire,
      messages: new Messages(new Uint8Array(descriptors)),
      clientOptions: toServer,
    });
    return new Response(await runner.run(new Uint8Array(await request.arrayBuffer())));
  },
};
