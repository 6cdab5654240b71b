/** Servers that cut the connection when they end a call while we send. */
import { equal, within } from "../../assert.mjs";
import { OK, UNAVAILABLE } from "../../codes.mjs";
import { sendUntilRejected } from "../../scenarios/server-ends.mjs";

/** The cell: the status may be lost with the connection, and then the call says so. */
export function losesTheEnd(sentence, where = {}) {
  return { differs: sentence, shown: endsOneWayOrTheOther, ...where };
}

async function endsOneWayOrTheOther(t) {
  const { call } = t.begin({ ask: { "x-end-after": 2 } });
  const sends = [];
  await sendUntilRejected(call, sends);
  await within(10_000, Promise.allSettled(sends), "every send");
  const status = await within(10_000, call.status, "the status");
  t.isStatus(status, { code: [OK, UNAVAILABLE], fault: status.code === OK ? "none" : "transport" });
  const { detail } = await t.observed.until("end");
  equal([detail.code, detail.count], [0, 2], "the server's code and count");
}
