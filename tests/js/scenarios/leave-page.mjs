import { equal } from "../assert.mjs";
import { allTransports } from "../harness.mjs";
import { Observed } from "../observed.mjs";

/** A page with a call that never ends is left, and come back to: driven from outside, since it forgets everything. */
export const leaveScenarios = allTransports.map((transport) => ({
  name: `page / ${transport} / tonic / a page that is left: the server sees its call cancelled, and back in it calls work`,
  async body(page, origin) {
    const call = { origin, transport, id: `left-${transport}-${Math.random().toString(36).slice(2)}` };
    const observed = new Observed(origin, "tonic", call.id);
    equal(await page.evaluate(firstReply, call), "Hello, Ada 1", "the reply before the page is left");
    await page.go(`${origin}/healthz`);
    await observed.until("cancelled");
    await observed.until("end");
    await page.goBack();
    const again = { ...call, id: `${call.id}-again` };
    equal(await page.evaluate(firstReply, again), "Hello, Ada 1", "the reply back in the page");
  },
}));

/** In the page: the first reply of a call that goes on. */
async function firstReply({ origin, transport, id }) {
  const { createClient } = await import(`${origin}/tidewire/index.js`);
  const client = await createClient({ baseUrl: `${origin}/tonic`, transport });
  const metadata = { "x-call-id": id, "x-count": "1", "x-never-end": "1" };
  const request = Uint8Array.of(10, 3, 65, 100, 97);
  const call = client.serverStream("/greet.GreetService/GreetServerStream", request, { metadata });
  // Kept where only the page itself can lose it.
  globalThis.kept = call;
  const reply = await call.receive();
  return new TextDecoder().decode(reply.subarray(2));
}
