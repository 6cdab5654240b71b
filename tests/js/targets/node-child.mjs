import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { WebSocket } from "ws";
import { guardNode } from "../guards.mjs";
import { buildSuite } from "../suite.mjs";

const packageUrl = new URL("../../../pkg-config/dist/index.js", import.meta.url);
const guards = guardNode();
let suite;

// Node 20 has no WebSocket of its own, later ones do: the scenarios are about the one that is handed in.
delete globalThis.WebSocket;

const answers = {
  async prepare(settings) {
    const env = {
      ...settings,
      guards,
      tidewire: await import(packageUrl),
      slim: () => import(new URL("slim.js", packageUrl)),
      blocks,
      clientOptions: { WebSocket: guards.counting(WebSocket) },
      memory: async () => process.memoryUsage.rss(),
    };
    suite = await buildSuite(env);
    return { scenarios: suite.list(), leftOut: [...suite.leftOut] };
  },
  run: (name) => suite.run(name),
  finish() {
    // Unreferenced: it reports if the process is still here then, and does not keep it here.
    setTimeout(() => console.error(`# kept alive by ${process.getActiveResourcesInfo()}`), 4_000).unref();
    process.disconnect();
  },
};

/** Lowered as its users' bundlers do it; the package brings esbuild for its own build. */
async function blocks() {
  const { transform } = createRequire(packageUrl)("esbuild");
  const source = await readFile(new URL("../blocks.mjs", import.meta.url), "utf8");
  const { code } = await transform(source, { format: "esm", target: "node20" });
  return import(`data:text/javascript,${encodeURIComponent(code)}`);
}

process.on("message", async (question) => {
  const [[what, argument]] = Object.entries(question);
  try {
    const result = await answers[what](argument);
    if (process.connected) process.send({ result });
  } catch (error) {
    process.send({ error: error.stack ?? String(error) });
  }
});
