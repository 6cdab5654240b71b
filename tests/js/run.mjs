/**
 * Runs the scenarios in one runtime, against servers that are already up.
 *   node run.mjs --target node|chromium|firefox --origin URL [--tls-origin URL] [--only SUBSTRING]
 */
import { parseArgs } from "node:util";
import { startFakeServer } from "./fake-server.mjs";
import { uiScenarios } from "./scenarios/demo-page.mjs";

/** A scenario keeps its own limit; past this much more, its runtime itself is stuck and is started anew. */
const GRACE_MS = 20_000;

const options = readOptions();
const { launch } = await import(`./targets/${options.target}.mjs`);
const fake = await startFakeServer();
const tally = { passed: 0, failed: [], leftOut: new Map() };
let target;
try {
  target = await launch({
    ...options,
    settings: { fakeOrigin: fake.origin, refusedOrigin: fake.refusedOrigin },
  });
  console.log(`# ${target.version}, servers at ${options.origin}`);
  if (target.newUi) await runUi();
  if (target.newUi && !options.tlsOrigin) tally.leftOut.set("under TLS", "no --tls-origin was given");
  for (const suite of target.suites) await runSuite(suite);
} catch (error) {
  report({ name: `${options.target} / the run itself`, ok: false, ms: 0, error: error.stack });
} finally {
  await target?.close();
  await fake.close();
}
summary();

function readOptions() {
  const string = { type: "string" };
  const { values } = parseArgs({
    options: { target: string, origin: string, "tls-origin": string, only: string },
  });
  if (!["node", "chromium", "firefox"].includes(values.target) || !values.origin) {
    console.error(
      "usage: node run.mjs --target node|chromium|firefox --origin URL [--tls-origin URL] [--only TEXT]",
    );
    process.exit(2);
  }
  const { target, origin, only = "" } = values;
  return { target, origin: trimmed(origin), tlsOrigin: trimmed(values["tls-origin"]), only };
}

function trimmed(url) {
  return url?.replace(/\/+$/, "");
}

async function runSuite(suite) {
  const { scenarios, leftOut } = await suite.list();
  for (const [name, reason] of leftOut) tally.leftOut.set(name, reason);
  for (const { name, limitMs } of scenarios.filter(({ name }) => name.includes(options.only))) {
    report(await runLimited(suite, name, limitMs + GRACE_MS));
  }
  if (suite.finish) report(await suite.finish());
}

async function runLimited(suite, name, limitMs) {
  const start = performance.now();
  let timer;
  const stuck = new Promise((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${suite.label} stopped answering: nothing after ${limitMs} ms`)),
      limitMs,
    );
  });
  try {
    return await Promise.race([suite.run(name), stuck]);
  } catch (error) {
    await suite.restart();
    return { name, ok: false, ms: Math.round(performance.now() - start), error: error.message };
  } finally {
    clearTimeout(timer);
  }
}

async function runUi() {
  for (const { name, body } of uiScenarios.filter(({ name }) => name.includes(options.only))) {
    const start = performance.now();
    const ui = await target.newUi(`${options.origin}/`);
    const error = await body(ui, options.origin).then(
      () => undefined,
      (failure) => failure.stack,
    );
    await ui.close();
    report({ name, ok: error === undefined, ms: Math.round(performance.now() - start), error });
  }
}

function report({ name, ok, ms, error }) {
  console.log(`${ok ? "ok" : "not ok"} ${name} (${ms} ms)`);
  if (ok) tally.passed += 1;
  else {
    tally.failed.push(name);
    console.log(error.replace(/^/gm, "    "));
  }
}

function summary() {
  for (const [name, reason] of tally.leftOut) console.log(`# left out: ${name}: ${reason}`);
  for (const name of tally.failed) console.log(`# failed: ${name}`);
  if (tally.passed + tally.failed.length === 0) {
    console.log(`# no scenario has "${options.only}" in its name`);
    process.exitCode = 1;
  }
  if (tally.failed.length > 0) process.exitCode = 1;
  console.log(`${tally.passed} passed, ${tally.failed.length} failed`);
}
