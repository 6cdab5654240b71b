/**
 * Runs the table of calls in one runtime, against peers that are already up, and keeps the results.
 *   node interop/run.mjs --target node|chromium --origin URL [--tls-origin URL] --peer NAME[,WORD=HOST:PORT]…
 *     [--only SUBSTRING] [--results FILE]
 */
import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { Runner } from "../runner.mjs";
import { cells } from "./table.mjs";

const string = { type: "string" };
const { values: options } = parseArgs({
  options: {
    target: string,
    origin: string,
    "tls-origin": string,
    peer: { ...string, multiple: true, default: [] },
    only: string,
    results: string,
  },
});
const peers = Object.fromEntries(options.peer.map(readPeer));
const { launch } = await import(`../targets/${options.target}.mjs`);
const runner = new Runner(options.only);
const results = [];
let target;
try {
  const { origin } = options;
  target = await launch({ origin, tlsOrigin: options["tls-origin"], settings: { peers } });
  console.log(`# ${target.version}, gateway at ${origin}`);
  for (const suite of target.suites) {
    // The page behind TLS says so by its label; what it runs is decided there as it is here.
    const env = { runtime: options.target, secure: suite.label === "TLS page", peers, origin };
    const byName = new Map(cells(env).map((cell) => [cell.name, cell]));
    await runner.runSuite(suite, ({ name, ok, result }) => {
      const { column, row, how, kind, kinds, note } = byName.get(name);
      results.push({ column: column.id, row: row.id, ok, how, kind, kinds, note, result });
    });
  }
} catch (error) {
  runner.report({ name: `${options.target} / the run itself`, ok: false, ms: 0, error: error.stack });
} finally {
  await target?.close();
}
if (options.results) await writeFile(options.results, JSON.stringify(results, null, 1));
runner.summary();

/** `NAME,on=HOST:PORT,observed=HOST:PORT` */
function readPeer(text) {
  const [name, ...pairs] = text.split(",");
  return [name, Object.fromEntries(pairs.map((pair) => pair.split("=")))];
}
