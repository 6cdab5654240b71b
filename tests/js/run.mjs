/**
 * Runs the scenarios in one runtime, against servers that are already up.
 *   node run.mjs --target node|chromium|firefox|workerd --origin URL [--tls-origin URL] [--only SUBSTRING]
 */
import { parseArgs } from "node:util";
import { startFakeServer } from "./fake-server.mjs";
import { Runner } from "./runner.mjs";
import { uiScenarios } from "./scenarios/demo-page.mjs";

const options = readOptions();
const { launch } = await import(`./targets/${options.target}.mjs`);
const fake = await startFakeServer();
const runner = new Runner(options.only);
let target;
try {
  target = await launch({
    ...options,
    settings: { fakeOrigin: fake.origin, refusedOrigin: fake.refusedOrigin },
  });
  console.log(`# ${target.version}, servers at ${options.origin}`);
  if (target.newUi) await runner.runUi(target, `${options.origin}/`, uiScenarios);
  if (target.newUi && !options.tlsOrigin) runner.leaveOut("under TLS", "no --tls-origin was given");
  for (const suite of target.suites) await runner.runSuite(suite);
} catch (error) {
  runner.report({ name: `${options.target} / the run itself`, ok: false, ms: 0, error: error.stack });
} finally {
  await target?.close();
  await fake.close();
}
runner.summary();

function readOptions() {
  const string = { type: "string" };
  const { values } = parseArgs({
    options: { target: string, origin: string, "tls-origin": string, only: string },
  });
  if (!["node", "chromium", "firefox", "workerd"].includes(values.target) || !values.origin) {
    console.error(
      "usage: node run.mjs --target node|chromium|firefox|workerd --origin URL [--tls-origin URL] [--only TEXT]",
    );
    process.exit(2);
  }
  const { target, origin, only } = values;
  return { target, origin: trimmed(origin), tlsOrigin: trimmed(values["tls-origin"]), only };
}

function trimmed(url) {
  return url?.replace(/\/+$/, "");
}
