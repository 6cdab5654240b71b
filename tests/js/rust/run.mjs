/**
 * Runs the cases of tests/rust-web in one runtime, against servers that are already up, and keeps the results.
 *   node rust/run.mjs --target node|chromium|firefox --origin URL --module FOLDER [--only SUBSTRING] [--results FILE]
 */
import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { startFakeServer } from "../fake-server.mjs";
import { Runner } from "../runner.mjs";
import { chatScenarios } from "./chat.mjs";

const string = { type: "string" };
const { values: options } = parseArgs({
  options: {
    target: string,
    origin: string,
    "tls-origin": string,
    module: string,
    only: string,
    results: string,
  },
});
const { launch } = await import(`../targets/${options.target}.mjs`);
const fake = await startFakeServer();
const runner = new Runner(options.only);
const results = {};
let target;
try {
  const { origin } = options;
  const rust = options.target === "node" ? { folder: options.module } : { url: "/rust/rust_web.js" };
  target = await launch({ origin, settings: { rust, fakeOrigin: fake.origin } });
  console.log(`# ${target.version}, gateway at ${origin}`);
  if (target.newUi) await runner.runUi(target, `${origin}/chat/`, chatScenarios);
  for (const suite of target.suites) {
    await runner.runSuite(suite, ({ name, ok, result }) => {
      if (ok && result) results[name] = result;
    });
  }
} catch (error) {
  runner.report({ name: `${options.target} / the run itself`, ok: false, ms: 0, error: error.stack });
} finally {
  await target?.close();
  await fake.close();
}
if (options.results) await writeFile(options.results, JSON.stringify(results, null, 1));
runner.summary();
