import * as tidewire from "tidewire";
import { guardPage } from "./guards.mjs";
import { buildSuite } from "./suite.mjs";

const guards = guardPage();
/** What needs no memory of a whole process, and no page. */
const themes = [
  "happy",
  "metadata",
  "half-close",
  "cancel",
  "deadline",
  "server-ends",
  "compression",
  "limits",
  "capability",
];
let suite;

/** One request is one question of the driver: `{ settings, run }`. Nothing is shared between requests but the suite. */
export default {
  async fetch(request) {
    const { settings, run } = await request.json();
    suite ??= await buildSuite({
      ...settings,
      guards,
      themes,
      tidewire,
      blocks: () => import("./blocks.mjs"),
      clientOptions: {},
    });
    const answer = run ? await suite.run(run) : { scenarios: suite.list(), leftOut: [...suite.leftOut] };
    return Response.json(answer);
  },
};
